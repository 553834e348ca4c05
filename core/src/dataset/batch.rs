//! What a training step eats, and in which order.

use image::RgbImage;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::augment::{self, generator};
use super::cache::ImageCache;
use super::targets::{self, Targets};
use super::{Dataset, Problem, ProblemKind, boxes, decode};
use crate::error::{Error, Result};
use crate::masks::label_map::IGNORE;
use crate::run::settings::AugmentSettings;

/// Mean of ImageNet's red, green and blue, of 1: what torchvision's weights expect.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of ImageNet's red, green and blue, of 1.
pub const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Images and labels of one training step.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Indices into [`Dataset::items`], one per image.
    pub items: Vec<usize>,
    /// Columns and rows of every image, pixels.
    pub side: usize,
    /// `[N, 3, side, side]`, normalised as [`normalise`] does.
    pub images: Vec<f32>,
    /// `[N, classes]`: 1 where the class is in the image, else 0.
    pub labels: Vec<f32>,
    /// What else is random about each image in this step follows from these, one per image.
    pub seeds: Vec<u64>,
    /// Labels of the pixels to learn from, `[N, side / 4, side / 4]`; empty where images teach as a whole.
    pub targets: Vec<u8>,
    /// Where boxes of each class are, `[N, classes + 1, side / 4, side / 4]`, as [`boxes::coverage`]; empty where
    /// nothing learns from boxes.
    pub boxes: Vec<f32>,
}

/// The order in which items are seen: every item once per epoch, shuffled anew for each.
///
/// An epoch is cut into batches whose sizes differ by at most one and never exceed the batch size: no
/// item is left out, and no batch is a lonely remainder that batch normalisation could not use.
/// Everything follows from the step number, so a run goes on from any step.
#[derive(Debug, Clone)]
pub struct Sampler {
    items: Vec<usize>,
    batch: usize,
    seed: u64,
}

impl Sampler {
    /// Visits `items`, at most `batch` (at least 1) at once.
    pub fn new(items: Vec<usize>, batch: usize, seed: u64) -> Self {
        Self { items, batch: batch.max(1), seed }
    }

    /// The items in the order of that epoch, from 0.
    pub fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order = self.items.clone();
        order.shuffle(&mut generator(self.seed, 2, epoch as u64, 0));
        order
    }

    /// Batches per epoch: items over batch size, rounded up; 0 without items.
    pub fn steps_per_epoch(&self) -> usize {
        self.items.len().div_ceil(self.batch)
    }

    /// The items of a step, counted from 0 through all epochs. Empty if there are no items.
    pub fn batch_items(&self, step: usize) -> Vec<usize> {
        let steps = self.steps_per_epoch();
        if steps == 0 {
            return Vec::new();
        }
        let (epoch, at) = (step / steps, step % steps);
        let edge = |at: usize| at * self.items.len() / steps;
        self.order(epoch)[edge(at)..edge(at + 1)].to_vec()
    }
}

/// The side of a step's images: `size` times a scale drawn for the step, to the next multiple of 32.
/// `size` itself where no scale is given.
pub fn training_side(size: usize, augment: &AugmentSettings, seed: u64, step: usize) -> usize {
    if augment.scales.is_empty() {
        return size;
    }
    let drawn = generator(seed, 3, step as u64, 0).random_range(0..augment.scales.len() as u32);
    let scale = augment.scales[drawn as usize];
    if scale == 1.0 {
        return size;
    }
    ((size as f64 * scale / 32.0 + 0.5) as usize).max(1) * 32
}

