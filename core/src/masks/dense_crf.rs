//! A fully connected conditional random field that makes labels follow the edges of the photo:
//! Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials",
//! NeurIPS 2011. Mean-field inference; the pairwise terms are two Gaussian filters (smoothness in
//! space, appearance in space and colour) with Potts compatibility and symmetric normalisation.
//!
//! Labels that no pixel starts with need no filtering of their own. They all start with one probability
//! and, as nothing tells them apart, keep one; and because probabilities add up to 1 at every pixel and
//! the filter is linear, what they receive is what the other labels leave of a filtered 1. When every
//! label occurs, the last one is found the same way. The result is that of filtering all labels.

use super::label_map::{IGNORE, LabelMap};
use super::parallel::for_each_piece;
use super::permutohedral::{Lattice, Scratch};
use super::rescale;
use crate::error::{Error, Result};
use crate::run::settings::CrfSettings;

/// Photos with more pixels are refined at this size and the probabilities enlarged again: the kernels
/// are given in pixels of ordinary photos, and the lattice takes some 400 bytes a pixel.
pub const REFINED_PIXELS: usize = 1 << 19;

/// `labels` made to follow the edges of `image_rgb` (height × width × 3 bytes).
///
/// The field has a label for the background, for each of `present` (the foreground classes that the
/// image is known to have), and for every label that occurs. [`IGNORE`] pixels start without an opinion
/// and come out labelled. Only labels that occur can come out, so a map with a single label is returned
/// as it is.
///
/// # Errors
/// [`Error::Setting`] for kernels that cannot be used; [`Error::Format`] when image and labels differ in
/// size.
pub fn refine(
    image_rgb: &[u8],
    labels: &LabelMap,
    present: &[u16],
    settings: &CrfSettings,
) -> Result<LabelMap> {
    check(image_rgb, labels, settings)?;
    let mut used = [false; 256];
    labels.labels.iter().for_each(|&label| used[usize::from(label)] = true);
    let occurring = (0..IGNORE).filter(|&label| used[usize::from(label)]).count();
    if occurring == 0 || (occurring == 1 && !used[usize::from(IGNORE)]) {
        return Ok(labels.clone());
    }
    used[0] = true;
    for &class in present {
        if usize::from(class) < usize::from(IGNORE) - 1 {
            used[usize::from(class) + 1] = true;
        }
    }
    let n_labels = used[..usize::from(IGNORE)].iter().filter(|&&used| used).count();

    let size = (labels.width, labels.height);
    let small = rescale::bounded(labels.width, labels.height, REFINED_PIXELS);
    if small == size {
        let field = Field::infer(image_rgb, labels, n_labels, settings)?;
        return Ok(field.strongest(size));
    }
    let image = rescale::shrink_rgb(image_rgb, size, small);
    let field = Field::infer(&image, &rescale::resize_labels(labels, small), n_labels, settings)?;
    Ok(field.strongest(size))
}

/// Probabilities `[n_labels, height, width]` of the labels `0..n_labels`, at the photo's own size.
///
/// # Errors
/// As [`refine`]; [`Error::Format`] also for a label that is neither below `n_labels` nor [`IGNORE`].
pub fn mean_field(
    image_rgb: &[u8],
    labels: &LabelMap,
    n_labels: usize,
    settings: &CrfSettings,
) -> Result<Vec<f32>> {
    check(image_rgb, labels, settings)?;
    if let Some(label) =
        labels.labels.iter().find(|&&label| label != IGNORE && usize::from(label) >= n_labels)
    {
        return Err(refuse(format!("label {label} where there are {n_labels}")));
    }
    let field = Field::infer(image_rgb, labels, n_labels, settings)?;
    let pixels = labels.labels.len();
    let mut all = vec![0.0; n_labels * pixels];
    for (label, plane) in all.chunks_exact_mut(pixels.max(1)).enumerate() {
        let lane = field.groups.iter().position(|&group| usize::from(group) == label);
        for (q, value) in field.q.chunks_exact(field.lanes()).zip(plane) {
            *value = match lane {
                Some(lane) => q[lane],
                None => (1.0 - q.iter().sum::<f32>()).max(0.0) / field.absent as f32,
            };
        }
    }
    Ok(all)
}

