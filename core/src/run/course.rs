//! How the classes fare over the steps of a run: what share of their photos is called them, and the threshold that
//! cuts them out. The page draws it while the network trains, the report afterwards.

use super::event::Event;

/// Values of some classes at a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Step over all rounds.
    pub at: usize,
    /// Class and value, 0 to 1.
    pub values: Vec<(u16, f32)>,
}

/// Shares and thresholds of all classes, by step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Course {
    /// Steps of all rounds.
    pub total_steps: usize,
    /// Mean share of the watched photos that have the class, as the network draws them.
    pub shares: Vec<Point>,
    /// The background threshold that they were cut with; nothing where none is learned.
    pub thresholds: Vec<Point>,
    /// Mean share of all photos that have the class, of finished masks: told between two rounds.
    pub of_all: Vec<Point>,
    /// First step of every round.
    rounds: Vec<usize>,
}

impl Course {
    /// Takes news of a run; others change nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted { settings, total_steps, done_steps, .. } => {
                if *done_steps == 0 || *total_steps != self.total_steps {
                    *self = Self::default();
                }
                // What was trained after the last checkpoint is trained again.
                for points in [&mut self.shares, &mut self.thresholds] {
                    points.retain(|point| point.at < *done_steps);
                }
                self.of_all.retain(|point| point.at <= *done_steps);
                self.total_steps = *total_steps;
                let rounds = 0..settings.rounds().len();
                self.rounds = rounds.map(|round| settings.first_step(*total_steps, round)).collect();
            }
            Event::Measured { round, step, shares, thresholds } => {
                let at = self.first_step(*round) + step;
                for (points, values) in [(&mut self.shares, shares), (&mut self.thresholds, thresholds)] {
                    if !values.is_empty() {
                        points.push(Point { at, values: values.clone() });
                    }
                }
            }
            Event::SharesUpdated { round, mean, .. } => {
                let at = self.first_step(*round);
                let known = mean.iter().enumerate();
                let values = known.filter_map(|(class, share)| Some((class as u16, (*share)?))).collect();
                self.of_all.retain(|point| point.at != at);
                self.of_all.push(Point { at, values });
            }
            _ => {}
        }
    }

    fn first_step(&self, round: usize) -> usize {
        self.rounds.get(round).copied().unwrap_or_default()
    }

    /// The steps at which rounds after the first begin.
    pub fn edges(&self) -> &[usize] {
        self.rounds.get(1..).unwrap_or_default()
    }

    /// Whether there is nothing to draw yet.
    pub fn is_empty(&self) -> bool {
        self.shares.is_empty() && self.of_all.is_empty()
    }

    /// Mean share of all photos that have the class before anything but labels, or boxes, was learned from: of the
    /// first finished masks.
    pub fn first_of_all(&self, class: usize) -> Option<f32> {
        let of_class = |(c, _): &&(u16, f32)| usize::from(*c) == class;
        self.of_all.first()?.values.iter().find(of_class).map(|&(_, share)| share)
    }
}

/// Step and value of one class, in order, means of neighbours where there are more than `most`.
pub fn of_class(points: &[Point], class: usize, most: usize) -> Vec<(f64, f64)> {
    let value = |point: &Point| {
        let found = point.values.iter().find(|(c, _)| usize::from(*c) == class)?.1;
        found.is_finite().then(|| (point.at as f64, f64::from(found)))
    };
    let all: Vec<(f64, f64)> = points.iter().filter_map(value).collect();
    let mean = |part: &[(f64, f64)]| {
        let (x, y) = part.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (x / part.len() as f64, y / part.len() as f64)
    };
    all.chunks(all.len().div_ceil(most.max(1)).max(1)).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Settings;
    use crate::run::event::DeviceInfo;

    fn started(done_steps: usize) -> Event {
        // Epochs 4, 8, 8.
        Event::RunStarted {
            settings: Box::<Settings>::default(),
            device: DeviceInfo::default(),
            parameters: 1,
            micro_batch: 8,
            recompute: false,
            memory: 0,
            total_steps: 50,
            done_steps,
            given_masks: 0,
        }
    }

    fn measured(round: usize, step: usize, share: f32, threshold: Option<f32>) -> Event {
        let thresholds = threshold.map(|threshold| (1, threshold)).into_iter().collect();
        Event::Measured { round, step, shares: vec![(1, share)], thresholds }
    }

    #[test]
    fn rounds_follow_each_other_and_steps_taken_again_count_once() {
        let mut course = Course::default();
        assert!(course.is_empty());
        let mean = vec![None, Some(0.3)];
        for event in [
            started(0),
            measured(0, 4, 0.5, None),
            Event::SharesUpdated { round: 1, mean, score: None },
            measured(1, 2, 0.4, Some(0.6)),
            measured(1, 9, 0.1, Some(0.1)),
            started(15),
            measured(1, 9, 0.2, Some(0.7)),
        ] {
            course.apply(&event);
        }
        assert_eq!(course.edges(), [10, 30]);
        assert_eq!(
            of_class(&course.shares, 1, 9),
            [(4.0, 0.5), (12.0, f64::from(0.4f32)), (19.0, f64::from(0.2f32))]
        );
        assert_eq!(of_class(&course.thresholds, 1, 9).len(), 2);
        assert_eq!((course.first_of_all(1), course.first_of_all(0)), (Some(0.3), None));
        assert!(of_class(&course.shares, 0, 9).is_empty());
        course.apply(&started(0));
        assert!(course.is_empty());
    }

    #[test]
    fn many_points_become_means_and_wild_ones_are_left_out() {
        let point = |at| Point { at, values: vec![(0, if at == 3 { f32::NAN } else { at as f32 })] };
        let points: Vec<Point> = (0..1001).map(point).collect();
        let line = of_class(&points, 0, 100);
        assert_eq!(line.len(), 100);
        assert_eq!(line[1], (15.5, 15.5));
        assert!(line.iter().all(|(x, y)| x.is_finite() && y.is_finite()));
    }
}
