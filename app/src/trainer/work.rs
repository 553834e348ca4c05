//! One function per command.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, Reflect, Uint8Array};
use tag2mask_core::backbone::weights::TensorFile;
use tag2mask_core::dataset::relabel::{ClassMap, Relabel};
use tag2mask_core::dataset::sample::{self, SampleSettings};
use tag2mask_core::dataset::{self, Dataset, ObjectBox, decode};
use tag2mask_core::device::Compute;
#[cfg(feature = "trainer-gpu")]
use tag2mask_core::device::UNNAMED;
use tag2mask_core::export::classes_txt;
use tag2mask_core::files::{Blob, FileSet, ProjectCard};
use tag2mask_core::masks::{Confusion, LabelMap};
use tag2mask_core::run::Control;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::rename::rename_classes;
use tag2mask_core::run::settings::MaskSettings;
use tag2mask_core::{Error, Event, Result, conformance};
use wasm_bindgen::prelude::*;

use super::archive::{self, Archive};
use super::blob::BrowserFile;
use super::by_hand;
use super::correcting::{set_mask, show_mask};
use super::drawing::{masks, predict};
use super::endpoint::Endpoint;
use super::host::Page;
use super::kept::{KeptStore, Place};
use super::learning::{restore, restore_segmenter, run, train_segmenter};
use super::made;
use super::packing::{pack_masks, pack_predictions, pack_report, pack_run, pack_segmenter};
use super::scores::{pack_new_scores, pack_scores};
use crate::protocol::{Command, PROTOCOL_VERSION};

/// What the trainer holds between commands.
#[derive(Default)]
pub struct Trainer {
    compute: Option<Rc<Compute>>,
    dataset: Option<Rc<Dataset>>,
    /// The same as it was read.
    read: Option<Rc<Dataset>>,
    relabel: Relabel,
    /// Boxes that were drawn, by image; their classes are numbers.
    drawn: BTreeMap<usize, Vec<ObjectBox>>,
    /// Whether labels or boxes were changed since a run learned from them.
    pub(super) labels_are_new: bool,
    /// Where the open data set came from, if it is a project with a run that was not taken up yet.
    pub(super) archive: Option<Archive>,
    pub(super) weights: Option<Rc<TensorFile>>,
    /// Whether the last file was none of weights: a run must not start from random ones instead.
    pub(super) weights_were_refused: bool,
    store: KeptStore,
    /// Masks by the round whose network made them; under `None`, by what was learned until now.
    pub(super) masks: BTreeMap<Option<usize>, Made>,
    pub(super) masks_made: u32,
    /// The run of the segmentation network.
    pub(super) segmenter: Segmenter,
    /// What it has said of new photos last.
    pub(super) predicted: Option<Predicted>,
}

/// Masks of new photos.
#[derive(Clone)]
pub(super) struct Predicted {
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) photos: Rc<Dataset>,
    /// How they were made.
    pub(super) settings: MaskSettings,
    /// How far the network had learned.
    pub(super) step: usize,
}

/// The files of the network for new photos.
pub(super) struct Segmenter(pub(super) KeptStore);

impl Default for Segmenter {
    fn default() -> Self {
        Self(KeptStore::of(Place::Segmenter))
    }
}

/// Masks as they are packed, and how many times masks had been made then.
#[derive(Default)]
pub(super) struct Made {
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) number: u32,
    /// What they were scored by; nothing is counted where no truth was supplied.
    pub(super) confusion: Option<Confusion>,
    /// Whether a look at the truth may have guided them.
    pub(super) looked_at_truth: bool,
    /// How they were made.
    pub(super) settings: Option<MaskSettings>,
    /// Images whose masks were corrected by hand.
    pub(super) by_hand: BTreeSet<usize>,
    /// Where the making of these masks goes on, if it was ended before all were there.
    pub(super) rest: Option<Rest>,
}

/// The rest of a making of masks.
#[derive(Clone)]
pub(super) struct Rest {
    /// All images before this one are done.
    pub(super) from: usize,
    /// The [`made::data_of`] what they are of.
    pub(super) data: String,
    /// A `MaskReady` of each, without its labels.
    pub(super) told: Vec<Event>,
    /// Whether it was to replace masks that are all there on the disk, and stay there until these are.
    pub(super) replaces: bool,
}

