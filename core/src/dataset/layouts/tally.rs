//! Problems of one kind with many lines of a file, told as one.

use super::{Problem, ProblemKind};

/// How many there are, and the first of them.
#[derive(Default)]
pub(super) struct Tally {
    count: usize,
    first: Option<String>,
}

impl Tally {
    /// Counts one more; `what` says which and why.
    pub(super) fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(what);
    }

    /// Their number and the first, if there are any.
    pub(super) fn counted(self) -> Option<(usize, String)> {
        Some((self.count, self.first?))
    }

    /// One problem of all, if there are any: their number, `what` they have in common, and the first.
    pub(super) fn tell(self, path: &str, kind: ProblemKind, what: &str, problems: &mut Vec<Problem>) {
        if let Some((count, first)) = self.counted() {
            let reason = format!("{count} {what}, for one {first}. Left out.");
            problems.push(Problem { path: path.to_owned(), kind, count, reason });
        }
    }
}
