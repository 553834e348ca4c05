//! What is learned: a backbone with a head, the loss of one step, and how maps come out.

use std::collections::BTreeSet;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::deeplab::one_hot;
use super::map_head::MapHead;
use super::registry::{MethodName, Visitor};
use crate::backbone::dropout::Dropout;
use crate::backbone::weights::{NameList, Named, Source, id_of};
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::run::Settings;

/// What networks are built from.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// All settings.
    pub settings: &'a Settings,
    /// Foreground classes.
    pub classes: usize,
    /// Optimiser steps that show every image once; 0 where nothing is trained.
    pub steps_per_epoch: usize,
}

impl Setup<'_> {
    /// The feature network.
    pub fn backbone(&self) -> BackboneConfig {
        BackboneConfig::new(self.settings.backbone, self.settings.output_stride)
    }
}

/// Images, labels and shares on the device: a batch, or the part of one that fits the device at once.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Normalised images, `[N, 3, S, S]`.
    pub images: Tensor<4>,
    /// 1 where the class is in the image, `[N, C]`.
    pub labels: Tensor<2>,
    /// The labels on the host, row-major: counts are known without asking the device.
    pub labels_host: Vec<f32>,
    /// Share of the image that each class covers, `[N, C]` row-major, 0 to 1. Empty in round 0.
    pub shares: Vec<f32>,
    /// 1 at each pixel's label, `[N, C + 1, h, w]`, background first; `None` where images teach as a whole.
    pub targets: Option<Tensor<4>>,
    /// 1 where a box of the class covers the pixel, `[N, C + 1, h, w]`; the first channel is 1 where none does.
    /// `None` where the method does not learn from boxes.
    pub boxes: Option<Tensor<4>>,
    /// What the network drops for each image, where it drops anything.
    pub dropout: Dropout,
    /// The batch that this is, or is a part of.
    pub whole: Whole,
}

/// What the loss of a part must know of the whole batch, so that the parts' losses and gradients add up
/// to the batch's.
#[derive(Debug, Clone)]
pub struct Whole {
    /// Images in the batch.
    pub images: usize,
    /// Labels that are 1 in the batch.
    pub present: usize,
    /// Pixels of the batch that have a label to learn.
    pub pixels: usize,
    /// The sum of [`Learner::tally`] over the parts, on the device; `None` where this is all of it.
    pub tally: Option<Tensor<1>>,
}

impl Batch {
    /// Puts host data on the device. `images` is `[N, 3, side, side]`, `labels` `[N, classes]`.
    pub fn new(
        images: Vec<f32>,
        labels: Vec<f32>,
        shares: Vec<f32>,
        side: usize,
        classes: usize,
        whole: Whole,
        device: &Device,
    ) -> Self {
        let count = labels.len() / classes.max(1);
        Self {
            images: Tensor::from_data(TensorData::new(images, [count, 3, side, side]), device),
            labels: Tensor::from_data(TensorData::new(labels.clone(), [count, classes]), device),
            labels_host: labels,
            shares,
            targets: None,
            boxes: None,
            dropout: Dropout::default(),
            whole,
        }
    }

    /// With labels of pixels, `[N, side, side]` row-major, of `labels` kinds.
    pub fn with_targets(self, values: &[u8], side: usize, labels: usize) -> Self {
        let targets = (!values.is_empty()).then(|| one_hot(values, side, labels, &self.images.device()));
        Self { targets, ..self }
    }

    /// With where boxes are, `[N, labels, side, side]` row-major.
    pub fn with_boxes(self, values: &[f32], side: usize, labels: usize) -> Self {
        let device = self.images.device();
        let boxes = (!values.is_empty()).then(|| {
            let count = values.len() / (labels * side * side).max(1);
            Tensor::from_data(TensorData::new(values.to_vec(), [count, labels, side, side]), &device)
        });
        Self { boxes, ..self }
    }

    /// With a seed per image for what the network drops.
    pub fn with_dropout(self, seeds: Vec<u64>) -> Self {
        Self { dropout: Dropout { seeds }, ..self }
    }

