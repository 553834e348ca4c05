//! `classes.txt`: the names of the classes, one a line, in the order of their values in masks.

use super::{Problem, ProblemKind, text_bytes};
use crate::error::Result;
use crate::files::FileEntry;

/// The names of the foreground classes; a first line `background` is value 0 and not among them.
/// `None` if there are none.
pub(super) fn read(file: &FileEntry, problems: &mut Vec<Problem>) -> Result<Option<Vec<String>>> {
    let bytes = text_bytes(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut names: Vec<String> = Vec::new();
    for (line, name) in text.lines().map(str::trim).enumerate().filter(|(_, name)| !name.is_empty()) {
        let background = ["background", "_background_"].iter().any(|word| name.eq_ignore_ascii_case(word));
        if line == 0 && background {
            continue;
        }
        if names.iter().any(|known| known == name) {
            let reason =
                format!("Line {}: the class {name} is named twice. The first line counts.", line + 1);
            problems.push(Problem { count: 1, path: file.path.clone(), kind: ProblemKind::BadLine, reason });
            continue;
        }
        names.push(name.to_owned());
    }
    Ok((!names.is_empty()).then_some(names))
}
