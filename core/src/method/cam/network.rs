//! Backbone and classifier.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::multilabel_soft_margin;
use crate::backbone::dropout::Dropout;
use crate::backbone::weights::{Source, Start, parameter};
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::method::{
    Batch, Learner, LearnerConfig, MapHead, Maps, Network, ParameterGroup, Setup, StepLoss, mask_loss,
};

/// Name of the classifier's bias.
const BIAS: &str = "cam.classifier.bias";
/// Name of the classifier's weights.
pub const CLASSIFIER: &str = "cam.classifier.weight";

/// Backbone and number of foreground classes.
#[derive(Debug, Clone, Copy)]
pub struct CamConfig {
    /// The feature network.
    pub backbone: BackboneConfig,
    /// Foreground classes.
    pub classes: usize,
}

/// The configuration of its network.
pub fn config(setup: &Setup<'_>) -> CamConfig {
    CamConfig { backbone: setup.backbone(), classes: setup.classes }
}

/// Backbone, global average pooling, linear classifier. Pooling the class maps and adding the bias is the
/// same as classifying the pooled features; the maps themselves are without the bias.
#[derive(Module, Debug)]
pub struct Cam {
    /// The feature network.
    pub backbone: Backbone,
    /// `[C, K]`.
    pub classifier: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl LearnerConfig for CamConfig {
    type Learner = Cam;

    fn map_head(&self) -> MapHead {
        MapHead::Classifier { weight: CLASSIFIER, bias: BIAS }
    }

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<Cam> {
        let backbone = self.backbone.init(source, device)?;
        let shape = [self.classes, self.backbone.channels()];
        let classifier = parameter(source, CLASSIFIER, shape, Start::XavierUniform, true, device)?;
        let bias = parameter(source, BIAS, [self.classes], Start::Constant(0.0), true, device)?;
        Ok(Cam { backbone, classifier, bias })
    }
}

/// A 1×1 convolution as a matrix product: `[N, K, h, w]` by `[C, K]` to `[N, C, h, w]`.
pub(crate) fn project(features: Tensor<4>, weight: Tensor<2>) -> Tensor<4> {
    let [count, channels, height, width] = features.dims();
    let [classes, _] = weight.dims();
    let flat = features.reshape([count, channels, height * width]);
    weight.unsqueeze::<3>().matmul(flat).reshape([count, classes, height, width])
}

impl Cam {
    /// Logits of whole images, `[N, C]`, from their features `[N, K, h, w]`.
    pub(crate) fn logits(&self, features: Tensor<4>) -> Tensor<2> {
        self.pooled(project(features, self.classifier.val()))
    }

    /// The same from class maps, `[N, C, h, w]`.
    fn pooled(&self, scores: Tensor<4>) -> Tensor<2> {
        let [count, classes, ..] = scores.dims();
        let pooled: Tensor<2> = scores.mean_dims(&[2, 3]).reshape([count, classes]);
        pooled + self.bias.val().unsqueeze()
    }

    /// Logits of normalised images `[N, 3, H, W]`, `[N, C]`.
    pub(crate) fn logits_of_images(&self, images: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<2> {
        self.logits(self.backbone.forward(images, dropout))
    }
}

impl Network for Cam {
    fn maps(&self, images: Tensor<4>) -> Maps {
        let features = self.backbone.forward(images, None);
        Maps { scores: project(features, self.classifier.val()), threshold: None }
    }
}

impl Learner for Cam {
    fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    fn loss(&self, features: Tensor<4>, batch: &Batch, _step: usize) -> StepLoss {
        let scores = project(features, self.classifier.val());
        let given = mask_loss(&scores, batch);
        let logits = self.pooled(scores);
        let labels = batch.labels.clone();
        let activation = burn::tensor::activation::sigmoid(logits.clone()).detach().inner();
        let present = labels.clone().inner();
        let activation = (activation * present).sum().div_scalar(batch.whole.present.max(1) as f32);
        let total = multilabel_soft_margin(logits, labels).mul_scalar(batch.weight());
        let main = total.clone().detach().inner();
        let share = main.zeros_like();
        let total = match given {
            Some(given) => total + given,
            None => total,
        };
        StepLoss { total, parts: [main, share, activation], threshold_step: false, statistics: None }
    }

    fn group(name: &str) -> ParameterGroup {
        ParameterGroup { head: name.starts_with("cam."), decay: true }
    }
}
