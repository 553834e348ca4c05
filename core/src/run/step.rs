//! One training step: what a batch teaches, part by part where the device cannot hold it at once. Nothing
//! is read back.

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};

use crate::dataset::batch::Batch as HostBatch;
use crate::dataset::targets;
use crate::masks::label_map::IGNORE;
use crate::method::{Batch, Learner, Whole};

/// What one batch teaches.
pub(super) struct Learned {
    /// Of the whole batch's loss.
    pub(super) gradients: GradientsParams,
    /// Total, main term, share term and mean activation, `[4]`, on the device.
    pub(super) losses: Tensor<1>,
    /// Whether the threshold branch was trained.
    pub(super) threshold_step: bool,
}

/// The gradients of a batch, of which at most `micro_batch` images go through the network at once. They are
/// those of the whole batch, whatever `micro_batch` is.
///
/// `shares` are `[items][classes]`, empty in round 0; `device` is one with autodiff.
pub(super) fn learn<L: Learner>(
    learner: &L,
    batch: &HostBatch,
    shares: &[Vec<f32>],
    step: usize,
    micro_batch: usize,
    device: &Device,
) -> Learned {
    let count = batch.items.len();
    let classes = batch.labels.len() / count.max(1);
    let pixels = 3 * batch.side * batch.side;
    let micro_batch = micro_batch.max(1);
    let present = batch.labels.iter().filter(|&&label| label > 0.5).count();
    let pixels_labelled = batch.targets.iter().filter(|&&label| label != IGNORE).count();
    let target_side = batch.side / targets::STRIDE;
    let mut whole = Whole { images: count, present, pixels: pixels_labelled, tally: None };
    let part = |start: usize, whole: &Whole, device: &Device| {
        let end = count.min(start + micro_batch);
        let shares = batch.items[start..end].iter().filter_map(|&item| shares.get(item));
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
        .with_targets(part_of(&batch.targets, start, end, target_side), target_side, classes + 1)
    };
    if micro_batch < count {
        let (held, plain) = (learner.valid(), device.clone().inner());
        for start in (0..count).step_by(micro_batch) {
            let Some(counts) = held.tally(&part(start, &whole, &plain), step) else { break };
            whole.tally = Some(match whole.tally.take() {
                Some(sum) => sum + counts,
                None => counts,
            });
        }
    }
    let mut gradients = GradientsAccumulator::new();
    let mut losses: Option<Tensor<1>> = None;
    let mut threshold_step = false;
    for start in (0..count).step_by(micro_batch) {
        let loss = learner.loss(&part(start, &whole, device), step);
        threshold_step = loss.threshold_step;
        let [main, share, activation] = loss.parts;
        let values = Tensor::cat(vec![loss.total.clone().detach().inner(), main, share, activation], 0);
        losses = Some(match losses.take() {
            Some(sum) => sum + values,
            None => values,
        });
        gradients.accumulate(learner, GradientsParams::from_grads(loss.total.backward(), learner));
    }
    Learned {
        gradients: gradients.grads(),
        losses: losses.unwrap_or_else(|| Tensor::zeros([4], &device.clone().inner())),
        threshold_step,
    }
}

/// The targets of the images `start..end`; empty where there are none.
fn part_of(targets: &[u8], start: usize, end: usize, side: usize) -> &[u8] {
    targets.get(start * side * side..end * side * side).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use burn::module::{ModuleVisitor, Param};

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
    use crate::method::cam::CamConfig;
    use crate::method::deeplab::DeepLabConfig;
    use crate::method::spatial_bce::SpatialBceConfig;
    use crate::run::settings::{AugmentSettings, BackboneName, SpatialBceSettings};

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

    fn learned<L: Learner>(learner: &L, step: usize, micro_batch: usize) -> (Vec<f32>, Vec<f32>) {
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
        let shares: Vec<Vec<f32>> = (0..5).map(|item| vec![0.1 + 0.07 * item as f32; 3]).collect();
        let device = Device::flex().autodiff();
        let learned = learn(learner, &batch, &shares, step, micro_batch, &device);
        let mut collect = Collect { gradients: &learned.gradients, values: Vec::new() };
        learner.visit(&mut collect);
        (collect.values, learned.losses.into_data().try_to_vec().unwrap())
    }

    #[track_caller]
    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        assert!(largest > 0.0);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4 * largest, "{found} for {expected}, of {largest}");
        }
    }

    #[track_caller]
    fn parts_add_up<L: Learner>(learner: &L, step: usize) {
        let (gradients, losses) = learned(learner, step, 5);
        // Parts of one size, of different sizes, and of one image each.
        for micro_batch in [3, 2, 1] {
            let (found, found_losses) = learned(learner, step, micro_batch);
            assert_close(&found, &gradients);
            assert_close(&found_losses, &losses);
        }
    }

    #[test]
    fn gradients_of_the_parts_of_a_batch_add_up_to_the_batch_s() {
        let device = Device::flex().autodiff();
        let backbone = BackboneConfig::new(BackboneName::Tiny, 8);
        let cam = CamConfig { backbone, classes: 3 };
        parts_add_up(&cam.init(&mut RandomSource::new(1), &device).unwrap(), 0);
        let settings = SpatialBceSettings::default();
        let (network_step, threshold_step) = (0, settings.network_steps);
        let config = SpatialBceConfig { backbone, classes: 3, settings };
        let learner = config.init(&mut RandomSource::new(1), &device).unwrap();
        parts_add_up(&learner, network_step);
        parts_add_up(&learner, threshold_step);
        // One of the images has no mask, so that parts differ in what they have to learn.
        let segmenter = DeepLabConfig { backbone, classes: 3 };
        parts_add_up(&segmenter.init(&mut RandomSource::new(1), &device).unwrap(), 0);
    }
}
