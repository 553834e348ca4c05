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

/// Every label filtered for itself, in the order of the paper's algorithm 1.
fn reference(image: &[u8], labels: &LabelMap, n: usize, settings: &CrfSettings) -> Vec<f32> {
    let pixels = labels.labels.len();
    let kernels = kernels(image, labels.width, settings).unwrap();
    let unary: Vec<f32> = labels
        .labels
        .iter()
        .flat_map(|&label| (0..n).map(move |l| (label, l)))
        .map(|(label, l)| match label {
            IGNORE => 0.0,
            _ if usize::from(label) == l => settings.certainty.ln(),
            _ => ((1.0 - settings.certainty) / (n - 1) as f32).ln(),
        })
        .collect();
    let softmax = |logits: &[f32]| -> Vec<f32> {
        let rows = logits.chunks(n).flat_map(|row| {
            let sum: f32 = row.iter().map(|v| v.exp()).sum();
            row.iter().map(move |v| v.exp() / sum)
        });
        rows.collect()
    };
    let mut q = softmax(&unary);
    for _ in 0..settings.iterations {
        let mut logits = unary.clone();
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
        let expected = reference(&image, &labels, n, &settings);
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
