//! Made masks in the kept run: written every few seconds while they are made, unless in the place of others that are all
//! there, and told again when the run is taken up.
//!
//! One file a round, so that it is all of one moment: a zip of the masks as they were made, with what was told of them.
//! Earlier versions had a second file for that. Masks drawn by hand are in [`by_hand`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tag2mask_core::dataset::Dataset;
use tag2mask_core::export::{MaskSet, MaskedPhoto, classes_txt, zip};
use tag2mask_core::files::{Blob, FileSet, MemoryBlob};
use tag2mask_core::masks::Confusion;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::fingerprint::Fingerprint;
use tag2mask_core::run::scorer::is_blind;
use tag2mask_core::run::settings::MaskSettings;
use tag2mask_core::run::{Control, Host, RunStore};
use tag2mask_core::{Error, Event, Result};

use super::by_hand;
use super::correcting::counted;
use super::host::Page;
use super::kept::KeptStore;
use super::turn::yield_now;
use super::work::{Made, Rest, Shared};
use crate::disk;

/// With what the names of these files begin. They are no part of a network that is packed.
pub(super) const MADE: &str = "made-masks-";

/// In the zip: what was told of its masks.
const TOLD: &str = "told.json";

/// What was told of the masks of a round.
#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    /// Whose network made them; see [`Trainer::masks`](super::work::Trainer::masks).
    pub(super) round: Option<usize>,
    /// How.
    pub(super) settings: MaskSettings,
    /// The [`data_of`] what they are of.
    #[serde(default)]
    pub(super) data: String,
    /// Counts makings: those made last come back last.
    pub(super) number: u32,
    /// A `MaskReady` each, without its labels, and `MasksFinished` once they are all there.
    pub(super) events: Vec<Event>,
    /// Before that, where their making goes on.
    #[serde(default)]
    pub(super) from: usize,
}

pub(super) fn name_of(round: Option<usize>, ending: &str) -> String {
    round.map_or_else(|| format!("{MADE}last{ending}"), |round| format!("{MADE}round-{}{ending}", round + 1))
}

/// Tells a data set's images, labels and boxes from others: masks of the same go on with.
pub(super) fn data_of(dataset: &Dataset) -> String {
    Fingerprint::default().images(dataset).boxes(dataset).text()
}

/// Writes them to the kept run.
pub(super) fn keep<'a>(
    store: &mut KeptStore,
    told: &Told,
    files: impl IntoIterator<Item = &'a (String, Vec<u8>)>,
) -> Result<()> {
    let name = name_of(told.round, ".zip");
    let json = serde_json::to_vec(told)
        .map_err(|error| Error::Format { path: name.clone(), reason: error.to_string() })?;
    let told_first = std::iter::once((TOLD.to_owned(), json));
    store.write(&name, &zip::pack(told_first.chain(files.into_iter().cloned()))?)?;
    let earlier = name_of(told.round, ".json");
    if store.kept_names().contains(&earlier) { store.remove(&earlier) } else { Ok(()) }
}

/// Tells those of the kept run again. What cannot be read is told and left out: masks can be made anew.
pub(super) async fn restore(this: &Shared, page: &mut Page<'_>) -> Result<()> {
    let mut all = Vec::new();
    for name in page.store.kept_names().into_iter().filter(|name| name.starts_with(MADE)) {
        if name.ends_with(".zip") {
            match told_in(page, &name).await {
                Ok(told) => all.push(told),
                Err(error) => lost(page, &error),
            }
        }
    }
    all.sort_by_key(|told| told.number);
    for told in all {
        let (round, number) = (told.round, told.number);
        let mut is_shown = false;
        match again(this, told, page, &mut is_shown).await {
            Ok(Some(made)) => {
                let mut trainer = this.borrow_mut();
                trainer.masks_made = trainer.masks_made.max(number);
                trainer.masks.insert(round, Made { number, ..made });
            }
            // The user has ended it.
            Ok(None) => break,
            Err(error) => {
                lost(page, &error);
                // The page waits for the rest of them.
                if is_shown {
                    page.emit(Event::Stopped { round: 0, step: 0 });
                }
            }
        }
    }
    page.store.release();
    Ok(())
}

pub(super) fn lost(page: &mut Page<'_>, error: &Error) {
    page.emit(Event::Warning { message: format!("Kept masks cannot be read; make them anew: {error}") });
}

