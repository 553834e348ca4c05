//! What a run leaves behind, so that it can go on and be used.
//!
//! - `run.json`: settings and classes, written once.
//! - `weights.safetensors`: the network as of the last checkpoint; its metadata say round and step.
//! - `optimizer.safetensors`: the momentum of the same step. When a crash fell between the two files,
//!   the steps differ, and the momentum starts anew: weights are what counts.
//! - `shares-<round>.json`: the foreground shares that round `round` learns from.
//! - `masks-<round>.zip`: the masks that these shares were measured on, a palette PNG each.
//! - `box-masks.zip`: the masks that were cut out of boxes, where the method learns from boxes.
//! - `given-masks.zip`: masks that were given beside labels, where there were any.
//! - `round-<round>.safetensors`: the network at the end of a round.
//! - `begun.zip`: masks that are being made for the next round, while they are: see [`begun`](super::begun).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::settings::{MethodName, Settings, VERSION};
use super::store::RunStore;
use crate::backbone::weights::{NameList, Named, TensorFile, encode};
use crate::dataset::{Dataset, Summary};
use crate::error::{Error, Result};
use crate::memory::Split;

const RUN: &str = "run.json";
const WEIGHTS: &str = "weights.safetensors";
/// Masks that were given beside labels.
pub const GIVEN_MASKS: &str = "given-masks.zip";
/// Masks that were cut out of boxes.
pub const BOX_MASKS: &str = "box-masks.zip";
const OPTIMIZER: &str = "optimizer.safetensors";

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCard {
    /// Layout of this file; see [`VERSION`].
    pub version: u32,
    /// The program that wrote it.
    pub program: String,
    /// All settings.
    pub settings: Settings,
    /// Names of the foreground classes; class `c` is value `c + 1` in masks.
    pub classes: Vec<String>,
    /// Images of the data set.
    pub images: usize,
    /// What tells the masks that it learns from from others; `None` where it learns from labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masks: Option<u64>,
    /// How batches are worked through: the same on going on, so that numbers are added up in the same order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// What it learned from, in numbers; `None` in cards of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
}

/// A data set in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Images that have each class.
    pub images_per_class: Vec<usize>,
    /// Images of no class.
    pub without_class: usize,
    /// Images of several classes.
    pub several_classes: usize,
    /// Images that came with a mask.
    pub with_mask: usize,
    /// Boxes in all images.
    pub boxes: usize,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The round under way.
    pub round: usize,
    /// Steps done in it.
    pub step: usize,
}

/// A trained network: what masks are made with.
pub struct Trained {
    /// The run's settings and classes.
    pub card: RunCard,
    /// Whose network.
    pub network: MethodName,
    /// How far it was trained.
    pub position: Position,
    /// The weights.
    pub weights: TensorFile,
}

/// Shares by image path: data sets may be read again in another order.
pub type Shares = BTreeMap<String, Vec<f32>>;

impl RunCard {
    /// The card of a new run.
    pub fn new(settings: &Settings, classes: &[String], images: usize) -> Self {
        Self {
            version: VERSION,
            program: concat!("tag2mask ", env!("CARGO_PKG_VERSION")).to_owned(),
            settings: settings.clone(),
            classes: classes.to_vec(),
            images,
            masks: None,
            split: None,
            counts: None,
        }
    }

    /// Learning from this data set.
    pub fn with_counts(self, dataset: &Dataset) -> Self {
        let Summary { images_per_class, without_class, several_classes, with_mask, boxes, .. } =
            dataset.summary();
        let counts = Counts { images_per_class, without_class, several_classes, with_mask, boxes };
        Self { counts: Some(counts), ..self }
    }

    /// Learning from the masks of this [`fingerprint`](crate::dataset::targets::Targets::fingerprint).
    pub fn with_masks(self, masks: Option<u64>) -> Self {
        Self { masks, ..self }
    }

    /// With batches worked through in this way.
    pub fn with_split(self, split: Split) -> Self {
        Self { split: Some(split), ..self }
    }