    /// Images of this part over images of the whole batch.
    pub fn weight(&self) -> f32 {
        self.images.dims()[0] as f32 / self.whole.images.max(1) as f32
    }
}

/// What a batch, or a part of one, adds to the batch's loss.
pub struct StepLoss {
    /// What is minimised, tracked, `[1]`.
    pub total: Tensor<1>,
    /// Main term, share term and mean activation of present classes, untracked, `[1]` each. They, too, add
    /// up over the parts.
    pub parts: [Tensor<1>; 3],
    /// Whether the threshold branch was trained.
    pub threshold_step: bool,
    /// Sums that the method keeps beside its weights, untracked, `[_]`: they add up over the parts of a batch,
    /// and [`Learner::absorb`] takes those of the whole. `None` where it keeps none.
    pub statistics: Option<Tensor<1>>,
}

/// What a network says about images, without thresholds.
pub struct Maps {
    /// Unscaled class maps `u`, `[N, C, h, w]`.
    pub scores: Tensor<4>,
    /// Mean of the threshold branch `v`, `[N, C]`; `None` for methods without one.
    pub threshold: Option<Tensor<2>>,
}

/// How a parameter is trained, relative to the run's learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParameterGroup {
    /// Whether it belongs to the head and takes the head's factor.
    pub head: bool,
    /// Whether weight decay applies.
    pub decay: bool,
}

/// A network that says what is where in images.
pub trait Network {
    /// Class maps of normalised images `[N, 3, H, W]`, without autodiff.
    fn maps(&self, images: Tensor<4>) -> Maps;

    /// Log-temperatures `τ` per class, `[C]`, untracked; `None` for methods without.
    fn log_temperature(&self) -> Option<Tensor<1>> {
        None
    }

    /// What the method does to images `[N, 3, H, W]` whose labels are `[N, C]`, row-major, to be looked at;
    /// `None` where it leaves them alone.
    fn altered(&self, _images: Tensor<4>, _labels: &[f32]) -> Option<Tensor<4>> {
        None
    }
}

/// A network that can learn from a batch. Implemented by each method's modules.
pub trait Learner: Module + Network + 'static {
    /// The feature network.
    fn backbone(&self) -> &Backbone;

    /// The loss of step `step` of a round: what `batch` adds to the loss of the whole batch. `features` are
    /// what the backbone makes of its images, `[N, K, h, w]`.
    fn loss(&self, features: Tensor<4>, batch: &Batch, step: usize) -> StepLoss;

    /// What the backbone makes of a part's images in step `step`, `[N, K, h, w]`: recorded, where the step teaches
    /// the backbone anything.
    fn features(&self, batch: &Batch, _step: usize) -> Tensor<4> {
        self.backbone().forward(batch.images.clone(), Some(&batch.dropout))
    }

    /// Counts of a part that the loss of step `step` needs summed over all parts, `[_]`, untracked; `None`
    /// where it needs none. Asked only where a batch comes in parts, as it costs a forward pass.
    fn tally(&self, _batch: &Batch, _step: usize) -> Option<Tensor<1>> {
        None
    }

    /// The network as it goes into step `step` of its round: what happens at a certain step and is not learned.
    #[must_use]
    fn before(self, _step: usize) -> Self {
        self
    }

    /// The network with what a batch's [`StepLoss::statistics`] add to what it keeps, after the optimiser's step.
    #[must_use]
    fn absorb(self, _statistics: Tensor<1>) -> Self {
        self
    }

    /// The group of the parameter called `name`.
    fn group(name: &str) -> ParameterGroup;
}

/// Builds a [`Learner`]: a method's configuration for one data set and backbone.
pub trait LearnerConfig {
    /// What it builds.
    type Learner: Learner;

    /// Builds it from the source's tensors.
    ///
    /// # Errors
    /// As [`Source::take`].
    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<Self::Learner>;

    /// As [`Self::init`], for the first round of a run, from pretrained weights or from nothing.
    ///
    /// # Errors
    /// As [`Source::take`].
    fn init_first(&self, source: &mut dyn Source, device: &Device) -> Result<Self::Learner> {
        self.init(source, device)
    }

