//! What stands in the folders, so that a reproduction can go on: the plan, and a record of each part.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Benchmark;
use crate::error::{Error, Result};
use crate::export::atomic;
use crate::run::event::{DeviceInfo, Score};
use crate::run::preset::Preset;
use crate::run::settings::{MethodName, Settings};
use crate::run::store::{FolderStore, RunStore};

const PLAN: &str = "reproduce.json";
const RECORD: &str = "stage.json";

/// `reproduce.json`: what is done, and with which settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The split that is learned from.
    pub training_split: String,
    /// The split that is scored.
    pub validation_split: String,
    /// Images of both.
    pub images: [usize; 2],
    /// Name of the file of pretrained weights.
    pub weights: Option<String>,
    /// The settings that others were changed from.
    pub preset: Preset,
    /// Settings of Spatial-BCE and its masks.
    pub first: Settings,
    /// Settings of the second stage.
    pub second: Settings,
}

impl Plan {
    /// Keeps the plan in the folder, or finds it there.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings of other methods; [`Error::Format`] when the folder holds another
    /// plan, or a damaged one; [`Error::Io`].
    pub fn settle(&self, out: &Path) -> Result<()> {
        if (self.first.method, self.second.method) != (MethodName::SpatialBce, MethodName::Deeplab) {
            let reason = "the methods are the benchmark's: Spatial-BCE, then deeplab".into();
            return Err(Error::Setting { name: "method", reason });
        }
        let store = FolderStore::open(out);
        let path = store.describe(PLAN);
        match store.read(PLAN)? {
            None => atomic::write(&path, &to_json(self, &path)?),
            Some(bytes) if from_json::<Self>(&bytes, &path)? == *self => Ok(()),
            Some(_) => Err(Error::Format {
                path,
                reason: "the folder holds a reproduction with other settings, data or weights; go on with \
                         those, or give another folder"
                    .into(),
            }),
        }
    }

    /// As it stands in its file.
    pub(super) fn json(&self) -> Result<String> {
        to_json(self, PLAN).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// `stage.json`: how far a part is, and what came out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Whether nothing is left to do.
    pub finished: bool,
    /// How long it has taken, in all sessions that did not crash.
    pub seconds: f64,
    /// What it was computed on, last.
    pub device: DeviceInfo,
    /// The most that the process has had in memory by the end of it, bytes.
    pub peak_memory: Option<u64>,
    /// How good its masks are; `None` where none were made, or there is no truth for them.
    pub score: Option<Score>,
    /// Images with a truth that have no mask, as they could not be decoded.
    pub without_mask: usize,
}

impl Record {
    pub(super) fn load(store: &FolderStore) -> Result<Option<Self>> {
        store.read(RECORD)?.map(|bytes| from_json(&bytes, &store.describe(RECORD))).transpose()
    }

    pub(super) fn save(&self, store: &mut FolderStore) -> Result<()> {
        store.write(RECORD, &to_json(self, RECORD)?)
    }
}

fn to_json<T: Serialize>(value: &T, path: &str) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|error| Error::Format {
        path: path.to_owned(),
        reason: format!("cannot be encoded ({error})"),
    })
}

fn from_json<T: for<'a> Deserialize<'a>>(bytes: &[u8], path: &str) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Format { path: path.to_owned(), reason: format!("not readable ({error})") })
}
