//! Adversarial erasing (Stammes et al., "Find it if you can", ICDIP 2021; METHODS §2): a localizer says where
//! a class is, that is erased from the image, and an adversary looks for the class in what is left. The
//! localizer learns to leave it nothing to find, so that it covers whole objects. They learn in turns.

mod settings;

#[cfg(feature = "network")]
mod adversary;
#[cfg(feature = "network")]
mod attention;
#[cfg(feature = "network")]
mod erase;
#[cfg(feature = "network")]
mod items;
#[cfg(feature = "network")]
mod loss;
#[cfg(feature = "network")]
mod network;
#[cfg(all(test, feature = "network"))]
mod tests;

#[cfg(feature = "network")]
pub use adversary::{PREFIX, TwinStart};
#[cfg(feature = "network")]
pub use attention::{attention, class_maps};
#[cfg(feature = "network")]
pub use erase::{erase, mask};
#[cfg(feature = "network")]
pub use loss::{adversary as adversary_loss, attention_mining, localizer as localizer_loss, regularization};
#[cfg(feature = "network")]
pub use network::{AdversarialErasing, AdversarialErasingConfig, config};
pub use settings::{AdversarialErasingSettings, Attention};

use super::{Field, Group, Kind, Method, MethodName, Preparation, Reading, Round, Situation};
use crate::error::Result;
use crate::field;
use crate::memory::{self, Dry, Tape, Work};
use crate::method::field::always;
use crate::run::Settings;
use crate::run::settings::within;

/// What is known of it.
pub const METHOD: Erasing = Erasing;

/// Adversarial erasing.
pub struct Erasing;

const OPPONENTS: Group = Group::Method("Adversarial erasing");

static FIELDS: [Field; 7] = [
    field!(Group::Main, "erasing-epochs" "Epochs" ["passes"] "How often each photo is seen.",
        Kind::WHOLE, "epochs", always, number methods.adversarial_erasing.epochs),
    field!(OPPONENTS, "erasing-learning-rate" "Learning rate" [""] "Of both networks' bodies; too high and the loss jumps.",
        Kind::ANY, "learning-rate", always, number methods.adversarial_erasing.learning_rate),
    field!(OPPONENTS, "localizer-steps" "Localizer steps" ["steps"] "The network that draws learns for so many steps,",
        Kind::WHOLE, "localizer-steps", always, number methods.adversarial_erasing.localizer_steps),
    field!(OPPONENTS, "adversary-steps" "Adversary steps" ["steps"] "then the one that searches what was left.",
        Kind::WHOLE, "adversary-steps", always, number methods.adversarial_erasing.adversary_steps),
    field!(OPPONENTS, "erasing-alpha" "Erasing weight" [""] "How much it counts that the adversary still finds the object. Higher makes larger objects.",
        Kind::ANY, "alpha", always, number methods.adversarial_erasing.alpha),
    field!(OPPONENTS, "erasing-beta" "Area weight" [""] "How much the erased area costs. Higher makes smaller objects.",
        Kind::ANY, "beta", always, number methods.adversarial_erasing.beta),
    field!(OPPONENTS, "erasing-threshold" "Background" ["0 to 1"] "Map values below it are background.",
        Kind::Number("0.05"), "threshold", always, number methods.adversarial_erasing.threshold),
];

impl Method for Erasing {
    fn summary(&self) -> &'static str {
        "Erases what it has found and lets a second network search the rest, so that whole objects are found."
    }

    fn source(&self) -> &'static str {
        "Stammes et al., Find it if you can: end-to-end adversarial erasing for weakly-supervised semantic \
         segmentation, ICDIP 2021; that both networks start from the same weights is ours"
    }

    fn rounds(&self, settings: &Settings) -> Vec<Round> {
        vec![Round {
            network: MethodName::AdversarialErasing,
            name: "erasing",
            purpose: "Two networks in turns: one erases objects, the other looks for what is left of them.",
            epochs: settings.methods.adversarial_erasing.epochs,
            learning_rate: settings.methods.adversarial_erasing.learning_rate,
            preparation: Preparation::Nothing,
        }]
    }

    fn reading(&self, settings: &Settings) -> Reading {
        Reading::Activation { threshold: settings.methods.adversarial_erasing.threshold as f32 }
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        let own = &settings.methods.adversarial_erasing;
        within("epochs", own.epochs as f64, 1.0, 10_000.0)?;
        within("learning-rate", own.learning_rate, 0.0, 10.0)?;
        within("localizer-steps", own.localizer_steps as f64, 1.0, 1e6)?;
        within("adversary-steps", own.adversary_steps as f64, 0.0, 1e6)?;
        within("alpha", own.alpha, 0.0, 100.0)?;
        within("beta", own.beta, 0.0, 100.0)?;
        within("slope", own.slope, 1.0, 1000.0)?;
        within("threshold", own.threshold, 0.0, 1.0)
    }

    fn fields(&self) -> Vec<&'static [Field]> {
        vec![&FIELDS]
    }

    fn suggest(&self, settings: &mut Settings, situation: &Situation) {
        settings.methods.adversarial_erasing.epochs = situation.epochs(situation.by_start(640, 400));
        settings.methods.adversarial_erasing.learning_rate = situation.by_start(0.02, 0.003);
    }

    fn publish(&self, settings: &mut Settings) {
        settings.methods.adversarial_erasing = AdversarialErasingSettings::published();
    }

    fn set_epochs(&self, settings: &mut Settings, epochs: usize) {
        settings.methods.adversarial_erasing.epochs = epochs;
    }

    fn parameters(&self, work: &Work) -> usize {
        // The adversary is a whole network, taken to be of the localizer's kind.
        let adversary = memory::weights(&Work { method: MethodName::Cam, ..*work }) as usize / 4;
        work.classes * (work.channels() + 1) + adversary
    }

    fn loss(&self, work: &Work, tape: &mut Tape, features: Dry) -> Dry {
        let scores = tape.project(&features, work.classes, false);
        let large = tape.resized(&scores, work.side);
        // Stretched to 0 and 1, made steep, and over the image.
        let attention = tape.pointwise(&[&large], 3.0, true);
        let images = tape.input(3, work.side, false);
        let erased = tape.pointwise(&[&images, &attention], 1.0, true);
        // The gradient passes through the adversary, which sees as coarsely as it can.
        let coarsest = work.backbone.output_strides().iter().copied().max().unwrap_or(work.output_stride);
        tape.freeze(true);
        let found = memory::features(&Work { output_stride: coarsest, ..*work }, tape, erased);
        tape.freeze(false);
        tape.project(&found, work.classes, false)
    }
}
