//! One function per command.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::protocol::{Command, PROTOCOL_VERSION};
use js_sys::{Array, Reflect, Uint8Array};
use tag2mask_core::backbone::weights::TensorFile;
use tag2mask_core::dataset::sample::{self, SampleSettings};
use tag2mask_core::dataset::targets::Targets;
use tag2mask_core::dataset::{self, Dataset, decode};
use tag2mask_core::device::Compute;
#[cfg(feature = "trainer-gpu")]
use tag2mask_core::device::UNNAMED;
use tag2mask_core::export::{classes_txt, palette_png, zip};
use tag2mask_core::files::{Blob, FileSet, MemoryBlob};
use tag2mask_core::masks::rescale::resize_labels;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::make_masks::{Mask, MaskJob, make_masks};
use tag2mask_core::run::scorer::{Scorer, is_blind};
use tag2mask_core::run::settings::{MaskSettings, Settings};
use tag2mask_core::run::store::MemoryStore;
use tag2mask_core::run::train::{Run, train};
use tag2mask_core::run::{Control, Host};
use tag2mask_core::{Error, Event, Result, conformance};
use wasm_bindgen::prelude::*;

use super::blob::BrowserFile;
use super::endpoint::Endpoint;
use super::turn::{sleep, yield_now};

/// What the trainer holds between commands.
#[derive(Default)]
pub struct Trainer {
    compute: Option<Rc<Compute>>,
    dataset: Option<Rc<Dataset>>,
    weights: Option<Rc<TensorFile>>,
    store: MemoryStore,
    masks: Vec<(String, Vec<u8>)>,
    /// The run of the segmentation network, and which making of masks it learned from.
    segmenter: MemoryStore,
    segmenter_of: u32,
    masks_made: u32,
    /// Masks of new photos.
    predicted: Vec<(String, Vec<u8>)>,
}

type Shared = Rc<RefCell<Trainer>>;

/// How often a paused run looks for a new wish.
const PAUSE_MILLISECONDS: i32 = 50;

/// The page as a run's host.
struct Page<'a> {
    endpoint: &'a Endpoint,
    wish: &'a Cell<Control>,
}

impl Host for Page<'_> {
    fn emit(&mut self, event: Event) {
        self.endpoint.tell(event);
    }

    async fn breathe(&mut self) -> Control {
        yield_now().await;
        if self.wish.get() == Control::Pause {
            sleep(PAUSE_MILLISECONDS).await;
        }
        self.wish.get()
    }
}

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
        let mut page = Page { endpoint, wish };
        match command {
            Command::Start { version } => start(this, version, endpoint).await,
            Command::OpenFiles => open_files(this, &payload, endpoint),
            Command::OpenSample { images, size, seed } => {
                let settings = SampleSettings { images, size: size as u32, seed };
                open(this, &FileSet::memory(sample::files(&settings)), endpoint)
            }
            Command::Weights { name } => {
                let bytes = Uint8Array::new(&payload).to_vec();
                this.borrow_mut().weights = None;
                let file = TensorFile::parse(&name, &bytes)?;
                this.borrow_mut().weights = Some(Rc::new(file));
                Ok(())
            }
            Command::Train { settings, previews } => run(this, &settings, &previews, &mut page).await,
            Command::Masks { settings } => masks(this, &settings, &mut page).await,
            Command::TrainSegmenter { settings } => train_segmenter(this, &settings, &mut page).await,
            Command::Predict { settings } => predict(this, &payload, &settings, &mut page).await,
            Command::PackMasks => pack("masks.zip", this.borrow().masks.clone(), endpoint),
            Command::PackPredictions => pack("new-masks.zip", this.borrow().predicted.clone(), endpoint),
            Command::PackRun => pack("run.zip", this.borrow().store.files.clone(), endpoint),
            Command::PackSegmenter => {
                let is_model = |(name, _): &(&String, &Vec<u8>)| name.starts_with("model.");
                let files: Vec<_> = this
                    .borrow()
                    .segmenter
                    .files
                    .iter()
                    .filter(is_model)
                    .map(|(name, bytes)| (name.clone(), bytes.clone()))
                    .collect();
                pack("segmenter.zip", files, endpoint)
            }
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

    fn compute(&self) -> Result<Rc<Compute>> {
        self.compute.clone().ok_or_else(|| missing("device", "is not ready yet"))
    }

    fn dataset(&self) -> Result<Rc<Dataset>> {
        self.dataset.clone().ok_or_else(|| Error::NoData { reason: "no data set is open".into() })
    }
}

