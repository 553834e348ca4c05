use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::field::kernels;
use super::*;
use crate::masks::permutohedral::Scratch;

fn random_labels(seed: u64, width: usize, height: usize, labels: &[u8]) -> LabelMap {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let labels = (0..width * height).map(|_| labels[random.random_range(0..labels.len())]).collect();
    LabelMap { width, height, labels }
}

fn two_halves(width: usize, height: usize) -> (Vec<u8>, LabelMap) {
    let truth: Vec<u8> = (0..width * height).map(|i| u8::from(i % width >= width / 2)).collect();
    let image = truth.iter().flat_map(|&half| [40 + 150 * half; 3]).collect();
    (image, LabelMap { width, height, labels: truth })
}

#[test]
fn noise_on_a_constant_image_is_smoothed_away() {
    let (width, height) = (48, 40);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut labels = LabelMap::background(width, height);
    labels.labels.iter_mut().for_each(|label| *label = u8::from(random.random_range(0..10) == 0) * 3);
    let refined = refine(&vec![90; width * height * 3], &labels, &[2], &CrfSettings::default()).unwrap();
    assert_eq!(refined, LabelMap::background(width, height));
}

#[test]
fn noisy_labels_find_the_edge_of_the_image() {
    let (image, truth) = two_halves(60, 44);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut labels = truth.clone();
    for label in &mut labels.labels {
        if random.random_range(0..4) == 0 {
            *label = 1 - *label;
        }
    }
    assert_eq!(refine(&image, &labels, &[0], &CrfSettings::default()).unwrap(), truth);
}

/// What labels say for themselves, `[pixels, n]`.
fn says(labels: &LabelMap, n: usize, certainty: f32) -> Vec<f32> {
    let pairs = labels.labels.iter().flat_map(|&label| (0..n).map(move |l| (label, l)));
    let of_pair = |(label, l)| match label {
        IGNORE => 0.0,
        _ if usize::from(label) == l => certainty.ln(),
        _ => ((1.0 - certainty) / (n - 1) as f32).ln(),
    };
    pairs.map(of_pair).collect()
}

/// Every label filtered for itself, in the order of the paper's algorithm 1. `unary` is `[pixels, n]`.
fn reference(image: &[u8], width: usize, unary: &[f32], n: usize, settings: &CrfSettings) -> Vec<f32> {
    let pixels = unary.len() / n;
    let kernels = kernels(image, width, settings).unwrap();
    let softmax = |logits: &[f32]| -> Vec<f32> {
        let rows = logits.chunks(n).flat_map(|row| {
            let sum: f32 = row.iter().map(|v| v.exp()).sum();
            row.iter().map(move |v| v.exp() / sum)
        });
        rows.collect()
    };
    let mut q = softmax(unary);
    for _ in 0..settings.iterations {
        let mut logits = unary.to_vec();
        for (kernel, weight) in &kernels {
            kernel.filter_add(&q, &mut logits, n, *weight, &mut Scratch::default());
        }
        q = softmax(&logits);
    }
    (0..n * pixels).map(|i| q[i % pixels * n + i / pixels]).collect()
}

#[test]
fn lanes_left_out_do_not_change_the_result() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let image: Vec<u8> = (0..30 * 20 * 3).map(|i| (i / 40) as u8 + random.random_range(0..9)).collect();
    let settings = CrfSettings { iterations: 4, ..CrfSettings::default() };
    for (occurring, n) in [
        (&[0u8, 2][..], 5),
        (&[0, 1, 2], 3),
        (&[1], 4),
        (&[0, 1], 2),
        (&[0, 3, IGNORE], 6),
        (&[0, 1, 2, 3, 4, 5], 6),
    ] {
        let labels = random_labels(3, 30, 20, occurring);
        let found = mean_field(&image, &labels, n, &settings).unwrap();
        let expected = reference(&image, 30, &says(&labels, n, settings.certainty), n, &settings);
        let difference = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(difference < 1e-3, "{occurring:?} of {n}: {difference}");
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let image: Vec<u8> = (0..160 * 120 * 3).map(|_| random.random_range(60..80)).collect();
    let labels = random_labels(5, 160, 120, &[0, 1, 2]);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| mean_field(&image, &labels, 4, &CrfSettings::default()).unwrap())
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn single_labels_and_empty_maps_come_back_as_they_are() {
    let settings = CrfSettings::default();
    for label in [0, 7] {
        let labels = LabelMap { width: 5, height: 4, labels: vec![label; 20] };
        assert_eq!(refine(&[9; 60], &labels, &[1, 2], &settings).unwrap(), labels);
    }
    assert_eq!(refine(&[], &LabelMap::background(0, 0), &[], &settings).unwrap().labels.len(), 0);
    let unknown = LabelMap { width: 5, height: 4, labels: vec![IGNORE; 20] };
    assert_eq!(refine(&[9; 60], &unknown, &[0], &settings).unwrap(), unknown);
    let mut labels = unknown.clone();
    labels.labels[3] = 2;
    let known = refine(&[9; 60], &labels, &[1], &settings).unwrap();
    assert!(known.labels.iter().all(|&label| label == 2), "the rest follows the one that is known");
}

