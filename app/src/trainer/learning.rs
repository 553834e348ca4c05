//! Training: the run, the one that was kept, and the network that learns from masks.

use std::collections::BTreeMap;
use std::sync::Arc;

use tag2mask_core::dataset::targets::Targets;
use tag2mask_core::files::{Blob, FileSet, MemoryBlob};
use tag2mask_core::run::checkpoint::{BOX_MASKS, GIVEN_MASKS, RunCard, Trained};
use tag2mask_core::run::replay::replay;
use tag2mask_core::run::settings::Settings;
use tag2mask_core::run::store::BEGUN;
use tag2mask_core::run::train::{Run, train};
use tag2mask_core::run::{Control, Host, RunStore};
use tag2mask_core::{Error, Event, Result};

use super::by_hand::{self, BY_HAND};
use super::host::Page;
use super::kept::KeptStore;
use super::made::MADE;
use super::work::{Shared, Trainer};
use crate::disk;
use crate::protocol::GivenMasks;

/// The run as the browser's disk has it: its news again, and from there on as if it had never been away. What comes
/// next goes there if it `follows`.
pub(super) async fn restore(this: &Shared, page: &mut Page<'_>, project: &str, follows: bool) -> Result<()> {
    let found = page.store.load(project, follows).await.map_err(|error| lost(&disk::reason(&error)))?;
    // Other classes would have dropped it: these only got other names, just before the page ended.
    this.borrow_mut().rename_run()?;
    if found { tell_again(page) } else { Err(lost(NO_CHECKPOINT)) }
}

/// The network for new photos as the browser's disk has it, and its news again. Without it everything else goes on.
pub(super) async fn restore_segmenter(this: &Shared, project: &str, follows: bool, page: &mut Page<'_>) {
    let store = this.borrow().segmenter.0.clone();
    if let Err(error) = try_to_restore_segmenter(this, &store, (project, follows), page).await {
        store.clear();
        let message = format!("The network for new photos cannot be read; train it anew: {error}");
        page.emit(Event::Warning { message });
    }
}

async fn try_to_restore_segmenter(
    this: &Shared,
    store: &KeptStore,
    (project, follows): (&str, bool),
    page: &mut Page<'_>,
) -> Result<()> {
    let lost = |error| Error::NoData { reason: disk::reason(&error) };
    if !store.load(project, follows).await.map_err(lost)? {
        return Ok(());
    }
    this.borrow_mut().rename_run()?;
    let Some(card) = RunCard::load(store)? else { return Ok(()) };
    let step = Trained::load(store, None)?.map_or(0, |trained| trained.position.step);
    let mut end = End::default();
    replay(store, &mut end)?;
    let settings = Box::new(card.settings);
    page.emit(Event::SegmenterRestored { settings, step, is_finished: end.is_finished });
    Ok(())
}

/// Hears how a run has ended.
#[derive(Default)]
struct End {
    is_finished: bool,
}

impl Host for End {
    fn emit(&mut self, event: Event) {
        match event {
            Event::RunStarted { .. } => self.is_finished = false,
            Event::TrainingFinished { .. } => self.is_finished = true,
            _ => {}
        }
    }

    async fn breathe(&mut self) -> Control {
        Control::Continue
    }
}

/// The run in memory: its news again.
pub(super) fn tell_again(page: &mut Page<'_>) -> Result<()> {
    let store = page.store.clone();
    if replay(&store, page)? { Ok(()) } else { Err(lost(NO_CHECKPOINT)) }
}

const NO_CHECKPOINT: &str = "it has no checkpoint yet; train again";

fn lost(reason: &str) -> Error {
    Error::NoData { reason: format!("the kept run cannot be read: {reason}") }
}

