//! The second stage (METHODS §1): a segmentation network that learns from masks, and then needs no labels.
//! A head of parallel atrous convolutions on the features, as DeepLab's (Chen et al., "DeepLab", TPAMI
//! 2018, §3.2), and pixel-wise cross-entropy.

mod settings;

#[cfg(feature = "network")]
mod loss;
#[cfg(feature = "network")]
mod network;

#[cfg(feature = "network")]
pub use loss::{cross_entropy, one_hot, summed_cross_entropy};
#[cfg(feature = "network")]
pub use network::{DeepLab, DeepLabConfig, config};
pub use settings::DeepLabSettings;

use super::{
    Field, Group, Kind, Method, MethodName, Preparation, Reading, Round, Situation, Supervision, Told,
};
use crate::architecture::ConvShape;
use crate::dataset::targets;
use crate::error::Result;
use crate::field;
use crate::memory::{Dry, Tape, Work};
use crate::method::field::always;
use crate::run::Settings;
use crate::run::settings::{ViewSize, within};

/// What is known of it.
pub const METHOD: Segmenter = Segmenter;

/// The second stage.
pub struct Segmenter;

/// Training sizes of the segmentation network, relative to the given one.
pub const SCALES: [f64; 3] = [0.75, 1.0, 1.25];

static FIELDS: [Field; 2] = [
    field!(Group::Segmenter, "segmenter-epochs" "Epochs" ["passes"] "How often each photo and its mask is seen.",
        Kind::WHOLE, "epochs", always, number methods.deeplab.epochs),
    field!(Group::Segmenter, "segmenter-learning-rate" "Learning rate" [""] "Of the network's body; too high and the loss jumps.",
        Kind::ANY, "learning-rate", always, number methods.deeplab.learning_rate),
];

impl Method for Segmenter {
    fn summary(&self) -> &'static str {
        "Learns from masks that another method made, and then draws photos that nobody labelled."
    }

    fn source(&self) -> &'static str {
        "Chen et al., DeepLab, TPAMI 2018"
    }

    fn supervision(&self) -> Supervision {
        Supervision::Masks
    }

    fn rounds(&self, settings: &Settings) -> Vec<Round> {
        vec![Round {
            network: MethodName::Deeplab,
            name: "segmenter",
            purpose: "Learns to draw what the masks show.",
            epochs: settings.methods.deeplab.epochs,
            learning_rate: settings.methods.deeplab.learning_rate,
            preparation: Preparation::GivenMasks,
        }]
    }

    fn reading(&self, _settings: &Settings) -> Reading {
        Reading::Segmentation { told: Told::Nothing }
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        within("epochs", settings.methods.deeplab.epochs as f64, 1.0, 10_000.0)?;
        within("learning-rate", settings.methods.deeplab.learning_rate, 0.0, 10.0)
    }

    fn fields(&self) -> Vec<&'static [Field]> {
        vec![&FIELDS]
    }

    fn suggest(&self, settings: &mut Settings, situation: &Situation) {
        settings.methods.deeplab.epochs = situation.epochs(situation.by_start(480, 600));
        settings.methods.deeplab.learning_rate = situation.by_start(0.02, 0.008);
    }

    fn suit(&self, settings: &mut Settings) {
        // Masks follow their pixels through any change of size; shares of the image would not be harmed
        // either, but a classifier's maps are.
        settings.augment.scales = SCALES.to_vec();
    }

    fn publish(&self, settings: &mut Settings) {
        settings.methods.deeplab = DeepLabSettings::default();
        if settings.method == MethodName::Deeplab {
            // A segmentation network looks at new photos as it looked at those that it learned from.
            settings.masks.views = ViewSize::Square;
        }
    }

    fn set_epochs(&self, settings: &mut Settings, epochs: usize) {
        settings.methods.deeplab.epochs = epochs;
    }

    fn parameters(&self, work: &Work) -> usize {
        4 * 9 * work.channels() * (work.classes + 1) + work.classes + 1
    }

    fn loss(&self, work: &Work, tape: &mut Tape, features: Dry) -> Dry {
        let logits = pyramid(work, tape, &features);
        let large = tape.resized(&logits, (work.side / targets::STRIDE).max(1));
        // Targets, logarithms of the softmax and its parts.
        tape.pointwise(&[&large], 5.0, true)
    }
}

/// The head's four convolutions, for its memory.
pub(crate) fn pyramid(work: &Work, tape: &mut Tape, features: &Dry) -> Dry {
    let features = tape.pointwise(&[features], 0.0, false);
    let conv = ConvShape::new(features.channels, work.classes + 1, 3);
    let mut sum = tape.conv(&features, conv, true, false);
    for _ in 1..4 {
        let logits = tape.conv(&features, conv, true, false);
        sum = tape.add(&sum, &logits);
    }
    sum
}