pub(super) type Shared = Rc<RefCell<Trainer>>;

impl Trainer {
    /// Does what one command asks. The trainer is borrowed only between waits, so that small pictures
    /// can be served meanwhile.
    pub async fn answer(
        this: &Shared,
        command: Command,
        payload: JsValue,
        endpoint: &Endpoint,
        wish: &Rc<Cell<Control>>,
    ) -> Result<()> {
        let store = this.borrow().store.clone();
        let mut page = Page { endpoint, wish, store };
        match command {
            Command::Start { version } => start(this, version, endpoint).await,
            Command::OpenFiles => open_files(this, &payload, endpoint),
            Command::OpenSample { images, size, seed } => {
                let settings = SampleSettings { images, size: size as u32, seed };
                open(this, &FileSet::memory(sample::files(&settings)), 0, endpoint)
            }
            Command::SetLabels { relabel } => {
                this.borrow_mut().set_labels(relabel, endpoint)?;
                if page.store.has_news() {
                    page.carry().await;
                }
                Ok(())
            }
            Command::DropRun => {
                this.borrow_mut().forget_run();
                Ok(())
            }
            Command::SetBoxes { image, boxes } => {
                let mut trainer = this.borrow_mut();
                trainer.drawn.insert(image, boxes);
                trainer.set_boxes(&[image], endpoint);
                Ok(())
            }
            Command::Weights { name } => {
                let bytes = Uint8Array::new(&payload).to_vec();
                let file = TensorFile::parse(&name, &bytes);
                let mut trainer = this.borrow_mut();
                trainer.weights_were_refused = file.is_err();
                trainer.weights = None;
                trainer.weights = Some(Rc::new(file?));
                Ok(())
            }
            Command::Restore { project, masks, is_read_only } => {
                this.borrow_mut().labels_are_new = false;
                let follows = !is_read_only;
                restore(this, &mut page, &project, follows).await?;
                if masks {
                    made::restore(this, &mut page).await?;
                }
                restore_segmenter(this, &project, follows, &mut page).await;
                Ok(())
            }
            Command::TakeUp { keep } => archive::take_up(this, keep.as_deref(), &mut page).await,
            Command::Train { settings, previews, keep, given } => {
                run(this, &settings, &previews, keep.as_deref(), given.as_ref(), &mut page).await
            }
            Command::Masks { settings, round } => masks(this, &settings, round, &mut page).await,
            Command::ShowMask { round, image, side } => show_mask(this, round, image, side, endpoint),
            Command::SetMask { round, image, width, height } => {
                let edited = LabelMap { width, height, labels: Uint8Array::new(&payload).to_vec() };
                set_mask(this, round, image, &edited, &mut page).await
            }
            Command::TrainSegmenter { settings, round, rejected } => {
                train_segmenter(this, &settings, round, rejected, &mut page).await
            }
            Command::Predict { settings } => predict(this, &payload, &settings, &mut page).await,
            Command::PackMasks { round, format, photos } => {
                pack_masks(this, round, &format, photos, &mut page).await
            }
            Command::PackPredictions { format, photos } => {
                pack_predictions(this, &format, photos, &mut page).await
            }
            Command::PackScores { round } => pack_scores(this, round, &mut page).await,
            Command::PackNewScores => pack_new_scores(this, &mut page).await,
            Command::PackProject { name, verdicts, round } => {
                let labels_are_new = this.borrow().labels_are_new;
                let card = ProjectCard { verdicts, labels_are_new, ..ProjectCard::new(&name) };
                archive::pack_project(this, card, round, &mut page).await
            }
            Command::PackReport { round } => pack_report(this, round, &mut page).await,
            Command::PackRun => pack_run(this, &mut page).await,
            Command::PackSegmenter => pack_segmenter(this, endpoint),
            Command::Conformance => check(this, &payload, endpoint).await,
            // Taken care of where they arrive.
            Command::Pause | Command::Resume | Command::Stop | Command::Thumbnails { .. } => Ok(()),
        }
    }