#[test]
fn large_photos_are_refined_at_a_bounded_size() {
    let (width, height) = (1200, 800);
    let (image, truth) = two_halves(width, height);
    let mut labels = truth.clone();
    for row in 0..height {
        labels.labels[row * width + row % width] = u8::from(row % 3 == 0);
    }
    let refined = refine(&image, &labels, &[0], &CrfSettings::default()).unwrap();
    let wrong = refined.labels.iter().zip(&truth.labels).filter(|(a, b)| a != b).count();
    assert!(wrong <= 2 * height, "{wrong} pixels, more than the edge is wide");
}

#[test]
fn what_does_not_fit_is_refused() {
    let labels = LabelMap::background(4, 4);
    let settings = CrfSettings::default();
    assert!(refine(&[0; 47], &labels, &[], &settings).is_err());
    let mut wrong = labels.clone();
    wrong.labels[3] = 9;
    assert!(mean_field(&[0; 48], &wrong, 3, &settings).unwrap_err().to_string().contains("label 9"));
    for bad in [
        CrfSettings { certainty: 1.0, ..settings.clone() },
        CrfSettings { gaussian_xy: 0.0, ..settings.clone() },
        CrfSettings { bilateral_rgb: f32::NAN, ..settings.clone() },
        CrfSettings { bilateral_weight: -1.0, ..settings.clone() },
    ] {
        assert!(refine(&[0; 48], &labels, &[], &bad).unwrap_err().to_string().contains("crf."));
    }
}

/// The probabilities that the certainty of labels stands for.
fn probabilities_of(labels: &LabelMap, n: usize, certainty: f32) -> ScoreMaps {
    let says = says(labels, n, certainty);
    let pixels = labels.labels.len();
    let values = (0..n * pixels).map(|i| says[i % pixels * n + i / pixels]).collect();
    ScoreMaps { classes: n, width: labels.width, height: labels.height, values }.softmax()
}

#[test]
fn probabilities_that_stand_for_labels_give_what_the_labels_give() {
    let (image, truth) = two_halves(60, 44);
    let settings = CrfSettings::default();
    let mut labels = truth.clone();
    let noise = random_labels(6, 60, 44, &[0, 0, 0, 1, 2]);
    labels.labels.iter_mut().zip(&noise.labels).for_each(|(label, noise)| *label = (*label + noise) % 3);
    let of_labels = refine(&image, &labels, &[0, 1], &settings).unwrap();
    let probabilities = probabilities_of(&labels, 3, settings.certainty);
    assert_eq!(refine_probabilities(&image, (60, 44), &probabilities, &settings).unwrap(), of_labels);
    assert_ne!(of_labels, labels);
}

fn random_probabilities(seed: u64, n: usize, width: usize, height: usize) -> ScoreMaps {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..n * width * height).map(|_| random.random::<f32>() * 4.0).collect();
    ScoreMaps { classes: n, width, height, values }.softmax()
}

