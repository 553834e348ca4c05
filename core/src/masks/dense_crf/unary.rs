//! What each pixel says for itself, and the step from messages to probabilities.

use crate::masks::label_map::IGNORE;

/// What each pixel's own label says: `ln certainty` for it and `ln((1 − certainty)/(n − 1))` for each
/// other; all alike where the label is [`IGNORE`].
pub(super) struct Unary {
    /// The filtered lane of each label; the number of lanes for the one that is not filtered.
    lane: [u8; 256],
    /// Labels that share the lane that is not filtered.
    rest: f32,
    own: f32,
    other: f32,
}

impl Unary {
    pub fn new(groups: &[u8], absent: usize, certainty: f32) -> Self {
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
    pub fn softmax(&self, label: u8, messages: &[f32], total: f32, q: &mut [f32]) {
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
