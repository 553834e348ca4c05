//! One training step: what a batch teaches, part by part where the device cannot hold it at once. Nothing
//! is read back.

mod recompute;

use std::ops::Range;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};

use crate::dataset::batch::Batch as HostBatch;
use crate::dataset::targets;
use crate::masks::label_map::IGNORE;
use crate::memory::Split;
use crate::method::{Batch, Learner, StepLoss, Whole};

/// Values told of a step: total, main term, share term, mean activation.
pub(super) const LOSSES: usize = 4;

/// What one batch teaches, or a part of one.
pub struct Learned {
    /// Of the whole batch's loss.
    pub gradients: GradientsParams,
    /// Total, main term, share term and mean activation, `[LOSSES]`, on the device.
    pub losses: Tensor<1>,
    /// Whether the threshold branch was trained.
    pub threshold_step: bool,
    /// The batch's [`StepLoss::statistics`].
    pub statistics: Option<Tensor<1>>,
}

/// The gradients of a batch. They are those of the whole batch, however `split` has it worked through.
///
/// `shares` are `[items][classes]`, empty in round 0; `device` is one with autodiff.
pub fn learn<L: Learner>(
    learner: &L,
    batch: &HostBatch,
    shares: &[Vec<f32>],
    step: usize,
    split: Split,
    device: &Device,
) -> Learned {
    let lesson = Lesson::new(batch, shares, step, split, device);
    let count = batch.items.len();
    let tally = if lesson.split.micro_batch < count { lesson.tally(learner, 0..count) } else { None };
    lesson.gradients(learner, 0..count, tally)
}

/// A batch that is learned from in parts, whose gradients add up to those of the whole.
pub(super) struct Lesson<'a> {
    batch: &'a HostBatch,
    shares: &'a [Vec<f32>],
    step: usize,
    split: Split,
    device: &'a Device,
    whole: Whole,
}

impl<'a> Lesson<'a> {
    /// Arguments as of [`learn`].
    pub(super) fn new(
        batch: &'a HostBatch,
        shares: &'a [Vec<f32>],
        step: usize,
        split: Split,
        device: &'a Device,
    ) -> Self {
        let split = Split { micro_batch: split.micro_batch.max(1), ..split };
        let present = batch.labels.iter().filter(|&&label| label > 0.5).count();
        let pixels = batch.targets.iter().filter(|&&label| label != IGNORE).count();
        let whole = Whole { images: batch.items.len(), present, pixels, tally: None };
        Self { batch, shares, step, split, device, whole }
    }

    /// What [`Learner::tally`] counts in these images; `None` where the step needs no counts.
    pub(super) fn tally<L: Learner>(&self, learner: &L, images: Range<usize>) -> Option<Tensor<1>> {
        let (held, plain) = (learner.valid(), self.device.clone().inner());
        let mut tally: Option<Tensor<1>> = None;
        for part in self.parts(images) {
            let counts = held.tally(&self.part(part, &self.whole, &plain), self.step)?;
            tally = added(tally.take(), Some(counts));
        }
        tally
    }

    /// What these images teach; `tally` is that of the whole batch, `None` where they are all of it and go
    /// through the network at once.
    pub(super) fn gradients<L: Learner>(
        &self,
        learner: &L,
        images: Range<usize>,
        tally: Option<Tensor<1>>,
    ) -> Learned {
        let whole = Whole { tally, ..self.whole.clone() };
        let mut gradients = GradientsAccumulator::new();
        let (mut losses, mut statistics): (Option<Tensor<1>>, Option<Tensor<1>>) = (None, None);
        let mut threshold_step = false;
        for part in self.parts(images) {
            let part = self.part(part, &whole, self.device);
            let loss = match self.split.recompute {
                true => recompute::accumulate(learner, &part, self.step, &mut gradients),
                false => accumulate(learner, &part, self.step, &mut gradients),
            };
            threshold_step = loss.threshold_step;
            losses = added(losses.take(), Some(loss.values));
            statistics = added(statistics.take(), loss.statistics);
        }
        Learned {
            gradients: gradients.grads(),
            losses: losses.unwrap_or_else(|| Tensor::zeros([LOSSES], &self.device.clone().inner())),
            threshold_step,
            statistics,
        }
    }

    /// The images that go through the network at once.
    fn parts(&self, images: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let (end, size) = (images.end, self.split.micro_batch);
        images.step_by(size).map(move |start| start..end.min(start + size))
    }

    fn part(&self, images: Range<usize>, whole: &Whole, device: &Device) -> Batch {
        let Range { start, end } = images;
        let batch = self.batch;
        let classes = batch.labels.len() / batch.items.len().max(1);
        let pixels = 3 * batch.side * batch.side;
        let target_side = batch.side / targets::STRIDE;
        let shares = batch.items[start..end].iter().filter_map(|&item| self.shares.get(item));
        Batch::new(
            batch.images[start * pixels..end * pixels].to_vec(),
            batch.labels[start * classes..end * classes].to_vec(),
            shares.flatten().copied().collect(),
            batch.side,
            classes,
            whole.clone(),
            device,
        )
        .with_dropout(batch.seeds[start..end].to_vec())
        .with_targets(part_of(&batch.targets, start, end, target_side.pow(2)), target_side, classes + 1)
        .with_boxes(
            part_of(&batch.boxes, start, end, (classes + 1) * target_side.pow(2)),
            target_side,
            classes + 1,
        )
    }
}

