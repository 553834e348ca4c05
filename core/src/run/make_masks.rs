//! Masks of a data set with a trained network: maps → threshold → refinement, image by image.

use std::sync::Arc;

use image::RgbImage;
#[cfg(not(target_arch = "wasm32"))]
use rayon::iter::ParallelIterator;

use super::checkpoint::Trained;
use super::event::{Event, Phase};
use super::host::{Control, Host};
use super::interpret::{Interpreted, Interpreter, refine};
use super::maps::{ImageMaps, image_maps, is_reduced, sides};
use super::pace::Pace;
use super::score_file::ScoreFile;
use super::settings::{MaskSettings, ViewSize};
use crate::backbone::weights::FileSource;
use crate::dataset::cache::{DEFAULT_BYTES, ImageCache};
use crate::dataset::{Dataset, Layout};
use crate::device::Compute;
use crate::error::Result;
use crate::masks::LabelMap;
use crate::masks::doubt::doubt;
use crate::masks::metric::Confusion;
use crate::masks::rescale::resize_labels;
use crate::masks::threshold::{Activation, Background, label};
use crate::masks::threshold_search::ThresholdSearch;
use crate::memory::{Limits, Processor, Work, at_once, most_pixels};
use crate::method::{Network, Setup, network};
use crate::tensor::read_all;

/// Images that go through the network together, where the device can hold their largest view.
const GROUP: usize = 8;

/// One finished mask.
pub struct Mask {
    /// Index into the data set's items.
    pub item: usize,
    /// Labels at the image's own size.
    pub labels: LabelMap,
    /// Strengths that the labels were cut from, before refinement, with the data set's classes.
    pub activation: Activation,
    /// The background threshold of each of the image's classes, in the order of its labels.
    pub thresholds: Vec<f32>,
    /// How much the labels are to be doubted, 0 to 1: see [`doubt`].
    pub doubt: f32,
    /// The maps that the labels were cut from, when asked for.
    pub scores: Option<ScoreFile>,
    /// Refined labels at each of [`ThresholdSearch::usual_thresholds`] against the truth, when asked for
    /// and the image has one of the size that labels are cut at.
    pub candidates: Vec<Confusion>,
    /// The last mask of images that went through the network together says where a job may go on after it:
    /// [`MaskJob::from`]. The same ones go together then, so that the rest comes out the same to the last bit.
    pub next: Option<usize>,
}

/// What to make.
pub struct MaskJob<'a> {
    /// The images.
    pub dataset: &'a Dataset,
    /// How.
    pub settings: &'a MaskSettings,
    /// The training side, which scales are relative to.
    pub side: usize,
    /// Whether the maps are wanted that labels are cut from.
    pub keep_scores: bool,
    /// Whether refined masks at many fixed thresholds are wanted, for images that have a truth.
    pub search: bool,
    /// What the progress is called.
    pub phase: Phase,
    /// The first image: all before are done.
    pub from: usize,
}

/// Where the finished masks go.
pub type Sink<'a> = dyn FnMut(Mask) -> Result<()> + 'a;

