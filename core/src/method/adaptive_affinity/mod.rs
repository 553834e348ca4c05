//! Adaptive affinity and label reassign (Zhang, Peng et al., "Adaptive Affinity Loss and Erroneous
//! Pseudo-Label Refinement for Weakly Supervised Semantic Segmentation", ACM MM 2021; METHODS §3): one network,
//! trained at once. A classification branch learns from the images' labels and says, image by image, what some
//! pixels are; a segmentation branch learns from that.
//!
//! What is known and what is not, as METHODS tags it:
//! - [paper] one stage, the two branches, cross-entropy with the affinity loss, a loss that reassigns labels;
//! - [code] the affinity loss ([`affinity`]), from the authors' program;
//! - [code] classification score ([`pooling`]), refinement ([`refine`](mod@refine)) and labels of confident
//!   pixels ([`pseudo_labels`]), from the program of Araslanov & Roth (CVPR 2020). That they host the losses is our
//!   choice: the paper names two frames, of which this is one;
//! - [code] what balances these labels ([`balance`]), from the same program;
//! - [ours] the reassign loss ([`reassign`]), a pixel's confidence, all weights, and the segmentation branch,
//!   which is our segmentation network's, and starts as the classification branch.

mod settings;

#[cfg(feature = "network")]
pub mod affinity;
#[cfg(feature = "network")]
pub mod balance;
#[cfg(feature = "network")]
mod head;
#[cfg(feature = "network")]
mod network;
#[cfg(feature = "network")]
pub mod pooling;
#[cfg(feature = "network")]
pub mod pseudo_labels;
#[cfg(feature = "network")]
pub mod reassign;
#[cfg(feature = "network")]
pub mod refine;
#[cfg(all(test, feature = "network"))]
mod tests;

#[cfg(feature = "network")]
pub use head::Head;
#[cfg(feature = "network")]
pub use network::{AdaptiveAffinity, AdaptiveAffinityConfig, config};
pub use settings::AdaptiveAffinitySettings;

use super::{Field, Group, Kind, Method, MethodName, Preparation, Reading, Round, Situation, Told, deeplab};
use crate::dataset::targets;
use crate::error::Result;
use crate::field;
use crate::memory::{Dry, Tape, Work};
use crate::method::field::always;
use crate::run::Settings;
use crate::run::settings::within;

/// What is known of it.
pub const METHOD: AffinityAndReassign = AffinityAndReassign;

/// Adaptive affinity and label reassign.
pub struct AffinityAndReassign;

/// Dimensions of a pixel's embedding. Ours.
pub const WIDTH: usize = 32;

const TERMS: Group = Group::Method("Adaptive affinity");

static FIELDS: [Field; 7] = [
    field!(Group::Main, "affinity-epochs" "Epochs" ["passes"] "How often each photo is seen.",
        Kind::WHOLE, "epochs", always, number methods.adaptive_affinity.epochs),
    field!(Group::Main, "warm-up" "Of these first" ["passes"] "In which only is learned what is in each photo; then the network draws.",
        Kind::WHOLE, "warm-up", always, number methods.adaptive_affinity.warm_up),
    field!(TERMS, "affinity-learning-rate" "Learning rate" [""] "Of the network's body; too high and the loss jumps.",
        Kind::ANY, "learning-rate", always, number methods.adaptive_affinity.learning_rate),
    field!(TERMS, "pairs-weight" "Affinity weight" [""] "Holds near pixels of one label together, and those of different labels apart.",
        Kind::ANY, "affinity-weight", always, number methods.adaptive_affinity.affinity_weight),
    field!(TERMS, "reassign-weight" "Reassign weight" [""] "How much is learned from labels that were taken back and given anew.",
        Kind::ANY, "reassign-weight", always, number methods.adaptive_affinity.reassign_weight),
    field!(TERMS, "reassign-margin" "Reassign margin" ["0 to 2"] "How much nearer another class must be for a pixel to change sides.",
        Kind::Number("0.05"), "reassign-margin", always, number methods.adaptive_affinity.reassign_margin),
    field!(TERMS, "refine-iterations" "Refinements" ["times"] "Labels flow so often to neighbours of like colour before they are learned.",
        Kind::WHOLE, "refine-iterations", always, number methods.adaptive_affinity.refine_iterations),
];