/// The sum of what is there.
fn added(sum: Option<Tensor<1>>, part: Option<Tensor<1>>) -> Option<Tensor<1>> {
    match (sum, part) {
        (Some(sum), Some(part)) => Some(sum + part),
        (sum, part) => sum.or(part),
    }
}

/// What a part of a batch says beside its gradients.
struct PartLoss {
    /// As [`Learned::losses`].
    values: Tensor<1>,
    threshold_step: bool,
    statistics: Option<Tensor<1>>,
}

impl PartLoss {
    fn of(loss: &StepLoss) -> Self {
        let total = loss.total.clone().detach().inner();
        let [main, share, activation] = loss.parts.clone();
        let values = Tensor::cat(vec![total, main, share, activation], 0);
        Self { values, threshold_step: loss.threshold_step, statistics: loss.statistics.clone() }
    }
}

/// Adds the gradients of a part.
fn accumulate<L: Learner>(
    learner: &L,
    part: &Batch,
    step: usize,
    gradients: &mut GradientsAccumulator<L>,
) -> PartLoss {
    let loss = learner.loss(learner.features(part, step), part, step);
    let values = PartLoss::of(&loss);
    gradients.accumulate(learner, GradientsParams::from_grads(loss.total.backward(), learner));
    values
}

/// What the images `start..end` have, `each` of it; empty where there is none.
fn part_of<T>(values: &[T], start: usize, end: usize, each: usize) -> &[T] {
    values.get(start * each..end * each).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::TensorData;

    use super::*;
    use crate::backbone::BackboneConfig;
    use crate::backbone::weights::RandomSource;
    use crate::dataset::SuppliedMask;
    use crate::dataset::batch::make_batch;
    use crate::dataset::cache::ImageCache;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::dataset::targets::Targets;
    use crate::files::FileSet;
    use crate::method::LearnerConfig;
    use crate::method::adaptive_affinity::{AdaptiveAffinityConfig, AdaptiveAffinitySettings};
    use crate::method::adversarial_erasing::{AdversarialErasingConfig, AdversarialErasingSettings};
    use crate::method::box2seg::{Box2SegConfig, Box2SegSettings};
    use crate::method::cam::CamConfig;
    use crate::method::deeplab::DeepLabConfig;
    use crate::method::spatial_bce::SpatialBceConfig;
    use crate::method::spatial_bce::SpatialBceSettings;
    use crate::run::settings::{AugmentSettings, BackboneName};

    /// Every gradient of a module, one after the other.
    struct Collect<'a> {
        gradients: &'a GradientsParams,
        values: Vec<f32>,
    }

    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(parameter.id) {
                self.values.extend(gradient.into_data().try_to_vec::<f32>().unwrap());
            }
        }
    }

    /// Five images with labels, shares and, but for one of them, masks.
    pub(crate) fn five_images() -> (HostBatch, Vec<Vec<f32>>) {
        let files = sample::files(&SampleSettings { images: 5, size: 64, seed: 2 });
        let dataset = crate::dataset::read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
        let mut cache = ImageCache::new(1 << 22, 64);
        let items = [3, 1, 0, 4, 2];
        let augment = AugmentSettings::default();
        let (batch, _) = make_batch(&dataset, &mut cache, &items, 64, &augment, 1, 0).unwrap();
        let truth = |item: usize| match &dataset.items[item].mask {
            Some(SuppliedMask::Png(png)) => Some((item, png.clone())),
            _ => None,
        };
        let targets = Targets::new((0..4).filter_map(truth));
        let (batch, problems) = batch.with_targets(&targets, &dataset, &augment, 1, 0);
        assert_eq!((problems.len(), batch.targets.len()), (0, 5 * 16 * 16));
        (batch, (0..5).map(|item| vec![0.1 + 0.07 * item as f32; 3]).collect())
    }

    /// Gradients, one after the other, and losses.
    pub(crate) fn values<L: Learner>(learner: &L, learned: &Learned) -> (Vec<f32>, Vec<f32>) {
        let mut collect = Collect { gradients: &learned.gradients, values: Vec::new() };
        learner.visit(&mut collect);
        (collect.values, learned.losses.clone().into_data().try_to_vec().unwrap())
    }

    /// One learner of each kind, with a step of each kind.
    pub(crate) fn for_each_learner(mut work: impl Work) {
        let device = Device::flex().autodiff();
        let backbone = BackboneConfig::new(BackboneName::Tiny, 8);
        let cam = CamConfig { backbone, classes: 3 };
        work.on(&cam.init(&mut RandomSource::new(1), &device).unwrap(), 0);
        let settings = SpatialBceSettings::default();
        let (network_step, threshold_step) = (0, settings.network_steps);
        let config = SpatialBceConfig { backbone, classes: 3, settings };
        let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
        work.on(&learner, network_step);
        work.on(&learner, threshold_step);
        let settings = AdversarialErasingSettings::default();
        let adversary_step = settings.localizer_steps;
        let config = AdversarialErasingConfig { backbone, classes: 3, settings };
        let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
        work.on(&learner, 0);
        work.on(&learner, adversary_step);
        let settings = Box2SegSettings::default();
        let config = Box2SegConfig { backbone, classes: 3, settings, steps_per_epoch: 1 };
        let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
        work.on(&learner, 0);
        work.on(&learner, config.settings.pretraining_epochs);
        // One of the images has no mask, so that parts differ in what they have to learn.
        let segmenter = DeepLabConfig { backbone, classes: 3 };
        work.on(&segmenter.init(&mut RandomSource::new(1), &device).unwrap(), 0);
        let settings = AdaptiveAffinitySettings { warm_up: 1, ..AdaptiveAffinitySettings::default() };
        let config = AdaptiveAffinityConfig { backbone, classes: 3, settings, steps_per_epoch: 10 };
        let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
        // With a centre for each class but the last, so that all terms have something to do.
        let centre = |place: usize| if place < 3 * 33 { 0.1 + (place * 7 % 5) as f32 } else { 0.0 };
        let sums = TensorData::new((0..4 * 33).map(centre).collect::<Vec<_>>(), [4 * 33]);
        let learner = learner.absorb(Tensor::from_data(sums, &device.clone().inner()));
        work.on(&learner, 0);
        work.on(&learner, 10);
    }

    /// What is done with each learner.
    pub(crate) trait Work {
        fn on<L: Learner>(&mut self, learner: &L, step: usize);
    }

    #[track_caller]
    pub(crate) fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        assert!(largest > 0.0);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= tolerance * largest, "{found} for {expected}, of {largest}");
        }
    }

    /// The whole batch in parts of this size.
    pub(crate) fn in_parts(micro_batch: usize) -> Split {
        Split { micro_batch, recompute: false }
    }

    fn learned<L: Learner>(learner: &L, step: usize, split: Split) -> (Vec<f32>, Vec<f32>) {
        let (batch, shares) = five_images();
        values(learner, &learn(learner, &batch, &shares, step, split, &Device::flex().autodiff()))
    }

    struct Parts;

    impl Work for Parts {
        fn on<L: Learner>(&mut self, learner: &L, step: usize) {
            let (gradients, losses) = learned(learner, step, in_parts(5));
            // Parts of one size, of different sizes, and of one image each.
            for micro_batch in [3, 2, 1] {
                let (found, found_losses) = learned(learner, step, in_parts(micro_batch));
                assert_close(&found, &gradients, 1e-4);
                assert_close(&found_losses, &losses, 1e-4);
            }
        }
    }

    #[track_caller]
    fn recomputing_changes_nothing<L: Learner>(learner: &L, step: usize) {
        for micro_batch in [5, 2] {
            let (gradients, losses) = learned(learner, step, in_parts(micro_batch));
            let (found, found_losses) = learned(learner, step, Split { micro_batch, recompute: true });
            assert_close(&found, &gradients, 1e-5);
            assert_close(&found_losses, &losses, 1e-5);
        }
    }

    #[test]
    fn gradients_of_the_parts_of_a_batch_add_up_to_the_batch_s() {
        for_each_learner(Parts);
    }

    #[test]
    fn gradients_are_the_same_where_activations_are_computed_again() {
        let device = Device::flex().autodiff();
        let settings = SpatialBceSettings::default();
        for (name, stride) in [(BackboneName::Tiny, 8), (BackboneName::MobilenetV2, 16)] {
            let backbone = BackboneConfig::new(name, stride);
            let cam = CamConfig { backbone, classes: 3 };
            recomputing_changes_nothing(&cam.init(&mut RandomSource::new(1), &device).unwrap(), 0);
            let config = SpatialBceConfig { backbone, classes: 3, settings: settings.clone() };
            let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
            recomputing_changes_nothing(&learner, 0);
            recomputing_changes_nothing(&learner, settings.network_steps);
            let adversarial = AdversarialErasingSettings::default();
            let adversary_step = adversarial.localizer_steps;
            let config = AdversarialErasingConfig { backbone, classes: 3, settings: adversarial };
            let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
            recomputing_changes_nothing(&learner, 0);
            recomputing_changes_nothing(&learner, adversary_step);
            let settings = Box2SegSettings::default();
            let config = Box2SegConfig { backbone, classes: 3, settings, steps_per_epoch: 1 };
            let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
            recomputing_changes_nothing(&learner, 0);
            recomputing_changes_nothing(&learner, config.settings.pretraining_epochs);
            let segmenter = DeepLabConfig { backbone, classes: 3 };
            recomputing_changes_nothing(&segmenter.init(&mut RandomSource::new(1), &device).unwrap(), 0);
        }
    }
}
