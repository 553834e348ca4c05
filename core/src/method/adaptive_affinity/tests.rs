//! The whole network: what its loss reaches, and that nothing it is given makes it something else than a
//! number.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::network::colors;
use super::*;
use crate::backbone::BackboneConfig;
use crate::backbone::weights::{RandomSource, from_values, id_of};
use crate::dataset::batch::make_batch;
use crate::dataset::cache::ImageCache;
use crate::dataset::sample::{self, SampleSettings};
use crate::dataset::{Dataset, targets};
use crate::files::FileSet;
use crate::masks::rescale::resize_labels;
use crate::method::pyramid::HEAD;
use crate::method::{Batch, Learner, LearnerConfig, Network, StepLoss, Whole};
use crate::optim::Sgd;
use crate::run::settings::{AugmentSettings, BackboneName, OptimizerSettings};

const CLASSES: usize = 3;
/// After the warm-up.
const STEP: usize = 4;

fn device() -> Device {
    Device::flex().autodiff()
}

fn config() -> AdaptiveAffinityConfig {
    let backbone = BackboneConfig::new(BackboneName::Tiny, 8);
    let settings = AdaptiveAffinitySettings { warm_up: 2, ..AdaptiveAffinitySettings::default() };
    AdaptiveAffinityConfig { backbone, classes: CLASSES, settings, steps_per_epoch: 2 }
}

fn network() -> AdaptiveAffinity {
    config().init(&mut RandomSource::new(1), &device()).unwrap()
}

/// One whose classification branch says this of any pixel with features.
fn network_that_says(weight: f32) -> AdaptiveAffinity {
    let mut network = network();
    let channels = config().backbone.channels();
    let values = vec![weight; CLASSES * channels];
    network.head.classifier =
        from_values("affinity.classifier.weight", values, [CLASSES, channels], true, &device());
    network
}

fn dataset() -> Dataset {
    let files = sample::files(&SampleSettings { images: 5, size: 64, seed: 2 });
    crate::dataset::read(&FileSet::memory(files), &mut |_, _| {}).unwrap()
}

/// Five images of the sample set.
fn batch() -> Batch {
    let dataset = dataset();
    let mut cache = ImageCache::new(1 << 22, 64);
    let augment = AugmentSettings::default();
    let (batch, _) = make_batch(&dataset, &mut cache, &[3, 1, 0, 4, 2], 64, &augment, 1, 0).unwrap();
    let present = batch.labels.iter().filter(|&&label| label > 0.5).count();
    let whole = Whole { images: batch.items.len(), present, pixels: 0, tally: None };
    Batch::new(batch.images, batch.labels, Vec::new(), batch.side, CLASSES, whole, &device())
}

/// The same images with their masks.
fn with_masks() -> Batch {
    let dataset = dataset();
    let side = 64 / targets::STRIDE;
    let mask_of = |item: usize| {
        let item = &dataset.items[item];
        resize_labels(&item.mask.as_ref().unwrap().decode(&item.path).unwrap(), (side, side)).labels
    };
    let values: Vec<u8> = [3, 1, 0, 4, 2].into_iter().flat_map(mask_of).collect();
    let batch = batch().with_targets(&values, side, CLASSES + 1);
    Batch { whole: Whole { pixels: values.len(), ..batch.whole.clone() }, ..batch }
}

/// The same images with all labels.
fn in_all_images(batch: Batch) -> Batch {
    let labels_host = vec![1.0; batch.labels_host.len()];
    Batch { labels: batch.labels.ones_like(), labels_host, ..batch }
}

fn loss(network: &AdaptiveAffinity, batch: &Batch, step: usize) -> StepLoss {
    network.loss(network.backbone.forward(batch.images.clone(), None), batch, step)
}

fn number(x: &Tensor<1>) -> f32 {
    x.clone().into_scalar::<f32>()
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().unwrap()
}

#[test]
fn the_segmentation_s_loss_leaves_the_classification_branch_alone() {
    let (network, batch) = (network(), batch());
    let gradients = |step: usize| {
        let gradients = loss(&network, &batch, step).total.backward();
        let of = |weight: Tensor<2>| weight.grad(&gradients).map(values);
        (of(network.head.classifier.val()), of(network.head.embedding.val()))
    };
    let (alone, nothing) = gradients(STEP - 1);
    let (beside, _) = gradients(STEP);
    assert!(alone.is_some() && nothing.is_none());
    assert_eq!(alone, beside);
}

