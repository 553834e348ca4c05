//! The rounds of a run side by side: which there are, and what their masks have in common and what not.

use tag2mask_core::dataset::Summary;
use tag2mask_core::run::course::Course;

use super::results::{Made, Results};
use super::run::Run;

/// A round whose masks can be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// As in [`Results::round`].
    pub round: Option<usize>,
    /// "Round 2 of 3: Spatial-BCE".
    pub label: String,
}

/// Rounds that have ended, and what was learned until now as the last one. One stop means that there is
/// nothing to compare.
pub fn stops(run: &Run) -> Vec<Stop> {
    if !run.has_network() {
        return Vec::new();
    }
    // A round that was stopped in its midst, or the last one, is what was learned until now.
    let label = |round| run.label_of(round);
    let ended = (0..run.round).map(|round| Stop { round: Some(round), label: label(round) });
    ended.chain([Stop { round: None, label: label(run.round) }]).collect()
}

/// One column of the table: a round's masks in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As in [`Stop::label`], shorter: "Round 2".
    pub title: String,
    /// Percent, where truth was supplied.
    pub miou: Option<f64>,
    /// Mean share of the image that each class covers, over the images that have it, 0 to 1.
    pub shares: Vec<Option<f64>>,
    /// Mean background threshold of each class, over the images that have it, 0 to 1.
    pub thresholds: Vec<Option<f64>>,
}

/// The rounds whose masks are all there.
pub fn columns(results: &Results, run: &Run, summary: &Summary) -> Vec<Column> {
    let column = |(round, made): (Option<usize>, &Made)| {
        let mut thresholds = vec![Mean::default(); summary.classes.len()];
        for mask in made.masks.values() {
            for &(class, threshold) in &mask.thresholds {
                if let Some(mean) = thresholds.get_mut(usize::from(class)) {
                    mean.add(threshold);
                }
            }
        }
        Column {
            title: format!("Round {}", round.unwrap_or(run.round) + 1),
            miou: made.score.as_ref().map(|score| score.miou),
            shares: shares(made, summary),
            thresholds: thresholds.iter().map(Mean::value).collect(),
        }
    };
    results.complete_rounds().into_iter().map(column).collect()
}

/// Mean share of the image that each class covers, over the images that have it, 0 to 1.
fn shares(made: &Made, summary: &Summary) -> Vec<Option<f64>> {
    let mut shares = vec![Mean::default(); summary.classes.len()];
    for (&image, mask) in &made.masks {
        let labels = summary.images.get(image).map(|facts| facts.labels.as_slice()).unwrap_or_default();
        for &label in labels {
            // A class that has gone from its image covers nothing of it.
            let share =
                mask.shares.iter().find(|(class, _)| *class == label).map_or(0.0, |(_, share)| *share);
            if let Some(mean) = shares.get_mut(usize::from(label)) {
                mean.add(share);
            }
        }
    }
    shares.iter().map(Mean::value).collect()
}

/// What a class covers of its images before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Foreground class.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// In the first masks, which labels alone have led to, 0 to 1.
    pub before: Option<f64>,
    /// In the masks that are shown, 0 to 1.
    pub after: Option<f64>,
}

/// A change for each class that any photo has, once all masks are there; nothing where a run makes no masks between its rounds.
pub fn changes(results: &Results, course: &Course, summary: &Summary) -> Vec<Change> {
    let Some(made) = results.shown().filter(|made| made.seconds.is_some()) else { return Vec::new() };
    if course.of_all.is_empty() {
        return Vec::new();
    }
    let change = |((class, name), after): ((usize, &String), Option<f64>)| {
        let before = course.first_of_all(class).map(f64::from);
        (before.is_some() || after.is_some()).then(|| Change { class, name: name.clone(), before, after })
    };
    summary.classes.iter().enumerate().zip(shares(made, summary)).filter_map(change).collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f32) {
        self.sum += f64::from(value);
        self.count += 1;
    }

    fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::Stage;
    use crate::model::tests::summary;
    use tag2mask_core::run::Event;

    fn run(round: usize) -> Run {
        let mut run = Run::default();
        (run.stage, run.done_steps, run.round, run.rounds) = (Stage::Finished, 1, round, 3);
        run.settings = Some(Default::default());
        run
    }

    #[test]
    fn every_ended_round_has_a_stop() {
        assert!(stops(&Run::default()).is_empty());
        assert_eq!(stops(&run(0)).len(), 1);
        let three = stops(&run(2));
        assert_eq!(three.iter().map(|stop| stop.round).collect::<Vec<_>>(), [Some(0), Some(1), None]);
        assert_eq!(three[2].label, "Round 3 of 3: Spatial-BCE");
    }

    #[test]
    fn numbers_are_means_over_the_images_that_have_the_class() {
        let mut results = Results::default();
        for (round, share) in [(Some(0), 0.2), (None, 0.4)] {
            results.round = round;
            results.start(&Default::default());
            // Images 0 and 3 have class 0; in image 3 it has gone.
            for (image, shares) in [(0, vec![(0, share)]), (3, vec![])] {
                let thresholds = vec![(0, 0.5)];
                let labels = vec![0, 1];
                results.apply(Event::MaskReady {
                    image,
                    width: 2,
                    height: 1,
                    shares,
                    thresholds,
                    miou: None,
                    doubt: None,
                    labels,
                });
            }
            results.apply(Event::MasksFinished { images: 2, seconds: 1.0, score: None });
        }
        let columns = columns(&results, &run(2), &summary(6));
        assert_eq!(
            columns.iter().map(|column| column.title.as_str()).collect::<Vec<_>>(),
            ["Round 1", "Round 3"]
        );
        let share = columns[1].shares[0].unwrap();
        assert!((share - 0.2).abs() < 1e-6, "{share}");
        assert_eq!(columns[0].thresholds, [Some(0.5), None, None]);
        let mut course = Course::default();
        assert!(changes(&results, &course, &summary(6)).is_empty(), "no masks between rounds");
        course.apply(&Event::SharesUpdated { round: 1, mean: vec![Some(0.75), None, None], score: None });
        let changes = changes(&results, &course, &summary(6));
        assert_eq!((changes.len(), changes[0].name.as_str(), changes[0].before), (1, "cat", Some(0.75)));
        assert_eq!((changes[0].class, changes[0].after), (0, columns[1].shares[0]));
    }
}
