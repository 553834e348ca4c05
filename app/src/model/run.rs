//! The run as the page knows it: stage, progress over all rounds, and what stands beside the chart.

use tag2mask_core::method::{Reading, Round};
use tag2mask_core::run::event::{Collapse, Phase, Score};
use tag2mask_core::run::{Event, Settings};

use super::estimate::Estimate;
use super::text;

/// Where the run stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Stage {
    /// Not started.
    #[default]
    Idle,
    /// Asked for; the network is being built.
    Starting,
    /// Training.
    Training,
    /// The wish to wait is on its way.
    Pausing,
    /// Waiting.
    Paused,
    /// The wish to end is on its way.
    Stopping,
    /// Ended by the user.
    Stopped,
    /// All rounds are done.
    Finished,
    /// Ended by an error.
    Failed(String),
}

impl Stage {
    /// Whether the trainer is busy with the run (waiting included).
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Starting | Self::Training | Self::Pausing | Self::Paused | Self::Stopping)
    }
}

/// A collapse that was told.
#[derive(Debug, Clone, PartialEq)]
pub struct CollapseNews {
    /// In plain words.
    pub title: &'static str,
    /// What to try.
    pub advice: String,
}

/// Everything about the run but its losses and previews.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Where it stands.
    pub stage: Stage,
    /// With what it was started.
    pub settings: Option<Settings>,
    /// Trainable numbers.
    pub parameters: usize,
    /// Images sent through the network at once.
    pub micro_batch: usize,
    /// Images whose masks it learns from, beside the labels of all others.
    pub given_masks: usize,
    /// Steps of all rounds.
    pub total_steps: usize,
    /// Steps done, over all rounds.
    pub done_steps: usize,
    /// The running round, from 0.
    pub round: usize,
    /// How many rounds there are.
    pub rounds: usize,
    /// What is being done, when it is not training steps: done and total.
    pub between: Option<(usize, usize)>,
    /// Whether that is the cutting of objects out of their boxes.
    cuts_boxes: bool,
    /// Estimate over all rounds, seconds.
    pub seconds_left: Option<f64>,
    /// Adaptive threshold per class.
    pub thresholds: Vec<Option<f32>>,
    /// Mean foreground share per class.
    pub shares: Vec<Option<f32>>,
    /// IoU of the training images' masks after each round, where truth was supplied.
    pub scores: Vec<(usize, Score)>,
    /// The last collapse told.
    pub collapse: Option<CollapseNews>,
    /// How long training took, seconds.
    pub seconds: Option<f64>,
    round_start: usize,
    round_steps: usize,
    estimate: Estimate,
}

impl Run {
    /// The user pressed Train.
    pub fn start(&mut self) {
        *self = Self { stage: Stage::Starting, ..Self::default() };
    }

    /// The user wants to go on with a run that was stopped.
    pub fn go_on(&mut self) {
        self.stage = Stage::Starting;
        self.collapse = None;
        // It may have been taken up from an earlier visit, on another device.
        self.estimate = Estimate::default();
    }

    /// Ends with an error.
    pub fn fail(&mut self, message: String) {
        self.stage = Stage::Failed(message);
        self.seconds_left = None;
        self.between = None;
    }

    /// Whether there is something that can make masks.
    pub fn has_network(&self) -> bool {
        matches!(self.stage, Stage::Stopped | Stage::Finished) && self.done_steps > 0
    }

