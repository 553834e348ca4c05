//! A project as one file: packed for the user, and taken up where the data set that was read is one.

use std::rc::Rc;

use tag2mask_core::dataset::Dataset;
use tag2mask_core::export::MaskSet;
use tag2mask_core::export::project_zip::ProjectPacker;
use tag2mask_core::files::{FileSet, Part, ProjectCard, check_unpacked};
use tag2mask_core::run::checkpoint::RunCard;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::packed::PackedRun;
use tag2mask_core::run::settings::MaskSettings;
use tag2mask_core::run::store::is_run_file;
use tag2mask_core::run::{Host, RunStore};
use tag2mask_core::{Error, Event, Result};

use super::by_hand::BY_HAND;
use super::host::Page;
use super::kept::{KeptStore, is_spare};
use super::learning::tell_again;
use super::made::{self, MADE, Told};
use super::turn::yield_now;
use super::work::Shared;
use super::zipped;

/// A project's archive whose data set is open, and its length.
pub(super) struct Archive {
    files: FileSet,
    bytes: u64,
    labels_are_new: bool,
}

/// Whether a file of the run goes with it: what core knows, and what this program keeps beside.
fn is_kept(name: &str) -> bool {
    is_run_file(name) || ((name.starts_with(MADE) || name.starts_with(BY_HAND)) && !name.contains('/'))
}

/// Packs everything: photos with their labels and boxes, the run, and masks. Those of `round` are also where other
/// programs look for them.
pub(super) async fn pack_project(
    this: &Shared,
    card: ProjectCard,
    round: Option<usize>,
    page: &mut Page<'_>,
) -> Result<()> {
    let dataset = this.borrow().dataset()?;
    let mut packer = ProjectPacker::new(zipped::file(), &card)?;
    let photos = packer.add_tables(&dataset)?;
    let total = dataset.items.len();
    for index in 0..total {
        packer.add_photo(&photos, index)?;
        page.emit(Event::Progress { phase: Phase::Packing, done: index + 1, total, seconds_left: None });
        yield_now().await;
        if page.is_stopped() {
            return Ok(());
        }
    }
    if has_run(&dataset, page)? {
        for name in page.store.kept_names().into_iter().filter(|name| is_kept(name)) {
            match made::bring(page, &name).await {
                Ok(bytes) => packer.add_to(Part::Run, &name, &bytes)?,
                // It has given room meanwhile.
                Err(_) if is_spare(&name) => continue,
                Err(error) => return Err(error),
            }
            page.store.release();
            yield_now().await;
        }
        let trainer = this.borrow();
        for (name, bytes) in trainer.masks.get(&round).map_or(&[][..], |made| &made.files) {
            packer.add_to(Part::Masks, name, bytes)?;
        }
    }
    zipped::hand_over(&card.file_name(), packer.finish()?, page.endpoint)
}

/// Whether there is a run to go with the data set: one that learned from other labels stays behind.
fn has_run(dataset: &Dataset, page: &mut Page<'_>) -> Result<bool> {
    let Some(card) = RunCard::load(&page.store)? else { return Ok(false) };
    let fits = card.check_data(dataset);
    if let Err(error) = &fits {
        page.emit(Event::Warning { message: format!("The run is not in the file: {error}") });
    }
    Ok(fits.is_ok())
}

/// The archive that a data set was read from, if it is a project's, `bytes` long; the page hears of it.
pub(super) fn found(files: &FileSet, bytes: u64) -> Result<Option<(Archive, Event)>> {
    let Some(ProjectCard { name, verdicts, labels_are_new, .. }) = ProjectCard::of(files)? else {
        return Ok(None);
    };
    let has_run = PackedRun::of(&name, files)?.is_some();
    let archive = Archive { files: files.clone(), bytes, labels_are_new };
    Ok(Some((archive, Event::ProjectRead { name, has_run, verdicts, labels_are_new })))
}

/// Takes the run of the open project's archive up, and keeps it in the project `keep` on the browser's disk.
pub(super) async fn take_up(this: &Shared, keep: Option<&str>, page: &mut Page<'_>) -> Result<()> {
    let Some(archive) = this.borrow_mut().archive.take() else {
        return Err(Error::NoData { reason: "the open data set is no project with a run".into() });
    };
    this.borrow_mut().labels_are_new = archive.labels_are_new;
    let dataset = this.borrow().dataset()?;
    check_unpacked(&archive.files, archive.bytes, "the project")?;
    if let Some(run) = PackedRun::of("the project", &archive.files)?
        && let Some(card) = RunCard::load(&run)?
    {
        card.check_data(&dataset)?;
    }
    let mut store = page.store.clone();
    store.clear();
    let part =
        |part| archive.files.part(part).map(|files| files.unwrap_or_else(|| FileSet::memory(Vec::new())));
    for entry in part(Part::Run)?.entries().iter().filter(|entry| is_kept(&entry.path)) {
        let unreadable = |source| Error::Io { action: "read", path: entry.path.clone(), source };
        store.write(&entry.path, &entry.blob.read_at(0, usize::MAX).map_err(unreadable)?)?;
        yield_now().await;
    }
    store.keep_on_disk(keep);
    tell_again(page)?;
    if !store.kept_names().iter().any(|name| name.starts_with(MADE)) {
        let masks = part(Part::Masks)?;
        // The run is there without them.
        if !masks.entries().is_empty()
            && let Err(error) = from_masks(&masks, &dataset, &mut store)
        {
            made::lost(page, &error);
        }
    }
    made::restore(this, page).await?;
    page.carry().await;
    Ok(())
}

/// Masks that another program has packed, as if they had been made here.
fn from_masks(masks: &FileSet, dataset: &Rc<Dataset>, store: &mut KeptStore) -> Result<()> {
    let set = MaskSet::new(masks, dataset, &dataset.classes)?;
    let classes = dataset.classes.len();
    let mut files = Vec::new();
    let mut events = Vec::new();
    for photo in &set.photos {
        let Some(image) = dataset.items.iter().position(|item| item.path == photo.path) else { continue };
        let mask = set.mask(photo)?;
        let covered = mask.shares(classes).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        let unreadable = |source| Error::Io { action: "read", path: photo.mask_path.clone(), source };
        let bytes = photo.mask.read_at(0, usize::MAX).map_err(unreadable)?;
        files.push((format!("{}.png", dataset.items[image].stem), bytes));
        events.push(Event::MaskReady {
            image,
            width: mask.width,
            height: mask.height,
            shares: covered.map(|(class, share)| (class as u16, share)).collect(),
            thresholds: Vec::new(),
            miou: None,
            doubt: None,
            labels: Vec::new(),
        });
    }
    events.push(Event::MasksFinished { images: files.len(), seconds: 0.0, score: None });
    made::keep(
        store,
        &Told {
            round: None,
            settings: MaskSettings::default(),
            data: made::data_of(dataset),
            number: 1,
            events,
            from: 0,
        },
        &files,
    )
}
