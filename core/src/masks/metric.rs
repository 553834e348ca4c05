//! Intersection over union against true masks.

use super::label_map::{IGNORE, LabelMap};
use crate::error::{Error, Result};
use crate::export::classes_txt::BACKGROUND;
use crate::run::event::Score;

/// Counts of pixels by true and by predicted label, over any number of images: everything the metric
/// needs. [`IGNORE`] in the truth counts nowhere; in a prediction it is a miss of the true label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    /// Labels, background included.
    labels: usize,
    /// `[labels, labels + 1]`: true label by predicted label, the last column for predictions that are
    /// no label.
    counts: Vec<u64>,
    images: usize,
}

impl Confusion {
    /// Nothing counted yet, for background and `classes` foreground classes (at most 254).
    pub fn new(classes: usize) -> Self {
        let labels = classes.min(crate::files::limits::CLASSES) + 1;
        Self { labels, counts: vec![0; labels * (labels + 1)], images: 0 }
    }

    /// Counts one image. `path` is what an error names. After an error nothing has been counted.
    ///
    /// # Errors
    /// [`Error::Format`] when the sizes differ, or when the truth holds a label that is neither a class
    /// nor [`IGNORE`].
    pub fn accumulate(&mut self, predicted: &LabelMap, truth: &LabelMap, path: &str) -> Result<()> {
        check_pair((predicted.width, predicted.height), truth, self.labels, path)?;
        for (&predicted, &truth) in predicted.labels.iter().zip(&truth.labels) {
            if truth != IGNORE {
                let column = usize::from(predicted).min(self.labels);
                self.counts[usize::from(truth) * (self.labels + 1) + column] += 1;
            }
        }
        self.images += 1;
        Ok(())
    }

    /// Adds what `other`, of equally many classes, has counted.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.labels, other.labels);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.images += other.images;
    }

    /// Takes back what `other`, of equally many classes, has counted and this has counted too.
    pub fn take_back(&mut self, other: &Self) {
        debug_assert_eq!(self.labels, other.labels);
        for (count, less) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_sub(*less);
        }
        self.images = self.images.saturating_sub(other.images);
    }

    /// Images counted.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The highest label that any pixel carries, in truth or prediction.
    pub fn highest_label(&self) -> usize {
        (0..self.labels).rev().find(|&label| self.union(label) > 0).unwrap_or(0)
    }

    /// Intersection over union of each label, background first, 0 to 1; `None` where neither truth nor
    /// prediction holds the label.
    pub fn iou(&self) -> Vec<Option<f64>> {
        (0..self.labels)
            .map(|label| {
                let union = self.union(label);
                (union > 0).then(|| self.count(label, label) as f64 / union as f64)
            })
            .collect()
    }

    /// Mean of [`Confusion::iou`] in percent over the labels that occur in truth or prediction,
    /// background included (PASCAL VOC's convention); `None` before anything was counted.
    pub fn miou(&self) -> Option<f64> {
        let known: Vec<f64> = self.iou().into_iter().flatten().collect();
        (!known.is_empty()).then(|| 100.0 * known.iter().sum::<f64>() / known.len() as f64)
    }

    /// The figures in percent, for the foreground classes named in `classes`.
    pub fn score(&self, classes: &[String], looked_at_truth: bool) -> Score {
        let names = std::iter::once(BACKGROUND).chain(classes.iter().map(String::as_str));
        Score {
            miou: self.miou().unwrap_or(0.0),
            iou: names
                .zip(self.iou())
                .map(|(name, iou)| (name.to_owned(), iou.map(|iou| 100.0 * iou)))
                .collect(),
            images: self.images,
            looked_at_truth,
            confusion: self.rows(classes.len() + 1),
        }
    }

    /// Counts of the first `labels` labels, background first: true label by predicted label, and last those that
    /// were predicted as no label.
    fn rows(&self, labels: usize) -> Vec<Vec<u64>> {
        let labels = labels.min(self.labels);
        let row = |truth: usize| {
            let other = (labels..=self.labels).map(|predicted| self.count(truth, predicted)).sum();
            (0..labels).map(|predicted| self.count(truth, predicted)).chain([other]).collect()
        };
        (0..labels).map(row).collect()
    }

    /// A matrix that was counted elsewhere: `[labels, labels + 1]` as in [`Confusion`].
    pub(super) fn from_counts(labels: usize, counts: Vec<u64>, images: usize) -> Self {
        debug_assert_eq!(counts.len(), labels * (labels + 1));
        Self { labels, counts, images }
    }

    fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * (self.labels + 1) + predicted]
    }

    fn union(&self, label: usize) -> u64 {
        let in_truth: u64 = (0..=self.labels).map(|predicted| self.count(label, predicted)).sum();
        let predicted: u64 = (0..self.labels).map(|truth| self.count(truth, label)).sum();
        in_truth + predicted - self.count(label, label)
    }
}

