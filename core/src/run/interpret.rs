//! From what a network says about one image to labels, by the rules of its method.

use image::RgbImage;

use super::checkpoint::Stage;
use super::maps::ImageMaps;
use super::settings::{MaskSettings, Refine, Threshold};
use crate::error::Result;
use crate::masks::threshold::{
    Activation, Background, activation_cam, activation_spatial_bce, adaptive_threshold, label, over_maximum,
};
use crate::masks::{LabelMap, dense_crf};

/// A method's rules, and what they need to know of the trained network.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// Which network the maps are of.
    pub stage: Stage,
    /// Log-temperatures per class; empty for the plain classifier.
    pub log_temperature: Vec<f32>,
    /// The plain classifier's background threshold where an adaptive one is asked for: it has none.
    pub cam_threshold: f32,
}

/// One image's labels and how they came about.
pub struct Interpreted {
    /// Labels before refinement, with the data set's class indices.
    pub labels: LabelMap,
    /// Strengths that the labels were cut from, class indices local to the image's own labels.
    pub activation: Activation,
    /// The background threshold of each of the image's classes.
    pub thresholds: Vec<f32>,
}

impl Interpreter {
    /// Labels at `width × height`; `present` are the image's classes, ascending.
    pub fn labels(
        &self,
        maps: &ImageMaps,
        present: &[u16],
        (width, height): (usize, usize),
        threshold: Threshold,
    ) -> Interpreted {
        // Only present classes can be labelled, so only their maps are enlarged and kept.
        let scores = maps.score_maps(present, width, height);
        let local: Vec<u16> = (0..present.len() as u16).collect();
        let activation = match self.stage {
            Stage::Cam => activation_cam(&scores, &local),
            Stage::SpatialBce => activation_spatial_bce(&scores, &local),
        };
        let mut thresholds = self.thresholds(maps, present, threshold);
        if self.stage == Stage::SpatialBce && threshold == Threshold::Adaptive {
            for (class, threshold) in thresholds.iter_mut().enumerate() {
                let largest = scores.class(class).iter().copied().fold(f32::NEG_INFINITY, f32::max);
                *threshold = over_maximum(*threshold, largest);
            }
        }
        let mut labels = label(&activation, &Background::PerClass(thresholds.clone()));
        to_global(&mut labels, present);
        Interpreted { labels, activation, thresholds }
    }

    fn thresholds(&self, maps: &ImageMaps, present: &[u16], threshold: Threshold) -> Vec<f32> {
        let of_class = |&class: &u16| match (threshold, &maps.threshold) {
            (Threshold::Fixed(value), _) => value as f32,
            (Threshold::Adaptive, Some(mean)) => {
                let class = usize::from(class);
                adaptive_threshold(mean[class], self.log_temperature.get(class).copied().unwrap_or(0.0))
            }
            (Threshold::Adaptive, None) => self.cam_threshold,
        };
        present.iter().map(of_class).collect()
    }
}

/// Replaces indices into an image's classes by those of the data set.
pub fn to_global(labels: &mut LabelMap, present: &[u16]) {
    for label in &mut labels.labels {
        if let Some(&class) = usize::from(*label).checked_sub(1).and_then(|index| present.get(index)) {
            *label = class as u8 + 1;
        }
    }
}

/// Makes labels follow the image's edges, where the settings say so; `present` are the image's classes.
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
        Refine::Crf => dense_crf::refine(image.as_raw(), &labels, present, &settings.crf),
    }
}
