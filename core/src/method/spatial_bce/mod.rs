//! Spatial-BCE (Wu et al., "Adaptive Spatial-BCE Loss for Weakly Supervised Semantic Segmentation",
//! ECCV 2022; METHODS §1): every pixel is pushed away from a threshold, to its own side, and the
//! threshold is learned in turns with the network.

mod head;
mod loss;

pub use head::{HIDDEN, Head, HeadStart, from_cam};
pub use loss::{network_loss, share_loss, threshold_loss};

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::{Batch, Learner, LearnerConfig, Maps, ParameterGroup, StepLoss};
use crate::backbone::weights::Source;
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::run::settings::SpatialBceSettings;

/// Backbone, number of foreground classes, and the method's settings.
#[derive(Debug, Clone)]
pub struct SpatialBceConfig {
    /// The feature network.
    pub backbone: BackboneConfig,
    /// Foreground classes.
    pub classes: usize,
    /// The method's settings.
    pub settings: SpatialBceSettings,
}

/// The network of the paper.
#[derive(Module, Debug)]
pub struct SpatialBce {
    /// The feature network.
    pub backbone: Backbone,
    /// Score and threshold branches.
    pub head: Head,
    cycle: usize,
    network_steps: usize,
    share_weight: f64,
    share_floor: f64,
}

impl LearnerConfig for SpatialBceConfig {
    type Learner = SpatialBce;

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<SpatialBce> {
        Ok(SpatialBce {
            backbone: self.backbone.init(source, device)?,
            head: Head::load(source, self.classes, self.backbone.channels(), device)?,
            cycle: self.settings.cycle,
            network_steps: self.settings.network_steps,
            share_weight: self.settings.share_weight,
            share_floor: self.settings.share_floor,
        })
    }
}

impl Learner for SpatialBce {
    fn loss(&self, batch: &Batch, step: usize) -> StepLoss {
        let features = self.backbone.forward(batch.images.clone());
        let (scores, threshold) = self.head.forward(features);
        let logits = self.head.scale(scores);
        let shares = self.shares(batch);
        let threshold_step = step % self.cycle.max(1) >= self.network_steps;
        let main = if threshold_step {
            threshold_loss(logits.clone(), threshold, batch.labels.clone())
        } else {
            network_loss(logits.clone(), batch.labels.clone(), &shares)
        };
        let share = share_loss(logits.clone(), batch.labels.clone(), &shares, batch.present_in_batch);
        let [count, classes, ..] = logits.dims();
        let mean: Tensor<2> = sigmoid(logits.detach().inner()).mean_dims(&[2, 3]).reshape([count, classes]);
        let present = batch.labels.clone().inner();
        let activation = (mean * present.clone()).sum() / present.sum().clamp_min(1.0);
        let parts = [main.clone().detach().inner(), share.clone().detach().inner(), activation];
        StepLoss { total: main + share.mul_scalar(self.share_weight), parts, threshold_step }
    }

    fn maps(&self, images: Tensor<4>) -> Maps {
        let (scores, threshold) = self.head.forward(self.backbone.forward(images));
        let [count, classes, ..] = scores.dims();
        Maps { scores, threshold: Some(threshold.mean_dims(&[2, 3]).reshape([count, classes])) }
    }

    fn log_temperature(&self) -> Option<Tensor<1>> {
        Some(self.head.log_temperature())
    }

    fn group(name: &str) -> ParameterGroup {
        ParameterGroup { head: name.starts_with("head."), decay: head::decays(name) }
    }
}

impl SpatialBce {
    /// Shares with the floor for present classes: a share of 0 would make the share term kill a class
    /// that the image does have. Ours; the paper's shares come from an unpublished file.
    fn shares(&self, batch: &Batch) -> Vec<f32> {
        let floor = self.share_floor as f32;
        let floored = |(&share, &label): (&f32, &f32)| if label > 0.5 { share.max(floor) } else { share };
        batch.shares.iter().zip(&batch.labels_host).map(floored).collect()
    }
}
