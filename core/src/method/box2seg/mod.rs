//! Box2Seg (Kulharia et al., "Box2Seg: Attention Weighted Loss and Discriminative Feature Learning for Weakly
//! Supervised Segmentation", ECCV 2020; METHODS §4): a segmentation network that learns from boxes and from
//! the GrabCut masks inside them. Attention says which pixels of a box to believe, and embeddings which
//! pixels belong together; only the segmentation is used afterwards.

mod settings;

#[cfg(feature = "network")]
mod affinity;
#[cfg(feature = "network")]
mod decoder;
#[cfg(feature = "network")]
mod loss;
#[cfg(feature = "network")]
mod network;
#[cfg(all(test, feature = "network"))]
mod tests;

#[cfg(feature = "network")]
pub use affinity::{affinity, pretraining};
#[cfg(feature = "network")]
pub use decoder::Decoder;
#[cfg(feature = "network")]
pub use loss::{background, filling_rate, foreground, grabcut};
#[cfg(feature = "network")]
pub use network::{Box2Seg, Box2SegConfig, config};
pub use settings::Box2SegSettings;

use super::{
    Field, Group, Kind, Method, MethodName, Preparation, Reading, Round, Situation, Supervision, Told,
    deeplab,
};
use crate::architecture::ConvShape;
use crate::dataset::targets;
use crate::error::Result;
use crate::field;
use crate::memory::{Dry, Tape, Work};
use crate::method::field::always;
use crate::run::Settings;
use crate::run::settings::{Refine, within};

/// What all tensors behind the backbone are called.
pub const HEAD: &str = "box2seg.";
/// Channels inside the decoders of attention and embeddings, which only help to learn.
pub const WIDTH: usize = 64;
/// Length of a pixel's embedding (METHODS §4).
pub const EMBEDDING: usize = 32;

/// What is known of it.
pub const METHOD: BoxesToSegments = BoxesToSegments;

/// Box2Seg.
pub struct BoxesToSegments;

const TERMS: Group = Group::Method("Box2Seg");

static FIELDS: [Field; 9] = [
    field!(Group::Main, "box-epochs" "Epochs" ["passes"] "How often each photo is seen.",
        Kind::WHOLE, "epochs", always, number methods.box2seg.epochs),
    field!(TERMS, "box-learning-rate" "Learning rate" [""] "Of the network's body; too high and the loss jumps.",
        Kind::ANY, "learning-rate", always, number methods.box2seg.learning_rate),
    field!(TERMS, "pretraining-epochs" "First passes" ["passes"] "In which cut-outs are learned as they are, and which pixels are alike.",
        Kind::WHOLE, "pretraining-epochs", always, number methods.box2seg.pretraining_epochs),
    field!(TERMS, "grabcut-weight" "Cut-out weight" [""] "How far the masks cut out of boxes are believed.",
        Kind::ANY, "grabcut-weight", always, number methods.box2seg.grabcut_weight),
    field!(TERMS, "foreground-weight" "Box weight" [""] "How much pixels inside a box count, where attention says so.",
        Kind::ANY, "foreground-weight", always, number methods.box2seg.foreground_weight),
    field!(TERMS, "background-weight" "Outside weight" [""] "How much pixels outside all boxes count.",
        Kind::ANY, "background-weight", always, number methods.box2seg.background_weight),
    field!(TERMS, "filling-rate-weight" "Filling weight" [""] "Keeps attention from shrinking to a few pixels of a box.",
        Kind::ANY, "filling-rate-weight", always, number methods.box2seg.filling_rate_weight),
    field!(TERMS, "affinity-weight" "Likeness weight" [""] "Holds pixels that look alike to one label.",
        Kind::ANY, "affinity-weight", always, number methods.box2seg.affinity_weight),
    field!(TERMS, "gamma" "Filling" ["0 to 1"] "Share of a cut-out's area that attention must reach.",
        Kind::Number("0.05"), "gamma", always, number methods.box2seg.gamma),
];

