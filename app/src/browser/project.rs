//! Projects on the browser's disk: what the page writes beside the trainer's checkpoints.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::File;

use super::files::PickedFile;
use crate::disk::projects::{self, PROJECTS};
use crate::disk::{self, Folder, lock};

/// The folder of a project's photos.
pub const PHOTOS: &str = "photos";
/// The weights file.
const WEIGHTS: &str = "weights";
/// Part of the browser's room that photos may take: checkpoints need the rest.
const PART: f64 = 0.5;

/// Makes ready for projects: takes an earlier version's over, and removes what interrupted deletions have left.
///
/// # Errors
/// The browser's reason: it has no locks or no disk for this page, or could not do that.
pub async fn prepare() -> Result<(), JsValue> {
    Folder::create(&[PROJECTS]).await?;
    if let Some(_only) = lock::if_free("tag2mask-prepare").await? {
        projects::take_over().await?;
        projects::sweep().await?;
    }
    Ok(())
}

/// Whether the browser has locks and a disk for this page.
pub async fn is_possible() -> bool {
    Folder::create(&[]).await.is_ok() && lock::if_free("tag2mask-prepare").await.is_ok()
}

/// A name for a project's folder that no other one has: time and chance.
pub fn new_id() -> String {
    let chance = js_sys::Math::random() * f64::from(u32::MAX);
    format!("{:011x}-{:08x}", js_sys::Date::now() as u64, chance as u32)
}

/// How much a project takes on the disk, bytes; `None` while something in it changes.
pub async fn bytes(id: &str) -> Option<f64> {
    Folder::open(&[PROJECTS, id]).await?.bytes().await.ok()
}

/// Copies the user's files to a project, one after the other, so that other writes get their turn, as long as they are
/// wanted. `false` if there is no room for them.
///
/// # Errors
/// The browser's reason.
pub async fn keep_photos(
    id: &str,
    name: &str,
    files: &[PickedFile],
    are_wanted: &dyn Fn() -> bool,
) -> Result<bool, JsValue> {
    let bytes: f64 = files.iter().map(|picked| picked.file.size()).sum();
    if disk::room().await.is_some_and(|room| bytes > PART * (room.quota - room.used)) {
        return Ok(false);
    }
    let folder = Folder::create(&[PROJECTS, id, name]).await?;
    for (number, picked) in files.iter().enumerate() {
        if !are_wanted() {
            return Ok(true);
        }
        let _turn = lock::turn(id).await;
        if let Err(error) = folder.write(&number_name(number), &picked.file).await {
            // Half of them would only take room.
            Folder::create(&[PROJECTS, id]).await?.remove(name).await?;
            return Err(error);
        }
    }
    Ok(true)
}

/// The kept files under the paths that they had; `None` when one is missing.
pub async fn photos(id: &str, name: &str, paths: &[String]) -> Option<Vec<PickedFile>> {
    let folder = Folder::open(&[PROJECTS, id, name]).await?;
    let mut files = Vec::with_capacity(paths.len());
    for (number, path) in paths.iter().enumerate() {
        let file: File = folder.file(&number_name(number)).await?.unchecked_into();
        files.push(PickedFile { path: path.clone(), file });
    }
    Some(files)
}

/// Copies the weights file.
///
/// # Errors
/// The browser's reason.
pub async fn keep_weights(id: &str, file: &File) -> Result<(), JsValue> {
    let _turn = lock::turn(id).await;
    Folder::create(&[PROJECTS, id]).await?.write(WEIGHTS, file).await
}

/// The kept weights file, under the name that it had.
pub async fn weights(id: &str, name: &str) -> Option<File> {
    let file = Folder::open(&[PROJECTS, id]).await?.file(WEIGHTS).await?;
    File::new_with_blob_sequence(&Array::of1(&file), name).ok()
}

fn number_name(number: usize) -> String {
    format!("{number:06}")
}