/// Decodes, resizes to `side` by `side`, augments and normalises the images of a step.
///
/// An image that turns out not to decode is reported once and replaced, now and whenever it comes up
/// again, by the next one that does.
///
/// # Errors
/// [`Error::NoData`] if no image of the data set can be decoded any more.
#[allow(clippy::too_many_arguments)] // seed, step and side are what makes a batch reproducible
pub fn make_batch(
    dataset: &Dataset,
    cache: &mut ImageCache,
    items: &[usize],
    side: usize,
    augment: &AugmentSettings,
    seed: u64,
    step: usize,
) -> Result<(Batch, Vec<Problem>)> {
    let mut problems = Vec::new();
    let mut used: Vec<usize> = Vec::with_capacity(items.len());
    let mut images = Vec::with_capacity(items.len());
    cache.prepare(dataset, items, &mut problems);
    for &wanted in items {
        let (item, image) = usable(dataset, cache, wanted, items, &mut problems)?;
        used.push(item);
        images.push(image);
    }
    let area = 3 * side * side;
    let mut values = vec![0.0; area * images.len()];
    let fill = |(out, (image, &item)): (&mut [f32], (&std::sync::Arc<RgbImage>, &usize))| {
        let mut image = decode::resized(image, side as u32, side as u32);
        augment::apply(&mut image, augment, seed, step, item);
        normalise_into(&image, out);
    };
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        values.par_chunks_exact_mut(area.max(1)).zip(images.par_iter().zip(&used)).for_each(fill);
    }
    #[cfg(target_arch = "wasm32")]
    values.chunks_exact_mut(area.max(1)).zip(images.iter().zip(&used)).for_each(fill);
    let labels =
        used.iter().flat_map(|&item| multi_hot(&dataset.items[item].labels, dataset.classes.len())).collect();
    let of_item = |&item: &usize| generator(seed, 4, step as u64, item as u64).next_u64();
    let seeds = used.iter().map(of_item).collect();
    Ok((
        Batch { items: used, side, images: values, labels, seeds, targets: Vec::new(), boxes: Vec::new() },
        problems,
    ))
}

impl Batch {
    /// With the pixels' labels, mirrored as the images are (same `augment`, `seed` and `step`). A mask that
    /// cannot be decoded teaches nothing and is returned as a problem.
    pub fn with_targets(
        mut self,
        targets: &Targets,
        dataset: &Dataset,
        augment: &AugmentSettings,
        seed: u64,
        step: usize,
    ) -> (Self, Vec<Problem>) {
        let side = (self.side / targets::STRIDE).max(1);
        let mut problems = Vec::new();
        for &item in &self.items {
            let mirrored = augment::is_mirrored(augment, seed, step, item);
            let labels = targets.target(dataset, item, side, mirrored).map(|map| map.labels);
            self.targets.extend(labels.unwrap_or_else(|error| {
                let path = dataset.items[item].path.clone();
                let reason = format!("its mask teaches nothing ({error})");
                problems.push(Problem { count: 1, path, kind: ProblemKind::BadMask, reason });
                vec![IGNORE; side * side]
            }));
        }
        (self, problems)
    }
}

impl Batch {
    /// With the boxes of its images. They follow the images through what [`make_batch`] did to them.
    #[must_use]
    pub fn with_boxes(
        mut self,
        dataset: &Dataset,
        augment: &AugmentSettings,
        seed: u64,
        step: usize,
    ) -> Self {
        let side = (self.side / targets::STRIDE).max(1);
        for &item in &self.items {
            let mirrored = augment::is_mirrored(augment, seed, step, item);
            let facts = &dataset.items[item];
            let size = (facts.width, facts.height);
            let covered = boxes::coverage(&facts.boxes, dataset.classes.len(), size, side, mirrored);
            self.boxes.extend(covered);
        }
        self
    }
}

/// 1 at the classes of an image, 0 elsewhere.
pub fn multi_hot(labels: &[u16], classes: usize) -> Vec<f32> {
    let mut row = vec![0.0; classes];
    for &label in labels {
        if let Some(value) = row.get_mut(usize::from(label)) {
            *value = 1.0;
        }
    }
    row
}

