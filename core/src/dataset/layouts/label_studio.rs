//! Label Studio's exports "JSON" and "JSON-MIN": an array of tasks, one an image. Choices label an image;
//! rectangles, polygons, ellipses, brushes and key points label it by what they are called. Rectangles and
//! polygons give boxes; where nothing but polygons gives labels, they are a mask, too.
//!
//! Of several annotations of a task the one marked as ground truth counts, else the first that was not
//! cancelled. A task without any is an image that nobody has looked at, and no label.

mod image_name;
mod region;
mod task;

use super::annotated::{Annotated, Collection, Wrong};
use super::finder::Found;
use super::json::{self, Each, Value};
use super::tally::Tally;
use super::{Candidate, Problem, ProblemKind};
use crate::error::{Error, Result};
use crate::files::FileEntry;
use image_name::Uploaded;
use serde::de::DeserializeSeed;

/// Reads documents. `None` if none of their images is there, which is a problem.
///
/// # Errors
/// [`Error::Format`] for JSON that is damaged or no array, and those of [`json::open`].
pub(super) fn read(
    documents: &[&FileEntry],
    images: &[Candidate<'_>],
    listed: Option<&[String]>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Annotated>> {
    let mut collection = Collection::new(images);
    let uploaded = Uploaded::new(images);
    for entry in documents {
        let mut wrong = Wrong::default();
        let (mut several, mut skipped) = (Tally::default(), Tally::default());
        let mut number = 0u64;
        let take = |value: Value| {
            number += 1;
            let task = match task::read(&value) {
                Ok(task) => task,
                Err(reason) => return wrong.bad.add(|| format!("entry {number} ({reason})")),
            };
            let name = task.image;
            let Some(said) = task.said else { return skipped.add(|| format!("entry {number} ({name})")) };
            if task.annotations > 1 {
                several.add(|| format!("entry {number} ({name})"));
            }
            for reason in task.wrong {
                wrong.bad.add(|| format!("entry {number} ({name}: {reason})"));
            }
            let found = match image_name::find(&collection.finder, &name) {
                Found::None => uploaded.find(&name),
                found => found,
            };
            collection.take(found, said, &mut wrong, || format!("entry {number} ({name})"));
        };
        let mut json = json::open(entry)?;
        let outcome = Each::new(take).deserialize(&mut json).and_then(|()| json.end());
        outcome.map_err(|error| Error::Format {
            path: entry.path.clone(),
            reason: format!("this is no export of Label Studio's as JSON ({error})"),
        })?;
        wrong.tell(&entry.path, problems);
        let what = ["entry is not annotated", "entries are not annotated"];
        skipped.tell(&entry.path, ProblemKind::ImageWithoutLabel, what, problems);
        let what = ["entry has several annotations", "entries have several annotations"];
        let what = (what, "The one marked as ground truth counts, else the first.");
        several.tell_and(&entry.path, ProblemKind::Duplicate, what, problems);
    }
    let path = documents.first().map_or("", |entry| entry.path.as_str());
    Ok((!collection.is_empty()).then(|| collection.finish(path, listed, &[], problems)))
}

#[cfg(test)]
mod tests;