    /// Refuses a data set that the run cannot have learned from.
    ///
    /// # Errors
    /// [`Error::NoData`].
    pub fn check_data(&self, dataset: &Dataset) -> Result<()> {
        if self.classes == dataset.classes && self.images == dataset.items.len() {
            return Ok(());
        }
        Err(Error::NoData {
            reason: format!(
                "the run learns from {} photos of {}; the data set has {} of {}",
                self.images,
                self.classes.join(", "),
                dataset.items.len(),
                dataset.classes.join(", ")
            ),
        })
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// As [`RunStore::write`].
    pub fn save(&self, store: &mut impl RunStore) -> Result<()> {
        store.write(RUN, &to_json(self, RUN)?)
    }

    /// Reads `run.json`; `None` when the run has not started.
    ///
    /// # Errors
    /// [`Error::Format`] when it was damaged or written by a newer version.
    pub fn load(store: &impl RunStore) -> Result<Option<Self>> {
        let Some(bytes) = store.read(RUN)? else { return Ok(None) };
        let card: Self = from_json(&bytes, &store.describe(RUN))?;
        card.settings.check()?;
        Ok(Some(card))
    }
}

impl Trained {
    /// The last checkpoint, or the end of round `round`; `None` when there is none yet.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged file.
    pub fn load(store: &impl RunStore, round: Option<usize>) -> Result<Option<Self>> {
        let Some(card) = RunCard::load(store)? else { return Ok(None) };
        let name = round.map_or_else(|| WEIGHTS.to_owned(), round_file);
        let Some(bytes) = store.read(&name)? else { return Ok(None) };
        let weights = TensorFile::parse(&store.describe(&name), &bytes)?;
        let damaged = || Error::Format {
            path: store.describe(&name),
            reason: "the metadata do not say the stage, round and step".into(),
        };
        let network = weights.metadata.get("stage").and_then(|id| id.parse().ok()).ok_or_else(damaged)?;
        let position = Position::of(&weights.metadata).ok_or_else(damaged)?;
        Ok(Some(Self { card, network, position, weights }))
    }
}

impl Trained {
    /// The tensors of this list.
    ///
    /// # Errors
    /// [`Error::Weights`] when one is missing.
    pub fn named(&self, names: &NameList) -> Result<Vec<Named>> {
        let named = |(name, shape): &(String, Vec<usize>)| {
            let values = self.weights.get(name)?.1.to_vec();
            Ok(Named { name: name.clone(), shape: shape.clone(), values })
        };
        names.entries.iter().map(named).collect()
    }
}

impl Position {
    fn of(metadata: &HashMap<String, String>) -> Option<Self> {
        let number = |key| metadata.get(key)?.parse().ok();
        Some(Self { round: number("round")?, step: number("step")? })
    }

