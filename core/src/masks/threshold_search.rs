//! The fixed background threshold that scores best against true masks. It looks at the truth, so every
//! figure that comes from it has to say so.

use super::label_map::{IGNORE, LabelMap};
use super::metric::{Confusion, check_pair};
use super::threshold::Activation;
use crate::error::Result;
use crate::run::event::Score;

/// Counts one image after the other, for all thresholds in one pass over its pixels.
#[derive(Debug, Clone)]
pub struct ThresholdSearch {
    labels: usize,
    /// Ascending.
    thresholds: Vec<f32>,
    /// `[labels, labels, thresholds + 1]`: pixels by true label, strongest label, and number of
    /// thresholds that the strength exceeds.
    counts: Vec<u64>,
    images: usize,
}

impl ThresholdSearch {
    /// 0.05, 0.10, … 0.95.
    pub fn usual_thresholds() -> Vec<f32> {
        (1..20).map(|step| step as f32 / 20.0).collect()
    }

    /// Nothing counted yet. Thresholds may come in any order; those that are no numbers are left out.
    pub fn new(classes: usize, thresholds: &[f32]) -> Self {
        let labels = classes.min(crate::files::limits::CLASSES) + 1;
        let mut thresholds: Vec<f32> = thresholds.iter().copied().filter(|value| !value.is_nan()).collect();
        thresholds.sort_unstable_by(f32::total_cmp);
        thresholds.dedup();
        Self { labels, counts: vec![0; labels * labels * (thresholds.len() + 1)], thresholds, images: 0 }
    }

    /// Counts one image. `path` is what an error names. After an error nothing has been counted.
    ///
    /// # Errors
    /// As [`Confusion::accumulate`].
    pub fn accumulate(&mut self, activation: &Activation, truth: &LabelMap, path: &str) -> Result<()> {
        check_pair((activation.width, activation.height), truth, self.labels, path)?;
        let pixels = activation.strongest.iter().zip(&activation.strength).zip(&truth.labels);
        for ((&strongest, &strength), &truth) in pixels {
            let strongest = usize::from(strongest);
            if truth != IGNORE && strongest < self.labels {
                let exceeded = self.thresholds.partition_point(|&threshold| strength > threshold);
                let row = usize::from(truth) * self.labels + strongest;
                self.counts[row * (self.thresholds.len() + 1) + exceeded] += 1;
            }
        }
        self.images += 1;
        Ok(())
    }

    /// The counts at each threshold, ascending.
    pub fn confusions(&self) -> Vec<(f32, Confusion)> {
        let bins = self.thresholds.len() + 1;
        let at = |index: usize| {
            let mut counts = vec![0u64; self.labels * (self.labels + 1)];
            for (row, bins) in self.counts.chunks_exact(bins).enumerate() {
                let (truth, strongest) = (row / self.labels, row % self.labels);
                let (below, above) = bins.split_at(index + 1);
                counts[truth * (self.labels + 1)] += below.iter().sum::<u64>();
                counts[truth * (self.labels + 1) + strongest] += above.iter().sum::<u64>();
            }
            Confusion::from_counts(self.labels, counts, self.images)
        };
        self.thresholds.iter().enumerate().map(|(index, &threshold)| (threshold, at(index))).collect()
    }

    /// The threshold with the largest mean IoU, the lowest of equals, and its figures; `None` without a
    /// threshold or an image.
    pub fn best(&self, classes: &[String]) -> Option<(f32, Score)> {
        let mut best: Option<(f32, f64, Confusion)> = None;
        for (threshold, confusion) in self.confusions() {
            let miou = confusion.miou()?;
            if best.as_ref().is_none_or(|(_, most, _)| miou > *most) {
                best = Some((threshold, miou, confusion));
            }
        }
        best.map(|(threshold, _, confusion)| (threshold, confusion.score(classes, true)))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::masks::threshold::{Background, label};

    fn random_pair(random: &mut ChaCha8Rng, classes: u8) -> (Activation, LabelMap) {
        let (width, height) = (17, 11);
        let pixels = width * height;
        let strongest: Vec<u8> = (0..pixels).map(|_| random.random_range(0..=classes)).collect();
        // Some strengths lie exactly on a threshold.
        let strength = (0..pixels).map(|_| random.random_range(0..=100) as f32 / 100.0).collect();
        let truth = strongest.iter().map(|&label| match random.random_range(0..8) {
            0 => IGNORE,
            1..4 => random.random_range(0..=classes),
            _ => label,
        });
        let truth = LabelMap { width, height, labels: truth.collect() };
        (Activation { classes: classes.into(), width, height, strongest, strength }, truth)
    }

    #[test]
    fn one_pass_counts_what_labelling_at_each_threshold_counts() {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let thresholds = ThresholdSearch::usual_thresholds();
        assert_eq!((thresholds.len(), thresholds[0], thresholds[18]), (19, 0.05, 0.95));
        let pairs: Vec<_> = (0..4).map(|_| random_pair(&mut random, 3)).collect();
        let mut search = ThresholdSearch::new(3, &thresholds);
        for (activation, truth) in &pairs {
            search.accumulate(activation, truth, "a.png").unwrap();
        }
        let mut most = (0.0, f64::NEG_INFINITY);
        for (threshold, found) in search.confusions() {
            let mut expected = Confusion::new(3);
            for (activation, truth) in &pairs {
                let predicted = label(activation, &Background::Fixed(threshold));
                expected.accumulate(&predicted, truth, "a.png").unwrap();
            }
            assert_eq!(found, expected, "{threshold}");
            let miou = expected.miou().unwrap();
            if miou > most.1 {
                most = (threshold, miou);
            }
        }
        let (threshold, score) = search.best(&["a", "b", "c"].map(str::to_owned)).unwrap();
        assert_eq!((threshold, score.miou, score.looked_at_truth), (most.0, most.1, true));
    }

    #[test]
    fn nothing_counted_has_no_best() {
        assert!(ThresholdSearch::new(2, &[0.3]).best(&[]).is_none());
        assert!(ThresholdSearch::new(2, &[f32::NAN]).best(&[]).is_none());
    }
}
