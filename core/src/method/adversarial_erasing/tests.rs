//! The opponents together.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use super::*;
use crate::backbone::BackboneConfig;
use crate::backbone::weights::{Given, Named, Parameters, RandomSource, id_of};
use crate::method::cam::Cam;
use crate::method::{Batch, Learner, LearnerConfig, Whole};
use crate::optim::Sgd;
use crate::run::settings::{BackboneName, OptimizerSettings};

const SIDE: usize = 32;
const CLASSES: usize = 3;

fn config() -> AdversarialErasingConfig {
    AdversarialErasingConfig {
        backbone: BackboneConfig::new(BackboneName::Tiny, 8),
        classes: CLASSES,
        settings: AdversarialErasingSettings::default(),
    }
}

fn learner() -> AdversarialErasing {
    config().init(&mut RandomSource::new(3), &Device::flex().autodiff()).unwrap()
}

/// Images with these labels, as a whole batch or a part of one.
fn batch(labels: &[f32], whole: Whole) -> Batch {
    let count = labels.len() / CLASSES;
    let images =
        (0..count * 3 * SIDE * SIDE).map(|index| ((index * 31 % 101) as f32 - 50.0) * 0.02).collect();
    Batch::new(images, labels.to_vec(), Vec::new(), SIDE, CLASSES, whole, &Device::flex().autodiff())
}

fn whole(images: usize, present: usize) -> Whole {
    Whole { images, present, pixels: 0, tally: None }
}

/// Identities of the parameters that get a gradient.
fn learning(learner: &AdversarialErasing, gradients: &GradientsParams) -> HashSet<u64> {
    struct Visit<'a>(&'a GradientsParams, HashSet<u64>);
    impl ModuleVisitor for Visit<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.get::<D>(param.id).is_some() {
                self.1.insert(param.id.val());
            }
        }
    }
    let mut visit = Visit(gradients, HashSet::new());
    learner.visit(&mut visit);
    visit.1
}

fn learning_at(learner: &AdversarialErasing, batch: &Batch, step: usize) -> HashSet<u64> {
    let features = learner.backbone().forward(batch.images.clone(), None);
    let loss = learner.loss(features, batch, step);
    learning(learner, &GradientsParams::from_grads(loss.total.backward(), learner))
}

#[test]
fn gradients_of_one_opponent_never_reach_the_other() {
    let (learner, settings) = (learner(), config().settings);
    let names = config().names(&Device::flex()).unwrap();
    let (of_adversary, of_localizer): (Vec<_>, Vec<_>) =
        names.entries.iter().map(|(name, _)| name.as_str()).partition(|name| name.starts_with(PREFIX));
    let ids = |names: &[&str]| -> HashSet<u64> { names.iter().map(|name| id_of(name).val()).collect() };
    let (of_adversary, of_localizer) = (ids(&of_adversary), ids(&of_localizer));
    assert_eq!(of_adversary.len(), of_localizer.len());
    assert!(of_adversary.is_disjoint(&of_localizer));

    // The same parameters learn where no image has a class: devices sum what each part teaches.
    for labels in [[1.0, 0.0, 0.0, 0.0, 1.0, 1.0], [0.0; 6]] {
        let batch = batch(&labels, whole(2, 3));
        let found = learning_at(&learner, &batch, 0);
        assert!(found.is_subset(&of_localizer));
        assert_eq!(found.len(), of_localizer.len() - 1, "all but the input's mean");
        let found = learning_at(&learner, &batch, settings.localizer_steps);
        assert!(found.is_subset(&of_adversary));
        assert_eq!(found.len(), of_adversary.len() - 1, "all but the input's mean");
    }
}

#[test]
fn the_erasing_term_reaches_the_localizer() {
    let gradient = |alpha: f64| -> Vec<f32> {
        let settings = AdversarialErasingSettings { alpha, beta: 0.0, slope: 10.0, ..config().settings };
        let config = AdversarialErasingConfig { settings, ..config() };
        let learner = config.init(&mut RandomSource::new(3), &Device::flex().autodiff()).unwrap();
        let batch = batch(&[1.0, 0.0, 0.0, 0.0, 1.0, 1.0], whole(2, 3));
        let features = learner.valid().backbone().forward(batch.images.clone().inner(), None);
        let features = Tensor::from_inner(features).require_grad();
        let loss = learner.loss(features.clone(), &batch, 0);
        features.grad(&loss.total.backward()).unwrap().into_data().try_to_vec().unwrap()
    };
    let (without, with) = (gradient(0.0), gradient(1.0));
    let moved = without.iter().zip(&with).any(|(a, b)| (a - b).abs() > 1e-6);
    assert!(moved && with.iter().all(|value| value.is_finite()));
}

#[test]
fn images_without_classes_cost_the_adversary_nothing() {
    let (learner, settings) = (learner(), config().settings);
    let batch = batch(&[0.0; 3], whole(4, 5));
    for step in [0, settings.localizer_steps] {
        let loss = learner.loss(learner.backbone().forward(batch.images.clone(), None), &batch, step);
        let values: Vec<f32> = loss.parts.into_iter().map(Tensor::into_scalar::<f32>).collect();
        let total = loss.total.into_scalar::<f32>();
        assert!(total.is_finite());
        assert_eq!(values[1..], [0.0; 2]);
        assert_eq!(total == 0.0, step > 0);
    }
}

