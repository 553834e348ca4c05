//! Training: the run, the one that was kept, and the network that learns from masks.

use std::collections::BTreeMap;
use std::sync::Arc;

use tag2mask_core::dataset::targets::Targets;
use tag2mask_core::files::{Blob, MemoryBlob};
use tag2mask_core::run::RunStore;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::replay::replay;
use tag2mask_core::run::settings::Settings;
use tag2mask_core::run::store::MemoryStore;
use tag2mask_core::run::train::{Run, train};
use tag2mask_core::{Error, Result};

use super::host::Page;
use super::made::MADE;
use super::work::Shared;
use crate::disk;

/// The run as the browser's disk has it: its news again, and from there on as if it had never been away.
pub(super) async fn restore(page: &mut Page<'_>, project: &str) -> Result<()> {
    let lost = |reason: String| Error::NoData { reason: format!("the kept run cannot be read: {reason}") };
    let store = page.store.clone();
    let found = store.load(project).await.map_err(|error| lost(disk::reason(&error)))?;
    if !found || !replay(&store, page)? {
        return Err(lost("it has no checkpoint yet; train again".into()));
    }
    Ok(())
}

/// Trains, or goes on with the run in memory if it has these settings.
pub(super) async fn run(
    this: &Shared,
    settings: &Settings,
    previews: &[usize],
    keep: Option<&str>,
    page: &mut Page<'_>,
) -> Result<()> {
    let mut store = page.store.clone();
    // With other boxes it is another run.
    let boxes_are_new = std::mem::take(&mut this.borrow_mut().boxes_are_new);
    if boxes_are_new || !resumes(&store, settings)? {
        store.clear();
        this.borrow_mut().masks.clear();
    }
    // Made by what it had learned until now.
    store.forget(MADE);
    store.keep_on_disk(keep);
    let ended = learn(this, settings, None, previews, &mut store, page).await;
    page.carry().await;
    ended
}

/// Trains a network on the masks of a round, but those of the images that are `rejected`.
pub(super) async fn train_segmenter(
    this: &Shared,
    settings: &Settings,
    round: Option<usize>,
    rejected: Vec<usize>,
    page: &mut Page<'_>,
) -> Result<()> {
    let number = this.borrow().masks.get(&round).map_or(0, |made| made.number);
    let targets = {
        let trainer = this.borrow();
        let dataset = trainer.dataset()?;
        let files = trainer.masks.get(&round).map(|made| made.files.as_slice()).unwrap_or_default();
        let masks: BTreeMap<&str, &Vec<u8>> =
            files.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect();
        let wanted = |&(index, _): &(usize, _)| !rejected.contains(&index);
        Targets::new(dataset.items.iter().enumerate().filter(wanted).filter_map(|(index, item)| {
            let bytes = masks.get(format!("{}.png", item.stem).as_str())?;
            Some((index, Arc::new(MemoryBlob::new((*bytes).clone())) as Arc<dyn Blob>))
        }))
    };
    if targets.items().is_empty() {
        let reason = match rejected.is_empty() {
            true => "there are no masks to learn from yet",
            false => "all masks were rejected, so there are none to learn from",
        };
        return Err(Error::NoData { reason: reason.into() });
    }
    let mut store = {
        let mut trainer = this.borrow_mut();
        let of_these = trainer.segmenter_of == number && trainer.segmenter_without == rejected;
        (trainer.segmenter_of, trainer.segmenter_without) = (number, rejected);
        let store = std::mem::take(&mut trainer.segmenter);
        if of_these && resumes(&store, settings)? { store } else { MemoryStore::default() }
    };
    let ended = learn(this, settings, Some(&targets), &[], &mut store, page).await;
    this.borrow_mut().segmenter = store;
    ended
}

/// Whether training with these settings goes on from what is in the store: they are those it started with.
fn resumes(store: &impl RunStore, settings: &Settings) -> Result<bool> {
    Ok(Trained::load(store, None)?.is_some_and(|trained| &trained.card.settings == settings))
}

/// Trains into `store`, which is empty or holds a run that goes on.
async fn learn(
    this: &Shared,
    settings: &Settings,
    targets: Option<&Targets>,
    previews: &[usize],
    store: &mut impl RunStore,
    page: &mut Page<'_>,
) -> Result<()> {
    let (compute, dataset) = (this.borrow().compute()?, this.borrow().dataset()?);
    // Weights stay when the user goes over to a network that starts from nothing.
    let weights = this.borrow().weights.clone().filter(|_| !settings.backbone.trains_from_scratch());
    let resume = resumes(store, settings)?;
    if weights.is_none()
        && this.borrow().weights_were_refused
        && !settings.backbone.trains_from_scratch()
        && !resume
    {
        let reason = "the file that was chosen cannot be used; choose another one".into();
        return Err(Error::Setting { name: "weights", reason });
    }
    let weights = weights.as_deref();
    let run = Run { dataset: &dataset, settings, compute: &compute, weights, targets, previews, resume };
    train(&run, page, store).await.map(|_| ())
}