    /// Takes news at `now` (seconds).
    pub fn apply(&mut self, event: &Event, now: f64) {
        match event {
            Event::RunStarted {
                settings,
                parameters,
                micro_batch,
                total_steps,
                done_steps,
                given_masks,
                ..
            } => {
                self.given_masks = *given_masks;
                self.stage = Stage::Training;
                self.rounds = settings.rounds().len();
                self.settings = Some(Settings::clone(settings));
                (self.parameters, self.micro_batch) = (*parameters, *micro_batch);
                (self.total_steps, self.done_steps) = (*total_steps, *done_steps);
            }
            Event::RoundStarted { round, rounds, steps, .. } => {
                let settings = self.settings.as_ref();
                self.round_start =
                    settings.map_or(0, |settings| settings.first_step(self.total_steps, *round));
                (self.round, self.rounds, self.round_steps) = (*round, *rounds, *steps);
                self.between = None;
                self.estimate.round(now);
            }
            Event::Losses { points, .. } => {
                if let Some(last) = points.last() {
                    self.reached(self.round_start + last.step + 1, now);
                }
            }
            Event::Progress { phase: Phase::Training, done, total, .. } => {
                // Told per round or over all of them: the total says which.
                let over_all = *total == self.total_steps && *total != self.round_steps;
                self.reached(if over_all { *done } else { self.round_start + done }, now);
            }
            Event::Progress {
                phase: phase @ (Phase::Shares | Phase::BoxMasks),
                done,
                total,
                seconds_left,
            } => {
                self.cuts_boxes = *phase == Phase::BoxMasks;
                self.between = Some((*done, *total));
                self.estimate.between(now);
                let steps = self.total_steps.saturating_sub(self.done_steps);
                let later = self.rounds.saturating_sub(self.round + 2);
                self.seconds_left =
                    self.estimate.left(steps, later).zip(*seconds_left).map(|(rest, this)| rest + this);
            }
            Event::SharesUpdated { round, mean, score } => {
                self.shares.clone_from(mean);
                if let Some(score) = score {
                    // Told as of the round that learns from these masks; made by the one before.
                    self.scores.push((round.saturating_sub(1), score.clone()));
                }
            }
            Event::Thresholds { per_class, .. } => self.thresholds.clone_from(per_class),
            Event::Collapsed { kind, advice, .. } => {
                self.collapse = Some(CollapseNews { title: collapse_title(*kind), advice: advice.clone() });
            }
            Event::RoundFinished { .. } => {
                self.reached(self.round_start + self.round_steps, now);
                self.estimate.rest();
            }
            Event::Paused { .. } => {
                self.stage = Stage::Paused;
                self.estimate.rest();
            }
            Event::Resumed { .. } => self.stage = Stage::Training,
            Event::Stopped { .. } => {
                self.stage = Stage::Stopped;
                self.seconds_left = None;
                self.between = None;
            }
            Event::TrainingFinished { seconds } => {
                self.stage = Stage::Finished;
                self.done_steps = self.total_steps;
                self.seconds = Some(*seconds);
                self.seconds_left = None;
                self.between = None;
            }
            _ => {}
        }
    }

    fn reached(&mut self, done: usize, now: f64) {
        self.done_steps = done.max(self.done_steps).min(self.total_steps.max(done));
        self.estimate.steps(self.done_steps, now);
        let later = self.rounds.saturating_sub(self.round + 1);
        self.seconds_left = self.estimate.left(self.total_steps.saturating_sub(self.done_steps), later);
    }

    /// "Round 2 of 3: Spatial-BCE".
    pub fn round_label(&self) -> String {
        self.label_of(self.round)
    }

    /// As [`Self::round_label`], of any round.
    pub fn label_of(&self, round: usize) -> String {
        let name = self.plan(round).map_or(String::new(), |round| format!(": {}", round.name));
        format!("Round {} of {}{name}", round + 1, self.rounds.max(round + 1))
    }

    /// What its method does in a round.
    fn plan(&self, round: usize) -> Option<Round> {
        self.settings.as_ref()?.rounds().into_iter().nth(round)
    }

    /// What this round is for, in one sentence.
    pub fn round_purpose(&self) -> &'static str {
        if self.between.is_some() && self.cuts_boxes {
            "Cuts objects out of their boxes, to learn from."
        } else if self.between.is_some() {
            "Measures how much of each photo every object covers, for the next round."
        } else {
            self.plan(self.round).map_or("", |round| round.purpose)
        }
    }

    /// What is being counted: "step 120 of 960", "photo 12 of 64".
    pub fn counter(&self) -> String {
        match self.between {
            Some((done, total)) => {
                format!("photo {} of {}", text::thousands(done as u64), text::thousands(total as u64))
            }
            None => format!(
                "step {} of {}",
                text::thousands(self.done_steps as u64),
                text::thousands(self.total_steps as u64)
            ),
        }
    }

    /// Share of all steps that is done, 0 to 1.
    pub fn fraction(&self) -> f64 {
        if self.total_steps == 0 { 0.0 } else { self.done_steps as f64 / self.total_steps as f64 }
    }

    /// Whether the run has the threshold branch and foreground shares.
    pub fn is_spatial(&self) -> bool {
        let reading = |settings: &Settings| settings.method.method().reading(settings);
        self.settings.as_ref().is_none_or(|settings| reading(settings) == Reading::LearnedThreshold)
    }
}

