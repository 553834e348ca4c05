//! The baseline: plain class activation maps (Zhou et al., CVPR 2016; METHODS §5), and round 0 of
//! Spatial-BCE, whose first foreground shares it gives.

mod settings;

#[cfg(feature = "network")]
mod loss;
#[cfg(feature = "network")]
mod network;

#[cfg(feature = "network")]
pub use loss::multilabel_soft_margin;
#[cfg(feature = "network")]
pub(crate) use network::project;
#[cfg(feature = "network")]
pub use network::{CLASSIFIER, Cam, CamConfig, config};
pub use settings::CamSettings;

use super::{Field, Group, Kind, Method, MethodName, Preparation, Reading, Round, Situation};
use crate::error::Result;
use crate::field;
use crate::memory::{Dry, Tape, Work};
use crate::method::field::always;
use crate::run::Settings;
use crate::run::settings::within;

/// What is known of it.
pub const METHOD: PlainCam = PlainCam;

/// Plain class activation maps.
pub struct PlainCam;

/// Its one round, which others start with.
pub fn round(settings: &Settings) -> Round {
    Round {
        network: MethodName::Cam,
        name: "classifier",
        purpose: "Learns what is in each photo. Regions are rough.",
        epochs: settings.methods.cam.epochs,
        learning_rate: settings.methods.cam.learning_rate,
        preparation: Preparation::Nothing,
    }
}

const FIRST: Group = Group::Method("Round 1: classifier");

/// The settings of the plain classifier's round.
pub static FIELDS: [Field; 3] = [
    field!(Group::Main, "cam-epochs" "Epochs, round 1" ["passes"] "How often each photo is seen while learning what is in it.",
        Kind::WHOLE, "epochs", always, number methods.cam.epochs),
    field!(FIRST, "cam-learning-rate" "Learning rate" [""] "Of the network's body; too high and the loss jumps.",
        Kind::ANY, "learning-rate", always, number methods.cam.learning_rate),
    field!(FIRST, "cam-threshold" "Background" ["0 to 1"] "Map values below it count as background when shares are first measured.",
        Kind::Number("0.05"), "threshold", always, number methods.cam.threshold),
];

impl Method for PlainCam {
    fn summary(&self) -> &'static str {
        "What a classifier looks at: quick, and the baseline of the others."
    }

    fn source(&self) -> &'static str {
        "Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016"
    }

    fn rounds(&self, settings: &Settings) -> Vec<Round> {
        vec![round(settings)]
    }

    fn reading(&self, settings: &Settings) -> Reading {
        Reading::Activation { threshold: settings.methods.cam.threshold as f32 }
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        let CamSettings { epochs, learning_rate, threshold } = settings.methods.cam;
        within("epochs", epochs as f64, 1.0, 10_000.0)?;
        within("learning-rate", learning_rate, 0.0, 10.0)?;
        within("threshold", threshold, 0.0, 1.0)
    }

    fn fields(&self) -> Vec<&'static [Field]> {
        vec![&FIELDS]
    }

    fn suggest(&self, settings: &mut Settings, situation: &Situation) {
        settings.methods.cam.epochs = situation.epochs(situation.by_start(320, 200));
        settings.methods.cam.learning_rate = situation.by_start(0.02, 0.003);
    }

    fn publish(&self, settings: &mut Settings) {
        settings.methods.cam = CamSettings { epochs: 20, learning_rate: 0.001, ..CamSettings::default() };
    }

    fn set_epochs(&self, settings: &mut Settings, epochs: usize) {
        settings.methods.cam.epochs = epochs;
    }

    fn parameters(&self, work: &Work) -> usize {
        work.classes * (work.channels() + 1)
    }

    fn loss(&self, work: &Work, tape: &mut Tape, features: Dry) -> Dry {
        // Pooled maps are next to nothing.
        tape.project(&features, work.classes, false)
    }
}
