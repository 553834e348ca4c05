//! The whole network.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};

use super::*;
use crate::backbone::BackboneConfig;
use crate::backbone::weights::{RandomSource, id_of};
use crate::dataset::targets::STRIDE;
use crate::masks::label_map::IGNORE;
use crate::method::{Batch, Learner, LearnerConfig, Network, Whole};
use crate::optim::Sgd;
use crate::run::settings::{BackboneName, OptimizerSettings};

const SIDE: usize = 32;
const SMALL: usize = SIDE / STRIDE;
const CLASSES: usize = 2;
const STEPS: usize = 3;

fn config() -> Box2SegConfig {
    Box2SegConfig {
        backbone: BackboneConfig::new(BackboneName::Tiny, 8),
        classes: CLASSES,
        settings: Box2SegSettings {
            grid: 40,
            pretraining_epochs: 1,
            affinity_weight: 1.0,
            ..Box2SegSettings::default()
        },
        steps_per_epoch: STEPS,
    }
}

fn learner() -> Box2Seg {
    config().init(&mut RandomSource::new(3), &Device::flex().autodiff()).unwrap()
}

/// Three images: a box of each class, one box, and none; masks in boxes, one row of which is unknown.
fn batch(images: std::ops::Range<usize>) -> Batch {
    let device = Device::flex().autodiff();
    let boxes_of = [vec![(1, 1, 5), (2, 3, 7)], vec![(2, 2, 6)], vec![]];
    let pixels = SMALL * SMALL;
    let (mut boxes, mut masks, mut photos) = (Vec::new(), Vec::new(), Vec::new());
    for image in images.clone() {
        let mut planes = vec![0.0f32; (CLASSES + 1) * pixels];
        let mut labels = vec![0u8; pixels];
        for &(class, low, high) in &boxes_of[image] {
            for place in (0..pixels).filter(|place| {
                (low..high).contains(&(place / SMALL)) && (low..high).contains(&(place % SMALL))
            }) {
                planes[class * pixels + place] = 1.0;
                labels[place] = if place / SMALL == low { IGNORE } else { class as u8 };
            }
        }
        for place in 0..pixels {
            let is_free = (1..=CLASSES).all(|class| planes[class * pixels + place] == 0.0);
            planes[place] = f32::from(u8::from(is_free));
        }
        boxes.extend(planes);
        masks.extend(labels);
        photos.extend(
            (0..3 * SIDE * SIDE).map(|index| (((index + image * 17) * 31 % 101) as f32 - 50.0) * 0.02),
        );
    }
    let count = images.len();
    let whole = Whole { images: 3, present: 3, pixels: 3 * pixels, tally: None };
    let labels = vec![1.0; count * CLASSES];
    let batch = Batch::new(photos, labels, Vec::new(), SIDE, CLASSES, whole, &device).with_targets(
        &masks,
        SMALL,
        CLASSES + 1,
    );
    let boxes = TensorData::new(boxes, [count, CLASSES + 1, SMALL, SMALL]);
    Batch { boxes: Some(Tensor::from_data(boxes, &device)), ..batch }
}

#[derive(Default)]
struct Found {
    learned: BTreeSet<u64>,
    values: Vec<f32>,
}

struct Collect<'a>(&'a GradientsParams, Found);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.0.get::<D>(param.id) {
            self.1.learned.insert(param.id.val());
            self.1.values.extend(gradient.into_data().try_to_vec::<f32>().unwrap());
        }
    }
}

/// Gradients and losses of three images, in parts of so many.
fn learned(learner: &Box2Seg, step: usize, parts: &[usize]) -> (Found, Vec<f32>) {
    let mut gradients = GradientsAccumulator::new();
    let mut losses = vec![0.0f32; 4];
    let mut start = 0;
    for size in parts {
        let batch = batch(start..start + size);
        start += size;
        let features = learner.backbone().forward(batch.images.clone(), None);
        let loss = learner.loss(features, &batch, step);
        let values = [loss.total.clone().inner()].into_iter().chain(loss.parts);
        for (sum, value) in losses.iter_mut().zip(values) {
            *sum += value.into_scalar::<f32>();
        }
        gradients.accumulate(learner, GradientsParams::from_grads(loss.total.backward(), learner));
    }
    let gradients = gradients.grads();
    let mut collect = Collect(&gradients, Found::default());
    learner.visit(&mut collect);
    (collect.1, losses)
}

