//! What stands in the folders, so that a reproduction can go on: its plan.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Benchmark;
use crate::backbone::weights::TensorFile;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::export::atomic;
use crate::run::checkpoint::{from_json, to_json};
use crate::run::parts::Fingerprint;
use crate::run::preset::Preset;
use crate::run::settings::{MethodName, Settings};
use crate::run::store::{FolderStore, RunStore};

const PLAN: &str = "reproduce.json";

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

/// The plan as it is kept, with what it is carried out on.
#[derive(Serialize, Deserialize)]
struct Settled {
    #[serde(flatten)]
    plan: Plan,
    /// The [`Fingerprint`] of images and weights; `None` in folders from before there was one.
    #[serde(default)]
    inputs: Option<String>,
}

impl Plan {
    /// Keeps the plan in the folder, or finds it there, for these images to learn from and to be scored on
    /// and these weights.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings of other methods; [`Error::Format`] when the folder holds another
    /// plan, or a damaged one; [`Error::Io`].
    pub fn settle(
        &self,
        out: &Path,
        training: &Dataset,
        validation: &Dataset,
        weights: Option<&TensorFile>,
    ) -> Result<()> {
        if (self.first.method, self.second.method) != (MethodName::SpatialBce, MethodName::Deeplab) {
            let reason = "the methods are the benchmark's: Spatial-BCE, then deeplab".into();
            return Err(Error::Setting { name: "method", reason });
        }
        let store = FolderStore::open(out);
        let path = store.describe(PLAN);
        let inputs = Fingerprint::default().dataset(training).dataset(validation).weights(weights)?.text();
        let Some(bytes) = store.read(PLAN)? else {
            let settled = Settled { plan: self.clone(), inputs: Some(inputs) };
            return atomic::write(&path, &to_json(&settled, &path)?);
        };
        let settled: Settled = from_json(&bytes, &path)?;
        if settled.plan == *self && settled.inputs.is_none_or(|before| before == inputs) {
            return Ok(());
        }
        Err(Error::Format {
            path,
            reason: "the folder holds a reproduction with other settings, data or weights; go on with \
                     those, or give another folder"
                .into(),
        })
    }

    /// As it stands in its file.
    pub(super) fn json(&self) -> Result<String> {
        to_json(self, PLAN).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}
