//! Every test, the cheapest first, with one summary at the end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::command::{cargo, execute, find, root, say, target_folder};
use crate::dist::{self, Effort};
use crate::tools::{self, Tools};
use crate::{Result, unknown};

/// A group of tests that runs by itself with `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Formatting and lints.
    Lint,
    /// Core, the command line, and these commands.
    Native,
    /// Exports read by other people's programs.
    Exports,
    /// The page in a real browser.
    Page,
}

/// `cargo xtask test`.
///
/// # Errors
/// A step failed (the others have run nevertheless), or an argument is not known.
pub fn run(arguments: &[&str]) -> Result<()> {
    let groups: &[Group] = match arguments {
        [] => &[Group::Lint, Group::Native, Group::Exports, Group::Page],
        ["--only", "lint"] => &[Group::Lint],
        ["--only", "native"] => &[Group::Native],
        ["--only", "exports"] => &[Group::Exports],
        ["--only", "page"] => &[Group::Page],
        other => return Err(unknown(other)),
    };
    let mut report = Report::default();
    if groups.contains(&Group::Lint) {
        report.step("formatting", || execute(cargo().args(["fmt", "--all", "--check"])));
        report.step("lints, native", || {
            let everything = ["clippy", "--workspace", "--all-targets"];
            execute(cargo().args(everything).args(["--", "--deny", "warnings"]))
        });
    }
    if groups.contains(&Group::Native) {
        report.step("native tests", || {
            if find("cargo-nextest").is_some() {
                execute(cargo().args(["nextest", "run", "--workspace"]))
            } else {
                execute(cargo().args(["test", "--workspace", "--lib", "--bins", "--tests"]))
            }
        });
        report.step("examples in the documentation", || {
            execute(cargo().args(["test", "--workspace", "--doc"]))
        });
    }
    if groups.contains(&Group::Exports) {
        report.step("exports in other programs", test_exports);
    }
    // From here on for the browser, in the profile that the page is built in anyway.
    if groups.contains(&Group::Lint) {
        report.step("lints, browser", || {
            tools::fetch_wasm_target()?;
            let target = ["--target", tools::WASM_TARGET, "--profile", "web"];
            let modules =
                ["--package", "tag2mask-app", "--bins", "--features", "page,trainer-gpu,trainer-cpu"];
            execute(cargo().arg("clippy").args(target).args(modules).args(["--", "--deny", "warnings"]))
        });
    }
    if groups.contains(&Group::Page) {
        let mut page = None;
        report.step("building the page", || {
            page = Some(dist::build(Effort::Quick)?);
            Ok(())
        });
        match page {
            Some(page) => report.step("page tests", || test_page(&page)),
            None => report.add("page tests", Outcome::Skipped),
        }
    }
    report.finish()
}

/// Runs every `tests/exports/*.spec.mjs` on what the program writes.
fn test_exports() -> Result<()> {
    let mut tools = Tools::new()?;
    tools.fetch_onnxruntime()?;
    // With the whole, as the native tests are: by itself it would be built from other features.
    execute(cargo().args(["build", "--workspace", "--bin", "tag2mask"]))?;
    let files = specs("tests/exports")?;
    execute(
        tools.command("node").env("TAG2MASK", program()).args(["--test", "--test-reporter=spec"]).args(files),
    )
}

/// Runs every `tests/page/*.spec.mjs` against the built page. What takes the program, too, is left out where it was
/// not built by the tests before.
fn test_page(page: &Path) -> Result<()> {
    // One file at a time: the software rasteriser of one browser takes the whole machine.
    let options = ["--test", "--test-concurrency=1", "--test-reporter=spec"];
    let mut node = node_on(page)?;
    let program = program();
    if program.is_file() {
        node.env("TAG2MASK", program);
    }
    execute(node.args(options).args(specs("tests/page")?))
}

/// The program, where the tests build it.
fn program() -> PathBuf {
    target_folder().join("debug").join(format!("tag2mask{}", std::env::consts::EXE_SUFFIX))
}

/// The tests in a folder of the project, by name.
fn specs(folder: &str) -> Result<Vec<PathBuf>> {
    let folder = root().join(folder);
    let unreadable = |error| format!("cannot list ({error}): {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.to_string_lossy().ends_with(".spec.mjs") {
            files.push(file);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(format!("there are no tests: {}", folder.display())),
        false => Ok(files),
    }
}

/// Node with a browser to drive and the built page to open.
///
/// # Errors
/// A tool is missing and could not be fetched.
pub fn node_on(page: &Path) -> Result<std::process::Command> {
    let mut tools = Tools::new()?;
    tools.fetch_playwright()?;
    let chromium = tools::fetch_chromium()?;
    let mut node = tools.command("node");
    node.env("TAG2MASK_PAGE", page).env("CHROMIUM", chromium);
    Ok(node)
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    /// A step that it stands on has failed.
    Skipped,
}

/// What ran, how long it took and how it ended.
#[derive(Debug, Default)]
struct Report {
    steps: Vec<(&'static str, Outcome, Duration)>,
}

impl Report {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        say(name);
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(reason) => {
                eprintln!("error: {reason}");
                Outcome::Failed(reason)
            }
        };
        println!("{name}: {:.0} s", start.elapsed().as_secs_f64());
        self.steps.push((name, outcome, start.elapsed()));
    }

    fn add(&mut self, name: &'static str, outcome: Outcome) {
        self.steps.push((name, outcome, Duration::ZERO));
    }

    /// Prints the summary.
    fn finish(self) -> Result<()> {
        say("summary");
        let mut failed = 0;
        for (name, outcome, time) in &self.steps {
            let word = match outcome {
                Outcome::Passed => "passed",
                Outcome::Failed(_) => "FAILED",
                Outcome::Skipped => "skipped",
            };
            println!("{word:<8} {:>6.0} s  {name}", time.as_secs_f64());
            if let Outcome::Failed(reason) = outcome {
                println!("{:19}{}", "", reason.lines().next().unwrap_or_default());
                failed += 1;
            }
        }
        match failed {
            0 => Ok(()),
            count => Err(format!("{count} of {} steps failed", self.steps.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole() {
        let mut report = Report::default();
        report.step("one", || Ok(()));
        report.step("two", || Err("broken".into()));
        report.add("three", Outcome::Skipped);
        assert_eq!(report.steps[1].1, Outcome::Failed("broken".into()));
        assert_eq!(report.finish().unwrap_err(), "1 of 3 steps failed");
        let mut report = Report::default();
        report.step("one", || Ok(()));
        assert_eq!(report.finish(), Ok(()));
    }

    #[test]
    fn unknown_arguments_run_nothing() {
        assert!(run(&["--only", "everything"]).unwrap_err().contains("--only everything"));
    }
}
