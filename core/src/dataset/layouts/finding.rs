//! What labels were read from, in a line.

use super::Item;
use crate::files::{FileEntry, name};

/// What labels were read from.
pub(super) struct Finding {
    /// The form, as a user calls it.
    pub(super) form: &'static str,
    /// The files, as they are named to the user; empty where folders are meant.
    pub(super) files: String,
    /// Which of what is in them gives labels; may be empty.
    pub(super) from: String,
}

impl Finding {
    pub(super) fn new(form: &'static str) -> Self {
        Self { form, files: String::new(), from: String::new() }
    }

    /// Of these files: the name of one, or their number with the first.
    pub(super) fn of(form: &'static str, files: &[&FileEntry]) -> Self {
        let files = match files {
            [] => String::new(),
            [one] => one.path.clone(),
            [first, ..] => format!("{} files as {}", files.len(), name(&first.path)),
        };
        Self { files, ..Self::new(form) }
    }

    /// "Label Studio JSON: project.json, 12 classes from choices, 34 boxes".
    pub(super) fn line(&self, classes: usize, items: &[Item]) -> String {
        let count = |number: usize, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            _ => format!("{number} {many}"),
        };
        let mut parts = Vec::new();
        if !self.files.is_empty() {
            parts.push(self.files.clone());
        }
        let from = if self.from.is_empty() { String::new() } else { format!(" from {}", self.from) };
        parts.push(count(classes, "class", "classes") + &from);
        let boxes: usize = items.iter().map(|item| item.boxes.len()).sum();
        if boxes > 0 {
            parts.push(count(boxes, "box", "boxes"));
        }
        let masks = items.iter().filter(|item| item.mask.is_some()).count();
        if masks > 0 {
            parts.push(count(masks, "mask for scoring", "masks for scoring"));
        }
        format!("{}: {}", self.form, parts.join(", "))
    }
}
