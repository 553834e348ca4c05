//! Backbone and three decoders, and what they learn.

use burn::module::Module;
use burn::tensor::activation::{log_softmax, sigmoid, softmax};
use burn::tensor::{Device, Tensor};

use super::{Box2SegSettings, Decoder, affinity, background, filling_rate, foreground, grabcut, pretraining};
use crate::backbone::weights::Source;
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::method::pyramid::{self, Pyramid};
use crate::method::{Batch, Learner, LearnerConfig, MapHead, Maps, Network, ParameterGroup, Setup, StepLoss};
use crate::tensor::{nearest, resize};

use super::{EMBEDDING, HEAD, WIDTH};

/// Backbone, number of foreground classes, and the method's settings.
#[derive(Debug, Clone)]
pub struct Box2SegConfig {
    /// The feature network.
    pub backbone: BackboneConfig,
    /// Foreground classes.
    pub classes: usize,
    /// The method's settings.
    pub settings: Box2SegSettings,
    /// Steps of one pass over the data, which tell when embeddings have learned enough.
    pub steps_per_epoch: usize,
}

impl Box2SegConfig {
    /// The constant factor on pretrained features: `4/√K`, which makes a pixel's vector about 4 long. Ours: as
    /// in [`DeepLabConfig::scale`](crate::method::deeplab::DeepLabConfig::scale), the steps of a head on thousands of
    /// channels would be too large.
    pub fn scale(&self) -> f32 {
        match self.backbone.name.trains_from_scratch() {
            true => 1.0,
            false => 4.0 / (self.backbone.channels() as f32).sqrt(),
        }
    }
}

/// The configuration of its network.
pub fn config(setup: &Setup<'_>) -> Box2SegConfig {
    Box2SegConfig {
        backbone: setup.backbone(),
        classes: setup.classes,
        settings: setup.settings.methods.box2seg.clone(),
        steps_per_epoch: setup.steps_per_epoch,
    }
}

/// Backbone and three decoders: the segmentation's is the atrous pyramid of our second stage.
#[derive(Module, Debug)]
pub struct Box2Seg {
    backbone: Backbone,
    segmentation: Pyramid,
    attention: Decoder,
    embeddings: Decoder,
    scale: f64,
    pretraining_steps: usize,
    #[module(skip)]
    settings: Box2SegSettings,
}

impl LearnerConfig for Box2SegConfig {
    type Learner = Box2Seg;

    fn map_head(&self) -> MapHead {
        MapHead::pyramid(&self.backbone)
    }

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<Box2Seg> {
        let backbone = self.backbone.init(source, device)?;
        let decoder = |source: &mut dyn Source, name: &str, outputs: usize| {
            let sizes = [self.backbone.channels(), WIDTH, outputs];
            Decoder::load(source, &format!("{HEAD}{name}"), sizes, device)
        };
        Ok(Box2Seg {
            backbone,
            segmentation: Pyramid::load(source, &self.backbone, self.classes + 1, device)?,
            attention: decoder(source, "attention", self.classes)?,
            embeddings: decoder(source, "embeddings", EMBEDDING)?,
            scale: f64::from(self.scale()),
            pretraining_steps: self.settings.pretraining_epochs * self.steps_per_epoch,
            settings: self.settings.clone(),
        })
    }
}

impl Box2Seg {
    /// The first passes: embeddings learn labels' pairs and the segmentation learns masks, with neither
    /// attention nor affinity. Ours: against a segmentation that knows nothing yet, attention is driven down
    /// everywhere and the affinity drives all pixels to one label.
    fn first_step(&self, features: Tensor<4>, masks: Tensor<4>, batch: &Batch) -> StepLoss {
        let [_, _, height, width] = masks.dims();
        let logits = self.segmentation.logits(features.clone());
        let log_probabilities = log_softmax(resize(logits, height, width), 1);
        let weight = batch.weight();
        let activation = not_background(&log_probabilities).mul_scalar(weight);

        let embeddings = self.embeddings.forward(self.held(features));
        let [_, _, height, width] = embeddings.dims();
        let main = grabcut(log_probabilities, masks.clone())
            .mul_scalar(self.settings.grabcut_weight)
            .mul_scalar(weight);
        let pairs = pretraining(embeddings, nearest(masks, height, width), self.settings.grid);
        let pairs = pairs.mul_scalar(weight);
        let parts = [main.clone().inner(), pairs.clone().inner(), activation];
        StepLoss { total: main + pairs, parts, threshold_step: false, statistics: None }
    }

