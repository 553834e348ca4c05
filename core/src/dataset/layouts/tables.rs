//! Tables of other names than `labels.csv` and `boxes.csv`, which are known by their content.

use super::finder::Finder;
use super::parts::{Parts, no_part};
use super::{Problem, boxes_table, labels_table, others};
use crate::files::FileEntry;

/// Tables that are looked into, by path.
const LOOKED_AT: usize = 16;

/// What a table is of.
enum Content {
    Boxes,
    /// Labels, with how many images its first lines name.
    Labels(usize),
    Other,
}

/// What each table is of. One that cannot be read is listed as any file that plays no part.
fn contents<'a>(parts: &Parts<'a>) -> Vec<(&'a FileEntry, Content)> {
    let finder = Finder::new(&parts.images);
    let content = |table: &FileEntry| match boxes_table::fits(table, &finder) {
        Ok(true) => Content::Boxes,
        Ok(false) => match labels_table::fits(table, &finder) {
            Ok(Some(found)) => Content::Labels(found),
            Ok(None) | Err(_) => Content::Other,
        },
        Err(_) => Content::Other,
    };
    let looked_at = |(at, &table): (usize, &&'a FileEntry)| {
        (table, if at < LOOKED_AT { content(table) } else { Content::Other })
    };
    parts.tables.iter().enumerate().map(looked_at).collect()
}

/// Chooses a table of labels and one of boxes, where none has the usual name: of labels the one that names
/// most images. Others become problems.
pub(super) fn choose(parts: &mut Parts<'_>, problems: &mut Vec<Problem>) {
    if parts.tables.is_empty() {
        return;
    }
    let contents = contents(parts);
    let most = contents.iter().filter_map(|(_, content)| match content {
        Content::Labels(found) => Some(*found),
        _ => None,
    });
    let most = most.max();
    let mut rest = Vec::new();
    for (table, content) in contents {
        match content {
            Content::Labels(found) if parts.table.is_none() && Some(found) == most => {
                parts.table = Some(table)
            }
            Content::Boxes if parts.boxes.is_none() => parts.boxes = Some(table),
            content => rest.push((table, content)),
        }
    }
    for (table, content) in rest {
        let winner = |chosen: Option<&FileEntry>| chosen.map_or("", |chosen| &chosen.path).to_owned();
        problems.push(match content {
            Content::Boxes => others::file(&table.path, "as a table of boxes", &winner(parts.boxes)),
            Content::Labels(_) => others::file(&table.path, "as a table of labels", &winner(parts.table)),
            Content::Other => no_part(table),
        });
    }
}

/// Tells of tables that labels or boxes could be read from, where another layout is read.
pub(super) fn tell_others(parts: &Parts<'_>, winner: &str, problems: &mut Vec<Problem>) {
    let boxes = parts.boxes.map(|table| (table, Content::Boxes));
    for (table, content) in contents(parts).into_iter().chain(boxes) {
        problems.push(match content {
            Content::Boxes => others::file(&table.path, "as a table of boxes", winner),
            Content::Labels(_) => others::file(&table.path, "as a table of labels", winner),
            Content::Other => no_part(table),
        });
    }
}
