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
/// The weights file.
pub const WEIGHTS: &str = "weights";
/// Held by the tab that keeps its run, for life.
const LOCK: &str = "tag2mask-project";
/// Part of the browser's room that photos may take: checkpoints need the rest.
const PART: f64 = 0.5;

/// Who keeps a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// This tab, for life.
    Ours,
    /// Another tab.
    Elsewhere,
    /// Nobody: the browser has no locks or no disk for this page.
    Impossible,
}

/// Asks to be the tab that keeps its run.
pub async fn claim() -> Claim {
    let answer = Promise::new(&mut |answer, refuse| {
        let granted = Closure::once_into_js(move |lock: JsValue| {
            // Settling a promise of our own cannot throw.
            let _ = answer.call1(&JsValue::UNDEFINED, &JsValue::from(lock.is_truthy()));
            // Held until a promise ends that never does.
            if lock.is_truthy() { Promise::new(&mut |_, _| ()).into() } else { JsValue::UNDEFINED }
        });
        let options = Object::new();
        let _ = Reflect::set(&options, &"ifAvailable".into(), &true.into());
        match request_lock(LOCK, &options, &granted) {
            Ok(held) => {
                let refused = Closure::once(move |_: JsValue| {
                    let _ = refuse.call0(&JsValue::UNDEFINED);
                });
                let _ = held.catch(&refused);
                // Called once or never, whenever the page ends.
                refused.forget();
            }
            Err(_) => {
                let _ = refuse.call0(&JsValue::UNDEFINED);
            }
        }
    });
    match JsFuture::from(answer).await {
        Ok(ours) if !ours.is_truthy() => Claim::Elsewhere,
        Ok(_) if Folder::create(disk::PROJECT).await.is_ok() => Claim::Ours,
        _ => Claim::Impossible,
    }
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

/// Forgets the run of an earlier visit but for what `stays` says by its name on the disk. Its checkpoints stay
/// with `"run"`, as the trainer of a run that starts replaces them itself.
///
/// # Errors
/// The browser's reason.
pub async fn forget(stays: impl Fn(&str) -> bool) -> Result<(), JsValue> {
    let Some(project) = Folder::open(disk::PROJECT).await else { return Ok(()) };
    // The card first: without it, nothing of the rest is ever looked at.
    project.remove(CARD).await?;
    for name in project.names().await?.into_iter().filter(|name| !stays(name)) {
        project.remove(&name).await?;
    }
    Ok(())
}

/// How a copy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// All files are kept.
    All,
    /// There is no room for them.
    NoRoom,
    /// They were wanted no more; the folder is gone again.
    Unwanted,
}

/// Copies the user's files to a folder, one after the other while they are `wanted`.
///
/// # Errors
/// The browser's reason.
pub async fn keep_photos(
    name: &str,
    files: &[PickedFile],
    wanted: impl Fn() -> bool,
) -> Result<Copied, JsValue> {
    let bytes: f64 = files.iter().map(|picked| picked.file.size()).sum();
    if disk::room().await.is_some_and(|room| bytes > PART * room) {
        return Ok(Copied::NoRoom);
    }
    let project = Folder::create(disk::PROJECT).await?;
    let folder = Folder::create(&[disk::PROJECT, &[name]].concat()).await?;
    for (number, picked) in files.iter().enumerate() {
        if wanted() {
            folder.write(&number_name(number), &picked.file).await?;
        }
    }
    if !wanted() {
        project.remove(name).await?;
        return Ok(Copied::Unwanted);
    }
    Ok(Copied::All)
}

/// The kept files under the paths that they had; `None` when one is missing.
pub async fn photos(name: &str, paths: &[String]) -> Option<Vec<PickedFile>> {
    let folder = Folder::open(&[disk::PROJECT, &[name]].concat()).await?;
    let mut files = Vec::with_capacity(paths.len());
    for (number, path) in paths.iter().enumerate() {
        let file: File = folder.file(&number_name(number)).await?.unchecked_into();
        files.push(PickedFile { path: path.clone(), file });
    }
    Some(files)
}

/// A name for the folder of a run's photos that no other one has.
pub fn new_folder() -> String {
    format!("{}{}", disk::PHOTOS, (js_sys::Math::random() * 1e12) as u64)
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
