//! What each pixel says for itself, and the step from messages to probabilities.

use crate::masks::ScoreMaps;
use crate::masks::label_map::{IGNORE, LabelMap};

/// The field without neighbours: `ln p` of each label at each pixel, up to a constant.
pub(super) trait Unary: Sync {
    /// The probabilities of one pixel's filtered lanes, from what they received; `total` is what they and
    /// the rest received together.
    fn softmax(&self, pixel: usize, messages: &[f32], total: f32, q: &mut [f32]);
}

/// What labels say: `ln certainty` for a pixel's own and `ln((1 − certainty)/(n − 1))` for each other; all
/// alike where the label is [`IGNORE`].
pub(super) struct OfLabels<'a> {
    labels: &'a LabelMap,
    /// The filtered lane of each label; the number of lanes for the one that is not filtered.
    lane: [u8; 256],
    /// Labels that share the lane that is not filtered.
    rest: f32,
    own: f32,
    other: f32,
}

impl<'a> OfLabels<'a> {
    pub fn new(labels: &'a LabelMap, groups: &[u8], absent: usize, certainty: f32) -> Self {
        let mut lane = [u8::MAX; 256];
        for (index, &label) in groups.iter().enumerate() {
            lane[usize::from(label)] = index as u8;
        }
        let others = (groups.len() + absent).saturating_sub(1).max(1) as f32;
        Self {
            labels,
            lane,
            rest: absent.max(1) as f32,
            own: certainty.ln(),
            other: ((1.0 - certainty) / others).ln(),
        }
    }
}

impl Unary for OfLabels<'_> {
    #[inline]
    fn softmax(&self, pixel: usize, messages: &[f32], total: f32, q: &mut [f32]) {
        let label = self.labels.labels[pixel];
        let own = if label == IGNORE { usize::MAX } else { usize::from(self.lane[usize::from(label)]) };
        softmax(|lane| if lane == own { self.own } else { self.other }, messages, total, self.rest, q);
    }
}

/// Probabilities count as at least this, so that neighbours can still overrule a network that is certain;
/// the usual value. One that is no number is no opinion.
const LEAST: f32 = 1e-5;

/// What probabilities say: their logarithms, `[pixels, groups]`.
pub(super) struct OfProbabilities {
    logarithms: Vec<f32>,
    groups: usize,
}

impl OfProbabilities {
    /// Of the labels `groups` only.
    pub fn new(probabilities: &ScoreMaps, groups: &[u8]) -> Self {
        let pixels = probabilities.width * probabilities.height;
        let mut logarithms = vec![0.0; pixels * groups.len()];
        for (lane, &label) in groups.iter().enumerate() {
            let own = logarithms.iter_mut().skip(lane).step_by(groups.len());
            for (logarithm, &p) in own.zip(probabilities.class(usize::from(label))) {
                *logarithm = p.max(LEAST).ln();
            }
        }
        Self { logarithms, groups: groups.len() }
    }
}

impl Unary for OfProbabilities {
    #[inline]
    fn softmax(&self, pixel: usize, messages: &[f32], total: f32, q: &mut [f32]) {
        let own = &self.logarithms[pixel * self.groups..][..self.groups];
        softmax(|lane| own[lane], messages, total, 1.0, q);
    }
}

/// `exp(says + messages)` of each lane, over the sum of all; behind the last lane stand `rest` labels that
/// received alike what the lanes left of `total`.
#[inline]
fn softmax(says: impl Fn(usize) -> f32, messages: &[f32], total: f32, rest: f32, q: &mut [f32]) {
    let mut received = 0.0;
    let mut largest = f32::NEG_INFINITY;
    for (lane, (q, &message)) in q.iter_mut().zip(messages).enumerate() {
        received += message;
        *q = message + says(lane);
        largest = largest.max(*q);
    }
    let last = (total - received) / rest + says(q.len());
    largest = largest.max(last);
    let mut sum = rest * (last - largest).exp();
    for q in q.iter_mut() {
        *q = (*q - largest).exp();
        sum += *q;
    }
    q.iter_mut().for_each(|q| *q /= sum);
}
