//! What stands on the features: the head of each method, and its loss.

use super::Work;
use super::tape::{Dry, Tape};
use crate::architecture::ConvShape;
use crate::dataset::targets;
use crate::run::settings::MethodName;

/// Rows of Spatial-BCE's hidden layer, at least.
const HIDDEN: usize = 128;

/// Numbers of the head, all of which learn but a few.
pub fn parameters(work: &Work) -> usize {
    let channels = work.architecture().channels();
    let classes = work.classes;
    match work.method {
        MethodName::Cam => classes * (channels + 1),
        MethodName::SpatialBce => HIDDEN.max(classes) * (channels + classes) + classes * (channels + 2) + 1,
        MethodName::Deeplab => 4 * 9 * channels * (classes + 1) + classes + 1,
    }
}

/// From features to what is differentiated.
pub fn loss(work: &Work, tape: &mut Tape, features: Dry) -> Dry {
    match work.method {
        // Pooled maps are next to nothing.
        MethodName::Cam => tape.project(&features, work.classes, false),
        MethodName::SpatialBce => {
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
        MethodName::Deeplab => {
            let labels = work.classes + 1;
            let features = tape.pointwise(&[&features], 0.0, false);
            let conv = ConvShape::new(features.channels, labels, 3);
            let mut sum = tape.conv(&features, conv, true, false);
            for _ in 1..4 {
                let logits = tape.conv(&features, conv, true, false);
                sum = tape.add(&sum, &logits);
            }
            let side = (work.side / targets::STRIDE).max(1);
            let large = tape.resized(&sum, side);
            // Targets, logarithms of the softmax and its parts.
            tape.pointwise(&[&large], 5.0, true)
        }
    }
}
