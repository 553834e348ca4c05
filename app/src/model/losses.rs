//! The losses of all rounds on one axis of steps.

use tag2mask_core::run::Event;
use tag2mask_core::run::event::LossPoint;

/// One round's place on the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundSpan {
    /// Round, from 0.
    pub round: usize,
    /// What it is called.
    pub name: &'static str,
    /// Its first step on the common axis.
    pub start: usize,
    /// Its steps.
    pub steps: usize,
}

/// One step on the common axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Step over all rounds.
    pub at: usize,
    /// Round, from 0.
    pub round: usize,
    /// What was read.
    pub point: LossPoint,
}

/// Everything the chart draws.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Losses {
    /// Rounds so far.
    pub rounds: Vec<RoundSpan>,
    /// Points so far, by step.
    pub samples: Vec<Sample>,
    /// Steps of all rounds.
    pub total_steps: usize,
    /// The last learning rate told.
    pub learning_rate: Option<f64>,
    /// First step and name of every round.
    plan: Vec<(usize, &'static str)>,
}

impl Losses {
    /// Takes news of a run; others change nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted { settings, total_steps, done_steps, .. } => {
                if *done_steps == 0 || *total_steps != self.total_steps {
                    *self = Self::default();
                }
                // What was trained after the last checkpoint is trained again.
                self.samples.retain(|sample| sample.at < *done_steps);
                self.total_steps = *total_steps;
                let named = settings.rounds().into_iter().map(|round| round.name).enumerate();
                self.plan =
                    named.map(|(round, name)| (settings.first_step(*total_steps, round), name)).collect();
            }
            Event::RoundStarted { round, steps, .. } => {
                self.rounds.retain(|span| span.round < *round);
                let (start, name) = self.plan(*round);
                self.rounds.push(RoundSpan { round: *round, name, start, steps: *steps });
            }
            Event::Losses { round, points, learning_rate } => {
                self.learning_rate = Some(*learning_rate);
                let (start, _) = self.plan(*round);
                self.samples.extend(points.iter().map(|point| Sample {
                    at: start + point.step,
                    round: *round,
                    point: point.clone(),
                }));
            }
            _ => {}
        }
    }

    fn plan(&self, round: usize) -> (usize, &'static str) {
        self.plan.get(round).copied().unwrap_or_default()
    }

    /// For those who cannot see the chart: where the loss of the running round started and is now.
    pub fn in_words(&self) -> String {
        let Some(last) = self.samples.last() else { return "No losses yet".into() };
        let of_round = || self.samples.iter().filter(|s| s.round == last.round && !s.point.threshold_step);
        let mean = |samples: Vec<&Sample>| {
            samples.iter().map(|s| f64::from(s.point.total)).sum::<f64>() / samples.len().max(1) as f64
        };
        let first = mean(of_round().take(5).collect());
        let now = mean(of_round().rev().take(5).collect());
        format!(
            "Loss in round {}: from {} to {} after {} steps",
            last.round + 1,
            super::text::decimal(first),
            super::text::decimal(now),
            last.point.step + 1
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::tests::run_started;

    pub(crate) fn point(step: usize, total: f32, threshold_step: bool) -> LossPoint {
        LossPoint { step, total, main: total * 0.8, share: total * 0.2, activation: 0.3, threshold_step }
    }

    #[test]
    fn rounds_follow_each_other_on_one_axis() {
        let mut losses = Losses::default();
        losses.apply(&run_started(50));
        losses.apply(&Event::RoundStarted { round: 0, rounds: 3, epochs: 4, steps: 10 });
        losses.apply(&Event::RoundStarted { round: 1, rounds: 3, epochs: 8, steps: 20 });
        losses.apply(&Event::Losses { round: 1, points: vec![point(4, 1.0, false)], learning_rate: 0.1 });
        assert_eq!(losses.samples[0].at, 14);
        assert_eq!(losses.in_words(), "Loss in round 2: from 1.00 to 1.00 after 5 steps");
        losses.apply(&run_started(5));
        assert!(losses.samples.is_empty() && losses.rounds.is_empty());
    }

    #[test]
    fn a_resumed_run_goes_on_on_the_same_axis() {
        let mut losses = Losses::default();
        losses.apply(&run_started(50));
        losses.apply(&Event::RoundStarted { round: 0, rounds: 3, epochs: 4, steps: 10 });
        let points = (0..9).map(|step| point(step, 1.0, false)).collect();
        losses.apply(&Event::Losses { round: 0, points, learning_rate: 0.1 });
        let mut again = run_started(50);
        if let Event::RunStarted { done_steps, .. } = &mut again {
            *done_steps = 6;
        }
        losses.apply(&again);
        assert_eq!(losses.samples.len(), 6);
        losses.apply(&Event::RoundStarted { round: 0, rounds: 3, epochs: 4, steps: 10 });
        losses.apply(&Event::Losses { round: 0, points: vec![point(6, 1.0, false)], learning_rate: 0.1 });
        assert_eq!(losses.samples.last().map(|sample| sample.at), Some(6));
        assert_eq!(losses.rounds.len(), 1);
    }
}
