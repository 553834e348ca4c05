//! The branches on the features: classification, segmentation, and embeddings of pixels with the centres of
//! the classes.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::{WIDTH, pooling, reassign};
use crate::backbone::BackboneConfig;
use crate::backbone::weights::{Source, Start, edited, parameter};
use crate::error::Result;
use crate::method::cam::project;
use crate::method::pyramid::{self, Pyramid};

const CLASSIFIER: &str = "affinity.classifier.weight";
const EMBEDDING: &str = "affinity.embedding.weight";
const CENTRES: &str = "affinity.centres";

/// Whether a parameter is the head's. The segmentation branch has the names of the segmentation network's
/// head, which can be started from it.
pub(super) fn holds(name: &str) -> bool {
    name.starts_with("affinity.") || name.starts_with(pyramid::HEAD)
}

/// All that stands on the features.
#[derive(Module, Debug)]
pub struct Head {
    pub(super) classifier: Param<Tensor<2>>,
    segmentation: Pyramid,
    pub(super) embedding: Param<Tensor<2>>,
    centres: Param<Tensor<2>>,
}

impl Head {
    pub(super) fn load(
        source: &mut dyn Source,
        backbone: &BackboneConfig,
        classes: usize,
        device: &Device,
    ) -> Result<Self> {
        let (channels, labels) = (backbone.channels(), classes + 1);
        let xavier = Start::XavierUniform;
        let none = Start::Constant(0.0);
        Ok(Self {
            classifier: parameter(source, CLASSIFIER, [classes, channels], xavier, true, device)?,
            segmentation: Pyramid::load(source, backbone, labels, device)?,
            embedding: parameter(source, EMBEDDING, [WIDTH, channels], xavier, true, device)?,
            centres: parameter(source, CENTRES, [labels, WIDTH], none, false, device)?,
        })
    }

    /// Logits of the classification branch: `[N, K, h, w]` to `[N, C, h, w]`.
    pub fn classification(&self, features: Tensor<4>) -> Tensor<4> {
        project(features, self.classifier.val())
    }

    /// Logits of the segmentation branch: `[N, K, h, w]` to `[N, C + 1, h, w]`, background first.
    pub fn segmentation(&self, features: Tensor<4>) -> Tensor<4> {
        self.segmentation.logits(features)
    }

    /// Embeddings, of any length: `[N, K, h, w]` to `[N, D, h, w]`.
    pub fn embedding(&self, features: Tensor<4>) -> Tensor<4> {
        project(features, self.embedding.val())
    }

    /// The classes' centres, background first, `[C + 1, D]`, untracked; a row of zeros where no confident
    /// pixel of the class has been seen.
    pub fn centres(&self) -> Tensor<2> {
        self.centres.val().inner()
    }

    /// With a segmentation branch that says what the classification branch does. Ours, as Spatial-BCE's head starts
    /// from the plain classifier: one that starts at random needs longer than a short run takes to know the
    /// classes again.
    pub(super) fn with_started_segmentation(self) -> Self {
        let segmentation =
            self.segmentation.with_classifier(self.classifier.val(), pooling::BACKGROUND_LOGIT);
        Self { segmentation, ..self }
    }

    /// With the centres moved by what a batch adds to them.
    pub(super) fn with_moved_centres(self, sums: Tensor<1>, momentum: f64) -> Self {
        let centres = edited(self.centres, |centres| reassign::moved(centres, sums.inner(), momentum));
        Self { centres, ..self }
    }
}
