//! Spatial-BCE (Wu et al., "Adaptive Spatial-BCE Loss for Weakly Supervised Semantic Segmentation",
//! ECCV 2022; METHODS §1): every pixel is pushed away from a threshold, to its own side, and the
//! threshold is learned in turns with the network.

mod settings;

#[cfg(feature = "network")]
mod head;
#[cfg(feature = "network")]
mod loss;
#[cfg(feature = "network")]
mod network;
#[cfg(feature = "network")]
mod published;
#[cfg(feature = "network")]
mod start;

#[cfg(feature = "network")]
pub use head::Head;
#[cfg(feature = "network")]
pub use loss::{network_loss, share_loss, sides, threshold_loss};
#[cfg(feature = "network")]
pub use network::{SpatialBce, SpatialBceConfig, config};
#[cfg(feature = "network")]
pub use published::{PublishedNames, published_classes};
pub use settings::SpatialBceSettings;

use super::{Field, Group, Kind, Method, MethodName, Preparation, Reading, Round, Situation, cam};
use crate::error::{Error, Result};
use crate::field;
use crate::memory::{Dry, Tape, Work};
use crate::method::field::always;
use crate::run::Settings;
use crate::run::settings::within;

/// What is known of it.
pub const METHOD: AdaptiveSpatialBce = AdaptiveSpatialBce;

/// Spatial-BCE.
pub struct AdaptiveSpatialBce;

/// Width of the score branch's hidden layer (METHODS §1).
pub const HIDDEN: usize = 128;

const LATER: Group = Group::Method("Later rounds: Spatial-BCE");

static FIELDS: [Field; 7] = [
    field!(Group::Main, "epochs" "Epochs, later" ["passes"] "How often, in each later round, while learning where things are.",
        Kind::WHOLE, "epochs", always, number methods.spatial_bce.epochs),
    field!(LATER, "rounds" "Rounds" [""] "Object shares are measured anew before each.",
        Kind::WHOLE, "rounds", always, number methods.spatial_bce.rounds),
    field!(LATER, "learning-rate" "Learning rate" [""] "Of the network's body.",
        Kind::ANY, "learning-rate", always, number methods.spatial_bce.learning_rate),
    field!(LATER, "cycle" "Cycle" ["steps"] "One alternation between network and threshold.",
        Kind::WHOLE, "cycle", always, number methods.spatial_bce.cycle),
    field!(LATER, "network-steps" "Network steps" ["of a cycle"] "The rest of each cycle trains the threshold.",
        Kind::WHOLE, "network-steps", always, number methods.spatial_bce.network_steps),
    field!(LATER, "share-weight" "Share weight" [""] "How strongly regions are held to the measured share of the photo.",
        Kind::ANY, "share-weight", always, number methods.spatial_bce.share_weight),
    field!(LATER, "share-margin" "Smallest share" ["0 to 0.5"] "A labelled object covers at least this much of its photo, and leaves as much.",
        Kind::ANY, "share-margin", always, number methods.spatial_bce.share_margin),
];

impl Method for AdaptiveSpatialBce {
    fn summary(&self) -> &'static str {
        "Learns where to cut its maps."
    }

    fn source(&self) -> &'static str {
        "Wu et al., Adaptive Spatial-BCE Loss for Weakly Supervised Semantic Segmentation, ECCV 2022; its \
         start from a plain classifier is ours"
    }

    fn rounds(&self, settings: &Settings) -> Vec<Round> {
        let SpatialBceSettings { rounds, epochs, learning_rate, ref share_scales, .. } =
            settings.methods.spatial_bce;
        let later = Round {
            network: MethodName::SpatialBce,
            name: "Spatial-BCE",
            purpose: "Learns where each object ends, pixel by pixel.",
            epochs,
            learning_rate,
            preparation: Preparation::Shares { scales: share_scales.clone() },
        };
        [cam::round(settings)].into_iter().chain(std::iter::repeat_n(later, rounds)).collect()
    }

    fn reading(&self, _settings: &Settings) -> Reading {
        Reading::LearnedThreshold
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        let own = &settings.methods.spatial_bce;
        within("epochs", own.epochs as f64, 1.0, 10_000.0)?;
        within("rounds", own.rounds as f64, 1.0, 100.0)?;
        within("learning-rate", own.learning_rate, 0.0, 10.0)?;
        within("cycle", own.cycle as f64, 1.0, 1e6)?;
        within("network-steps", own.network_steps as f64, 0.0, own.cycle as f64)?;
        within("start-rms", own.start_rms, 0.01, 100.0)?;
        within("start-temperature", own.start_temperature, 1.0, 100.0)?;
        within("share-margin", own.share_margin, 0.0, 0.5)?;
        if own.share_scales.is_empty() || own.share_scales.len() > 16 {
            return Err(Error::Setting { name: "share-scales", reason: "give 1 to 16 numbers".into() });
        }
        own.share_scales.iter().try_for_each(|&scale| within("share-scales", scale, 0.1, 4.0))
    }

    fn fields(&self) -> Vec<&'static [Field]> {
        vec![&cam::FIELDS, &FIELDS]
    }

    fn suggest(&self, settings: &mut Settings, situation: &Situation) {
        let own = &mut settings.methods.spatial_bce;
        own.epochs = situation.epochs(situation.by_start(160, 400));
        own.learning_rate = situation.by_start(0.001, 5e-4);
        // A second round costs as much again and made worse masks of the photos it was tried on.
        if !situation.from_scratch || situation.slow {
            own.rounds = 1;
        }
    }

    fn publish(&self, settings: &mut Settings) {
        settings.methods.spatial_bce = SpatialBceSettings {
            rounds: 3,
            epochs: 20,
            learning_rate: 0.001,
            cycle: 100,
            network_steps: 80,
            share_weight: 1.0,
            share_scales: vec![1.0, 0.5, 1.5, 2.0],
            start_temperature: 10.0,
            ..SpatialBceSettings::default()
        };
    }

    fn set_epochs(&self, settings: &mut Settings, epochs: usize) {
        settings.methods.spatial_bce.epochs = epochs;
        settings.methods.cam.epochs = epochs;
    }

    fn set_budget(&self, settings: &mut Settings, passes: usize) {
        // One round after the classifier, whose part is what it needs to be better than a guess.
        let first = (passes / 3).max(1);
        settings.methods.cam.epochs = first;
        settings.methods.spatial_bce.rounds = 1;
        settings.methods.spatial_bce.epochs = passes.saturating_sub(first).max(1);
    }

    fn parameters(&self, work: &Work) -> usize {
        let (channels, classes) = (work.channels(), work.classes);
        HIDDEN.max(classes) * (channels + classes) + classes * (channels + 2) + 1
    }

    fn loss(&self, work: &Work, tape: &mut Tape, features: Dry) -> Dry {
        let hidden = tape.project(&features, HIDDEN.max(work.classes), true);
        let scores = tape.project(&hidden, work.classes, false);
        let scores = tape.pointwise(&[&scores], 0.0, false);
        let logits = tape.pointwise(&[&scores], 0.0, true);
        let _threshold = tape.project(&features, work.classes, true);
        // Both terms: activations, distances to the threshold on either side, where a pixel lies, and
        // logarithms; then what their gradients are made in.
        let terms = tape.pointwise(&[&logits], 8.0, true);
        tape.pointwise(&[&terms], 4.0, false)
    }
}