/// `[3, height, width]` of an image: values of 1, less [`MEAN`], over [`DEVIATION`].
pub fn normalise(image: &RgbImage) -> Vec<f32> {
    let mut out = vec![0.0; image.as_raw().len()];
    normalise_into(image, &mut out);
    out
}

fn normalise_into(image: &RgbImage, out: &mut [f32]) {
    let pixels = (image.width() * image.height()) as usize;
    for (channel, plane) in out.chunks_exact_mut(pixels.max(1)).enumerate() {
        let (scale, shift) = (1.0 / (255.0 * DEVIATION[channel]), MEAN[channel] / DEVIATION[channel]);
        for (value, pixel) in plane.iter_mut().zip(image.as_raw().chunks_exact(3)) {
            *value = f32::from(pixel[channel]) * scale - shift;
        }
    }
}

/// The picture of normalised values `[3, side, side]`, RGBA, row-major: what [`normalise`] undoes.
pub fn to_rgba(values: &[f32]) -> Vec<u8> {
    let pixels = values.len() / 3;
    let value = |channel: usize, pixel: usize| {
        let value = values[channel * pixels + pixel] * DEVIATION[channel] + MEAN[channel];
        (value.clamp(0.0, 1.0) * 255.0).round() as u8
    };
    (0..pixels).flat_map(|pixel| [value(0, pixel), value(1, pixel), value(2, pixel), u8::MAX]).collect()
}