    /// Features as attention and embeddings see them: what only helps does not move the backbone. Ours, from an
    /// estimate and not a measurement: the segmentation's weights are made small ([`pyramid::scale`]) and the
    /// helpers' are not, so that what attention asks for would outweigh it.
    fn held(&self, features: Tensor<4>) -> Tensor<4> {
        features.detach().mul_scalar(self.scale)
    }

    /// All terms that the batch has something to learn for.
    ///
    /// Logits are enlarged to the size of masks and boxes, a quarter of the image's side, so that no small box
    /// is lost: with 20 classes at 224 pixels ten tensors of 21 channels, some 3 MB an image, and a quarter of
    /// that if masks were reduced instead. Pairs are compared at the decoders' own size, so that embeddings,
    /// the widest of all, are never enlarged.
    fn segmentation_step(&self, features: Tensor<4>, batch: &Batch) -> StepLoss {
        let settings = &self.settings;
        let coarse = self.segmentation.logits(features.clone());
        let held = self.held(features);
        let [_, _, height, width] = match (&batch.targets, &batch.boxes) {
            (Some(at), _) | (None, Some(at)) => at.dims(),
            (None, None) => coarse.dims(),
        };
        let log_probabilities = log_softmax(resize(coarse.clone(), height, width), 1);
        let activation = not_background(&log_probabilities);

        let embeddings = self.embeddings.forward(held.clone());
        let mut helpers =
            affinity(embeddings, softmax(coarse, 1), settings.grid).mul_scalar(settings.affinity_weight);
        let mut terms = None;
        let mut add = |term: Tensor<1>, weight: f64| {
            let term = term.mul_scalar(weight);
            terms = Some(match terms.take() {
                Some(sum) => sum + term,
                None => term,
            });
        };
        if let Some(masks) = batch.targets.clone() {
            add(grabcut(log_probabilities.clone(), masks), settings.grabcut_weight);
        }
        if let Some(boxes) = batch.boxes.clone() {
            let boxes = nearest(boxes, height, width);
            let attention = sigmoid(resize(self.attention.forward(held), height, width));
            add(
                foreground(log_probabilities.clone(), attention.clone(), boxes.clone()),
                settings.foreground_weight,
            );
            add(background(log_probabilities, boxes.clone()), settings.background_weight);
            if let Some(masks) = batch.targets.clone() {
                let filling = filling_rate(attention, boxes, masks, settings.gamma);
                helpers = helpers + filling.mul_scalar(settings.filling_rate_weight);
            }
        }
        // Every image has the same weight in every term.
        let weight = batch.weight();
        let helpers = helpers.mul_scalar(weight);
        let main = terms.map_or_else(|| helpers.zeros_like(), |terms| terms.mul_scalar(weight));
        let parts = [main.clone().inner(), helpers.clone().inner(), activation.mul_scalar(weight)];
        StepLoss { total: main + helpers, parts, threshold_step: false, statistics: None }
    }
}

/// The mean probability of not being background, of `ln y`, `[N, C + 1, h, w]`; untracked, `[1]`.
fn not_background(log_probabilities: &Tensor<4>) -> Tensor<1> {
    log_probabilities.clone().inner().narrow(1, 0, 1).exp().mean().neg() + 1.0
}

impl Network for Box2Seg {
    /// Logits, background first: one channel more than there are classes.
    fn maps(&self, images: Tensor<4>) -> Maps {
        Maps { scores: self.segmentation.logits(self.backbone.forward(images, None)), threshold: None }
    }
}

impl Learner for Box2Seg {
    fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    /// Parts: the cross-entropies, then affinity and filling rate, or in the first passes what embeddings
    /// learn, then the mean probability of not being background.
    fn loss(&self, features: Tensor<4>, batch: &Batch, step: usize) -> StepLoss {
        match batch.targets.clone().filter(|_| step < self.pretraining_steps) {
            Some(masks) => self.first_step(features, masks, batch),
            None => self.segmentation_step(features, batch),
        }
    }

    fn group(name: &str) -> ParameterGroup {
        ParameterGroup { head: name.starts_with(HEAD) || name.starts_with(pyramid::HEAD), decay: true }
    }
}