impl Method for BoxesToSegments {
    fn summary(&self) -> &'static str {
        "Learns from boxes around objects; afterwards it draws photos that nobody labelled."
    }

    fn source(&self) -> &'static str {
        "Kulharia et al., Box2Seg, ECCV 2020; no program was published: decoders and the weights of the terms \
         are ours"
    }

    fn supervision(&self) -> Supervision {
        Supervision::Boxes
    }

    fn rounds(&self, settings: &Settings) -> Vec<Round> {
        vec![Round {
            network: MethodName::Box2Seg,
            name: "Box2Seg",
            purpose: "Learns to draw the objects that the boxes stand around.",
            epochs: settings.methods.box2seg.epochs,
            learning_rate: settings.methods.box2seg.learning_rate,
            preparation: Preparation::BoxMasks(settings.methods.box2seg.cut.clone()),
        }]
    }

    fn reading(&self, _settings: &Settings) -> Reading {
        Reading::Segmentation { told: Told::Boxes }
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        let own = &settings.methods.box2seg;
        within("epochs", own.epochs as f64, 1.0, 10_000.0)?;
        within("learning-rate", own.learning_rate, 0.0, 10.0)?;
        within("pretraining-epochs", own.pretraining_epochs as f64, 0.0, own.epochs as f64 - 1.0)?;
        within("grabcut-weight", own.grabcut_weight, 0.0, 100.0)?;
        within("foreground-weight", own.foreground_weight, 0.0, 100.0)?;
        within("background-weight", own.background_weight, 0.0, 100.0)?;
        within("filling-rate-weight", own.filling_rate_weight, 0.0, 100.0)?;
        within("affinity-weight", own.affinity_weight, 0.0, 100.0)?;
        within("gamma", own.gamma, 0.0, 1.0)?;
        within("grid", own.grid as f64, 16.0, 65_536.0)?;
        within("gaussians", own.cut.gaussians as f64, 1.0, 32.0)?;
        within("iterations", own.cut.iterations as f64, 1.0, 100.0)
    }

    fn fields(&self) -> Vec<&'static [Field]> {
        vec![&FIELDS]
    }

    fn suggest(&self, settings: &mut Settings, situation: &Situation) {
        settings.methods.box2seg.epochs = situation.epochs(situation.by_start(480, 600));
        settings.methods.box2seg.learning_rate = situation.by_start(0.02, 0.008);
    }

    fn suit(&self, settings: &mut Settings) {
        settings.augment.scales = deeplab::SCALES.to_vec();
        settings.masks.refine = Refine::GrabCut;
    }

    fn publish(&self, settings: &mut Settings) {
        settings.methods.box2seg = Box2SegSettings::default();
    }

    fn set_epochs(&self, settings: &mut Settings, epochs: usize) {
        let own = &mut settings.methods.box2seg;
        own.epochs = epochs;
        own.pretraining_epochs = own.pretraining_epochs.min(epochs.saturating_sub(1));
    }

    fn parameters(&self, work: &Work) -> usize {
        let decoder =
            |outputs: usize| work.channels() * WIDTH + 9 * WIDTH * WIDTH + WIDTH * outputs + outputs;
        deeplab::METHOD.parameters(work) + decoder(work.classes) + decoder(EMBEDDING)
    }

    fn loss(&self, work: &Work, tape: &mut Tape, features: Dry) -> Dry {
        let logits = deeplab::pyramid(work, tape, &features);
        let features = tape.pointwise(&[&features], 0.0, false);
        let decoder = |tape: &mut Tape, outputs: usize| {
            let hidden = tape.conv(&features, ConvShape::new(features.channels, WIDTH, 1), true, false);
            let hidden = tape.relu(&hidden);
            let hidden = tape.resized(&hidden, 2 * features.side);
            let hidden = tape.conv(&hidden, ConvShape::new(WIDTH, WIDTH, 3), true, false);
            let hidden = tape.relu(&hidden);
            tape.conv(&hidden, ConvShape::new(WIDTH, outputs, 1), true, false)
        };
        let _embeddings = decoder(tape, EMBEDDING);
        let attention = decoder(tape, work.classes);
        let side = (work.side / targets::STRIDE).max(1);
        let attention = tape.resized(&attention, side);
        let attention = tape.pointwise(&[&attention], 3.0, true);
        let logits = tape.resized(&logits, side);
        // Targets, boxes, logarithms of the softmax, and its products with both.
        let terms = tape.pointwise(&[&logits], 8.0, true);
        tape.pointwise(&[&terms, &attention], 2.0, true)
    }
}
