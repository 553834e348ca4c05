//! Backbone and atrous pyramid.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::cross_entropy;
use crate::backbone::weights::Source;
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::method::pyramid::{self, HEAD, Pyramid};
use crate::method::{Batch, Learner, LearnerConfig, MapHead, Maps, Network, ParameterGroup, Setup, StepLoss};
use crate::tensor::resize;

/// Backbone and number of foreground classes.
#[derive(Debug, Clone, Copy)]
pub struct DeepLabConfig {
    /// The feature network.
    pub backbone: BackboneConfig,
    /// Foreground classes.
    pub classes: usize,
}

impl DeepLabConfig {
    /// Tap distances of the head's convolutions, in feature pixels; see [`pyramid::rates`].
    pub fn rates(&self) -> [usize; 4] {
        pyramid::rates(&self.backbone)
    }

    /// The constant factor on the head's weights; see [`pyramid::scale`].
    pub fn scale(&self) -> f32 {
        pyramid::scale(&self.backbone)
    }
}

/// The configuration of its network.
pub fn config(setup: &Setup<'_>) -> DeepLabConfig {
    DeepLabConfig { backbone: setup.backbone(), classes: setup.classes }
}

/// Backbone and head.
#[derive(Module, Debug)]
pub struct DeepLab {
    backbone: Backbone,
    pyramid: Pyramid,
}

impl LearnerConfig for DeepLabConfig {
    type Learner = DeepLab;

    fn map_head(&self) -> MapHead {
        MapHead::pyramid(&self.backbone)
    }

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<DeepLab> {
        let backbone = self.backbone.init(source, device)?;
        let pyramid = Pyramid::load(source, &self.backbone, self.classes + 1, device)?;
        Ok(DeepLab { backbone, pyramid })
    }
}

impl Network for DeepLab {
    /// Logits, background first: one channel more than there are classes.
    fn maps(&self, images: Tensor<4>) -> Maps {
        Maps { scores: self.pyramid.logits(self.backbone.forward(images, None)), threshold: None }
    }
}

impl Learner for DeepLab {
    fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    /// Cross-entropy at the targets' size; a batch without targets teaches nothing.
    fn loss(&self, features: Tensor<4>, batch: &Batch, _step: usize) -> StepLoss {
        let logits = self.pyramid.logits(features);
        let Some(targets) = batch.targets.clone() else {
            let total = logits.sum().mul_scalar(0.0);
            let nothing = total.clone().detach().inner();
            let parts = [(); 3].map(|()| nothing.clone());
            return StepLoss { total, parts, threshold_step: false, statistics: None };
        };
        let [_, _, height, width] = targets.dims();
        let logits = resize(logits, height, width);
        let pixels = batch.whole.pixels.max(1) as f32;
        let total = cross_entropy(logits.clone(), targets.clone(), batch.whole.pixels);
        let background = softmax(logits.detach().inner(), 1).narrow(1, 0, 1);
        let labelled = targets.inner().sum_dim(1);
        let activation = ((background.neg() + 1.0) * labelled).sum().div_scalar(pixels);
        let main = total.clone().detach().inner();
        let share = main.zeros_like();
        StepLoss { total, parts: [main, share, activation], threshold_step: false, statistics: None }
    }

    fn group(name: &str) -> ParameterGroup {
        ParameterGroup { head: name.starts_with(HEAD), decay: true }
    }
}
