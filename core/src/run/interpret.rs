//! From what a network says about one image to labels, by the rules of its method.

use image::RgbImage;

use super::boxed;
use super::maps::ImageMaps;
use super::settings::{MaskSettings, Refine, Threshold};
use crate::dataset::Item;
use crate::error::Result;
use crate::masks::label_map::IGNORE;
use crate::masks::threshold::{
    Activation, Background, activation_cam, activation_spatial_bce, adaptive_threshold, label, over_maximum,
};
use crate::masks::{LabelMap, ScoreMaps, dense_crf};
use crate::method::{Reading, Told};

/// A method's rules, and what they need to know of the trained network.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// What the maps mean.
    pub reading: Reading,
    /// Log-temperatures per class; empty where the network has none.
    pub log_temperature: Vec<f32>,
    /// Whether the images' labels are known.
    pub told: bool,
}

/// One image's labels and how they came about.
pub struct Interpreted {
    /// Labels before refinement, with the data set's class indices.
    pub labels: LabelMap,
    /// Strengths that the labels were cut from, with the data set's class indices.
    pub activation: Activation,
    /// The background threshold of each of the image's classes; empty where the background has a map of
    /// its own.
    pub thresholds: Vec<f32>,
}

impl Interpreter {
    /// Labels at `width × height`. Of what is known of the image, a segmentation network is told what its
    /// reading says.
    pub fn labels(
        &self,
        maps: &ImageMaps,
        item: &Item,
        (width, height): (usize, usize),
        threshold: Threshold,
    ) -> Interpreted {
        let present = item.labels.as_slice();
        if let Reading::Segmentation { told } = self.reading {
            let classes = maps.channels().saturating_sub(1) as u16;
            let told = if self.told { known(told, item) } else { Told::Nothing };
            let shown: Vec<u16> = match told {
                Told::Labels => present.iter().copied().filter(|&class| class < classes).collect(),
                Told::Boxes | Told::Nothing => (0..classes).collect(),
            };
            // The background stands first.
            let channels: Vec<u16> = [0].into_iter().chain(shown.iter().map(|class| class + 1)).collect();
            let mut logits = maps.score_maps(&channels, width, height);
            if told == Told::Boxes {
                boxed::tell(&mut logits, item);
            }
            let (mut labels, mut activation) = segmented(&logits);
            to_global(&mut labels.labels, &shown);
            to_global(&mut activation.strongest, &shown);
            return Interpreted { labels, activation, thresholds: Vec::new() };
        }
        // Only present classes can be labelled, so only their maps are enlarged and kept.
        let scores = maps.score_maps(present, width, height);
        let local: Vec<u16> = (0..present.len() as u16).collect();
        let learned = self.reading == Reading::LearnedThreshold;
        let mut activation = match learned {
            true => activation_spatial_bce(&scores, &local),
            false => activation_cam(&scores, &local),
        };
        let mut thresholds = self.thresholds(maps, present, threshold);
        if learned && threshold == Threshold::Adaptive {
            for (class, threshold) in thresholds.iter_mut().enumerate() {
                let largest = scores.class(class).iter().copied().fold(f32::NEG_INFINITY, f32::max);
                *threshold = over_maximum(*threshold, largest);
            }
        }
        let mut labels = label(&activation, &Background::PerClass(thresholds.clone()));
        to_global(&mut labels.labels, present);
        to_global(&mut activation.strongest, present);
        Interpreted { labels, activation, thresholds }
    }

    /// `labels` made to follow the image's edges, where the settings say so. A segmentation network can give
    /// the random field its probabilities, of which `labels` are only the largest, or weigh in where boxes are cut.
    ///
    /// # Errors
    /// As [`dense_crf::refine`].
    pub fn refine(
        &self,
        image: &RgbImage,
        maps: &ImageMaps,
        labels: LabelMap,
        item: &Item,
        settings: &MaskSettings,
    ) -> Result<LabelMap> {
        let reads_boxes = self.told && self.reading == Reading::Segmentation { told: Told::Boxes };
        if settings.refine == Refine::GrabCut && reads_boxes && !item.boxes.is_empty() {
            let all: Vec<u16> = (0..maps.channels() as u16).collect();
            let logits = maps.score_maps(&all, labels.width, labels.height);
            return boxed::refine(image, logits, &labels, item, settings);
        }
        if !self.reading.needs_no_labels() || settings.refine != Refine::CrfProbabilities {
            return refine(image, labels, &item.labels, settings);
        }
        let size = (image.width() as usize, image.height() as usize);
        let (width, height) = dense_crf::refined_size(size.0, size.1);
        let all: Vec<u16> = (0..maps.channels() as u16).collect();
        let probabilities = maps.score_maps(&all, width, height).softmax();
        dense_crf::refine_probabilities(image.as_raw(), size, &probabilities, &settings.crf)
    }