    /// Tensors to start from, where the round before trained another method's network: `trained` are that
    /// one's, and `seen` what it made of some images. What is missing starts at random, by `seed`.
    ///
    /// # Errors
    /// None in practice.
    fn adopt(&self, trained: Vec<Named>, _seen: &[Seen], _seed: u64) -> Result<Vec<Named>> {
        Ok(trained)
    }

    /// How [`Network::maps`] come from the features, for programs that build the network anew.
    fn map_head(&self) -> MapHead;

    /// Names and shapes of all tensors.
    ///
    /// # Errors
    /// None in practice: nothing is loaded.
    fn names(&self, device: &Device) -> Result<NameList> {
        let mut names = NameList::default();
        self.init(&mut names, &device.clone().inner())?;
        Ok(names)
    }
}

/// The group of a parameter by its identity, for the optimiser.
pub fn groups<L: Learner>(names: &NameList) -> std::collections::HashMap<u64, ParameterGroup> {
    names.entries.iter().map(|(name, _)| (id_of(name).val(), L::group(name))).collect()
}

/// What a network made of a class that is in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The class.
    pub class: usize,
    /// The share of the image that it covers, by the masks that were made, 0 to 1.
    pub share: f32,
    /// All scores of its map, largest first.
    pub scores: Vec<f32>,
}

/// Which tensors of a network pretrained weights have: all but the heads'.
pub fn pretrained(method: MethodName, setup: &Setup<'_>, names: &NameList) -> BTreeSet<String> {
    struct Pretrained<'a>(&'a NameList);
    impl Visitor for Pretrained<'_> {
        type Output = BTreeSet<String>;
        fn visit<C: LearnerConfig>(self, _config: C) -> Self::Output {
            let names = self.0.entries.iter().map(|(name, _)| name);
            names.filter(|name| !C::Learner::group(name).head).cloned().collect()
        }
    }
    method.with(setup, Pretrained(names))
}

/// Tensors for a method's network to start from, where another method's was trained before: see
/// [`LearnerConfig::adopt`].
///
/// # Errors
/// As there.
pub fn adopt(
    method: MethodName,
    setup: &Setup<'_>,
    trained: Vec<Named>,
    seen: &[Seen],
) -> Result<Vec<Named>> {
    struct Adopt<'a>(Vec<Named>, &'a [Seen], u64);
    impl Visitor for Adopt<'_> {
        type Output = Result<Vec<Named>>;
        fn visit<C: LearnerConfig>(self, config: C) -> Self::Output {
            config.adopt(self.0, self.1, self.2)
        }
    }
    method.with(setup, Adopt(trained, seen, setup.settings.seed))
}

/// How a method's network makes its maps.
pub fn map_head(method: MethodName, setup: &Setup<'_>) -> MapHead {
    struct Head;
    impl Visitor for Head {
        type Output = MapHead;
        fn visit<C: LearnerConfig>(self, config: C) -> Self::Output {
            config.map_head()
        }
    }
    method.with(setup, Head)
}

/// Names and shapes of all tensors of a method's network.
///
/// # Errors
/// None in practice: nothing is loaded.
pub fn names(method: MethodName, setup: &Setup<'_>, device: &Device) -> Result<NameList> {
    struct Names<'a>(&'a Device);
    impl Visitor for Names<'_> {
        type Output = Result<NameList>;
        fn visit<C: LearnerConfig>(self, config: C) -> Self::Output {
            config.names(self.0)
        }
    }
    method.with(setup, Names(device))
}

/// A method's network with the tensors of `source`, to be asked for maps; `device` is one without autodiff.
///
/// # Errors
/// As [`Source::take`].
pub fn network(
    method: MethodName,
    setup: &Setup<'_>,
    source: &mut dyn Source,
    device: &Device,
) -> Result<Box<dyn Network>> {
    struct Load<'a>(&'a mut dyn Source, &'a Device);
    impl Visitor for Load<'_> {
        type Output = Result<Box<dyn Network>>;
        fn visit<C: LearnerConfig>(self, config: C) -> Self::Output {
            Ok(Box::new(config.init(self.0, self.1)?))
        }
    }
    method.with(setup, Load(source, device))
}
