//! The files of a set by the part they play, as far as names tell it.

use super::{Candidate, Problem, ProblemKind};
use crate::files::{FileEntry, FileSet, extension, is_foreign_image_name, is_image_name, name};

/// The files by the part they play.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub(super) table: Option<&'a FileEntry>,
    pub(super) boxes: Option<&'a FileEntry>,
    pub(super) classes: Option<&'a FileEntry>,
    pub(super) images: Vec<Candidate<'a>>,
    pub(super) masks: Vec<&'a FileEntry>,
    /// Tables of other names, which may be of labels or boxes.
    pub(super) tables: Vec<&'a FileEntry>,
}

/// Gives every file its part but those that `is_read` elsewhere; what has none becomes a problem.
pub(super) fn sort_out<'a>(
    files: &'a FileSet,
    is_read: impl Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Parts<'a> {
    let mut parts = Parts::default();
    for entry in files.entries() {
        let top = entry.path.split_once('/').map(|(top, _)| top);
        let is = |name: &str| top.is_none() && entry.path.eq_ignore_ascii_case(name);
        if is_read(&entry.path) {
            continue;
        }
        if is("labels.csv") && parts.table.is_none() {
            parts.table = Some(entry);
        } else if is("boxes.csv") && parts.boxes.is_none() {
            parts.boxes = Some(entry);
        } else if is("classes.txt") && parts.classes.is_none() {
            parts.classes = Some(entry);
        } else if top.is_some_and(|top| top.eq_ignore_ascii_case("masks")) {
            parts.masks.push(entry);
        } else if is_image_name(&entry.path) {
            parts.images.push(entry);
        } else if is_foreign_image_name(&entry.path) {
            let format = extension(&entry.path).to_uppercase();
            let reason = format!("{format} files are not read; convert it to PNG or JPEG. Left out.");
            problems.push(Problem {
                count: 1,
                path: entry.path.clone(),
                kind: ProblemKind::UnreadableImage,
                reason,
            });
        } else if !is_companion(&entry.path) {
            match ["csv", "tsv"].contains(&extension(&entry.path).as_str()) {
                true => parts.tables.push(entry),
                false => problems.push(no_part(entry)),
            }
        }
    }
    parts
}

pub(super) fn no_part(entry: &FileEntry) -> Problem {
    let reason = "Neither an image nor part of the data set. Left out.".to_owned();
    Problem { count: 1, path: entry.path.clone(), kind: ProblemKind::OtherFile, reason }
}

/// Files that go with data sets and need no mention: boxes of their parts, read-mes, licences.
fn is_companion(path: &str) -> bool {
    let name = name(path).to_ascii_lowercase();
    name == "boxes.csv"
        || extension(&name) == "md"
        || ["readme", "license", "licence", "citation"].iter().any(|start| name.starts_with(start))
}