/// Masks of every image from [`MaskJob::from`] on with a trained network from a run's folder. `Ok(false)` when the host stopped
/// it.
///
/// # Errors
/// [`crate::Error::Weights`] when the run does not fit its own settings, and those of the device.
/// An image that cannot be decoded any more is told as a warning and left out.
pub async fn make_masks(
    job: &MaskJob<'_>,
    trained: &Trained,
    compute: &Compute,
    host: &mut impl Host,
    sink: &mut Sink<'_>,
) -> Result<bool> {
    let settings = &trained.card.settings;
    let classes = trained.card.classes.len();
    let largest = sides(job.side, &job.settings.scales).into_iter().max().unwrap_or(job.side);
    let work = Work { side: largest, ..Work::of(settings, classes) };
    let (processor, limits) = (Processor::of(&compute.info), Limits::of(&compute.info, settings.memory));
    let group = match job.settings.views {
        ViewSize::Square => at_once(&work, GROUP, processor, limits),
        // Photos differ in size.
        ViewSize::Photo => 1,
    };
    // Not by memory: what is free differs from day to day, and masks must not.
    let most_pixels = most_pixels(&work, processor, Limits { memory: None, ..limits });
    let setup = Setup { settings, classes, steps_per_epoch: 0 };
    let network = network(trained.network, &setup, &mut FileSource::all(&trained.weights), &compute.device)?;
    let interpreter = Interpreter {
        reading: trained.network.method().reading(settings),
        log_temperature: temperatures(network.as_ref()).await?,
        told: job.dataset.layout != Layout::Photos,
    };
    let side = if job.settings.longest_side == 0 { u32::MAX } else { job.settings.longest_side as u32 };
    let mut cache = ImageCache::new(DEFAULT_BYTES, side);
    let total = job.dataset.items.len();
    let mut pace = Pace::start();
    let mut told = false;
    for start in (job.from..total).step_by(group) {
        if host.breathe().await == Control::Stop {
            return Ok(false);
        }
        let mut images = Vec::new();
        for item in start..total.min(start + group) {
            match cache.get(job.dataset, item) {
                Ok(image) => images.push((item, image)),
                Err(error) => host.emit(Event::Warning { message: error.to_string() }),
            }
        }
        let images_in_group = images.len();
        if images_in_group > 0 {
            let pixels: Vec<&RgbImage> = images.iter().map(|(_, image)| image.as_ref()).collect();
            let is_reduced = |image: &&RgbImage| is_reduced(image, job.side, job.settings, most_pixels);
            if !told && pixels.iter().any(is_reduced) {
                let reason = "the device cannot hold the largest views of photos; they are looked at smaller";
                host.emit(Event::Warning { message: reason.into() });
                told = true;
            }
            let (settings, device) = (job.settings, &compute.device);
            let maps = image_maps(network.as_ref(), &pixels, job.side, settings, most_pixels, device).await?;
            let masks = finish_group(job, &interpreter, images, maps);
            let last = masks.len().saturating_sub(1);
            for (index, mask) in masks.into_iter().enumerate() {
                let next = (index == last).then_some(total.min(start + group));
                sink(Mask { next, ..mask? })?;
            }
            pace.measure(images_in_group);
        }
        let done = total.min(start + group);
        let seconds_left = pace.seconds_left(total - done);
        host.emit(Event::Progress { phase: job.phase, done, total, seconds_left });
    }
    Ok(true)
}

/// Log-temperatures of a network; empty where it has none.
pub(crate) async fn temperatures(network: &dyn Network) -> Result<Vec<f32>> {
    let tensors = network.log_temperature().into_iter().collect();
    Ok(read_all(tensors).await?.into_iter().next().unwrap_or_default())
}

type Loaded = (usize, Arc<RgbImage>);

/// Thresholds and refines a group: in parallel natively, one after the other in a browser.
fn finish_group(
    job: &MaskJob<'_>,
    interpreter: &Interpreter,
    images: Vec<Loaded>,
    maps: Vec<ImageMaps>,
) -> Vec<Result<Mask>> {
    let pairs: Vec<_> = images.into_iter().zip(maps).collect();
    #[cfg(not(target_arch = "wasm32"))]
    let pairs = rayon::iter::IntoParallelIterator::into_par_iter(pairs);
    #[cfg(target_arch = "wasm32")]
    let pairs = pairs.into_iter();
    pairs.map(|((item, image), maps)| finish(job, interpreter, item, &image, maps)).collect()
}

fn finish(
    job: &MaskJob<'_>,
    interpreter: &Interpreter,
    item: usize,
    image: &RgbImage,
    maps: ImageMaps,
) -> Result<Mask> {
    let facts = &job.dataset.items[item];
    let size = (image.width() as usize, image.height() as usize);
    let full = (facts.width as usize, facts.height as usize);
    let Interpreted { labels, mut activation, thresholds } =
        interpreter.labels(&maps, facts, size, job.settings.threshold);
    let labels = interpreter.refine(image, &maps, labels, facts, job.settings)?;
    let doubt = doubt(&labels, &activation, &facts.labels, &thresholds);
    let labels = if size == full { labels } else { resize_labels(&labels, full) };
    let mut candidates = Vec::new();
    if let Some(truth) = facts.mask.as_ref().filter(|_| job.search && size == full) {
        let truth = truth.decode(&facts.path)?;
        // Counted one by one: 19 masks of a large photo are too much to keep.
        for threshold in ThresholdSearch::usual_thresholds() {
            let candidate = label(&activation, &Background::Fixed(threshold));
            let candidate = refine(image, candidate, &facts.labels, job.settings)?;
            let mut confusion = Confusion::new(job.dataset.classes.len());
            confusion.accumulate(&candidate, &truth, &facts.path)?;
            candidates.push(confusion);
        }
    }
    activation.classes = job.dataset.classes.len();
    let scores = job.keep_scores.then(|| ScoreFile::new(maps, full));
    Ok(Mask { item, labels, activation, thresholds, doubt, scores, candidates, next: None })
}