/// Refuses a pair of maps that cannot be compared.
pub(super) fn check_pair(
    (width, height): (usize, usize),
    truth: &LabelMap,
    labels: usize,
    path: &str,
) -> Result<()> {
    let refuse = |reason| Err(Error::Format { path: path.into(), reason });
    if (width, height) != (truth.width, truth.height) {
        return refuse(format!(
            "the mask has {width} × {height} pixels and the truth {} × {}",
            truth.width, truth.height
        ));
    }
    match truth.labels.iter().find(|&&label| label != IGNORE && usize::from(label) >= labels) {
        Some(label) => {
            refuse(format!("the truth holds label {label}, but the classes end at {}", labels - 1))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn map(labels: Vec<u8>) -> LabelMap {
        LabelMap { width: labels.len(), height: 1, labels }
    }

    #[test]
    fn what_is_taken_back_was_never_counted() {
        let count = |predicted: &[u8], truth: &[u8]| {
            let mut confusion = Confusion::new(2);
            confusion.accumulate(&map(predicted.to_vec()), &map(truth.to_vec()), "a.png").unwrap();
            confusion
        };
        let (first, second) = (count(&[0, 1, 2], &[0, 1, 1]), count(&[2, 2, 0], &[2, 255, 1]));
        let mut both = first.clone();
        both.merge(&second);
        both.take_back(&second);
        assert_eq!(both, first);
    }

    #[test]
    fn agrees_with_counting_sets_of_pixels() {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        for _ in 0..50 {
            let classes = random.random_range(1..6usize);
            let mut draw = |ignore: bool| {
                let labels = (0..200).map(|_| match random.random_range(0..10) {
                    0 if ignore => IGNORE,
                    _ => random.random_range(0..classes as u8 + 1),
                });
                map(labels.collect())
            };
            let pairs: Vec<(LabelMap, LabelMap)> = (0..3).map(|_| (draw(true), draw(true))).collect();
            let mut confusion = Confusion::new(classes);
            for (predicted, truth) in &pairs {
                confusion.accumulate(predicted, truth, "a.png").unwrap();
            }
            for label in 0..=classes as u8 {
                let (mut both, mut either) = (0, 0);
                for (predicted, truth) in &pairs {
                    for (&p, &t) in predicted.labels.iter().zip(&truth.labels).filter(|(_, t)| **t != IGNORE)
                    {
                        both += usize::from(p == label && t == label);
                        either += usize::from(p == label || t == label);
                    }
                }
                let expected = (either > 0).then(|| both as f64 / either as f64);
                assert_eq!(confusion.iou()[usize::from(label)], expected);
            }
            assert_eq!(confusion.images(), 3);
        }
    }

    #[test]
    fn labels_that_occur_nowhere_do_not_count_in_the_mean() {
        let mut confusion = Confusion::new(3);
        assert_eq!(confusion.miou(), None);
        confusion.accumulate(&map(vec![0, 0, 1, 1]), &map(vec![0, 0, 1, 0]), "a.png").unwrap();
        let classes = ["cow", "cat", "dog"].map(str::to_owned);
        let score = confusion.score(&classes, false);
        assert!((score.miou - (200.0 / 3.0 + 50.0) / 2.0).abs() < 1e-9);
        assert_eq!(score.iou[1], ("cow".to_owned(), Some(50.0)));
        assert_eq!(score.iou[2..], [("cat".to_owned(), None), ("dog".to_owned(), None)]);
        assert_eq!((confusion.highest_label(), score.images), (1, 1));
        // Rows are the truth; what was drawn as no label stands last.
        assert_eq!(score.confusion[0], [2, 1, 0, 0, 0]);
        assert_eq!(score.confusion[1], [0, 1, 0, 0, 0]);
        let mut other = Confusion::new(3);
        other.accumulate(&map(vec![255, 0]), &map(vec![1, 255]), "c.png").unwrap();
        assert_eq!(other.score(&classes, false).confusion[1], [0, 0, 0, 0, 1]);
        // A class that is predicted where it is not, counts with 0.
        confusion.accumulate(&map(vec![3]), &map(vec![0]), "b.png").unwrap();
        assert_eq!(confusion.iou()[3], Some(0.0));
    }

    #[test]
    fn pairs_that_cannot_be_compared_are_refused_by_name_and_count_nothing() {
        let mut confusion = Confusion::new(2);
        let before = confusion.clone();
        let error = confusion.accumulate(&map(vec![0; 4]), &map(vec![0; 5]), "x/a.png").unwrap_err();
        assert_eq!(error.to_string(), "the mask has 4 × 1 pixels and the truth 5 × 1: x/a.png");
        let error = confusion.accumulate(&map(vec![0; 2]), &map(vec![0, 7]), "x/b.png").unwrap_err();
        assert_eq!(error.to_string(), "the truth holds label 7, but the classes end at 2: x/b.png");
        assert_eq!(confusion, before);
    }

    #[test]
    fn merged_counts_are_those_of_all_images() {
        let images = [(vec![0, 1, 2, 1], vec![0, 1, 1, 255]), (vec![255, 2, 2, 0], vec![2, 2, 1, 0])];
        let mut together = Confusion::new(2);
        let mut merged = Confusion::new(2);
        for (predicted, truth) in images {
            let (predicted, truth) = (map(predicted), map(truth));
            together.accumulate(&predicted, &truth, "").unwrap();
            let mut alone = Confusion::new(2);
            alone.accumulate(&predicted, &truth, "").unwrap();
            merged.merge(&alone);
        }
        assert_eq!(merged, together);
    }
}