#[test]
fn both_opponents_learn_in_turns() {
    let settings = AdversarialErasingSettings { localizer_steps: 4, adversary_steps: 4, ..config().settings };
    let config = AdversarialErasingConfig { settings: settings.clone(), ..config() };
    let mut learner = config.init(&mut RandomSource::new(3), &Device::flex().autodiff()).unwrap();
    let names = config.names(&Device::flex()).unwrap();
    let groups = crate::method::groups::<AdversarialErasing>(&names);
    let mut sgd = Sgd::new(OptimizerSettings::default(), groups);
    let batch = batch(&[1.0, 0.0, 0.0, 0.0, 1.0, 1.0], whole(2, 3));
    let weights =
        |network: &Cam| -> Vec<f32> { network.classifier.val().inner().into_data().try_to_vec().unwrap() };
    let mut costs = [Vec::new(), Vec::new()];
    for step in 0..48 {
        let before = [weights(&learner.localizer), weights(&learner.adversary)];
        let features = learner.backbone().forward(batch.images.clone(), None);
        let loss = learner.loss(features, &batch, step);
        let of_adversary = settings.is_adversary_step(step);
        assert_eq!(loss.threshold_step, of_adversary);
        costs[usize::from(of_adversary)].push(loss.parts[0].clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.total.backward(), &learner);
        learner = sgd.step(learner, gradients, 0.003);
        // Neither momentum nor weight decay moves whose turn it is not.
        let after = [weights(&learner.localizer), weights(&learner.adversary)];
        assert_eq!([before[0] != after[0], before[1] != after[1]], [!of_adversary, of_adversary]);
    }
    for costs in costs {
        assert!(costs[23] < 0.8 * costs[0], "{costs:?}");
    }
}

#[test]
fn a_picture_is_erased_where_it_has_a_class() {
    let learner = learner().valid();
    let images = batch(&[0.0; 6], whole(2, 0)).images.inner();
    let erased = learner.erased_images(images.clone(), &[0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    let values = |tensor: Tensor<4>| -> Vec<f32> { tensor.into_data().try_to_vec().unwrap() };
    let (before, after) = (values(images), values(erased));
    let half = before.len() / 2;
    assert_ne!(before[..half], after[..half]);
    assert_eq!(before[half..], after[half..]);
    assert!(before.iter().zip(&after).all(|(before, after)| after.abs() <= before.abs()));
}

#[test]
fn one_network_s_weights_start_both() {
    let mean = || Named { name: "input.mean".into(), shape: vec![3], values: vec![0.1, 0.2, 0.3] };
    let device = Device::flex();
    let mut given = Given::new([mean()], RandomSource::new(5));
    let learner = config().init_first(&mut given, &device).unwrap();
    let images = batch(&[0.0; 3], whole(1, 0)).images.inner();
    let features = |network: &Cam| -> Vec<f32> {
        network.backbone.forward(images.clone(), None).into_data().try_to_vec().unwrap()
    };
    // The adversary sees as coarsely as it can.
    let coarse = config().adversary();
    assert_eq!((coarse.output_stride, config().are_twins()), (16, true));
    let config = AdversarialErasingConfig { backbone: coarse, ..config() };
    let mut given = Given::new([mean()], RandomSource::new(5));
    let twins = config.init_first(&mut given, &device).unwrap();
    assert_eq!(features(&twins.localizer), features(&twins.adversary));
    assert_eq!(features(&twins.adversary), features(&learner.adversary));
    let classifier =
        |network: &Cam| -> Vec<f32> { network.classifier.val().into_data().try_to_vec().unwrap() };
    assert_ne!(classifier(&twins.localizer), classifier(&twins.adversary));

    // What was saved under its names comes back.
    let names = config.names(&device).unwrap();
    let saved = pollster::block_on(names.read(Parameters::of(&twins))).unwrap();
    let again = config.init(&mut Given::new(saved, RandomSource::new(9)), &device).unwrap();
    assert_eq!(features(&again.adversary), features(&twins.adversary));
    assert_eq!(classifier(&again.adversary), classifier(&twins.adversary));
    let groups =
        [("cam.classifier.weight", true), ("adversary.cam.classifier.bias", true), ("layers.0", false)];
    for (name, head) in groups {
        assert_eq!(AdversarialErasing::group(name).head, head, "{name}");
    }
}

#[test]
fn a_given_mask_teaches_the_localizer() {
    let learner = learner();
    let labels = [1.0, 0.0, 1.0];
    let pixels = (SIDE / 4) * (SIDE / 4);
    let values: Vec<u8> = (0..pixels).map(|pixel| if pixel < pixels / 4 { 1 } else { 0 }).collect();
    let without = batch(&labels, whole(1, 2));
    let with = batch(&labels, Whole { pixels, ..whole(1, 2) }).with_targets(&values, SIDE / 4, CLASSES + 1);
    let total = |batch: &Batch, step| {
        let features = learner.backbone().forward(batch.images.clone(), None);
        learner.loss(features, batch, step).total.into_scalar::<f32>()
    };
    assert!(total(&with, 0) > total(&without, 0), "the localizer's turn");
    let settings = AdversarialErasingSettings::default();
    let step = (0..1000).find(|&step| settings.is_adversary_step(step)).unwrap();
    assert_eq!(total(&with, step), total(&without, step), "the adversary's turn");
}