fn collapse_title(kind: Collapse) -> &'static str {
    match kind {
        Collapse::AllBackground => "The objects have vanished: everything is background",
        Collapse::AllForeground => "The objects fill whole photos",
        Collapse::NotANumber => "Training has run away: losses are no longer numbers",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::losses::tests::point;
    use crate::model::tests::run_started;

    fn losses(round: usize, step: usize) -> Event {
        Event::Losses { round, points: vec![point(step, 1.0, false)], learning_rate: 0.1 }
    }

    #[test]
    fn progress_runs_over_all_rounds_and_never_back() {
        let mut run = Run::default();
        run.start();
        run.apply(&run_started(50), 0.0);
        run.apply(&Event::RoundStarted { round: 0, rounds: 3, epochs: 4, steps: 10 }, 0.0);
        run.apply(&losses(0, 4), 5.0);
        assert_eq!(run.done_steps, 5);
        run.apply(&losses(0, 9), 10.0);
        assert_eq!(run.seconds_left, Some(40.0));
        run.apply(
            &Event::Progress { phase: Phase::Shares, done: 1, total: 4, seconds_left: Some(3.0) },
            11.0,
        );
        assert_eq!(run.seconds_left, Some(43.0));
        assert_eq!(run.counter(), "photo 1 of 4");
        run.apply(&Event::RoundStarted { round: 1, rounds: 3, epochs: 8, steps: 20 }, 14.0);
        run.apply(&losses(1, 0), 15.0);
        assert_eq!(run.done_steps, 11);
        assert_eq!(run.round_label(), "Round 2 of 3: Spatial-BCE");
        run.apply(&Event::Progress { phase: Phase::Training, done: 1, total: 20, seconds_left: None }, 15.0);
        assert_eq!(run.done_steps, 11);
        run.apply(&Event::Progress { phase: Phase::Training, done: 12, total: 50, seconds_left: None }, 16.0);
        assert_eq!(run.done_steps, 12);
        run.apply(&Event::TrainingFinished { seconds: 40.0 }, 40.0);
        assert_eq!(run.fraction(), 1.0);
        assert!(run.has_network());
    }

    #[test]
    fn a_resumed_run_starts_where_it_was() {
        let mut run = Run::default();
        let mut started = run_started(50);
        if let Event::RunStarted { done_steps, .. } = &mut started {
            *done_steps = 35;
        }
        run.go_on();
        run.apply(&started, 0.0);
        run.apply(&Event::RoundStarted { round: 2, rounds: 3, epochs: 8, steps: 20 }, 0.0);
        run.apply(&losses(2, 6), 1.0);
        assert_eq!(run.done_steps, 37);
    }

    #[test]
    fn pause_and_stop_change_the_stage() {
        let mut run = Run::default();
        run.start();
        assert!(run.stage.is_active());
        run.apply(&run_started(30), 0.0);
        run.apply(&Event::Paused { round: 0, step: 3 }, 1.0);
        assert_eq!(run.stage, Stage::Paused);
        run.apply(&Event::Resumed { round: 0, step: 3 }, 2.0);
        assert_eq!(run.stage, Stage::Training);
        run.apply(&Event::Stopped { round: 0, step: 3 }, 3.0);
        assert!(!run.has_network(), "no step was done");
    }

    #[test]
    fn one_round_told_over_all_is_not_counted_twice() {
        let mut run = Run::default();
        run.apply(&run_started(10), 0.0);
        run.apply(&Event::RoundStarted { round: 0, rounds: 1, epochs: 4, steps: 10 }, 0.0);
        run.apply(&Event::Progress { phase: Phase::Training, done: 4, total: 10, seconds_left: None }, 1.0);
        assert_eq!(run.done_steps, 4);
    }
}
