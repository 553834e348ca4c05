//! Mean-field inference on one photo.
//!
//! Labels that no pixel starts with need no filtering of their own. They all start with one probability
//! and, as nothing tells them apart, keep one; and because probabilities add up to 1 at every pixel and
//! the filter is linear, what they receive is what the other labels leave of a filtered 1. When every
//! label occurs, the last one is found the same way. The result is that of filtering all labels.

use super::unary::{OfLabels, OfProbabilities, Unary};
use crate::error::Result;
use crate::masks::ScoreMaps;
use crate::masks::label_map::{IGNORE, LabelMap};
use crate::masks::parallel::for_each_piece;
use crate::masks::permutohedral::{Lattice, Scratch};
use crate::masks::rescale;
use crate::run::settings::CrfSettings;

/// The marginal probabilities of one photo.
pub(super) struct Field {
    width: usize,
    height: usize,
    /// The labels that occur, ascending.
    pub groups: Vec<u8>,
    /// Number of labels that do not.
    pub absent: usize,
    /// `[pixels, groups]`.
    pub q: Vec<f32>,
}

/// Pixels that one thread takes at a time.
const PIECE: usize = 1 << 12;

impl Field {
    pub fn lanes(&self) -> usize {
        self.groups.len().max(1)
    }

    /// The field of a photo whose pixels come with labels; `n_labels` in all.
    pub fn of_labels(
        image_rgb: &[u8],
        labels: &LabelMap,
        n_labels: usize,
        settings: &CrfSettings,
    ) -> Result<Self> {
        let mut used = [false; 256];
        labels.labels.iter().for_each(|&label| used[usize::from(label)] = true);
        let groups: Vec<u8> = (0..IGNORE).filter(|&label| used[usize::from(label)]).collect();
        let absent = n_labels.saturating_sub(groups.len());
        let unary = OfLabels::new(labels, &groups, absent, settings.certainty);
        Self::infer(image_rgb, (labels.width, labels.height), groups, absent, &unary, settings)
    }

    /// The field of a photo whose pixels come with probabilities of the labels `groups`.
    pub fn of_probabilities(
        image_rgb: &[u8],
        probabilities: &ScoreMaps,
        groups: Vec<u8>,
        settings: &CrfSettings,
    ) -> Result<Self> {
        let unary = OfProbabilities::new(probabilities, &groups);
        Self::infer(image_rgb, (probabilities.width, probabilities.height), groups, 0, &unary, settings)
    }

    fn infer(
        image_rgb: &[u8],
        (width, height): (usize, usize),
        groups: Vec<u8>,
        absent: usize,
        unary: &impl Unary,
        settings: &CrfSettings,
    ) -> Result<Self> {
        let pixels = width * height;
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
                    unary.softmax(pixel, messages, total[pixel], q);
                }
            });
        };
        // Before the first message (all are 0) every pixel follows what it says itself.
        for (pixel, q) in q.chunks_exact_mut(lanes).enumerate() {
            unary.softmax(pixel, &messages[..lanes], 0.0, q);
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
    pub fn strongest(&self, (width, height): (usize, usize)) -> LabelMap {
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
pub(super) fn kernels(image_rgb: &[u8], width: usize, settings: &CrfSettings) -> Result<Vec<(Lattice, f32)>> {
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
