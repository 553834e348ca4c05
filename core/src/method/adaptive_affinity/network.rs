//! Backbone and branches, and what they learn.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::affinity::{affinity_loss, pair_counts};
use super::balance::balanced_cross_entropy;
use super::pseudo_labels::PseudoLabels;
use super::reassign::{centre_sums, learnable, reassign_loss, unit};
use super::{AdaptiveAffinitySettings, Head, head, pooling, refine};
use crate::backbone::weights::Source;
use crate::backbone::{Backbone, BackboneConfig};
use crate::dataset::batch::{DEVIATION, MEAN};
use crate::dataset::targets;
use crate::error::Result;
use crate::method::cam::multilabel_soft_margin;
use crate::method::{
    Batch, Learner, LearnerConfig, MapHead, Maps, Network, ParameterGroup, Setup, StepLoss, mask_loss,
};
use crate::tensor::resize;

/// Backbone, number of foreground classes, and the method's settings.
#[derive(Debug, Clone)]
pub struct AdaptiveAffinityConfig {
    /// The feature network.
    pub backbone: BackboneConfig,
    /// Foreground classes.
    pub classes: usize,
    /// The method's settings.
    pub settings: AdaptiveAffinitySettings,
    /// Steps of one pass over the data: warm-up is counted in passes.
    pub steps_per_epoch: usize,
}

/// The configuration of its network.
pub fn config(setup: &Setup<'_>) -> AdaptiveAffinityConfig {
    AdaptiveAffinityConfig {
        backbone: setup.backbone(),
        classes: setup.classes,
        settings: setup.settings.methods.adaptive_affinity.clone(),
        steps_per_epoch: setup.steps_per_epoch,
    }
}

/// Backbone and branches.
#[derive(Module, Debug)]
pub struct AdaptiveAffinity {
    /// The feature network.
    pub backbone: Backbone,
    /// What stands on its features.
    pub head: Head,
    warm_up_steps: usize,
    affinity_weight: f64,
    reassign_weight: f64,
    reassign_margin: f64,
    refine_iterations: usize,
    centre_momentum: f64,
}

impl LearnerConfig for AdaptiveAffinityConfig {
    type Learner = AdaptiveAffinity;

    fn map_head(&self) -> MapHead {
        MapHead::pyramid(&self.backbone)
    }

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<AdaptiveAffinity> {
        Ok(AdaptiveAffinity {
            backbone: self.backbone.init(source, device)?,
            head: Head::load(source, &self.backbone, self.classes, device)?,
            warm_up_steps: self.settings.warm_up * self.steps_per_epoch,
            affinity_weight: self.settings.affinity_weight,
            reassign_weight: self.settings.reassign_weight,
            reassign_margin: self.settings.reassign_margin,
            refine_iterations: self.settings.refine_iterations,
            centre_momentum: self.settings.centre_momentum,
        })
    }
}

impl Network for AdaptiveAffinity {
    /// Logits of the segmentation branch, background first: one channel more than there are classes.
    fn maps(&self, images: Tensor<4>) -> Maps {
        Maps { scores: self.head.segmentation(self.backbone.forward(images, None)), threshold: None }
    }
}

impl Learner for AdaptiveAffinity {
    fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    /// The classification loss, beside it [`mask_loss`] where masks are given, and after the warm-up cross-entropy, affinity and reassign loss on the labels
    /// that the classification branch gives pixels. No gradient flows to that branch through its labels.
    fn loss(&self, features: Tensor<4>, batch: &Batch, step: usize) -> StepLoss {
        let class_logits = self.head.classification(features.clone());
        let score = pooling::score(class_logits.clone());
        let classification = multilabel_soft_margin(score, batch.labels.clone()).mul_scalar(batch.weight());
        let main = classification.clone().detach().inner();
        let given = mask_loss(&class_logits, batch);
        let classification = match given {
            Some(given) => classification + given,
            None => classification,
        };
        let held = class_logits.detach().inner();
        if step < self.warm_up_steps {
            let activation = mean_of_present(pooling::probabilities(held), batch);
            let parts = [main.clone(), main.zeros_like(), activation];
            return StepLoss { total: classification, parts, threshold_step: false, statistics: None };
        }
        let labels = self.pseudo_labels(held, batch);
        let counts = match batch.whole.tally.clone() {
            Some(counts) => counts.inner(),
            None => self.counts(&labels),
        };
        let [_, _, height, width] = labels.targets.dims();
        let logits = resize(self.head.segmentation(features.clone()), height, width);
        let embeddings = unit(resize(self.head.embedding(features), height, width));
        let present = with_background(batch);
        let cross_entropy = balanced_cross_entropy(logits.clone(), labels.targets.clone(), present.clone())
            .mul_scalar(batch.weight());
        let affinity = affinity_loss(
            logits.clone(),
            labels.targets.clone(),
            labels.confidence.clone(),
            Some(counts.clone().narrow(0, 0, 3)),
        );
        let reassign = reassign_loss(
            embeddings.clone(),
            self.head.centres(),
            labels.targets.clone(),
            present,
            self.reassign_margin,
            Some(counts.narrow(0, 3, 1)),
        );
        let segmentation = cross_entropy
            + affinity.mul_scalar(self.affinity_weight)
            + reassign.mul_scalar(self.reassign_weight);
        let activation = mean_of_present(softmax(logits.detach().inner(), 1), batch);
        let parts = [main, segmentation.clone().detach().inner(), activation];
        let sums = centre_sums(embeddings.detach().inner(), labels.targets, labels.confidence);
        let total = classification + segmentation;
        StepLoss { total, parts, threshold_step: false, statistics: Some(sums) }
    }