    /// Whether a data set is open.
    pub fn has_data(&self) -> bool {
        self.dataset.is_some()
    }

    /// A small picture of an image; `None` for one that is not there or does not decode.
    pub fn thumbnail(&self, image: usize, side: usize) -> Option<Event> {
        let item = self.dataset.as_ref()?.items.get(image)?;
        let pixels = decode::reduced(decode::rgb(item.image.as_ref(), &item.path).ok()?, side as u32);
        let (width, height) = (pixels.width() as usize, pixels.height() as usize);
        let rgba = pixels.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
        Some(Event::Thumbnail { image, width, height, rgba })
    }

    /// Changes labels and classes. What is learning from the data set meanwhile keeps it as it was.
    fn set_labels(&mut self, relabel: Relabel, endpoint: &Endpoint) -> Result<()> {
        let Some(read) = &self.read else { return Ok(()) };
        let dataset = relabel.apply(read);
        let map = |relabel| ClassMap::new(relabel, &read.classes);
        let only_names =
            map(&relabel).differs_in_names(&map(&self.relabel)) && relabel.labels == self.relabel.labels;
        let other_classes = self.dataset.as_ref().is_some_and(|before| before.classes != dataset.classes);
        let were_new = self.labels_are_new;
        self.relabel = relabel;
        self.dataset = Some(Rc::new(dataset));
        let drawn: Vec<usize> = self.drawn.keys().copied().collect();
        self.set_boxes(&drawn, endpoint);
        if only_names {
            self.labels_are_new = were_new;
            self.rename_run()?;
        } else if other_classes {
            // What is known of other classes means nothing any more.
            self.forget_run();
        }
        Ok(())
    }

    /// What was learned and made has the names that the classes have now.
    pub(super) fn rename_run(&mut self) -> Result<()> {
        let classes = self.dataset()?.classes.clone();
        if let Some(before) = rename_classes(&mut self.store, &classes)? {
            by_hand::rename_classes(&mut self.store, &before, &classes)?;
        }
        rename_classes(&mut self.segmenter.0, &classes)?;
        let predicted = self.predicted.as_mut();
        let packed = self.masks.values_mut().map(|made| &mut made.files);
        let packed = packed.chain(predicted.map(|predicted| {
            Rc::make_mut(&mut predicted.photos).classes.clone_from(&classes);
            &mut predicted.files
        }));
        for (name, bytes) in packed.flatten() {
            if name == classes_txt::NAME {
                *bytes = classes_txt::encode(&classes);
            }
        }
        Ok(())
    }

    /// Gives images the boxes that were drawn on them.
    fn set_boxes(&mut self, images: &[usize], endpoint: &Endpoint) {
        let (Some(read), Some(dataset)) = (&self.read, &mut self.dataset) else { return };
        let map = ClassMap::new(&self.relabel, &read.classes);
        for &image in images {
            let (Some(item), Some(boxes)) = (read.items.get(image), self.drawn.get(&image)) else { continue };
            let labels = self.relabel.labels(&map, image, &item.labels);
            if let Err(error) = Rc::make_mut(dataset).set_boxes(image, &map.boxes(boxes), &labels) {
                endpoint.tell(Event::Warning { message: error.to_string() });
            }
        }
        self.labels_are_new = true;
    }

    fn forget_run(&mut self) {
        self.store.clear();
        self.masks.clear();
        self.segmenter.0.clear();
    }

    pub(super) fn compute(&self) -> Result<Rc<Compute>> {
        self.compute.clone().ok_or_else(|| missing("device", "is not ready yet"))
    }

    pub(super) fn predicted(&self) -> Result<&Predicted> {
        self.predicted
            .as_ref()
            .ok_or_else(|| Error::NoData { reason: "no new photos were looked at yet".into() })
    }

    pub(super) fn dataset(&self) -> Result<Rc<Dataset>> {
        self.dataset.clone().ok_or_else(|| Error::NoData { reason: "no data set is open".into() })
    }
}

pub(super) fn missing(name: &'static str, reason: &str) -> Error {
    Error::Setting { name, reason: reason.into() }
}