    fn thresholds(&self, maps: &ImageMaps, present: &[u16], threshold: Threshold) -> Vec<f32> {
        let of_class = |&class: &u16| match (threshold, &maps.threshold) {
            (Threshold::Fixed(value), _) => value as f32,
            (Threshold::Adaptive | Threshold::Published, Some(mean)) => {
                let class = usize::from(class);
                adaptive_threshold(mean[class], self.log_temperature.get(class).copied().unwrap_or(0.0))
            }
            (Threshold::Adaptive | Threshold::Published, None) => {
                self.reading.usual_threshold().unwrap_or_default()
            }
        };
        present.iter().map(of_class).collect()
    }
}

/// What can be told of an image. One with labels and no box has objects that nobody has boxed.
fn known(told: Told, item: &Item) -> Told {
    match told {
        Told::Boxes if item.boxes.is_empty() => Told::Labels,
        told => told,
    }
}

/// Replaces indices into an image's classes by those of the data set.
fn to_global(labels: &mut [u8], present: &[u16]) {
    for label in labels {
        if let Some(&class) = usize::from(*label).checked_sub(1).and_then(|index| present.get(index)) {
            *label = class as u8 + 1;
        }
    }
}

/// Makes labels that were cut from maps follow the image's edges, where the settings say so; `present` are
/// the image's classes.
///
/// # Errors
/// As [`dense_crf::refine`].
pub fn refine(
    image: &RgbImage,
    labels: LabelMap,
    present: &[u16],
    settings: &MaskSettings,
) -> Result<LabelMap> {
    match settings.refine {
        Refine::None => Ok(labels),
        Refine::Crf | Refine::CrfProbabilities | Refine::GrabCut => {
            dense_crf::refine(image.as_raw(), &labels, present, &settings.crf)
        }
    }
}

/// The most likely label of each pixel, from logits with the background first; and, as a strength, the
/// probability of its most likely class.
pub(super) fn segmented(logits: &ScoreMaps) -> (LabelMap, Activation) {
    let (width, height) = (logits.width, logits.height);
    let pixels = width * height;
    let mut strongest = vec![0u8; pixels];
    let mut largest = vec![f32::NEG_INFINITY; pixels];
    for class in 1..logits.classes.min(usize::from(IGNORE)) {
        for ((label, most), &score) in strongest.iter_mut().zip(&mut largest).zip(logits.class(class)) {
            if score > *most {
                (*label, *most) = (class as u8, score);
            }
        }
    }
    let background = |pixel: usize| if logits.classes > 0 { logits.class(0)[pixel] } else { 0.0 };
    let labels =
        (0..pixels).map(|pixel| if largest[pixel] > background(pixel) { strongest[pixel] } else { 0 });
    let labels = LabelMap { width, height, labels: labels.collect() };
    let mut sums = vec![0.0f32; pixels];
    for class in 0..logits.classes {
        for ((sum, &score), &most) in sums.iter_mut().zip(logits.class(class)).zip(&largest) {
            *sum += (score - most).exp();
        }
    }
    let strength = sums.iter().map(|&sum| if sum > 0.0 { sum.recip().min(1.0) } else { 0.0 }).collect();
    let classes = logits.classes.saturating_sub(1);
    (labels, Activation { classes, width, height, strongest, strength })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::ObjectBox;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::files::FileSet;

    fn item() -> Item {
        let files = sample::files(&SampleSettings { images: 1, size: 64, seed: 2 });
        crate::dataset::read(&FileSet::memory(files), &mut |_, _| {}).unwrap().items.remove(0)
    }

    #[test]
    fn a_labelled_image_without_boxes_is_not_taken_to_be_empty() {
        let object = ObjectBox { class: 1, x0: 0.0, y0: 0.0, x1: 32.0, y1: 32.0 };
        let boxed = Item { labels: vec![1], boxes: vec![object], ..item() };
        let labelled = Item { boxes: Vec::new(), ..boxed.clone() };
        let told = [&boxed, &labelled].map(|item| known(Told::Boxes, item));
        assert_eq!(told, [Told::Boxes, Told::Labels]);
    }

    #[test]
    fn a_segmented_pixel_has_the_label_of_its_largest_logit() {
        // Background, two classes; four pixels.
        let values = vec![1.0, 0.0, 2.0, f32::NAN, 0.0, 3.0, 1.0, 1.0, -1.0, 4.0, 0.0, 0.0];
        let (labels, activation) = segmented(&ScoreMaps { classes: 3, width: 2, height: 2, values });
        assert_eq!(labels.labels, [0, 2, 0, 0]);
        assert_eq!(activation.strongest, [1, 2, 1, 1]);
        let softmax = |own: f32, all: [f32; 3]| own.exp() / all.iter().map(|x| x.exp()).sum::<f32>();
        assert!((activation.strength[0] - softmax(0.0, [1.0, 0.0, -1.0])).abs() < 1e-6);
        assert!((activation.strength[1] - softmax(4.0, [0.0, 3.0, 4.0])).abs() < 1e-6);
        assert_eq!(activation.classes, 2);
        assert_eq!(activation.strength[3], 0.0, "no number is no strength");
    }
}
