//! Public weights: looked for in the browser's store, fetched on the user's click, checked, and used.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tag2mask_core::public_weights::PublicWeights;
use tag2mask_core::run::settings::BackboneName;
use web_sys::Blob;

use super::State;
use crate::browser::public_weights::{self as browser, AbortController, Fetched};
use crate::browser::{files, window};
use crate::model::public_weights::{Download, Stage, entry};
use crate::model::{Part, text, weights};

/// What the page holds of a network's weights beside what is stored.
#[derive(Clone, Default)]
pub struct Held {
    /// Ends the download under way.
    abort: Option<AbortController>,
    /// The file, or what has arrived of it.
    blob: Option<Blob>,
}

impl State {
    /// Uses weights of the network that are here, unless the user has chosen a file; asks no host.
    pub fn look_for_weights(self, backbone: BackboneName) {
        let Some(entry) = entry(backbone) else { return };
        match self.peek(|model| model.public_weights.of(backbone).stage) {
            Stage::Here { .. } if self.form.with_untracked(|form| form.weights.is_none()) => {
                self.use_public_weights(backbone);
            }
            Stage::Unknown => spawn_local(async move {
                let file = browser::kept(&entry.url).await;
                let part = if file.is_none() { browser::kept_part(&entry.url).await } else { None };
                // Meanwhile the user may have asked the host.
                if self.peek(|model| model.public_weights.of(backbone).stage) != Stage::Unknown {
                    return;
                }
                match file {
                    Some(file) => self.take_public_weights(entry, file, None, true).await,
                    None => self.hold_part(backbone, part, None),
                }
            }),
            _ => {}
        }
    }

    /// The user wants them: the only way to a request.
    pub fn fetch_weights(self, backbone: BackboneName) {
        let Some(entry) = entry(backbone) else { return };
        if self.peek(|model| model.public_weights.is_busy(backbone)) {
            return;
        }
        let abort = AbortController::new();
        let part = self.held.with_value(|held| held.get(&backbone).and_then(|held| held.blob.clone()));
        self.hold(backbone, |held| held.abort = Some(abort.clone()));
        self.change_download(backbone, Download::start);
        spawn_local(async move {
            let progress = |loaded, total: Option<u64>| {
                let total = total.or(entry.is_exact.then_some(entry.bytes));
                self.change_download(backbone, |download| download.arrived(loaded, total, window::now()));
            };
            let fetched = browser::fetch(&entry.url, part, &abort, progress).await;
            self.hold(backbone, |held| held.abort = None);
            match fetched {
                Fetched::Whole(file, total) => self.take_public_weights(entry, file, total, false).await,
                Fetched::Part(part, reason) => {
                    if let Some(part) = &part {
                        browser::keep_part(&entry.url, part).await;
                    }
                    self.hold_part(backbone, part, reason);
                }
            }
        });
    }

    /// Ends a download; what has arrived is kept.
    pub fn cancel_weights(self, backbone: BackboneName) {
        self.held.with_value(|held| {
            if let Some(abort) = held.get(&backbone).and_then(|held| held.abort.as_ref()) {
                abort.abort();
            }
        });
    }

    /// Takes them out of the browser's store and out of use.
    pub fn remove_weights(self, backbone: BackboneName) {
        let Some(entry) = entry(backbone) else { return };
        self.form.update(|form| {
            if form.weights_of == Some(backbone) {
                form.forget_weights();
            }
        });
        self.hold_part(backbone, None, None);
        spawn_local(async move { browser::forget(&entry.url).await });
    }

    /// Uses those that are here instead of a file of the user's.
    pub fn use_public_weights(self, backbone: BackboneName) {
        let Some(entry) = entry(backbone) else { return };
        let blob = self.held.with_value(|held| held.get(&backbone).and_then(|held| held.blob.clone()));
        let name = entry.file_name();
        if let Some(file) = blob.and_then(|blob| browser::named(&blob, &name).ok()) {
            self.form.update(|form| {
                form.forget_weights();
                form.weights = Some((name, file.size() as u64));
                form.weights_of = Some(backbone);
            });
            self.weights.set_value(Some(file));
            self.send_weights();
        }
    }

    /// Checks a file and uses it; one that is not what was meant is not kept.
    async fn take_public_weights(
        self,
        entry: &'static PublicWeights,
        file: Blob,
        told: Option<u64>,
        is_stored: bool,
    ) {
        let backbone = entry.backbone;
        if !is_stored {
            self.change_download(backbone, |download| download.stage = Stage::Checking);
        }
        if let Some(reason) = fault(entry, &file, told).await {
            browser::forget(&entry.url).await;
            return self.hold_part(backbone, None, Some(reason));
        }
        let is_stored = is_stored || browser::keep(&entry.url, &file).await;
        let bytes = browser::length(&file);
        self.hold(backbone, |held| held.blob = Some(file));
        self.change_download(backbone, |download| download.stage = Stage::Here { bytes, is_stored });
        let is_wanted = |form: &crate::model::form::Form| {
            form.valid().backbone == backbone && (form.weights.is_none() || form.weights_of.is_some())
        };
        if self.form.with_untracked(is_wanted) {
            self.use_public_weights(backbone);
        }
    }

    fn hold(self, backbone: BackboneName, change: impl FnOnce(&mut Held)) {
        self.held.update_value(|held| change(held.entry(backbone).or_default()));
    }

    /// A download is over: what there is of the file, and why there is no more.
    fn hold_part(self, backbone: BackboneName, part: Option<Blob>, reason: Option<String>) {
        let loaded = part.as_ref().map_or(0, browser::length);
        self.hold(backbone, |held| held.blob = part);
        self.change_download(backbone, |download| download.end(loaded, reason));
    }

    fn change_download(self, backbone: BackboneName, change: impl FnOnce(&mut Download)) {
        self.change(&[Part::Weights], |model| change(model.public_weights.of_mut(backbone)));
    }
}

/// What is wrong with a file: its length, its hash, or the places of its tensors.
async fn fault(entry: &PublicWeights, file: &Blob, told: Option<u64>) -> Option<String> {
    let length = browser::length(file);
    if let Some(reason) = entry.length_fault(length, told) {
        return Some(text::sentence(&reason));
    }
    match browser::sha256(file).await {
        Ok(Some(hash)) => {
            if let Some(reason) = entry.hash_fault(&hash) {
                return Some(text::sentence(&reason));
            }
        }
        Ok(None) => {}
        Err(_) => return Some("There is not enough memory to check the file.".into()),
    }
    let start = files::start_of(file, 16).await.unwrap_or_default();
    if let Some(reason) = weights::fault(&entry.file_name(), length, &start) {
        return Some(reason);
    }
    let end = weights::data_start(&start)?;
    let head = files::start_of(file, end as i32).await.unwrap_or_default();
    weights::structure_fault(length, &head)
}
