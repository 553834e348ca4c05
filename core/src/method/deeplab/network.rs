//! Backbone and atrous pyramid.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::cross_entropy;
use crate::architecture::ConvShape;
use crate::backbone::conv::Conv;
use crate::backbone::weights::{Source, Start, parameter};
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::method::{Batch, Learner, LearnerConfig, Maps, Network, ParameterGroup, Pyramid, Setup, StepLoss};
use crate::tensor::resize;

/// What all of the head's tensors are called.
const HEAD: &str = "segmenter.";
/// What the pyramid's tensors are called.
pub const PYRAMID: &str = "segmenter.pyramid.";

/// Backbone and number of foreground classes.
#[derive(Debug, Clone, Copy)]
pub struct DeepLabConfig {
    /// The feature network.
    pub backbone: BackboneConfig,
    /// Foreground classes.
    pub classes: usize,
}

impl DeepLabConfig {
    /// Tap distances of the head's convolutions, in feature pixels: 6, 12, 18 and 24 at a stride of 8
    /// (DeepLab's), so that they see as much of the image at any stride.
    pub fn rates(&self) -> [usize; 4] {
        [6, 12, 18, 24].map(|rate| (rate * 8 / self.backbone.output_stride).max(1))
    }

    /// The constant factor on the head's weights: `1/√(4 K)` on pretrained features. Ours: a logit sums the
    /// products of nine taps in four convolutions over K channels, so that without it a learning rate that
    /// suits the features throws logits to and fro by tens. A network from scratch has small features and
    /// shortened gradients, and would only be slowed down.
    pub fn scale(&self) -> f32 {
        match self.backbone.name.trains_from_scratch() {
            true => 1.0,
            false => ((4 * self.backbone.channels()) as f32).sqrt().recip(),
        }
    }
}

/// The configuration of its network.
pub fn config(setup: &Setup<'_>) -> DeepLabConfig {
    DeepLabConfig { backbone: setup.backbone(), classes: setup.classes }
}

/// Backbone and head. Logits of a pixel are the sum of what the parallel convolutions say, and a bias.
#[derive(Module, Debug)]
pub struct DeepLab {
    backbone: Backbone,
    pyramid: Vec<Conv>,
    bias: Param<Tensor<1>>,
    scale: f64,
}

impl LearnerConfig for DeepLabConfig {
    type Learner = DeepLab;

    fn pyramid(&self) -> Option<Pyramid> {
        Some(Pyramid { rates: self.rates(), scale: self.scale() })
    }

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<DeepLab> {
        let backbone = self.backbone.init(source, device)?;
        let labels = self.classes + 1;
        let mut pyramid = Vec::new();
        for (index, rate) in self.rates().into_iter().enumerate() {
            let shape = ConvShape::new(self.backbone.channels(), labels, 3).spaced(1, rate);
            let name = format!("{PYRAMID}{index}");
            pyramid.push(Conv::load_from(source, &name, shape, Start::XavierUniform, true, device)?);
        }
        let bias = parameter(source, &format!("{HEAD}bias"), [labels], Start::Constant(0.0), true, device)?;
        Ok(DeepLab { backbone, pyramid, bias, scale: f64::from(self.scale()) })
    }
}

impl DeepLab {
    /// Features `[N, K, h, w]` to `[N, C + 1, h, w]`, background first.
    fn logits(&self, features: Tensor<4>) -> Tensor<4> {
        // On the features it costs less than on each convolution's output, and says the same.
        let features = features.mul_scalar(self.scale);
        let labels = self.bias.dims()[0];
        let bias = self.bias.val().reshape([1, labels, 1, 1]);
        let mut sum: Option<Tensor<4>> = None;
        for conv in &self.pyramid {
            let logits = conv.forward(features.clone());
            sum = Some(match sum {
                Some(sum) => sum + logits,
                None => logits + bias.clone(),
            });
        }
        sum.unwrap_or(bias)
    }
}

impl Network for DeepLab {
    /// Logits, background first: one channel more than there are classes.
    fn maps(&self, images: Tensor<4>) -> Maps {
        Maps { scores: self.logits(self.backbone.forward(images, None)), threshold: None }
    }
}

impl Learner for DeepLab {
    fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    /// Cross-entropy at the targets' size; a batch without targets teaches nothing.
    fn loss(&self, features: Tensor<4>, batch: &Batch, _step: usize) -> StepLoss {
        let logits = self.logits(features);
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
