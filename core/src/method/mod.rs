//! What is learned: a backbone with a head, the loss of one step, and how maps come out.

pub mod adaptive_affinity;
pub mod cam;
pub mod deeplab;
pub mod pyramid;
pub mod spatial_bce;

use self::deeplab::one_hot;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::backbone::Backbone;
use crate::backbone::dropout::Dropout;
use crate::backbone::weights::{NameList, Source, id_of};
use crate::error::Result;

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

/// A network that can learn from a batch. Implemented by each method's modules.
pub trait Learner: Module + 'static {
    /// The feature network.
    fn backbone(&self) -> &Backbone;

    /// The loss of step `step` of a round: what `batch` adds to the loss of the whole batch. `features` are
    /// what the backbone makes of its images, `[N, K, h, w]`.
    fn loss(&self, features: Tensor<4>, batch: &Batch, step: usize) -> StepLoss;

    /// Counts of a part that the loss of step `step` needs summed over all parts, `[_]`, untracked; `None`
    /// where it needs none. Asked only where a batch comes in parts, as it costs a forward pass.
    fn tally(&self, _batch: &Batch, _step: usize) -> Option<Tensor<1>> {
        None
    }

    /// The network with what a batch's [`StepLoss::statistics`] add to what it keeps, after the optimiser's step.
    #[must_use]
    fn absorb(self, _statistics: Tensor<1>) -> Self {
        self
    }

    /// Class maps of normalised images `[N, 3, H, W]`. Call on [`Module::valid`].
    fn maps(&self, images: Tensor<4>) -> Maps;

    /// Log-temperatures `τ` per class, `[C]`, untracked; `None` for methods without.
    fn log_temperature(&self) -> Option<Tensor<1>>;

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
