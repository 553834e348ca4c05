//! Problems of one kind with many lines of a file, told as one.

use super::{Problem, ProblemKind};

/// What things have in common, of one and of several: "line is no box", "lines are no boxes".
pub(super) type Forms = [&'static str; 2];

/// How many there are, and the first of them.
#[derive(Default)]
pub(super) struct Tally {
    count: usize,
    first: Option<String>,
}

/// "1 line is no box", "3 lines are no boxes".
pub(super) fn counted(count: usize, [one, several]: Forms) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

impl Tally {
    /// Counts one more; `what` says which and why.
    pub(super) fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(what);
    }

    /// One problem of all, if there are any: their number, what they have in common, the first, and that they are left
    /// out.
    pub(super) fn tell(self, path: &str, kind: ProblemKind, what: Forms, problems: &mut Vec<Problem>) {
        self.tell_and(path, kind, (what, "Left out."), problems);
    }

    /// As [`tell`](Self::tell), with what becomes of them.
    pub(super) fn tell_and(
        self,
        path: &str,
        kind: ProblemKind,
        (what, fate): (Forms, &str),
        problems: &mut Vec<Problem>,
    ) {
        let Some(first) = self.first else { return };
        let such_as = if self.count == 1 { ": " } else { ", for one " };
        let reason = format!("{}{such_as}{first}. {fate}", counted(self.count, what));
        problems.push(Problem { path: path.to_owned(), kind, count: self.count, reason });
    }
}
