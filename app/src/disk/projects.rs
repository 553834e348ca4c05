//! Projects on the browser's disk, a folder each:
//!
//! ```text
//! projects/<id>/project.json   what it is, where it stands, what was drawn
//!               photos/000000  what the user gave, numbered
//!               weights        the weights file that was given
//!               run/           core's files, as of any run
//!               segmenter/     the same of the network for new photos
//! ```
//!
//! These files are all there is, with no database beside them: one source of truth cannot disagree with itself.

use wasm_bindgen::JsValue;

use super::lock;
use super::{Folder, make_room};
use crate::model::order;
use crate::model::project::Project;
use crate::model::room::Gift;

/// The folder of all.
pub const PROJECTS: &str = "projects";
/// In each: what it is. A folder without one is none.
pub const CARD: &str = "project.json";
/// In each: the files of its run, by the names that core gives them.
pub const RUN: &str = "run";
/// In each: the same of the network for new photos.
pub const SEGMENTER: &str = "segmenter";
/// What only going on with a training needs, in [`RUN`]: under one name or the other, so that a new one never takes the
/// place of one that still counts.
pub const MOMENTUM: [&str; 2] = ["optimizer.safetensors", "optimizer-other.safetensors"];

/// Where the only project lay in earlier versions, and the lock that they held.
const EARLIER: (&str, &str) = ("project", "tag2mask-project");

/// A project's card; `None` when it is not there, or of another version of the page.
pub async fn load(id: &str) -> Option<Project> {
    let bytes = Folder::open(&[PROJECTS, id]).await?.read(CARD).await.ok()??;
    Project::parse(id, &bytes)
}

/// Writes a project's card, in its turn. What had to give room goes to `gave`.
///
/// # Errors
/// The browser's reason.
pub async fn save(project: &Project, gave: &mut Vec<Gift>) -> Result<(), JsValue> {
    let _turn = lock::turn(&project.id).await;
    let json = serde_json::to_vec(project).map_err(|error| JsValue::from(error.to_string()))?;
    let folder = Folder::create(&[PROJECTS, &project.id]).await?;
    make_room::write(&folder, CARD, &js_sys::Uint8Array::from(json.as_slice()), &project.id, gave).await
}

/// Every project that can be read, the one saved last first.
pub async fn all() -> Vec<Project> {
    let Some(folder) = Folder::open(&[PROJECTS]).await else { return Vec::new() };
    let mut found = Vec::new();
    for id in folder.names().await.unwrap_or_default() {
        found.extend(load(&id).await);
    }
    order::sort_by(&mut found, |a, b| b.saved.total_cmp(&a.saved));
    found
}

/// Deletes a project that the caller has claimed.
///
/// # Errors
/// The browser's reason. It is in no list any more, and the rest goes with [`sweep`].
pub async fn delete(id: &str) -> Result<(), JsValue> {
    let _turn = lock::turn(id).await;
    if let Some(folder) = Folder::open(&[PROJECTS, id]).await {
        // The card first: should the browser end here, the project must not come back in halves.
        folder.remove(CARD).await?;
        Folder::create(&[PROJECTS]).await?.remove(id).await?;
    }
    Ok(())
}

/// Removes what is left of projects whose deletion was interrupted, and of such that were being made.
///
/// # Errors
/// The browser's reason.
pub async fn sweep() -> Result<(), JsValue> {
    let Some(projects) = Folder::open(&[PROJECTS]).await else { return Ok(()) };
    for id in projects.names().await? {
        // One that is being made has its tab.
        if is_left_over(&id).await
            && let Some(_claim) = lock::claim(&id).await
            && is_left_over(&id).await
        {
            delete(&id).await?;
        }
    }
    Ok(())
}

/// It has no card, or nothing was done with it and its photos were never all copied.
async fn is_left_over(id: &str) -> bool {
    let Some(folder) = Folder::open(&[PROJECTS, id]).await else { return false };
    folder.file(CARD).await.is_none()
        || folder.is_empty(CARD).await
        || load(id).await.is_some_and(|project| project.is_empty())
}

/// Takes the only project of an earlier version over. An interrupted move is gone on with.
///
/// # Errors
/// The browser's reason.
pub async fn take_over() -> Result<(), JsValue> {
    let (place, name) = EARLIER;
    let Some(earlier) = Folder::open(&[place]).await else { return Ok(()) };
    // A tab of that version may be at work.
    let Some(_theirs) = lock::if_free(name).await? else { return Ok(()) };
    if earlier.file(CARD).await.is_some() {
        let mut number = 1;
        let id = loop {
            let id = format!("earlier-{number}");
            if load(&id).await.is_none() {
                break id;
            }
            number += 1;
        };
        earlier.move_all(&Folder::create(&[PROJECTS, &id]).await?, CARD).await?;
    }
    Folder::create(&[]).await?.remove(place).await
}