fn check(image_rgb: &[u8], labels: &LabelMap, settings: &CrfSettings) -> Result<()> {
    let pixels = labels.labels.len();
    if labels.width.checked_mul(labels.height) != Some(pixels)
        || pixels.checked_mul(3) != Some(image_rgb.len())
    {
        return Err(refuse(format!(
            "{} bytes of colour and {pixels} labels for {} × {} pixels",
            image_rgb.len(),
            labels.width,
            labels.height
        )));
    }
    let setting = |name, reason: &str| Err(Error::Setting { name, reason: reason.into() });
    if !(settings.certainty > 0.0 && settings.certainty < 1.0) {
        return setting("crf.certainty", "is not between 0 and 1");
    }
    for (name, deviation) in [
        ("crf.gaussian_xy", settings.gaussian_xy),
        ("crf.bilateral_xy", settings.bilateral_xy),
        ("crf.bilateral_rgb", settings.bilateral_rgb),
    ] {
        if !(deviation > 0.0 && deviation.is_finite()) {
            return setting(name, "is not above 0");
        }
    }
    for (name, weight) in [
        ("crf.gaussian_weight", settings.gaussian_weight),
        ("crf.bilateral_weight", settings.bilateral_weight),
    ] {
        if !(weight >= 0.0 && weight.is_finite()) {
            return setting(name, "is below 0");
        }
    }
    Ok(())
}

fn refuse(reason: String) -> Error {
    Error::Format { path: "dense CRF".into(), reason }
}

/// The marginal probabilities of one photo.
struct Field {
    width: usize,
    height: usize,
    /// The labels that occur, ascending.
    groups: Vec<u8>,
    /// Number of labels that do not.
    absent: usize,
    /// `[pixels, groups]`.
    q: Vec<f32>,
}

/// Pixels that one thread takes at a time.
const PIECE: usize = 1 << 12;

impl Field {
    fn lanes(&self) -> usize {
        self.groups.len().max(1)
    }

    fn infer(image_rgb: &[u8], labels: &LabelMap, n_labels: usize, settings: &CrfSettings) -> Result<Self> {
        let (width, height) = (labels.width, labels.height);
        let pixels = width * height;
        let mut used = [false; 256];
        labels.labels.iter().for_each(|&label| used[usize::from(label)] = true);
        let groups: Vec<u8> = (0..IGNORE).filter(|&label| used[usize::from(label)]).collect();
        let absent = n_labels.saturating_sub(groups.len());
        let unary = Unary::new(&groups, absent, settings.certainty);
        if pixels == 0 || groups.len() + absent < 2 || groups.is_empty() {
            let share = 1.0 / (groups.len() + absent).max(1) as f32;
            let lanes = groups.len().max(1);
            return Ok(Self { width, height, groups, absent, q: vec![share; pixels * lanes] });
        }

        let kernels = kernels(image_rgb, width, settings)?;
        let mut scratch = Scratch::default();
        let ones = vec![1.0; pixels];
        let mut total = vec![0.0; pixels];
        for (kernel, weight) in &kernels {
            kernel.filter_add(&ones, &mut total, 1, *weight, &mut scratch);
        }
        drop(ones);

        // Filtered lanes: all labels that occur, less the last where there is no absent one.
        let lanes = groups.len() - usize::from(absent == 0);
        let mut q = vec![0.0; pixels * lanes];
        let mut messages = vec![0.0; pixels * lanes];
        let update = |q: &mut [f32], messages: &[f32]| {
            for_each_piece(q, PIECE * lanes, |start, part| {
                let first = start / lanes;
                for (offset, q) in part.chunks_exact_mut(lanes).enumerate() {
                    let pixel = first + offset;
                    let messages = &messages[pixel * lanes..][..lanes];
                    unary.softmax(labels.labels[pixel], messages, total[pixel], q);
                }
            });
        };
        // Before the first message (all are 0) every pixel follows its own label.
        for (q, &label) in q.chunks_exact_mut(lanes).zip(&labels.labels) {
            unary.softmax(label, &messages[..lanes], 0.0, q);
        }
        for _ in 0..settings.iterations {
            messages.fill(0.0);
            for (kernel, weight) in &kernels {
                kernel.filter_add(&q, &mut messages, lanes, *weight, &mut scratch);
            }
            update(&mut q, &messages);
        }
        if absent == 0 {
            let full = q
                .chunks_exact(lanes)
                .flat_map(|q| q.iter().copied().chain([(1.0 - q.iter().sum::<f32>()).max(0.0)]));
            q = full.collect();
        }
        Ok(Self { width, height, groups, absent, q })
    }