/// What was told of the masks in this zip.
async fn told_in(page: &mut Page<'_>, name: &str) -> Result<Told> {
    let archive = open(name, bring(page, name).await?)?;
    let json = match archive.get(TOLD) {
        Some(entry) => entry.blob.read_at(0, entry.blob.len() as usize).map_err(|source| Error::Io {
            action: "read",
            path: name.into(),
            source,
        })?,
        None => bring(page, &name.replace(".zip", ".json")).await?,
    };
    serde_json::from_slice(&json)
        .map_err(|error| Error::Format { path: name.into(), reason: error.to_string() })
}

fn open(name: &str, bytes: Vec<u8>) -> Result<FileSet> {
    // The bound on other threads is empty in a browser: nothing leaves this one.
    #[allow(clippy::arc_with_non_send_sync)]
    let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(bytes));
    FileSet::archive(name, blob)
}

/// A file of the kept run, wherever it lies.
pub(super) async fn bring(page: &mut Page<'_>, name: &str) -> Result<Vec<u8>> {
    let missing = |reason| Error::NoData { reason };
    page.store.bring(name).await.map_err(|error| missing(disk::reason(&error)))?;
    page.store.read(name)?.ok_or_else(|| missing(format!("it is not there: {name}")))
}

/// Tells the masks of one round, and gives them; `None` where the user does not want to wait for them. `is_shown`
/// becomes true once the page waits for all of them.
async fn again(this: &Shared, told: Told, page: &mut Page<'_>, is_shown: &mut bool) -> Result<Option<Made>> {
    let round = told.round;
    let name = name_of(round, ".zip");
    let archive = open(&name, bring(page, &name).await?)?;
    let dataset = this.borrow().dataset()?;
    let set = MaskSet::new(&archive, &dataset, &dataset.classes)?;
    let by_stem: BTreeMap<&str, &MaskedPhoto> =
        set.photos.iter().map(|photo| (photo.stem.as_str(), photo)).collect();
    let classes = dataset.classes.len();
    let looked_at_truth = !is_blind(told.settings.threshold);
    let mut confusion = Confusion::new(classes);
    let settings = told.settings;
    let Told { events, from, data, .. } = told;
    let (ends, mut events): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| matches!(event, Event::MasksFinished { .. }));
    page.emit(Event::MasksRestored { round, settings: settings.clone(), are_all: !ends.is_empty() });
    *is_shown = true;
    let total = set.photos.len();
    let mut done = 0;
    for event in &mut events {
        let Event::MaskReady { image, miou, .. } = event else { continue };
        let Some(item) = dataset.items.get(*image) else { continue };
        let Some(photo) = by_stem.get(item.stem.as_str()) else { continue };
        let mask = set.mask(photo)?;
        if let Some(own) = counted(item, &mask, classes)? {
            *miou = own.miou();
            confusion.merge(&own);
        }
        let mut told = event.clone();
        if let Event::MaskReady { labels, .. } = &mut told {
            *labels = mask.labels;
        }
        done += 1;
        page.emit(told);
        page.emit(Event::Progress { phase: Phase::Masks, done, total, seconds_left: None });
        yield_now().await;
        if page.wish.get() == Control::Stop {
            page.emit(Event::Stopped { round: 0, step: 0 });
            return Ok(None);
        }
    }
    let whole = |blob: &Arc<dyn Blob>| blob.read_at(0, blob.len() as usize);
    let masks = archive.entries().iter();
    let masks = masks.filter(|entry| entry.path != TOLD && entry.path != classes_txt::NAME);
    let files = masks.map(|entry| Ok((entry.path.clone(), whole(&entry.blob)?)));
    let files: std::io::Result<Vec<_>> = files.collect();
    let mut files = files.map_err(|source| Error::Io { action: "read", path: name, source })?;
    // The classes may have got other names since.
    files.push((classes_txt::NAME.into(), classes_txt::encode(&dataset.classes)));
    let put = by_hand::put_back(page, &dataset, round, &events, &mut files, &mut confusion).await?;
    let by_hand = put.iter().map(|&(image, _)| image).collect();
    by_hand::told(page, &dataset, round, put, &confusion, looked_at_truth);
    let rest = ends.is_empty().then_some(Rest { from, data, told: events, replaces: false });
    if rest.is_some() {
        page.emit(Event::Stopped { round: 0, step: 0 });
    }
    for mut end in ends {
        if let Event::MasksFinished { score: Some(score), .. } = &mut end {
            score.rename_classes(&dataset.classes);
        }
        page.emit(end);
    }
    Ok(Some(Made {
        files,
        confusion: Some(confusion),
        looked_at_truth,
        settings: Some(settings),
        by_hand,
        number: 0,
        rest,
    }))
}
