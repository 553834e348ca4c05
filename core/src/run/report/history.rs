//! A run's log, put together.

use std::collections::BTreeMap;

use super::losses::{self, Losses};
use crate::run::course::Course;
use crate::run::event::{DeviceInfo, Event, Score};
use crate::run::settings::Settings;

/// How a run is, as of the last line of its log.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum State {
    /// No step was taken.
    #[default]
    NotBegun,
    /// It was under way: it goes on, or was broken off.
    UnderWay { round: usize },
    /// The user ended it.
    Stopped { round: usize },
    /// All rounds are done.
    Finished,
}

/// What happened.
#[derive(Default)]
pub(super) struct History {
    pub(super) state: State,
    /// Where it was computed, each device once.
    pub(super) devices: Vec<DeviceInfo>,
    pub(super) parameters: usize,
    /// Images whose masks were given, to be learned from.
    pub(super) given_masks: usize,
    pub(super) micro_batch: usize,
    pub(super) total_steps: usize,
    /// Whether it was taken up again.
    pub(super) was_resumed: bool,
    /// Seconds of the rounds that have ended, since they were last taken up.
    pub(super) seconds: BTreeMap<usize, f64>,
    pub(super) losses: BTreeMap<usize, Losses>,
    pub(super) course: Course,
    /// What was scored, and how good it was.
    pub(super) scores: Vec<(String, Score)>,
    /// What went wrong.
    pub(super) advice: Vec<String>,
}

impl History {
    pub(super) fn of(events: &[Event], settings: &Settings) -> Self {
        let mut history = Self { losses: losses::by_round(events.iter()), ..Self::default() };
        let name = |round: usize| settings.rounds().get(round).map_or("", |round| round.name);
        for event in events {
            history.course.apply(event);
            match event {
                Event::RunStarted {
                    device,
                    parameters,
                    micro_batch,
                    total_steps,
                    done_steps,
                    given_masks,
                    ..
                } => {
                    history.given_masks = *given_masks;
                    if !history.devices.contains(device) {
                        history.devices.push(device.clone());
                    }
                    (history.parameters, history.micro_batch) = (*parameters, *micro_batch);
                    history.total_steps = *total_steps;
                    history.was_resumed |= *done_steps > 0;
                }
                Event::RoundStarted { round, .. } => history.state = State::UnderWay { round: *round },
                Event::RoundFinished { round, seconds } => {
                    history.seconds.insert(*round, *seconds);
                }
                Event::Stopped { round, .. } => history.state = State::Stopped { round: *round },
                Event::TrainingFinished { .. } => history.state = State::Finished,
                Event::SharesUpdated { round, score: Some(score), .. } => {
                    let made_by = round.saturating_sub(1);
                    let what =
                        format!("masks after round {} ({}), before the next", made_by + 1, name(made_by));
                    history.scored(what, score);
                }
                Event::BoxMasksCut { score: Some(score), .. } => {
                    history.scored("masks cut out of boxes, by no network".into(), score);
                }
                Event::Collapsed { round, step, advice, .. } => {
                    history.advice.push(format!("Round {}, step {}: {advice}", round + 1, step + 1));
                }
                _ => {}
            }
        }
        history
    }

    /// What was made again counts once.
    fn scored(&mut self, what: String, score: &Score) {
        self.scores.retain(|(known, _)| *known != what);
        self.scores.push((what, score.clone()));
    }

    /// Steps that were learned from.
    pub(super) fn steps(&self) -> usize {
        self.losses.values().map(|losses| losses.steps).sum()
    }
}