#[test]
fn gradients_of_the_parts_of_a_batch_add_up_to_the_batch_s() {
    let learner = learner();
    for step in [0, STEPS] {
        let (whole, losses) = learned(&learner, step, &[3]);
        let largest = whole.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        assert!(largest > 0.0 && losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
        for parts in [&[1, 2][..], &[1, 1, 1]] {
            let (found, found_losses) = learned(&learner, step, parts);
            assert_eq!(found.learned, whole.learned);
            let close = |a: &f32, b: &f32, size: f32| (a - b).abs() <= 1e-4 * size;
            assert!(found.values.iter().zip(&whole.values).all(|(a, b)| close(a, b, largest)));
            assert!(found_losses.iter().zip(&losses).all(|(a, b)| close(a, b, losses[0])));
        }
    }
}

#[test]
fn attention_learns_only_after_the_first_passes() {
    let learner = learner();
    let names = config().names(&Device::flex()).unwrap();
    let of = |prefix: &str| -> Vec<u64> {
        let names = names.entries.iter().filter(|(name, _)| name.starts_with(prefix));
        names.map(|(name, _)| id_of(name).val()).collect()
    };
    let (first, _) = learned(&learner, STEPS - 1, &[3]);
    let (later, _) = learned(&learner, STEPS, &[3]);
    let decoders =
        [("segmenter.", 5, true), ("box2seg.attention.", 4, false), ("box2seg.embeddings.", 4, true)];
    for (decoder, tensors, at_first) in decoders {
        let ids = of(decoder);
        assert_eq!(ids.len(), tensors, "{decoder}");
        assert!(ids.iter().all(|id| first.learned.contains(id) == at_first), "{decoder}");
        assert!(ids.iter().all(|id| later.learned.contains(id)), "{decoder}");
    }
}

#[test]
fn what_only_helps_does_not_move_the_backbone() {
    let gradient = |step: usize, settings: Box2SegSettings| -> Vec<f32> {
        let config = Box2SegConfig {
            settings: Box2SegSettings { grid: 40, pretraining_epochs: 1, ..settings },
            ..config()
        };
        let learner = config.init(&mut RandomSource::new(3), &Device::flex().autodiff()).unwrap();
        let batch = batch(0..3);
        let features = learner.backbone().forward(batch.images.clone(), None).detach().require_grad();
        let gradients = learner.loss(features.clone(), &batch, step).total.backward();
        let zeros = || features.clone().inner().zeros_like();
        features.grad(&gradients).unwrap_or_else(zeros).into_data().try_to_vec().unwrap()
    };
    let nothing = Box2SegSettings {
        grabcut_weight: 0.0,
        foreground_weight: 0.0,
        background_weight: 0.0,
        affinity_weight: 0.0,
        ..Box2SegSettings::default()
    };
    let is_still = |gradient: Vec<f32>| gradient.iter().all(|value| *value == 0.0);
    let unmet = Box2SegSettings { gamma: 1.0, ..nothing.clone() };
    assert!(is_still(gradient(STEPS, unmet)), "filling rate");
    // The affinity moves it through probabilities alone, the foreground through its logarithms.
    assert!(!is_still(gradient(STEPS, Box2SegSettings { affinity_weight: 1.0, ..nothing.clone() })));
    assert!(!is_still(gradient(STEPS, Box2SegSettings { foreground_weight: 1.0, ..nothing.clone() })));
    // The first passes: with masks that weigh nothing, what embeddings learn is all there is.
    assert!(is_still(gradient(0, nothing)), "pairs");
}

#[test]
fn without_boxes_or_masks_there_is_a_loss_that_is_a_number() {
    let learner = learner();
    let full = batch(0..3);
    let batches = [
        Batch { boxes: None, ..full.clone() },
        Batch { targets: None, ..full.clone() },
        Batch { boxes: None, targets: None, ..full },
    ];
    for batch in batches {
        for step in [0, STEPS] {
            let features = learner.backbone().forward(batch.images.clone(), None);
            let loss = learner.loss(features, &batch, step);
            assert!(loss.total.clone().into_scalar::<f32>().is_finite());
            loss.total.backward();
        }
    }
}

#[test]
fn it_learns_what_its_boxes_show() {
    let mut learner = learner();
    let names = config().names(&Device::flex()).unwrap();
    // As is suggested for networks from scratch.
    let settings = OptimizerSettings { max_gradient_norm: 1.0, ..OptimizerSettings::default() };
    let mut sgd = Sgd::new(settings, crate::method::groups::<Box2Seg>(&names));
    let batch = batch(0..3);
    let mut totals = Vec::new();
    for step in 0..40 {
        let features = learner.backbone().forward(batch.images.clone(), None);
        let loss = learner.loss(features, &batch, step);
        totals.push(loss.total.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.total.backward(), &learner);
        learner = sgd.step(learner, gradients, 0.003);
    }
    assert!(totals[STEPS - 1] < totals[0], "first: {totals:?}");
    assert!(totals[39] < 0.7 * totals[STEPS], "{totals:?}");
    let maps = learner.valid().maps(batch.images.inner());
    // 32 pixels at a stride of 8.
    assert_eq!(maps.scores.dims(), [3, CLASSES + 1, 4, 4]);
    assert!(maps.threshold.is_none());
}