fn missing(name: &'static str, reason: &str) -> Error {
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
    open(this, &FileSet::picked(files_of(payload))?, endpoint)
}

/// The files of an array of `{ path, file }`.
fn files_of(payload: &JsValue) -> Vec<(String, Arc<dyn Blob>)> {
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

fn open(this: &Shared, files: &FileSet, endpoint: &Endpoint) -> Result<()> {
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
    let mut trainer = this.borrow_mut();
    trainer.dataset = Some(dataset);
    trainer.store = MemoryStore::default();
    trainer.masks.clear();
    trainer.segmenter = MemoryStore::default();
    drop(trainer);
    endpoint.tell(Event::DatasetRead { summary });
    Ok(())
}

async fn run(this: &Shared, settings: &Settings, previews: &[usize], page: &mut Page<'_>) -> Result<()> {
    let mut store = std::mem::take(&mut this.borrow_mut().store);
    let ended = learn(this, settings, None, previews, &mut store, page).await;
    this.borrow_mut().store = store;
    ended
}

async fn train_segmenter(this: &Shared, settings: &Settings, page: &mut Page<'_>) -> Result<()> {
    let targets = {
        let trainer = this.borrow();
        let dataset = trainer.dataset()?;
        let masks: BTreeMap<&str, &Vec<u8>> =
            trainer.masks.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect();
        Targets::new(dataset.items.iter().enumerate().filter_map(|(index, item)| {
            let bytes = masks.get(format!("{}.png", item.stem).as_str())?;
            Some((index, Arc::new(MemoryBlob::new((*bytes).clone())) as Arc<dyn Blob>))
        }))
    };
    if targets.items().is_empty() {
        return Err(Error::NoData { reason: "there are no masks to learn from yet".into() });
    }
    let mut store = {
        let mut trainer = this.borrow_mut();
        let of_these = trainer.segmenter_of == trainer.masks_made;
        trainer.segmenter_of = trainer.masks_made;
        let store = std::mem::take(&mut trainer.segmenter);
        if of_these { store } else { MemoryStore::default() }
    };
    let ended = learn(this, settings, Some(&targets), &[], &mut store, page).await;
    this.borrow_mut().segmenter = store;
    ended
}

/// Trains into `store`. The same settings again go on from where it was stopped; others start anew.
async fn learn(
    this: &Shared,
    settings: &Settings,
    targets: Option<&Targets>,
    previews: &[usize],
    store: &mut MemoryStore,
    page: &mut Page<'_>,
) -> Result<()> {
    let (compute, dataset) = (this.borrow().compute()?, this.borrow().dataset()?);
    let weights = this.borrow().weights.clone();
    let resume = Trained::load(store, None)?.is_some_and(|trained| &trained.card.settings == settings);
    if !resume {
        *store = MemoryStore::default();
    }
    let weights = weights.as_deref();
    let run = Run { dataset: &dataset, settings, compute: &compute, weights, targets, previews, resume };
    train(&run, page, store).await.map(|_| ())
}

/// Longest side of the pictures of new photos, pixels.
const PICTURE_SIDE: usize = 320;

async fn predict(
    this: &Shared,
    payload: &JsValue,
    settings: &MaskSettings,
    page: &mut Page<'_>,
) -> Result<()> {
    let compute = this.borrow().compute()?;
    let trained = Trained::load(&this.borrow().segmenter, None)?
        .ok_or_else(|| Error::NoData { reason: "no network has learned from masks yet".into() })?;
    let photos =
        dataset::read_photos(&FileSet::picked(files_of(payload))?, &trained.card.classes, &mut |_, _| ())?;
    page.emit(Event::PhotosRead { photos: photos.items.len(), problems: photos.problems.clone() });
    let started = web_time::Instant::now();
    let side = trained.card.settings.size;
    let job =
        MaskJob { dataset: &photos, settings, side, keep_scores: false, search: false, phase: Phase::Masks };
    let mut files = Vec::new();
    let endpoint = page.endpoint.clone();
    let classes = photos.classes.len();
    let mut sink = |mask: Mask| {
        let item = &photos.items[mask.item];
        files.push((format!("{}.png", item.stem), palette_png::encode(&mask.labels)?));
        let covered = mask.labels.shares(classes).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        let picture = decode::reduced(decode::rgb(item.image.as_ref(), &item.path)?, PICTURE_SIDE as u32);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        endpoint.tell(Event::PhotoReady {
            name: item.path.clone(),
            width,
            height,
            shares: covered.map(|(class, share)| (class as u16, share)).collect(),
            rgba: picture.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect(),
            labels: resize_labels(&mask.labels, (width, height)).labels,
        });
        Ok(())
    };
    let finished = make_masks(&job, &trained, &compute, page, &mut sink).await?;
    let images = files.len();
    files.push(("classes.txt".into(), classes_txt::encode(&photos.classes)));
    this.borrow_mut().predicted = files;
    if finished {
        page.emit(Event::MasksFinished { images, seconds: started.elapsed().as_secs_f64(), score: None });
    } else {
        page.emit(Event::Stopped { round: 0, step: trained.position.step });
    }
    Ok(())
}

async fn masks(this: &Shared, settings: &MaskSettings, page: &mut Page<'_>) -> Result<()> {
    let (compute, dataset) = (this.borrow().compute()?, this.borrow().dataset()?);
    let trained = Trained::load(&this.borrow().store, None)?
        .ok_or_else(|| Error::NoData { reason: "nothing has been trained yet".into() })?;
    let started = web_time::Instant::now();
    let side = trained.card.settings.size;
    let job =
        MaskJob { dataset: &dataset, settings, side, keep_scores: false, search: false, phase: Phase::Masks };
    let mut scorer = Scorer::new(&dataset);
    let mut files = Vec::new();
    let endpoint = page.endpoint.clone();
    let classes = dataset.classes.len();
    let mut sink = |mask: Mask| {
        let miou = scorer.add(&mask)?;
        files.push((format!("{}.png", dataset.items[mask.item].stem), palette_png::encode(&mask.labels)?));
        let covered = mask.labels.shares(classes).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        endpoint.tell(Event::MaskReady {
            image: mask.item,
            width: mask.labels.width,
            height: mask.labels.height,
            shares: covered.map(|(class, share)| (class as u16, share)).collect(),
            miou,
            labels: mask.labels.labels,
        });
        Ok(())
    };
    let finished = make_masks(&job, &trained, &compute, page, &mut sink).await?;
    let images = files.len();
    files.push(("classes.txt".into(), classes_txt::encode(&dataset.classes)));
    {
        let mut trainer = this.borrow_mut();
        trainer.masks = files;
        trainer.masks_made += 1;
    }
    if finished {
        let score = scorer.score(!is_blind(settings.threshold));
        page.emit(Event::MasksFinished { images, seconds: started.elapsed().as_secs_f64(), score });
    } else {
        page.emit(Event::Stopped { round: trained.position.round, step: trained.position.step });
    }
    Ok(())
}

fn pack<F>(name: &str, files: F, endpoint: &Endpoint) -> Result<()>
where
    F: IntoIterator<Item = (String, Vec<u8>)>,
{
    let files: Vec<_> = files.into_iter().collect();
    if files.is_empty() {
        return Err(Error::NoData { reason: format!("there is nothing to pack yet: {name}") });
    }
    endpoint.tell(Event::FileReady { name: name.into(), bytes: zip::pack(files)? });
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