/// The wanted item, or the next one that decodes and is not in the batch anyway, or any that decodes.
fn usable(
    dataset: &Dataset,
    cache: &mut ImageCache,
    wanted: usize,
    batch: &[usize],
    problems: &mut Vec<Problem>,
) -> Result<(usize, std::sync::Arc<RgbImage>)> {
    let count = dataset.items.len();
    let following = || (1..count).map(|by| (wanted + by) % count);
    let outside = following().filter(|item| !batch.contains(item));
    let inside = following().filter(|item| batch.contains(item));
    for item in std::iter::once(wanted).chain(outside).chain(inside) {
        if let Some(image) = cache.get_or_report(dataset, item, problems) {
            return Ok((item, image));
        }
    }
    Err(Error::NoData { reason: format!("none of the {count} images can be decoded any more") })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dataset::read;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::files::FileSet;

    #[test]
    fn every_item_comes_once_per_epoch_and_any_step_can_be_resumed() {
        for (count, batch) in [(1, 8), (5, 8), (9, 8), (48, 8), (50, 7), (399, 8), (16, 1)] {
            let items: Vec<usize> = (0..count).map(|item| item * 3).collect();
            let sampler = Sampler::new(items.clone(), batch, 11);
            let steps = sampler.steps_per_epoch();
            let mut orders = Vec::new();
            for epoch in 0..3 {
                let batches: Vec<Vec<usize>> =
                    (0..steps).map(|step| sampler.batch_items(epoch * steps + step)).collect();
                let sizes: BTreeSet<usize> = batches.iter().map(Vec::len).collect();
                assert!(
                    sizes.last().unwrap() - sizes.first().unwrap() <= 1 && *sizes.last().unwrap() <= batch
                );
                let mut seen = batches.concat();
                assert_eq!(seen, sampler.order(epoch));
                orders.push(seen.clone());
                seen.sort_unstable();
                assert_eq!(seen, items);
            }
            assert!(count < 5 || orders[0] != orders[1]);
            let resumed = Sampler::new(items, batch, 11);
            assert_eq!(resumed.batch_items(2 * steps), sampler.batch_items(2 * steps));
        }
        assert!(Sampler::new(Vec::new(), 8, 0).batch_items(3).is_empty());
    }

    #[test]
    fn sides_are_multiples_of_32_drawn_by_step() {
        let augment = AugmentSettings { scales: vec![0.75, 1.0, 1.3], ..AugmentSettings::default() };
        let sides: BTreeSet<usize> = (0..60).map(|step| training_side(224, &augment, 3, step)).collect();
        assert_eq!(sides, BTreeSet::from([160, 224, 288]));
        assert_eq!(training_side(224, &augment, 3, 9), training_side(224, &augment, 3, 9));
        assert_eq!(training_side(100, &AugmentSettings { scales: vec![], ..augment }, 3, 9), 100);
    }

    fn sample_set(broken: &[usize]) -> Dataset {
        let files = sample::files(&SampleSettings { images: 6, size: 64, seed: 1 });
        let mut dataset = read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
        for &item in broken {
            let blob = &dataset.items[item].image;
            let mut bytes = blob.read_at(0, usize::MAX).unwrap();
            bytes[100..200].fill(0);
            dataset.items[item].image = std::sync::Arc::new(crate::files::MemoryBlob::new(bytes));
        }
        dataset
    }

    #[test]
    fn a_batch_is_normalised_labelled_and_the_same_again() {
        let dataset = sample_set(&[]);
        let make = || {
            let mut cache = ImageCache::new(1 << 20, 64);
            let augment = AugmentSettings::default();
            make_batch(&dataset, &mut cache, &[4, 0], 32, &augment, 1, 2).unwrap()
        };
        let (batch, problems) = make();
        assert!(problems.is_empty());
        assert_eq!(
            (batch.items.as_slice(), batch.side, batch.images.len()),
            (&[4, 0][..], 32, 2 * 3 * 32 * 32)
        );
        assert_eq!(batch.labels[..3], multi_hot(&dataset.items[4].labels, 3));
        assert!(batch.images.iter().all(|value| value.abs() < 3.0));
        assert_eq!(make().0, batch);
        let white = normalise(&RgbImage::from_pixel(2, 1, image::Rgb([255, 0, 255])));
        for (at, expected) in [(0, (1.0 - 0.485) / 0.229), (2, -0.456 / 0.224), (5, (1.0 - 0.406) / 0.225)] {
            assert!((white[at] - expected).abs() < 1e-5);
        }
        assert_eq!(to_rgba(&white), [255, 0, 255, 255, 255, 0, 255, 255]);
    }

    #[test]
    fn an_image_that_breaks_later_is_replaced_and_reported_once() {
        let dataset = sample_set(&[1, 2]);
        let mut cache = ImageCache::new(1 << 20, 64);
        let augment = AugmentSettings::default();
        let (batch, problems) = make_batch(&dataset, &mut cache, &[0, 1, 3], 32, &augment, 1, 0).unwrap();
        assert_eq!(batch.items, [0, 4, 3]);
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["images/field_001.png", "images/field_002.png"]);
        let (batch, problems) = make_batch(&dataset, &mut cache, &[2, 1], 32, &augment, 1, 1).unwrap();
        assert_eq!((batch.items.as_slice(), problems.len()), (&[3, 3][..], 0));
        let ruined = sample_set(&[0, 1, 2, 3, 4, 5]);
        let error = make_batch(&ruined, &mut ImageCache::new(1 << 20, 64), &[0], 32, &augment, 1, 0);
        assert!(matches!(error, Err(Error::NoData { .. })));
    }

    #[test]
    fn the_cache_never_holds_more_than_it_may() {
        let dataset = sample_set(&[]);
        let one = 32 * 32 * 3;
        let mut cache = ImageCache::new(2 * one + 10, 32);
        for item in [0, 1, 0, 2, 3, 0, 5, 5, 4] {
            let image = cache.get(&dataset, item).unwrap();
            assert_eq!(image.dimensions(), (32, 32));
            assert!(cache.bytes() <= 2 * one);
        }
        let (again, before) = (cache.get(&dataset, 4).unwrap(), cache.get(&dataset, 4).unwrap());
        assert!(std::sync::Arc::ptr_eq(&again, &before));
        let mut tiny = ImageCache::new(10, 32);
        assert!(tiny.get(&dataset, 0).is_ok() && tiny.bytes() == 0);
        assert!(tiny.get(&dataset, 99).is_err());
    }
}