    fn metadata(self, network: MethodName) -> HashMap<String, String> {
        HashMap::from([
            ("format".to_owned(), "pt".to_owned()),
            ("stage".to_owned(), network.id().to_owned()),
            ("round".to_owned(), self.round.to_string()),
            ("step".to_owned(), self.step.to_string()),
        ])
    }
}

/// Writes weights, then momentum.
///
/// # Errors
/// As [`RunStore::write`].
pub fn save(
    store: &mut impl RunStore,
    network: MethodName,
    position: Position,
    weights: &[Named],
    optimizer: &[Named],
) -> Result<()> {
    store.write(WEIGHTS, &encode(weights, position.metadata(network))?)?;
    store.write(OPTIMIZER, &encode(optimizer, position.metadata(network))?)
}

/// The momentum saved at `position`; `None` when it is of another step or missing.
///
/// # Errors
/// As [`RunStore::read`]. A damaged file is treated as missing: weights are what counts.
pub fn load_optimizer(store: &impl RunStore, position: Position) -> Result<Option<TensorFile>> {
    let Some(bytes) = store.read(OPTIMIZER)? else { return Ok(None) };
    let file = TensorFile::parse(&store.describe(OPTIMIZER), &bytes).ok();
    Ok(file.filter(|file| Position::of(&file.metadata) == Some(position)))
}

/// Keeps the network at the end of a round.
///
/// # Errors
/// As [`RunStore::write`].
pub fn save_round(
    store: &mut impl RunStore,
    network: MethodName,
    position: Position,
    weights: &[Named],
) -> Result<()> {
    store.write(&round_file(position.round), &encode(weights, position.metadata(network))?)
}

/// Keeps the shares that round `round` learns from.
///
/// # Errors
/// As [`RunStore::write`].
pub fn save_shares(store: &mut impl RunStore, round: usize, shares: &Shares) -> Result<()> {
    let name = shares_name(round);
    store.write(&name, &to_json(shares, &name)?)
}

/// The shares that round `round` learns from; `None` when they are not known yet.
///
/// # Errors
/// [`Error::Format`] for a damaged file.
pub fn load_shares(store: &impl RunStore, round: usize) -> Result<Option<Shares>> {
    let name = shares_name(round);
    store.read(&name)?.map(|bytes| from_json(&bytes, &store.describe(&name))).transpose()
}

/// Keeps the masks that the shares of round `round` were measured on, a zip of their PNGs.
///
/// # Errors
/// As [`RunStore::write`].
pub fn save_masks(store: &mut impl RunStore, round: usize, zip: &[u8]) -> Result<()> {
    store.write(&masks_name(round), zip)
}

/// Keeps the masks that were cut out of boxes, a zip of their PNGs.
///
/// # Errors
/// As [`RunStore::write`].
pub fn save_box_masks(store: &mut impl RunStore, zip: &[u8]) -> Result<()> {
    store.write(BOX_MASKS, zip)
}

/// The masks that were cut out of boxes; `None` when none were yet.
///
/// # Errors
/// As [`RunStore::read`].
pub fn load_box_masks(store: &impl RunStore) -> Result<Option<Vec<u8>>> {
    store.read(BOX_MASKS)
}

/// The name of the file that keeps the network at the end of a round.
pub fn round_file(round: usize) -> String {
    format!("round-{round}.safetensors")
}

fn masks_name(round: usize) -> String {
    format!("masks-{round}.zip")
}

fn shares_name(round: usize) -> String {
    format!("shares-{round}.json")
}

/// A file of a run's folder from a value.
pub(super) fn to_json<T: Serialize>(value: &T, path: &str) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|error| Error::Format {
        path: path.to_owned(),
        reason: format!("cannot be encoded ({error})"),
    })
}

/// A value from a file of a run's folder.
pub(super) fn from_json<T: for<'a> Deserialize<'a>>(bytes: &[u8], path: &str) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Format { path: path.to_owned(), reason: format!("not readable ({error})") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::store::MemoryStore;

    fn tensor(value: f32) -> Vec<Named> {
        vec![Named { name: "w".into(), shape: vec![1], values: vec![value] }]
    }

    #[test]
    fn files_of_rounds_are_told_by_their_names() {
        use crate::run::store::{is_measured, round_of};
        for (name, round, measured) in
            [(round_file(12), Some(12), false), (masks_name(1), None, true), (shares_name(1), None, false)]
        {
            assert_eq!((round_of(&name), is_measured(&name)), (round, measured), "{name}");
        }
    }

    #[test]
    fn a_checkpoint_reads_back() {
        let mut store = MemoryStore::default();
        assert!(Trained::load(&store, None).unwrap().is_none());
        RunCard::new(&Settings::default(), &["cow".into()], 3).save(&mut store).unwrap();
        let position = Position { round: 1, step: 20 };
        save(&mut store, MethodName::SpatialBce, position, &tensor(1.0), &tensor(2.0)).unwrap();
        let trained = Trained::load(&store, None).unwrap().unwrap();
        assert_eq!((trained.network, trained.position), (MethodName::SpatialBce, position));
        assert_eq!(trained.weights.get("w").unwrap().1, [1.0]);
        assert!(load_optimizer(&store, position).unwrap().is_some());
    }

    #[test]
    fn momentum_of_another_step_is_dropped() {
        let mut store = MemoryStore::default();
        let position = Position { round: 1, step: 20 };
        save(&mut store, MethodName::Cam, position, &tensor(1.0), &tensor(2.0)).unwrap();
        assert!(load_optimizer(&store, Position { round: 1, step: 21 }).unwrap().is_none());
    }

    #[test]
    fn a_damaged_card_is_named() {
        let mut store = MemoryStore::default();
        store.write(RUN, b"{").unwrap();
        assert!(RunCard::load(&store).unwrap_err().to_string().ends_with(": run.json"));
    }
}
