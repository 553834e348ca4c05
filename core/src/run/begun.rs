//! Masks that a phase of a run has made so far, kept every few seconds: a run that is killed in it goes on with the next
//! image. The file is gone once the phase is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use web_time::Instant;

use super::checkpoint::RunCard;
use super::event::Phase;
use super::fingerprint::Fingerprint;
use super::saving::Saving;
use super::store::{BEGUN, RunStore};
use crate::dataset::{Dataset, decode};
use crate::error::Result;
use crate::export::palette_png;
use crate::export::zip;
use crate::files::{Blob, FileSet, MemoryBlob};
use crate::masks::LabelMap;

/// In [`BEGUN`], which has a palette PNG for each image beside it. Nothing outside this run reads it, so it goes into no
/// archive.
const CARD: &str = "begun.json";

/// Of what the masks are, and how far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Card {
    /// The run that they are of, without the names of its classes.
    run: RunCard,
    /// The [`Fingerprint`] of images, labels and boxes.
    data: String,
    phase: Phase,
    round: usize,
    /// All images before this one are done.
    next: usize,
    /// Background thresholds by image, as in [`Mask`](super::make_masks::Mask).
    thresholds: BTreeMap<String, Vec<f32>>,
}

/// One of them, read again.
pub(super) struct BegunMask {
    /// Index into the data set's items.
    pub(super) item: usize,
    /// Palette PNG of the labels.
    pub(super) png: Vec<u8>,
    pub(super) labels: LabelMap,
    pub(super) thresholds: Vec<f32>,
}

/// A mask as it is kept: its image, and the palette PNG of its labels.
type Kept = (usize, Vec<u8>);

/// The masks so far, in the order of the images.
pub(super) struct Begun {
    /// `None` where there is no run card, and so nothing to know them by.
    card: Option<Card>,
    files: Vec<Kept>,
    saving: Saving,
}

impl Begun {
    /// Takes up what the store has of this phase of its run, if anything.
    ///
    /// # Errors
    /// As [`RunStore::read`]. A file that is damaged, or of something else, counts as none: all can be made again.
    pub(super) fn take_up(
        store: &impl RunStore,
        phase: Phase,
        round: usize,
        dataset: &Dataset,
    ) -> Result<Self> {
        let run = RunCard::load(store)?;
        let data = Fingerprint::default().images(dataset).boxes(dataset).text();
        // Classes may get other names meanwhile.
        let run = run.map(|run| RunCard { classes: Vec::new(), ..run });
        let card = run.map(|run| Card { run, data, phase, round, next: 0, thresholds: BTreeMap::new() });
        let mut begun = Self { card, files: Vec::new(), saving: Saving::begin() };
        if let (Some(own), Some(bytes)) = (&begun.card, store.read(BEGUN)?)
            && let Some((card, files)) = read(bytes, dataset)
            && (&own.run, &own.data, own.phase, own.round) == (&card.run, &card.data, card.phase, card.round)
        {
            (begun.card, begun.files) = (Some(card), files);
        }
        Ok(begun)
    }

