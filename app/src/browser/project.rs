//! The kept run on the browser's disk: what the page writes beside the trainer's checkpoints.

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use super::files::PickedFile;
use crate::disk::{self, Folder};
use crate::model::project::Project;

#[wasm_bindgen]
extern "C" {
    /// See <https://developer.mozilla.org/docs/Web/API/LockManager/request>.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = request)]
    fn request_lock(name: &str, options: &Object, granted: &JsValue) -> Result<Promise, JsValue>;
}

const CARD: &str = "project.json";
const WEIGHTS: &str = "weights";
/// Held by the tab that keeps its run, for life.
const LOCK: &str = "tag2mask-project";
/// Part of the browser's room that photos may take: checkpoints need the rest.
const PART: f64 = 0.5;

/// Whether this tab is the one that keeps its run: `false` while another one is, and where the browser has no
/// locks or no disk.
pub async fn claim() -> bool {
    let answer = Promise::new(&mut |answer, _| {
        let failed = answer.clone();
        let granted = Closure::once_into_js(move |lock: JsValue| {
            // Settling a promise of our own cannot throw.
            let _ = answer.call1(&JsValue::UNDEFINED, &JsValue::from(lock.is_truthy()));
            // Held until a promise ends that never does.
            if lock.is_truthy() { Promise::new(&mut |_, _| ()).into() } else { JsValue::UNDEFINED }
        });
        let options = Object::new();
        let _ = Reflect::set(&options, &"ifAvailable".into(), &true.into());
        if request_lock(LOCK, &options, &granted).is_err() {
            let _ = failed.call1(&JsValue::UNDEFINED, &JsValue::FALSE);
        }
    });
    let is_ours = JsFuture::from(answer).await.is_ok_and(|ours| ours.is_truthy());
    is_ours && Folder::create(disk::PROJECT).await.is_ok()
}

/// The run of an earlier visit.
pub async fn load() -> Option<Project> {
    let bytes = Folder::open(disk::PROJECT).await?.read(CARD).await.ok()??;
    Project::parse(&bytes)
}

/// Writes where the run stands.
///
/// # Errors
/// The browser's reason.
pub async fn save(project: &Project) -> Result<(), JsValue> {
    let json = serde_json::to_vec(project).map_err(|error| JsValue::from(error.to_string()))?;
    Folder::create(disk::PROJECT).await?.write_bytes(CARD, &json).await
}

/// Forgets the run of an earlier visit; with `all`, also its checkpoints, which a run that starts replaces.
pub async fn forget(all: bool) {
    let Some(project) = Folder::open(disk::PROJECT).await else { return };
    // The card first: without it, nothing of the rest is ever looked at.
    let rest = disk::RUN.last().filter(|_| all).copied();
    for name in [Some(CARD), Some(WEIGHTS), disk::PHOTOS.last().copied(), rest].into_iter().flatten() {
        project.remove(name).await;
    }
}

/// Copies the user's files, one after the other while `wanted`. `Ok(false)` when there is no room for them, or
/// they are wanted no more.
///
/// # Errors
/// The browser's reason.
pub async fn keep_photos(files: &[PickedFile], wanted: impl Fn() -> bool) -> Result<bool, JsValue> {
    let bytes: f64 = files.iter().map(|picked| picked.file.size()).sum();
    if disk::room().await.is_some_and(|room| bytes > PART * room) {
        return Ok(false);
    }
    let folder = Folder::create(disk::PHOTOS).await?;
    for (number, picked) in files.iter().enumerate() {
        if !wanted() {
            return Ok(false);
        }
        folder.write(&number_name(number), &picked.file).await?;
    }
    Ok(wanted())
}

/// The kept files under the paths that they had; `None` when one is missing.
pub async fn photos(paths: &[String]) -> Option<Vec<PickedFile>> {
    let folder = Folder::open(disk::PHOTOS).await?;
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
pub async fn keep_weights(file: &File) -> Result<(), JsValue> {
    Folder::create(disk::PROJECT).await?.write(WEIGHTS, file).await
}

/// The kept weights file, under the name that it had.
pub async fn weights(name: &str) -> Option<File> {
    let file = Folder::open(disk::PROJECT).await?.file(WEIGHTS).await?;
    File::new_with_blob_sequence(&Array::of1(&file), name).ok()
}

fn number_name(number: usize) -> String {
    format!("{number:06}")
}