#[test]
fn the_field_of_probabilities_is_that_of_the_paper() {
    let (width, height, n) = (30, 20, 4);
    let image: Vec<u8> = (0..width * height * 3).map(|i| (i / 40) as u8).collect();
    let settings = CrfSettings { iterations: 4, ..CrfSettings::default() };
    let probabilities = random_probabilities(7, n, width, height);
    let pixels = width * height;
    let unary: Vec<f32> =
        (0..n * pixels).map(|i| probabilities.values[i % n * pixels + i / n].ln()).collect();
    let expected = reference(&image, width, &unary, n, &settings);
    let field = Field::of_probabilities(&image, &probabilities, vec![0, 1, 2, 3], &settings).unwrap();
    for (pixel, q) in field.q.chunks_exact(n).enumerate() {
        assert!((q.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{q:?}");
        for (label, q) in q.iter().enumerate() {
            let expected = expected[label * pixels + pixel];
            assert!((q - expected).abs() < 1e-3, "{q} {expected}");
        }
    }
}

#[test]
fn a_label_that_is_unlikely_everywhere_takes_no_part_and_does_no_harm() {
    let (width, height) = (40, 30);
    let (image, _) = two_halves(width, height);
    let settings = CrfSettings::default();
    let two = random_probabilities(8, 2, width, height);
    let mut three = ScoreMaps { classes: 3, values: two.values.clone(), ..two };
    three.values.extend(vec![NEGLIGIBLE * 0.9; width * height]);
    let all = Field::of_probabilities(&image, &three, vec![0, 1, 2], &settings).unwrap();
    let refined = refine_probabilities(&image, (width, height), &three, &settings).unwrap();
    assert_eq!(refined, all.strongest((width, height)));
    assert!(refined.labels.iter().all(|&label| label < 2));
}

#[test]
fn what_a_network_is_sure_of_stays_and_what_it_doubts_gives_way() {
    let (width, height) = (48, 40);
    let image = vec![90; width * height * 3];
    let inside = |pixel: usize| (14..34).contains(&(pixel % width)) && (10..30).contains(&(pixel / width));
    let with_island = |certainty: f32| {
        let p = |pixel| if inside(pixel) { certainty } else { 0.3 };
        let values = (0..2).flat_map(|label| {
            (0..width * height).map(move |pixel| if label == 1 { p(pixel) } else { 1.0 - p(pixel) })
        });
        let probabilities = ScoreMaps { classes: 2, width, height, values: values.collect() };
        let refined = refine_probabilities(&image, (width, height), &probabilities, &CrfSettings::default());
        refined.unwrap().labels
    };
    assert!(with_island(0.55).iter().all(|&label| label == 0), "an island in doubt is drowned");
    let sure = with_island(1.0);
    assert!((0..width * height).all(|pixel| sure[pixel] == u8::from(inside(pixel))));
}

#[test]
fn one_distribution_everywhere_keeps_its_largest_label() {
    let (width, height) = (24, 18);
    let (image, _) = two_halves(width, height);
    for (shares, strongest) in [([0.5, 0.3, 0.2], 0), ([0.3, 0.3, 0.4], 2), ([0.0, 1.0, 0.0], 1)] {
        let values = shares.iter().flat_map(|&share| vec![share; width * height]).collect();
        let probabilities = ScoreMaps { classes: 3, width, height, values };
        let refined = refine_probabilities(&image, (width, height), &probabilities, &CrfSettings::default());
        assert_eq!(refined.unwrap().labels, vec![strongest; width * height], "{shares:?}");
    }
}

#[test]
fn probabilities_may_be_smaller_than_the_photo_and_no_numbers() {
    let (width, height) = (1200, 800);
    let settings = CrfSettings { iterations: 2, ..CrfSettings::default() };
    let (image, truth) = two_halves(width, height);
    let small = refined_size(width, height);
    assert!(small.0 < width && small.0 * small.1 <= REFINED_PIXELS);
    let labels = rescale::resize_labels(&truth, small);
    let mut probabilities = probabilities_of(&labels, 2, 0.8);
    let refined = refine_probabilities(&image, (width, height), &probabilities, &settings).unwrap();
    let wrong = refined.labels.iter().zip(&truth.labels).filter(|(a, b)| a != b).count();
    assert!(wrong <= 2 * height, "{wrong} pixels, more than the edge is wide");

    // A pixel without numbers follows its neighbours.
    probabilities.values[0] = f32::NAN;
    probabilities.values[small.0 * small.1] = f32::NAN;
    let refined = refine_probabilities(&image, (width, height), &probabilities, &settings).unwrap();
    assert_eq!(refined.labels[0], 0);
    probabilities.values.fill(f32::NAN);
    let refined = refine_probabilities(&image, (width, height), &probabilities, &settings).unwrap();
    assert!(refined.labels.iter().all(|&label| label == 0));
}

#[test]
fn probabilities_that_do_not_fit_are_refused() {
    let settings = CrfSettings::default();
    let maps =
        |classes, width, height, values| ScoreMaps { classes, width, height, values: vec![0.5; values] };
    let refused = |maps: ScoreMaps, size, bytes: usize| {
        refine_probabilities(&vec![0; bytes], size, &maps, &settings).unwrap_err().to_string()
    };
    assert!(refused(maps(2, 4, 4, 31), (4, 4), 48).contains("31 probabilities"));
    assert!(refused(maps(2, 5, 4, 40), (4, 4), 48).contains("5 × 4"));
    assert!(refused(maps(2, 0, 4, 0), (4, 4), 48).contains("0 × 4"));
    assert!(refused(maps(2, 4, 4, 32), (4, 4), 47).contains("47 bytes"));
    assert!(refused(maps(256, 1, 1, 256), (1, 1), 3).contains("256 labels"));
    assert_eq!(refine_probabilities(&[], (0, 0), &maps(2, 0, 0, 0), &settings).unwrap().labels.len(), 0);
}