#[test]
fn centres_come_from_confident_pixels_and_stay_without_any() {
    // All classes are as likely at every pixel, and all in every image: each pixel has three votes.
    let torn = in_all_images(batch());
    let none = network_that_says(1e3);
    let StepLoss { statistics, parts, .. } = loss(&none, &torn, STEP);
    assert_eq!(values(statistics.clone().unwrap()), [0.0; (CLASSES + 1) * (WIDTH + 1)]);
    assert_eq!(number(&parts[1]), 0.0);
    assert_eq!(values(none.clone().absorb(statistics.unwrap()).head.centres()), values(none.head.centres()));
    assert!(loss(&none, &torn, STEP - 1).statistics.is_none());

    let network = network();
    let statistics = loss(&network, &batch(), STEP).statistics.unwrap();
    let known = network.absorb(statistics.clone());
    let centres = values(known.head.centres());
    assert!(centres.chunks(WIDTH).any(|centre| centre.iter().any(|value| *value != 0.0)));
    assert!(centres.iter().all(|value| value.abs() <= 1.0));
    // A step towards where they are leads nowhere.
    let again = values(known.absorb(statistics).head.centres());
    assert!(again.iter().zip(&centres).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn no_confident_pixel_or_nothing_but_confident_ones_give_numbers() {
    // All background, or all of any class that the image has: one label each, or none where it has several.
    for (weight, batch) in
        [(0.0, batch()), (-1e3, batch()), (1.0, batch()), (1e3, batch()), (1e3, in_all_images(batch()))]
    {
        let mut network = network_that_says(weight);
        for step in [0, STEP, STEP + 1] {
            let StepLoss { total, parts, statistics, .. } = loss(&network, &batch, step);
            assert!(
                parts.iter().chain([&total.clone().inner()]).all(|part| number(part).is_finite()),
                "{weight}"
            );
            let gradients = total.backward();
            for weight in [network.head.classifier.val(), network.head.embedding.val()] {
                let gradient = weight.grad(&gradients).map(values).unwrap_or_default();
                assert!(gradient.iter().all(|value| value.is_finite()));
            }
            if let Some(statistics) = statistics {
                assert!(values(statistics.clone()).iter().all(|value| value.is_finite()), "{weight}");
                network = network.absorb(statistics);
            }
        }
    }
}

#[test]
fn the_segmentation_branch_starts_as_the_classification_branch() {
    let (network, batch) = (network(), batch());
    let features = network.backbone.forward(batch.images.clone(), None);
    let segmentation = |network: &AdaptiveAffinity| values(network.head.segmentation(features.clone()));
    let random = segmentation(&network);
    let classes = network.head.classification(features.clone());
    let background = classes.ones_like().narrow(1, 0, 1);
    let started = network.clone().before(STEP);
    let expected = values(Tensor::cat(vec![background, classes], 1));
    for (started, expected) in segmentation(&started).iter().zip(&expected) {
        assert!((started - expected).abs() < 1e-4, "{started} {expected}");
    }
    for other in [STEP - 1, STEP + 1] {
        assert_eq!(segmentation(&network.clone().before(other)), random);
    }
    // All of it learns on: parameters keep their names, by which the optimiser knows them.
    let gradients = loss(&started, &batch, STEP).total.backward();
    let gradients = GradientsParams::from_grads(gradients, &started);
    let names = config().names(&device()).unwrap();
    let branch = names.entries.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with(HEAD));
    assert_eq!(branch.clone().count(), 5);
    for name in branch {
        let id = id_of(name);
        let found = match name.ends_with("bias") {
            true => gradients.get::<1>(id).is_some(),
            false => gradients.get::<4>(id).is_some(),
        };
        assert!(found, "{name}");
    }
}

/// Trains for some passes of one step, of which the first 15 of two steps are the warm-up: all parts of the loss.
fn learn(batch: &Batch, steps: usize) -> (AdaptiveAffinity, Vec<[f32; 3]>) {
    let settings = AdaptiveAffinitySettings { warm_up: 15, ..AdaptiveAffinitySettings::default() };
    let config = AdaptiveAffinityConfig { settings, ..config() };
    let mut network = config.init(&mut RandomSource::new(1), &device()).unwrap();
    let names = config.names(&device()).unwrap();
    // Shortened, as for any network from scratch: the segmentation branch starts with large gradients.
    let optimizer = OptimizerSettings { max_gradient_norm: 1.0, ..OptimizerSettings::default() };
    let mut sgd = Sgd::new(optimizer, crate::method::groups::<AdaptiveAffinity>(&names));
    let mut seen = Vec::new();
    for step in 0..steps {
        network = network.before(step);
        let StepLoss { total, parts, statistics, .. } = loss(&network, batch, step);
        seen.push(parts.map(|part| number(&part)));
        let gradients = GradientsParams::from_grads(total.backward(), &network);
        network = sgd.step(network, gradients, 0.01);
        if let Some(statistics) = statistics {
            network = network.absorb(statistics);
        }
    }
    (network, seen)
}

#[test]
fn a_few_steps_learn_the_batch() {
    let batch = batch();
    let (network, seen) = learn(&batch, 40);
    let [first, warm, last] = [0, 30, 39].map(|step| seen[step]);
    // What the segmentation learns moves with the classification's labels, and so does its loss.
    assert_eq!((first[1], warm[1] > 0.0), (0.0, true));
    assert!(last[0] < 0.9 * first[0], "{first:?} {last:?}");
    let maps = network.valid().maps(batch.images.inner());
    assert_eq!(maps.scores.dims(), [5, CLASSES + 1, 8, 8]);
    assert!(values(maps.scores).iter().all(|score| score.is_finite()));
}

#[test]
fn labels_that_are_given_are_learned() {
    let (_, seen) = learn(&with_masks(), 60);
    let [first, warm, last] = [0, 30, 59].map(|step| seen[step]);
    assert!(last[0] < 0.9 * first[0], "{first:?} {last:?}");
    assert!(last[1] < 0.9 * warm[1], "{warm:?} {last:?}");
}

#[test]
fn names_say_where_each_tensor_belongs() {
    let names = config().names(&device()).unwrap();
    let head: Vec<&str> =
        names.entries.iter().map(|(name, _)| name.as_str()).filter(|name| head::holds(name)).collect();
    assert_eq!(head.len(), 3 + 4 + 1);
    assert!(head.iter().all(|name| AdaptiveAffinity::group(name).head));
    assert!(!AdaptiveAffinity::group("layers.0.conv.weight").head);
}

#[test]
fn colours_are_what_was_normalised() {
    let image = image::RgbImage::from_pixel(1, 1, image::Rgb([255, 51, 0]));
    let values_of = crate::dataset::batch::normalise(&image);
    let normal = Tensor::<4>::from_data(TensorData::new(values_of, [1, 3, 1, 1]), &Device::flex());
    for (found, expected) in values(colors(normal)).iter().zip([1.0, 0.2, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}
