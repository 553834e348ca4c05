//! What the network sees now, for a few images, while it trains.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use image::RgbImage;
use web_time::Instant;

use super::event::Event;
use super::interpret::Interpreter;
use super::make_masks::temperatures;
use super::maps::image_maps;
use super::settings::{MaskSettings, Threshold};
use crate::dataset::cache::{DEFAULT_BYTES, ImageCache};
use crate::dataset::{Dataset, batch, decode};
use crate::device::Compute;
use crate::error::Result;
use crate::method::{Network, Reading};
use crate::tensor::read_all;

/// Previews take at most this part of the time.
const SHARE_OF_TIME: f64 = 0.06;
/// And are at least this many seconds apart.
const MIN_SECONDS: f64 = 1.5;

/// The preview images, ready, and when they were last shown.
pub(crate) struct Previews {
    images: Vec<(usize, Arc<RgbImage>)>,
    last: Option<Instant>,
    cost: f64,
}

impl Previews {
    /// Loads the images once. One that cannot be decoded is left out: training will name it.
    pub(crate) fn new(dataset: &Dataset, items: &[usize], side: usize) -> Self {
        let mut cache = ImageCache::new(DEFAULT_BYTES, side as u32);
        let usable = items.iter().copied().filter(|&item| item < dataset.items.len());
        let images = usable.filter_map(|item| Some((item, cache.get(dataset, item).ok()?))).collect();
        Self { images, last: None, cost: 0.0 }
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Whether it is time for new ones.
    pub(crate) fn are_due(&self) -> bool {
        let wait = (self.cost / SHARE_OF_TIME).max(MIN_SECONDS);
        !self.images.is_empty() && self.last.is_none_or(|last| last.elapsed().as_secs_f64() > wait)
    }

    /// What the method makes of the images, where it changes them.
    async fn altered(
        &self,
        network: &dyn Network,
        dataset: &Dataset,
        compute: &Compute,
        side: usize,
    ) -> Result<Vec<Event>> {
        let square = |image: &RgbImage| batch::normalise(&decode::resized(image, side as u32, side as u32));
        let pixels: Vec<f32> = self.images.iter().flat_map(|(_, image)| square(image)).collect();
        let data = TensorData::new(pixels, [self.images.len(), 3, side, side]);
        let labels =
            |&(item, _): &(usize, _)| batch::multi_hot(&dataset.items[item].labels, dataset.classes.len());
        let labels: Vec<f32> = self.images.iter().flat_map(labels).collect();
        let images = Tensor::from_data(data, &compute.device.clone().inner());
        let Some(altered) = network.altered(images, &labels) else { return Ok(Vec::new()) };
        let values = read_all(vec![altered]).await?.concat();
        let pictures = values.chunks_exact((3 * side * side).max(1)).zip(&self.images);
        let event = |(values, &(image, _)): (&[f32], &(usize, _))| Event::Altered {
            image,
            side,
            rgba: batch::to_rgba(values),
        };
        Ok(pictures.map(event).collect())
    }

    /// One event per image, and one of all together.
    pub(crate) async fn make(
        &mut self,
        network: &dyn Network,
        reading: Reading,
        dataset: &Dataset,
        compute: &Compute,
        (side, round, step): (usize, usize, usize),
    ) -> Result<Vec<Event>> {
        let started = Instant::now();
        let log_temperature = temperatures(network).await?;
        let interpreter = Interpreter { reading, log_temperature, told: true };
        let settings = MaskSettings { scales: vec![1.0], flip: false, ..MaskSettings::default() };
        let pixels: Vec<&RgbImage> = self.images.iter().map(|(_, image)| image.as_ref()).collect();
        let maps = image_maps(network, &pixels, side, &settings, usize::MAX, &compute.device).await?;
        let mut events = Vec::new();
        let learns_threshold = reading == Reading::LearnedThreshold;
        let (mut shares, mut thresholds) = (Means::default(), Means::default());
        for (&(image, _), maps) in self.images.iter().zip(&maps) {
            let item = &dataset.items[image];
            let coarse = maps.coarse(&item.labels);
            let size = (coarse.width, coarse.height);
            let found = interpreter.labels(maps, item, size, Threshold::Adaptive);
            let covered = found.labels.shares(dataset.classes.len());
            for &class in &item.labels {
                shares.add(class, covered.get(usize::from(class)).copied().unwrap_or(0.0));
            }
            if learns_threshold {
                item.labels
                    .iter()
                    .zip(&found.thresholds)
                    .for_each(|(&class, &cut)| thresholds.add(class, cut));
            }
            let strength = |value: &f32| (value.clamp(0.0, 1.0) * 255.0) as u8;
            events.push(Event::Preview {
                image,
                round,
                step,
                width: size.0,
                height: size.1,
                labels: found.labels.labels,
                strength: found.activation.strength.iter().map(strength).collect(),
            });
        }
        let (shares, thresholds) = (shares.values(), thresholds.values());
        events.push(Event::Measured { round, step, shares, thresholds });
        events.extend(self.altered(network, dataset, compute, side).await?);
        self.cost = started.elapsed().as_secs_f64();
        self.last = Some(Instant::now());
        Ok(events)
    }
}

/// A mean for each class.
#[derive(Default)]
struct Means(BTreeMap<u16, (f64, usize)>);

impl Means {
    fn add(&mut self, class: u16, value: f32) {
        let (sum, count) = self.0.entry(class).or_default();
        (*sum, *count) = (*sum + f64::from(value), *count + 1);
    }

    /// By class, to four decimals: what the log keeps of every look.
    fn values(self) -> Vec<(u16, f32)> {
        let mean = |(sum, count): (f64, usize)| ((sum / count as f64 * 1e4).round() / 1e4) as f32;
        self.0.into_iter().map(|(class, of_class)| (class, mean(of_class))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_of_each_class_alone() {
        let mut means = Means::default();
        for (class, value) in [(2, 0.5), (0, 1.0), (2, 0.25), (0, 0.0), (2, 0.0)] {
            means.add(class, value);
        }
        assert_eq!(means.values(), [(0, 0.5), (2, 0.25)]);
        assert!(Means::default().values().is_empty());
    }
}