    /// The masks that were taken up, one after the other.
    ///
    /// # Errors
    /// Each as [`decode::mask`].
    pub(super) fn masks<'a>(
        &'a self,
        dataset: &'a Dataset,
    ) -> impl ExactSizeIterator<Item = Result<BegunMask>> + 'a {
        self.files.iter().map(|(item, png)| {
            let facts = &dataset.items[*item];
            let labels = decode::mask(&MemoryBlob::new(png.clone()), &facts.path)?;
            let thresholds = self.card.as_ref().and_then(|card| card.thresholds.get(&facts.stem));
            let thresholds = thresholds.cloned().unwrap_or_default();
            Ok(BegunMask { item: *item, png: png.clone(), labels, thresholds })
        })
    }

    /// The first image that is still to be done.
    pub(super) fn next(&self) -> usize {
        self.card.as_ref().map_or(0, |card| card.next)
    }

    /// Adds a mask and gives it as a palette PNG.
    ///
    /// # Errors
    /// As [`palette_png::encode`].
    pub(super) fn add(
        &mut self,
        dataset: &Dataset,
        item: usize,
        labels: &LabelMap,
        thresholds: &[f32],
    ) -> Result<Vec<u8>> {
        let png = palette_png::encode(labels)?;
        if let Some(card) = &mut self.card {
            card.thresholds.insert(dataset.items[item].stem.clone(), thresholds.to_vec());
            self.files.push((item, png.clone()));
        }
        Ok(png)
    }

    /// Notes that all images before `next` are done, and writes the file if it is time to.
    ///
    /// # Errors
    /// As [`RunStore::write`].
    pub(super) fn reached(
        &mut self,
        next: usize,
        dataset: &Dataset,
        store: &mut impl RunStore,
    ) -> Result<()> {
        if let Some(card) = &mut self.card {
            card.next = next;
        }
        if self.saving.is_due() { self.keep(dataset, store) } else { Ok(()) }
    }

    /// Writes the file, for instance as the user wants to stop.
    ///
    /// # Errors
    /// As [`RunStore::write`].
    pub(super) fn keep(&mut self, dataset: &Dataset, store: &mut impl RunStore) -> Result<()> {
        let started = Instant::now();
        let Some(card) = &self.card else { return Ok(()) };
        if card.next == 0 {
            return Ok(());
        }
        let json = super::checkpoint::to_json(card, CARD)?;
        // Of a group that is under way not all are there.
        let done = self.files.iter().filter(|(item, _)| *item < card.next);
        let pngs = done.map(|(item, png)| (file_of(dataset, *item), png.clone()));
        let all = [(CARD.to_owned(), json)].into_iter().chain(pngs);
        store.write(BEGUN, &zip::pack(all)?)?;
        self.saving.wrote(started);
        Ok(())
    }
}

/// The phase is over, and its results are written.
///
/// # Errors
/// As [`RunStore::read`] and [`RunStore::remove`].
pub(super) fn end(store: &mut impl RunStore) -> Result<()> {
    if store.read(BEGUN)?.is_some() { store.remove(BEGUN) } else { Ok(()) }
}

/// A run begins anew, and its networks are to be measured anew. What is cut out of boxes takes no network.
///
/// # Errors
/// As [`RunStore::remove`].
pub(super) fn begin(store: &mut impl RunStore) -> Result<()> {
    let Some(bytes) = store.read(BEGUN)? else { return Ok(()) };
    let card = unpack(bytes).and_then(|files| card_of(&files));
    if card.is_some_and(|card| card.phase == Phase::BoxMasks) { Ok(()) } else { end(store) }
}

fn file_of(dataset: &Dataset, item: usize) -> String {
    format!("{}.png", dataset.items[item].stem)
}

fn unpack(bytes: Vec<u8>) -> Option<FileSet> {
    // The bound on other threads is empty in a browser: nothing leaves this one.
    #[allow(clippy::arc_with_non_send_sync)]
    let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(bytes));
    FileSet::archive(BEGUN, blob).ok()
}

fn whole(files: &FileSet, name: &str) -> Option<Vec<u8>> {
    let blob = &files.get(name)?.blob;
    blob.read_at(0, blob.len() as usize).ok()
}

fn card_of(files: &FileSet) -> Option<Card> {
    serde_json::from_slice(&whole(files, CARD)?).ok()
}

/// `None` where it is damaged or of other images.
fn read(bytes: Vec<u8>, dataset: &Dataset) -> Option<(Card, Vec<Kept>)> {
    let files = unpack(bytes)?;
    let mut card = card_of(&files)?;
    let mut masks = Vec::new();
    let mut known = BTreeMap::new();
    for (item, facts) in dataset.items.iter().enumerate().take(card.next) {
        // One that could not be decoded has none.
        if let Some(thresholds) = card.thresholds.remove(&facts.stem) {
            masks.push((item, whole(&files, &file_of(dataset, item))?));
            known.insert(facts.stem.clone(), thresholds);
        }
    }
    Some((Card { thresholds: known, ..card }, masks))
}