impl Method for AffinityAndReassign {
    fn summary(&self) -> &'static str {
        "Labels pixels while it trains and learns from that; afterwards it draws photos that nobody labelled."
    }

    fn source(&self) -> &'static str {
        "Zhang, Peng et al., Adaptive Affinity Loss and Erroneous Pseudo-Label Refinement for Weakly Supervised \
         Semantic Segmentation, ACM MM 2021; its frame as in Araslanov & Roth, CVPR 2020; the label reassign \
         loss is our reconstruction"
    }

    fn rounds(&self, settings: &Settings) -> Vec<Round> {
        vec![Round {
            network: MethodName::AdaptiveAffinity,
            name: "adaptive affinity",
            purpose: "Learns what is in each photo, then where, from the pixels that it is sure of.",
            epochs: settings.methods.adaptive_affinity.epochs,
            learning_rate: settings.methods.adaptive_affinity.learning_rate,
            preparation: Preparation::Nothing,
        }]
    }

    fn reading(&self, _settings: &Settings) -> Reading {
        Reading::Segmentation { told: Told::Labels }
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        let own = &settings.methods.adaptive_affinity;
        within("epochs", own.epochs as f64, 1.0, 10_000.0)?;
        within("learning-rate", own.learning_rate, 0.0, 10.0)?;
        // All of them as warm-up would leave the branch that makes the masks as it started.
        within("warm-up", own.warm_up as f64, 0.0, own.epochs as f64 - 1.0)?;
        within("affinity-weight", own.affinity_weight, 0.0, 100.0)?;
        within("reassign-weight", own.reassign_weight, 0.0, 100.0)?;
        within("reassign-margin", own.reassign_margin, 0.0, 2.0)?;
        within("refine-iterations", own.refine_iterations as f64, 0.0, 100.0)?;
        within("centre-momentum", own.centre_momentum, 0.0, 0.999)
    }

    fn fields(&self) -> Vec<&'static [Field]> {
        vec![&FIELDS]
    }

    fn suggest(&self, settings: &mut Settings, situation: &Situation) {
        let own = &mut settings.methods.adaptive_affinity;
        own.epochs = situation.epochs(situation.by_start(640, 600));
        // As long as the plain classifier trains, in few passes all but one.
        own.warm_up = situation.epochs(situation.by_start(320, 200)).min(own.epochs - 1);
        own.learning_rate = situation.by_start(0.02, 0.003);
    }

    fn publish(&self, settings: &mut Settings) {
        settings.methods.adaptive_affinity = AdaptiveAffinitySettings::default();
    }

    fn set_epochs(&self, settings: &mut Settings, epochs: usize) {
        let own = &mut settings.methods.adaptive_affinity;
        own.epochs = epochs;
        own.warm_up = own.warm_up.min(epochs / 2);
    }

    fn set_budget(&self, settings: &mut Settings, passes: usize) {
        // As long as the classifier of Spatial-BCE trains in the same budget.
        settings.methods.adaptive_affinity.epochs = passes;
        settings.methods.adaptive_affinity.warm_up = passes / 3;
    }

    fn parameters(&self, work: &Work) -> usize {
        let (channels, labels) = (work.channels(), work.classes + 1);
        4 * 9 * channels * labels + labels + channels * (work.classes + WIDTH) + labels * WIDTH
    }

    fn loss(&self, work: &Work, tape: &mut Tape, features: Dry) -> Dry {
        let scores = tape.project(&features, work.classes, false);
        let _score = tape.pointwise(&[&scores], 3.0, true);
        let embeddings = tape.project(&features, WIDTH, false);
        let logits = deeplab::pyramid(work, tape, &features);
        let side = (work.side / targets::STRIDE).max(1);
        let large = tape.resized(&logits, side);
        let embeddings = tape.resized(&embeddings, side);
        let _unit = tape.pointwise(&[&embeddings], 3.0, true);
        // The softmax with its logarithms, and what the four pairs of offsets keep.
        tape.pointwise(&[&large], 24.0, true)
    }
}