async fn start(this: &Shared, version: u32, endpoint: &Endpoint) -> Result<()> {
    if version != PROTOCOL_VERSION {
        return Err(missing("version", "the page and the trainer are of different builds; reload the page"));
    }
    let known = this.borrow().compute.clone();
    let compute = match known {
        Some(compute) => compute,
        None => match open_device().await {
            Ok(compute) => Rc::new(compute),
            // The page starts the other trainer.
            Err(error) => {
                endpoint.give_up_gpu(&error.to_string());
                return Ok(());
            }
        },
    };
    endpoint.tell(Event::DeviceReady { device: compute.info.clone() });
    this.borrow_mut().compute = Some(compute);
    Ok(())
}

#[cfg(feature = "trainer-gpu")]
async fn open_device() -> Result<Compute> {
    let mut compute = Compute::webgpu().await?;
    // What the loader calls the adapter that it has found, which may be nothing.
    let name = Reflect::get(&js_sys::global(), &"adapterName".into()).ok().and_then(|name| name.as_string());
    if let Some(name) = name.filter(|name| compute.info.name == UNNAMED && !name.is_empty()) {
        compute.info.name = name;
    }
    Ok(compute)
}

#[cfg(not(feature = "trainer-gpu"))]
async fn open_device() -> Result<Compute> {
    Ok(Compute::cpu())
}

fn open_files(this: &Shared, payload: &JsValue, endpoint: &Endpoint) -> Result<()> {
    let files = files_of(payload);
    let bytes = files.iter().map(|(_, blob)| blob.len()).sum();
    open(this, &FileSet::picked(files)?, bytes, endpoint)
}

/// The files of an array of `{ path, file }`.
pub(super) fn files_of(payload: &JsValue) -> Vec<(String, Arc<dyn Blob>)> {
    let mut files = Vec::new();
    for entry in Array::from(payload) {
        let field = |name: &str| Reflect::get(&entry, &name.into()).unwrap_or(JsValue::UNDEFINED);
        if let (Some(path), file) = (field("path").as_string(), field("file").unchecked_into()) {
            // The bound on other threads is empty in a browser: nothing leaves this one.
            #[allow(clippy::arc_with_non_send_sync)]
            files.push((path, Arc::new(BrowserFile(file)) as Arc<dyn Blob>));
        }
    }
    files
}

/// Opens the data set in `files`, which were given as so many `bytes`.
fn open(this: &Shared, files: &FileSet, bytes: u64, endpoint: &Endpoint) -> Result<()> {
    let mut told = 0;
    let mut progress = |done: usize, total: usize| {
        // Enough for a smooth bar; a message per file would be the larger part of the work.
        if done >= told || done == total {
            told = done + (total / 100).max(1);
            endpoint.tell(Event::Progress { phase: Phase::Reading, done, total, seconds_left: None });
        }
    };
    let dataset = Rc::new(dataset::read(files, &mut progress)?);
    let summary = dataset.summary();
    let (archive, project) = archive::found(files, bytes)?.unzip();
    let mut trainer = this.borrow_mut();
    trainer.archive = archive;
    (trainer.relabel, trainer.drawn) = Default::default();
    trainer.labels_are_new = false;
    trainer.read = Some(dataset.clone());
    trainer.dataset = Some(dataset);
    trainer.forget_run();
    drop(trainer);
    endpoint.tell(Event::DatasetRead { summary });
    if let Some(project) = project {
        endpoint.tell(project);
    }
    Ok(())
}

async fn check(this: &Shared, payload: &JsValue, endpoint: &Endpoint) -> Result<()> {
    let compute = this.borrow().compute()?;
    let mut measured = Vec::new();
    for entry in Array::from(payload) {
        let field = |name: &str| Reflect::get(&entry, &name.into()).unwrap_or(JsValue::UNDEFINED);
        let name = field("name").as_string().unwrap_or_default();
        let bytes = Uint8Array::new(&field("bytes")).to_vec();
        measured.extend(conformance::check(&name, &bytes, &compute.device).await?);
    }
    let bytes = serde_json::to_vec(&measured)
        .map_err(|error| Error::Format { path: "conformance.json".into(), reason: error.to_string() })?;
    endpoint.tell(Event::FileReady { name: "conformance.json".into(), bytes });
    Ok(())
}
