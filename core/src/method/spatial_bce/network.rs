//! Backbone, score branch and threshold branch.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::head::{self, Head};
use super::{SpatialBceSettings, network_loss, share_loss, sides, start, threshold_loss};
use crate::backbone::weights::{Named, Source};
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::method::{
    Batch, Learner, LearnerConfig, MapHead, Maps, Network, ParameterGroup, Seen, Setup, StepLoss, mask_loss,
};

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

/// The configuration of its network.
pub fn config(setup: &Setup<'_>) -> SpatialBceConfig {
    let settings = setup.settings.methods.spatial_bce.clone();
    SpatialBceConfig { backbone: setup.backbone(), classes: setup.classes, settings }
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
    share_margin: f64,
}

impl LearnerConfig for SpatialBceConfig {
    type Learner = SpatialBce;

    fn map_head(&self) -> MapHead {
        head::described(self.classes)
    }

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<SpatialBce> {
        Ok(SpatialBce {
            backbone: self.backbone.init(source, device)?,
            head: Head::load(source, self.classes, self.backbone.channels(), device)?,
            cycle: self.settings.cycle,
            network_steps: self.settings.network_steps,
            share_weight: self.settings.share_weight,
            share_margin: self.settings.share_margin,
        })
    }

    fn adopt(&self, trained: Vec<Named>, seen: &[Seen], seed: u64) -> Result<Vec<Named>> {
        start::from_cam(trained, &start::measure(seen, self.classes, &self.settings), seed)
    }
}

impl Network for SpatialBce {
    fn maps(&self, images: Tensor<4>) -> Maps {
        let (scores, threshold) = self.head.forward(self.backbone.forward(images, None));
        let [count, classes, ..] = scores.dims();
        Maps { scores, threshold: Some(threshold.mean_dims(&[2, 3]).reshape([count, classes])) }
    }

    fn log_temperature(&self) -> Option<Tensor<1>> {
        Some(self.head.log_temperature())
    }
}

impl Learner for SpatialBce {
    fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    fn loss(&self, features: Tensor<4>, batch: &Batch, step: usize) -> StepLoss {
        let (scores, threshold) = self.head.forward(features);
        let logits = self.head.scale(scores);
        let shares = self.shares(batch);
        let threshold_step = self.is_threshold_step(step);
        let main = if threshold_step {
            threshold_loss(logits.clone(), threshold, batch.labels.clone(), batch.whole.tally.clone())
        } else {
            network_loss(logits.clone(), batch.labels.clone(), &shares).mul_scalar(batch.weight())
        };
        let share = share_loss(logits.clone(), batch.labels.clone(), &shares, batch.whole.present);
        let [count, classes, ..] = logits.dims();
        let mean: Tensor<2> =
            sigmoid(logits.clone().detach().inner()).mean_dims(&[2, 3]).reshape([count, classes]);
        let present = batch.labels.clone().inner();
        let activation = (mean * present).sum().div_scalar(batch.whole.present.max(1) as f32);
        let parts = [main.clone().detach().inner(), share.clone().detach().inner(), activation];
        let total = main + share.mul_scalar(self.share_weight);
        let total = match mask_loss(&logits, batch) {
            Some(given) => total + given,
            None => total,
        };
        StepLoss { total, parts, threshold_step, statistics: None }
    }

    fn tally(&self, batch: &Batch, step: usize) -> Option<Tensor<1>> {
        if !self.is_threshold_step(step) {
            return None;
        }
        let (scores, threshold) =
            self.head.forward(self.backbone.forward(batch.images.clone(), Some(&batch.dropout)));
        Some(sides(self.head.scale(scores), threshold, batch.labels.clone()))
    }

    fn group(name: &str) -> ParameterGroup {
        ParameterGroup { head: name.starts_with("head."), decay: head::decays(name) }
    }
}

impl SpatialBce {
    fn is_threshold_step(&self, step: usize) -> bool {
        step % self.cycle.max(1) >= self.network_steps
    }

    /// Shares of present classes within the margin; those of absent ones as they are.
    fn shares(&self, batch: &Batch) -> Vec<f32> {
        let kept = |(&share, &label): (&f32, &f32)| match label > 0.5 {
            true => within_margin(share, self.share_margin),
            false => share,
        };
        batch.shares.iter().zip(&batch.labels_host).map(kept).collect()
    }
}

/// The share of a present class, kept `margin` away from 0 and 1. At 0 the share term would kill a class
/// that the image does have; at 1, which a random field that fills the whole image gives, one pixel of
/// background costs as much as a missing object: spikes that a later round does not survive. Ours; the
/// paper's shares come from an unpublished file.
pub fn within_margin(share: f32, margin: f64) -> f32 {
    let margin = margin.clamp(0.0, 0.5) as f32;
    share.clamp(margin, 1.0 - margin)
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn a_share_at_either_end_costs_no_spike() {
        assert_eq!([0.0, 0.3, 1.0].map(|share| within_margin(share, 0.02)), [0.02, 0.3, 0.98]);
        let device = Device::flex();
        let cost = |logit: f32, share: f32| {
            let logits = Tensor::from_data(TensorData::new(vec![logit; 16], [1, 1, 4, 4]), &device);
            let labels = Tensor::ones([1, 1], &device);
            share_loss(logits, labels, &[share], 1).into_scalar::<f32>()
        };
        for (logit, share) in [(-2.0, 1.0), (2.0, 0.0)] {
            assert!(cost(logit, share) > 15.0);
            assert!(cost(logit, within_margin(share, 0.02)) < 4.0);
        }
    }
}
