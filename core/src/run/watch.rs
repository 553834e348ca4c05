//! Notices a training that has lost the objects.

use std::collections::VecDeque;

use super::event::{Collapse, LossPoint};

/// Network steps that must agree before it is said.
const WINDOW: usize = 30;
/// Below this part of the mean share, the objects are gone.
const GONE: f32 = 0.05;
/// Above this activation they fill the image.
const FILLED: f32 = 0.97;

/// Watches the mean activation of present classes.
pub(crate) struct Watch {
    mean_share: f32,
    may_fill: bool,
    recent: VecDeque<f32>,
    said: bool,
}

impl Watch {
    /// `mean_share` is the mean foreground share of present classes. Masks may be all foreground, so that a
    /// network that learns from them `may_fill` the image.
    pub(crate) fn new(mean_share: f32, may_fill: bool) -> Self {
        Self { mean_share, may_fill, recent: VecDeque::with_capacity(WINDOW), said: false }
    }

    /// A collapse that shows with this point, once.
    pub(crate) fn see(&mut self, point: &LossPoint) -> Option<Collapse> {
        if !point.total.is_finite() || !point.activation.is_finite() {
            return Some(Collapse::NotANumber);
        }
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(point.activation);
        if self.said || self.recent.len() < WINDOW {
            return None;
        }
        let kind = if self.recent.iter().all(|&activation| activation < GONE * self.mean_share) {
            Collapse::AllBackground
        } else if !self.may_fill && self.recent.iter().all(|&activation| activation > FILLED) {
            Collapse::AllForeground
        } else {
            return None;
        };
        self.said = true;
        Some(kind)
    }
}

/// What a user can do about it.
pub(crate) fn advice(kind: Collapse) -> &'static str {
    match kind {
        Collapse::AllBackground => {
            "the objects have faded from the maps: lower the learning rate, or raise the smallest share"
        }
        Collapse::AllForeground => {
            "the maps fill the whole image: add images without the class, or lower the learning rate"
        }
        Collapse::NotANumber => "the losses are no longer numbers: lower the learning rate and start again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(activation: f32) -> LossPoint {
        LossPoint { step: 0, total: 1.0, main: 1.0, share: 0.0, activation, threshold_step: false }
    }

    #[test]
    fn a_collapse_is_said_once_and_only_when_it_lasts() {
        let mut watch = Watch::new(0.2, false);
        let mut said = |activation, times: usize| -> Vec<_> {
            (0..times).filter_map(|_| watch.see(&point(activation))).collect()
        };
        assert_eq!(said(0.001, WINDOW - 1), []);
        assert_eq!(said(0.2, 1), []);
        assert_eq!(said(0.001, 2 * WINDOW), [Collapse::AllBackground]);
    }

    #[test]
    fn full_maps_and_lost_numbers_are_seen() {
        let mut watch = Watch::new(0.2, false);
        assert_eq!((0..WINDOW).filter_map(|_| watch.see(&point(0.99))).last(), Some(Collapse::AllForeground));
        assert_eq!(watch.see(&point(f32::NAN)), Some(Collapse::NotANumber));
    }
}
