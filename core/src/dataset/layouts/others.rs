//! Files that labels could be read from, too, where those of a more explicit layout are.

use super::documents::{self, Documents, Form};
use super::{Problem, ProblemKind};
use crate::files::FileSet;

/// That labels could be read from a file, too.
pub(super) fn file(path: &str, form: &str, winner: &str) -> Problem {
    let reason = format!("It could be read {form}, but {winner} is the more explicit. Left out.");
    Problem { count: 1, path: path.to_owned(), kind: ProblemKind::OtherLayout, reason }
}

pub(super) fn documents(group: &Documents<'_>, winner: &str, problems: &mut Vec<Problem>) {
    // Of VOC's there is one an image.
    let most = if group.form == Form::Voc { 1 } else { group.files.len() };
    let form = format!("as {}", group.form.title());
    problems.extend(group.files.iter().take(most).map(|entry| file(&entry.path, &form, winner)));
}

/// Tells of what labels could be read from beside the folders of a benchmark.
pub(super) fn tell(
    files: &FileSet,
    is_own: impl Fn(&str) -> bool,
    winner: &str,
    problems: &mut Vec<Problem>,
) {
    for group in documents::find(files, is_own) {
        documents(&group, winner, problems);
    }
    let tables = files.entries().iter().filter(|entry| entry.path.eq_ignore_ascii_case("labels.csv"));
    problems.extend(tables.map(|table| file(&table.path, "as a table of labels", winner)));
}
