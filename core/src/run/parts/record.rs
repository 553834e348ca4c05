//! What is known of a part.

use serde::{Deserialize, Serialize};

use super::memory;
use crate::device::Compute;
use crate::error::Result;
use crate::run::checkpoint::{from_json, to_json};
use crate::run::event::{DeviceInfo, Score};
use crate::run::scorer::Scored;
use crate::run::store::{FolderStore, RunStore};
use crate::run::train::Ending;

const RECORD: &str = "stage.json";

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
    /// Whether that counts from the part's own start, not from the process's.
    pub own_peak: bool,
    /// How good its masks are; `None` where none were made, or there is no truth for them.
    pub score: Option<Score>,
    /// Images with a truth that have no mask, as they could not be decoded.
    pub without_mask: usize,
}

impl Record {
    /// The record in a part's folder; `None` when it has not been worked on.
    ///
    /// # Errors
    /// [`crate::Error::Format`] for a damaged record, and [`crate::Error::Io`].
    pub fn load(store: &FolderStore) -> Result<Option<Self>> {
        store.read(RECORD)?.map(|bytes| from_json(&bytes, &store.describe(RECORD))).transpose()
    }

    /// Writes it to a part's folder.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn save(&self, store: &mut FolderStore) -> Result<()> {
        store.write(RECORD, &to_json(self, RECORD)?)
    }

    /// Adds a stretch of work that has ended, of so many seconds.
    pub fn add(&mut self, ending: Ending, seconds: f64, compute: &Compute, scored: Option<Scored>) {
        self.finished = ending == Ending::Finished;
        self.seconds += seconds;
        self.device = compute.info.clone();
        self.peak_memory = self.peak_memory.max(memory::peak());
        if let Some(Scored { score, missing }) = scored {
            (self.score, self.without_mask) = (score, missing.len());
        }
    }
}