/// Trains, or goes on with the run in memory if it has these settings and no masks are `given` anew.
pub(super) async fn run(
    this: &Shared,
    settings: &Settings,
    previews: &[usize],
    keep: Option<&str>,
    given: Option<&GivenMasks>,
    page: &mut Page<'_>,
) -> Result<()> {
    let mut store = page.store.clone();
    let lost = |error| Error::NoData { reason: disk::reason(&error) };
    if let Some(project) = keep {
        // They outlive runs that this page has not seen.
        store.load_all_of(project, BY_HAND).await.map_err(lost)?;
    }
    let classes = this.borrow().dataset()?.classes.clone();
    let drawn = by_hand::all(page, &classes).await?;
    let given = match given {
        Some(given) => Some(targets_of(&this.borrow(), given.round, |index| given.images.contains(&index))?),
        None => given_before(this, &store, settings)?,
    };
    if given.as_ref().is_some_and(|given| given.items().is_empty()) {
        let reason = "the accepted masks are no longer there; make them anew, or train without them";
        return Err(Error::NoData { reason: reason.into() });
    }
    // With other labels or boxes it is another run.
    let labels_are_new = std::mem::take(&mut this.borrow_mut().labels_are_new);
    let goes_on = !labels_are_new && given.is_none() && resumes(&store, settings)?;
    if labels_are_new || given.is_some() {
        store.clear_run();
    } else if !goes_on {
        let cut = cut_before(&store, settings)?;
        store.clear_run();
        cut.into_iter().try_for_each(|(name, bytes)| store.write(name, &bytes))?;
    }
    if !goes_on {
        // It learned from masks that go with their run.
        let segmenter = this.borrow().segmenter.0.clone();
        if let Err(error) = segmenter.delete(keep).await {
            let reason = disk::reason(&error);
            let message =
                format!("The network for new photos of the run before could not be removed: {reason}");
            page.emit(Event::Warning { message });
        }
    }
    // Made by what it had learned until now.
    store.forget(MADE);
    this.borrow_mut().masks.clear();
    by_hand::set_aside(&mut store, drawn, &classes)?;
    store.keep_on_disk(keep);
    let ended = learn(this, settings, given.as_ref(), previews, &mut store, page).await;
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
    let targets = targets_of(&this.borrow(), round, |index| !rejected.contains(&index))?;
    if targets.items().is_empty() {
        let reason = match rejected.is_empty() {
            true => "there are no masks to learn from yet",
            false => "all masks were rejected, so there are none to learn from",
        };
        return Err(Error::NoData { reason: reason.into() });
    }
    let dataset = this.borrow().dataset()?;
    let mut store = this.borrow().segmenter.0.clone();
    let of_these = RunCard::load(&store)?.and_then(|card| card.masks) == Some(targets.fingerprint(&dataset)?);
    if !of_these || !resumes(&store, settings)? {
        store.clear();
    }
    store.keep_on_disk(page.store.project().as_deref());
    let mut own = Page { endpoint: page.endpoint, wish: page.wish, store: store.clone() };
    let ended = learn(this, settings, Some(&targets), &[], &mut store, &mut own).await;
    own.carry().await;
    ended
}

/// Masks that were given to a run which ended before its first checkpoint: it starts anew, but not without them.
fn given_before(this: &Shared, store: &KeptStore, settings: &Settings) -> Result<Option<Targets>> {
    let trainer = this.borrow();
    let begun = RunCard::load(store)?.is_some_and(|card| &card.settings == settings);
    if trainer.labels_are_new || !begun || Trained::load(store, None)?.is_some() {
        return Ok(None);
    }
    let Some(bytes) = store.read(GIVEN_MASKS)? else { return Ok(None) };
    // The bound on other threads is empty in a browser: nothing leaves this one.
    #[allow(clippy::arc_with_non_send_sync)]
    let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(bytes));
    Targets::read(&FileSet::archive(GIVEN_MASKS, blob)?, &*trainer.dataset()?).map(Some)
}

/// What was cut out of boxes by a run that ended before its first checkpoint: it starts anew, but that stays the same.
fn cut_before(store: &KeptStore, settings: &Settings) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let begun = RunCard::load(store)?.is_some_and(|card| &card.settings == settings);
    if !begun || Trained::load(store, None)?.is_some() {
        return Ok(Vec::new());
    }
    let read = |name| Ok(store.read(name)?.map(|bytes| (name, bytes)));
    [BOX_MASKS, BEGUN].into_iter().filter_map(|name| read(name).transpose()).collect()
}

/// The masks of a round to learn from, of the images that are `wanted`.
fn targets_of(trainer: &Trainer, round: Option<usize>, wanted: impl Fn(usize) -> bool) -> Result<Targets> {
    let dataset = trainer.dataset()?;
    let files = trainer.masks.get(&round).map(|made| made.files.as_slice()).unwrap_or_default();
    let masks: BTreeMap<&str, &Vec<u8>> = files.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect();
    let wanted = dataset.items.iter().enumerate().filter(|&(index, _)| wanted(index));
    Ok(Targets::new(wanted.filter_map(|(index, item)| {
        let bytes = masks.get(format!("{}.png", item.stem).as_str())?;
        Some((index, Arc::new(MemoryBlob::new((*bytes).clone())) as Arc<dyn Blob>))
    })))
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