    /// The label with the largest probability at every pixel of an image of this size; the lowest of
    /// equals. Absent labels are never ahead of one that occurs.
    fn strongest(&self, (width, height): (usize, usize)) -> LabelMap {
        let lanes = self.lanes();
        let mut map = LabelMap::background(width, height);
        if self.groups.is_empty() || map.labels.is_empty() {
            return map;
        }
        let columns = rescale::bilinear_positions(self.width, width);
        let rows = rescale::bilinear_positions(self.height, height);
        for_each_piece(&mut map.labels, width, |start, line| {
            let (upper, lower, down) = rows[start / width];
            let row = |row: usize| &self.q[row * self.width * lanes..][..self.width * lanes];
            let (upper, lower) = (row(upper), row(lower));
            for (label, &(left, right, across)) in line.iter_mut().zip(&columns) {
                let mut best = (0, f32::NEG_INFINITY);
                for lane in 0..lanes {
                    let mix = |line: &[f32]| {
                        (1.0 - across) * line[left * lanes + lane] + across * line[right * lanes + lane]
                    };
                    let q = (1.0 - down) * mix(upper) + down * mix(lower);
                    if q > best.1 {
                        best = (lane, q);
                    }
                }
                *label = self.groups[best.0];
            }
        });
        map
    }
}

/// The two lattices, symmetrically normalised, with their weights.
fn kernels(image_rgb: &[u8], width: usize, settings: &CrfSettings) -> Result<Vec<(Lattice, f32)>> {
    let position = |pixel: usize, deviation: f32| {
        [(pixel % width) as f32 / deviation, (pixel / width) as f32 / deviation]
    };
    let space: Vec<[f32; 2]> =
        (0..image_rgb.len() / 3).map(|pixel| position(pixel, settings.gaussian_xy)).collect();
    let mut smoothness = Lattice::new(&space)?;
    drop(space);
    let appearance: Vec<[f32; 5]> = image_rgb
        .as_chunks::<3>()
        .0
        .iter()
        .enumerate()
        .map(|(pixel, rgb)| {
            let [x, y] = position(pixel, settings.bilateral_xy);
            let [r, g, b] = rgb.map(|value| f32::from(value) / settings.bilateral_rgb);
            [x, y, r, g, b]
        })
        .collect();
    let mut bilateral = Lattice::new(&appearance)?;
    drop(appearance);
    smoothness.normalize_symmetric();
    bilateral.normalize_symmetric();
    Ok(vec![(smoothness, settings.gaussian_weight), (bilateral, settings.bilateral_weight)])
}

/// What each pixel's own label says: `ln certainty` for it and `ln((1 − certainty)/(n − 1))` for each
/// other; all alike where the label is [`IGNORE`].
struct Unary {
    /// The filtered lane of each label; the number of lanes for the one that is not filtered.
    lane: [u8; 256],
    /// Labels that share the lane that is not filtered.
    rest: f32,
    own: f32,
    other: f32,
}

impl Unary {
    fn new(groups: &[u8], absent: usize, certainty: f32) -> Self {
        let mut lane = [u8::MAX; 256];
        for (index, &label) in groups.iter().enumerate() {
            lane[usize::from(label)] = index as u8;
        }
        let others = (groups.len() + absent).saturating_sub(1).max(1) as f32;
        Self {
            lane,
            rest: absent.max(1) as f32,
            own: certainty.ln(),
            other: ((1.0 - certainty) / others).ln(),
        }
    }

    /// One pixel's probabilities of the filtered lanes, from what they received; `total` is what they
    /// and the rest received together.
    #[inline]
    fn softmax(&self, label: u8, messages: &[f32], total: f32, q: &mut [f32]) {
        let own = if label == IGNORE { usize::MAX } else { usize::from(self.lane[usize::from(label)]) };
        let mut received = 0.0;
        let mut largest = f32::NEG_INFINITY;
        for (lane, (q, &message)) in q.iter_mut().zip(messages).enumerate() {
            received += message;
            *q = message + if lane == own { self.own } else { self.other };
            largest = largest.max(*q);
        }
        let rest = (total - received) / self.rest + if own == q.len() { self.own } else { self.other };
        largest = largest.max(rest);
        let mut sum = self.rest * (rest - largest).exp();
        for q in q.iter_mut() {
            *q = (*q - largest).exp();
            sum += *q;
        }
        q.iter_mut().for_each(|q| *q /= sum);
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

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
}
