//! What was changed in a mask, and the way back: runs of pixels, in bounded number.

/// Pixels in a row that had one label and got one other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    start: u32,
    length: u32,
    before: u8,
    after: u8,
}

/// Changes that were made and that were taken back, the last one last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Steps {
    done: Vec<Vec<Run>>,
    undone: Vec<Vec<Run>>,
    /// Whether changes were forgotten that can never be taken back.
    forgotten: bool,
}

impl Steps {
    /// Most changes that are kept.
    pub(super) const STEPS: usize = 300;
    /// Most runs that they may take: 12 MB.
    pub(super) const RUNS: usize = 1 << 20;

    /// Adds the change from one mask to another. Whether there is any.
    pub(super) fn add(&mut self, before: &[u8], after: &[u8]) -> bool {
        let runs = difference(before, after);
        if runs.is_empty() {
            return false;
        }
        self.undone.clear();
        self.done.push(runs);
        while self.done.len() > 1 && (self.done.len() > Self::STEPS || self.runs() > Self::RUNS) {
            self.done.remove(0);
            self.forgotten = true;
        }
        true
    }

    pub(super) fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    pub(super) fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    pub(super) fn is_changed(&self) -> bool {
        self.forgotten || self.can_undo()
    }

    pub(super) fn undo(&mut self, labels: &mut [u8]) -> bool {
        let Some(runs) = self.done.pop() else { return false };
        runs.iter().for_each(|run| paint(labels, run, run.before));
        self.undone.push(runs);
        true
    }

    pub(super) fn redo(&mut self, labels: &mut [u8]) -> bool {
        let Some(runs) = self.undone.pop() else { return false };
        runs.iter().for_each(|run| paint(labels, run, run.after));
        self.done.push(runs);
        true
    }

    pub(super) fn runs(&self) -> usize {
        self.done.iter().map(Vec::len).sum()
    }
}

fn paint(labels: &mut [u8], run: &Run, label: u8) {
    let start = run.start as usize;
    if let Some(pixels) = labels.get_mut(start..start + run.length as usize) {
        pixels.fill(label);
    }
}

fn difference(before: &[u8], after: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, (&before, &after)) in before.iter().zip(after).enumerate() {
        if before == after {
            continue;
        }
        let at = at as u32;
        match runs.last_mut() {
            Some(run) if (run.start + run.length, run.before, run.after) == (at, before, after) => {
                run.length += 1;
            }
            _ => runs.push(Run { start: at, length: 1, before, after }),
        }
    }
    runs
}
