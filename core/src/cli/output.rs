//! What a command prints: results on standard output, progress, notes and errors on standard error. A
//! bar where a person watches, plain lines where they go to a file.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
pub use tag2mask_core::run::duration::duration;
use tag2mask_core::{Error, Result};

/// The one place that prints.
pub struct Report {
    json: bool,
    bars: bool,
    /// Shortest time between two plain lines of progress: what is done in a moment needs none.
    pause: Duration,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    stretch: Option<Stretch>,
    /// Why results could not be printed. Work goes on: a run of hours is worth more than its log.
    broken: Option<io::Error>,
}

/// A stretch of work under way.
struct Stretch {
    label: String,
    bar: Option<ProgressBar>,
    done: usize,
    /// Tenths of the work that were told of in plain lines, and when that was last.
    told: usize,
    told_at: Instant,
}

impl Report {
    /// Prints to the process's standard output and standard error. With `json`, results are JSON only.
    pub fn new(json: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let bars = io::stderr().is_terminal() && !dumb;
        Self::with(json, bars, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    fn with(json: bool, bars: bool, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self { json, bars, pause: Duration::from_secs(1), out, err, stretch: None, broken: None }
    }

    /// A line of a result, for people: not printed with `--json`.
    pub fn line(&mut self, text: impl Display) {
        if !self.json {
            self.result(&printable(&text.to_string()));
        }
    }

    /// A result for programs, on one line: printed with `--json` only.
    pub fn object(&mut self, value: &impl Serialize) {
        if self.json {
            match serde_json::to_string(value) {
                Ok(text) => self.result(&text),
                Err(error) => self.broken = Some(error.into()),
            }
        }
    }

    /// Something worth knowing that is no result.
    pub fn note(&mut self, text: impl Display) {
        self.aside(&printable(&text.to_string()));
    }

    /// Something that was left out, or went other than asked.
    pub fn warning(&mut self, text: impl Display) {
        self.aside(&printable(&format!("warning: {text}")));
    }

    /// Why the command failed. Ends the stretch of work under way.
    pub fn error(&mut self, error: &Error) {
        self.end_progress();
        self.aside(&printable(&format!("error: {error}")));
    }

    /// How far a stretch of work is. Another label, or less than was done before, begins another
    /// stretch. Plain lines tell of every tenth, but not more often than once a second.
    pub fn progress(&mut self, label: &str, done: usize, total: usize, seconds_left: Option<f64>) {
        if self.stretch.as_ref().is_none_or(|stretch| stretch.label != label || stretch.done > done) {
            self.end_progress();
            let bar = self.bars.then(|| bar(label));
            self.stretch =
                Some(Stretch { label: label.to_owned(), bar, done, told: 0, told_at: Instant::now() });
        }
        let left = seconds_left.map(|seconds| format!(", {} left", duration(seconds))).unwrap_or_default();
        let Some(stretch) = &mut self.stretch else { return };
        stretch.done = done;
        if let Some(bar) = &stretch.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(left);
            return;
        }
        let tenth = (10 * done.min(total)).checked_div(total).unwrap_or(0);
        if tenth > stretch.told && stretch.told_at.elapsed() >= self.pause {
            (stretch.told, stretch.told_at) = (tenth, Instant::now());
            self.aside(&format!("{label}: {done} of {total} ({} %){left}", 10 * tenth));
        }
    }

    /// Takes the bar away.
    pub fn end_progress(&mut self) {
        if let Some(bar) = self.stretch.take().and_then(|stretch| stretch.bar) {
            bar.finish_and_clear();
        }
    }

    /// Whether everything could be printed. A reader that has seen enough (`| head`) is no failure.
    ///
    /// # Errors
    /// [`Error::Io`] when standard output could not be written.
    pub fn close(&mut self) -> Result<()> {
        self.end_progress();
        let flushed = self.out.flush();
        match self.broken.take().or(flushed.err()) {
            Some(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::Io { action: "write", path: "standard output".into(), source })
            }
            _ => Ok(()),
        }
    }

    fn result(&mut self, text: &str) {
        if self.broken.is_none() {
            let out = &mut self.out;
            let written = beside_bar(&self.stretch, || writeln!(out, "{text}"));
            self.broken = written.err();
        }
    }

    fn aside(&mut self, text: &str) {
        let err = &mut self.err;
        // Where standard error is gone there is nobody left to tell.
        let _ = beside_bar(&self.stretch, || writeln!(err, "{text}"));
    }
}

fn beside_bar<T>(stretch: &Option<Stretch>, print: impl FnOnce() -> T) -> T {
    match stretch.as_ref().and_then(|stretch| stretch.bar.as_ref()) {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

fn bar(label: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{bar:24}] {pos} of {len}{msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style.progress_chars("=> ")).with_prefix(label.to_owned())
}

/// File and class names come from outside: no control sequence of theirs reaches the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Rc<RefCell<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    fn report(json: bool) -> (Report, Page, Page) {
        let (out, err) = (Page::default(), Page::default());
        (Report::with(json, false, Box::new(out.clone()), Box::new(err.clone())), out, err)
    }

    #[test]
    fn people_get_lines_and_programs_get_json() {
        for json in [false, true] {
            let (mut report, out, err) = report(json);
            report.line("mIoU 50.0");
            report.object(&serde_json::json!({"miou": 50.0}));
            report.note("a note");
            report.warning("careful");
            report.close().unwrap();
            assert_eq!(out.text(), if json { "{\"miou\":50.0}\n" } else { "mIoU 50.0\n" });
            assert_eq!(err.text(), "a note\nwarning: careful\n");
        }
    }

    #[test]
    fn progress_without_a_terminal_is_a_line_every_tenth() {
        let (mut report, out, err) = report(false);
        report.pause = Duration::ZERO;
        for done in 0..=40 {
            report.progress("reading", done, 40, (done == 20).then_some(61.0));
        }
        report.progress("scoring", 1, 1, None);
        report.progress("nothing", 0, 0, None);
        report.progress("round", 5, 10, None);
        report.progress("round", 1, 10, None);
        report.close().unwrap();
        let lines: Vec<String> = err.text().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 13);
        assert_eq!(lines[0], "reading: 4 of 40 (10 %)");
        assert_eq!(lines[4], "reading: 20 of 40 (50 %), 1 min 1 s left");
        assert_eq!(lines[10], "scoring: 1 of 1 (100 %)");
        assert_eq!(lines[12], "round: 1 of 10 (10 %)");
        assert_eq!(out.text(), "");
    }

    #[test]
    fn what_is_done_in_a_moment_is_not_told_of() {
        let (mut report, _, err) = report(false);
        report.pause = Duration::MAX;
        (0..=40).for_each(|done| report.progress("reading", done, 40, None));
        assert_eq!(err.text(), "");
    }

    #[test]
    fn errors_are_one_line_without_control_sequences() {
        let (mut report, _, err) = report(false);
        report.error(&Error::Format { path: "a\x1b[31m\nb.png".into(), reason: "bad".into() });
        assert_eq!(err.text(), "error: bad: a\u{FFFD}[31m\u{FFFD}b.png\n");
    }

    /// Fails every write with the same kind of error.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_a_failure_and_a_reader_that_left_is_none() {
        for (kind, fine) in [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)] {
            let mut report = Report::with(false, false, Box::new(Failing(kind)), Box::new(Page::default()));
            report.line("one");
            report.line("two");
            assert_eq!(report.close().is_ok(), fine);
        }
    }
}