    /// What the losses after the warm-up divide by; it takes the labels twice to make, here and in
    /// [`loss`](Learner::loss).
    fn tally(&self, batch: &Batch, step: usize) -> Option<Tensor<1>> {
        if step < self.warm_up_steps {
            return None;
        }
        let features = self.backbone.forward(batch.images.clone(), Some(&batch.dropout));
        let class_logits = self.head.classification(features).detach().inner();
        Some(self.counts(&self.pseudo_labels(class_logits, batch)))
    }

    fn before(self, step: usize) -> Self {
        match step == self.warm_up_steps {
            true => Self { head: self.head.with_started_segmentation(), ..self },
            false => self,
        }
    }

    fn absorb(self, statistics: Tensor<1>) -> Self {
        let head = self.head.with_moved_centres(statistics, self.centre_momentum);
        Self { head, ..self }
    }

    fn group(name: &str) -> ParameterGroup {
        ParameterGroup { head: head::holds(name), decay: true }
    }
}

impl AdaptiveAffinity {
    /// Labels of the batch's confident pixels, from the classification branch's logits `[N, C, h, w]`,
    /// untracked: probabilities of the image's own classes and the background, refined by the image.
    ///
    /// One label for 4 by 4 pixels of the image, as the segmentation network's targets are. An image of 224
    /// pixels and 20 classes then takes 5 MB while its masks are refined, and 8 MB that the affinity loss keeps
    /// for its gradient; a quarter of that at 8 by 8, where objects of a few pixels would have no edge to find.
    fn pseudo_labels(&self, class_logits: Tensor<4>, batch: &Batch) -> PseudoLabels {
        let images = batch.images.clone().inner();
        let [_, _, height, width] = images.dims();
        let [height, width] = [height, width].map(|side| (side / targets::STRIDE).max(1));
        let present = with_background(batch);
        let [count, labels] = present.dims();
        let masks = pooling::probabilities(class_logits) * present.reshape([count, labels, 1, 1]);
        let masks = resize(masks, height, width);
        let images = colors(resize(images, height, width));
        let labels = PseudoLabels::of(refine::refine(images, masks, self.refine_iterations));
        match &batch.targets {
            Some(given) => labels.with_given(given.clone().inner()),
            None => labels,
        }
    }

    /// What affinity and reassign loss divide by, `[4]`: [`pair_counts`], and [`learnable`] pixels.
    fn counts(&self, labels: &PseudoLabels) -> Tensor<1> {
        let targets = &labels.targets;
        let learnable = learnable(targets.clone(), self.head.centres());
        Tensor::cat(vec![pair_counts(targets.clone()), learnable], 0)
    }
}

/// 1 where the image has the class, background first, `[N, C + 1]`, untracked: any image has some.
fn with_background(batch: &Batch) -> Tensor<2> {
    let labels = batch.labels.clone().inner();
    let background = Tensor::ones([labels.dims()[0], 1], &labels.device());
    Tensor::cat(vec![background, labels], 1)
}

/// Mean probability of the classes that images have, of `[N, C + 1, h, w]`; adds up over parts.
fn mean_of_present(probabilities: Tensor<4>, batch: &Batch) -> Tensor<1> {
    let [count, labels, ..] = probabilities.dims();
    let mean: Tensor<2> = probabilities.mean_dims(&[2, 3]).reshape([count, labels]);
    let present = batch.labels.clone().inner();
    (mean.narrow(1, 1, labels - 1) * present).sum().div_scalar(batch.whole.present.max(1) as f32)
}

/// Normalised images as colours of 0 to 1.
pub(super) fn colors(images: Tensor<4>) -> Tensor<4> {
    let device = images.device();
    let channels =
        |values: [f32; 3]| Tensor::<4>::from_data(TensorData::new(values.to_vec(), [1, 3, 1, 1]), &device);
    (images * channels(DEVIATION) + channels(MEAN)).clamp(0.0, 1.0)
}
