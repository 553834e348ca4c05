//! Tells a run's news again from its log: what a page knew before it was closed.

use super::checkpoint::{RunCard, Trained};
use super::event::Event;
use super::host::Host;
use super::journal::LOG;
use super::store::RunStore;
use crate::error::Result;

/// Tells `host` what `events.jsonl` holds, up to the last checkpoint, and then that the run has stopped there
/// (or finished). A run that came to its end before its first checkpoint has stopped before its first step.
/// `false`, and nothing told, when no run has started.
///
/// Losses of one round come in one event. Lines that cannot be read (the last one after a crash) are left
/// out: the log is for the eye, the checkpoint is what counts.
///
/// # Errors
/// As [`Trained::load`] and [`RunStore::read`].
pub fn replay<S: RunStore>(store: &S, host: &mut impl Host) -> Result<bool> {
    let Some(card) = RunCard::load(store)? else { return Ok(false) };
    let log = store.read(LOG)?.unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let mut events: Vec<Event> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        // A log may come from a stranger, in an archive.
        .filter(Event::is_logged)
        .collect();
    let Some(trained) = Trained::load(store, None)? else {
        let is_start = |event: &Event| matches!(event, Event::RunStarted { settings, .. } if **settings == card.settings);
        let Some(start) = events.iter().rposition(is_start) else { return Ok(false) };
        host.emit(events.swap_remove(start));
        host.emit(Event::Stopped { round: 0, step: 0 });
        return Ok(true);
    };
    let is_checkpoint = |event: &Event| matches!(event, Event::Saved { .. } | Event::Stopped { .. });
    let saved = events.iter().rposition(is_checkpoint).unwrap_or(0);
    let mut waiting: Option<Event> = None;
    let mut ended = false;
    for (index, event) in events.into_iter().enumerate() {
        match event {
            // What was learned after the checkpoint is learned again, and told again.
            Event::Losses { .. } | Event::Measured { .. } if index > saved => {}
            // Between losses of one round, which wait for the rest of them.
            measured @ Event::Measured { .. } => host.emit(measured),
            Event::RoundStarted { round, .. } if round > trained.position.round => {}
            Event::Losses { round, mut points, learning_rate } => match &mut waiting {
                Some(Event::Losses { round: of, points: before, learning_rate: rate }) if *of == round => {
                    before.append(&mut points);
                    *rate = learning_rate;
                }
                _ => tell(host, waiting.replace(Event::Losses { round, points, learning_rate })),
            },
            // Where it stands is told at the end; waiting and warnings were of that day.
            Event::Saved { .. }
            | Event::Stopped { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Warning { .. }
            | Event::Failed { .. } => {}
            other => {
                match other {
                    Event::RunStarted { .. } => ended = false,
                    Event::TrainingFinished { .. } => ended = true,
                    _ => {}
                }
                tell(host, waiting.take());
                host.emit(other);
            }
        }
    }
    tell(host, waiting);
    if !ended {
        let position = trained.position;
        host.emit(Event::Stopped { round: position.round, step: position.step });
    }
    Ok(true)
}

fn tell(host: &mut impl Host, event: Option<Event>) {
    if let Some(event) = event {
        host.emit(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::weights::Named;
    use crate::method::MethodName;
    use crate::run::checkpoint::{Position, save};
    use crate::run::event::{DeviceInfo, LossPoint};
    use crate::run::host::Control;
    use crate::run::settings::Settings;
    use crate::run::store::MemoryStore;

    #[derive(Default)]
    struct Listener(Vec<Event>);

    impl Host for Listener {
        fn emit(&mut self, event: Event) {
            self.0.push(event);
        }

        async fn breathe(&mut self) -> Control {
            Control::Continue
        }
    }

    fn losses(steps: std::ops::Range<usize>) -> Event {
        let point = |step| LossPoint {
            step,
            total: 1.0,
            main: 1.0,
            share: 0.0,
            activation: 0.5,
            threshold_step: false,
        };
        Event::Losses { round: 0, points: steps.map(point).collect(), learning_rate: 0.1 }
    }

    fn measured(step: usize) -> Event {
        Event::Measured { round: 0, step, shares: vec![(0, 0.25)], thresholds: Vec::new() }
    }

    fn started(done_steps: usize) -> Event {
        Event::RunStarted {
            settings: Box::default(),
            device: DeviceInfo::default(),
            parameters: 1,
            micro_batch: 8,
            recompute: false,
            memory: 0,
            total_steps: 20,
            done_steps,
            given_masks: 0,
        }
    }

    fn store(events: &[Event]) -> MemoryStore {
        let mut store = MemoryStore::default();
        RunCard::new(&Settings::default(), &["cow".into()], 3).save(&mut store).unwrap();
        let weights = [Named { name: "w".into(), shape: vec![1], values: vec![0.0] }];
        save(&mut store, MethodName::Cam, Position { round: 0, step: 6 }, &weights, &[]).unwrap();
        for event in events {
            store.append(LOG, &serde_json::to_string(event).unwrap()).unwrap();
        }
        store
    }

    #[test]
    fn the_news_come_again_up_to_the_checkpoint() {
        let mut store = store(&[
            started(0),
            losses(0..3),
            measured(2),
            losses(3..6),
            Event::Saved { round: 0, step: 6 },
            Event::Paused { round: 0, step: 6 },
            losses(6..9),
            measured(8),
        ]);
        store.append(LOG, "{\"event\":\"losses\",\"rou").unwrap();
        let mut listener = Listener::default();
        assert!(replay(&store, &mut listener).unwrap());
        let stopped = Event::Stopped { round: 0, step: 6 };
        assert_eq!(listener.0, [started(0), measured(2), losses(0..6), stopped]);
    }

    #[test]
    fn what_is_never_logged_is_not_told_whoever_wrote_the_log() {
        let store = store(&[
            started(0),
            losses(0..6),
            Event::Kept { ok: true },
            Event::Saved { round: 0, step: 6 },
            Event::FileReady { name: "../../x".into(), bytes: Vec::new() },
        ]);
        let mut listener = Listener::default();
        replay(&store, &mut listener).unwrap();
        assert_eq!(listener.0, [started(0), losses(0..6), Event::Stopped { round: 0, step: 6 }]);
    }

    #[test]
    fn a_finished_run_is_told_as_finished_and_one_that_went_on_is_not() {
        let end = Event::TrainingFinished { seconds: 2.0 };
        let mut listener = Listener::default();
        replay(&store(&[started(0), end.clone()]), &mut listener).unwrap();
        assert_eq!(listener.0.last(), Some(&end));
        let mut listener = Listener::default();
        replay(&store(&[started(0), end, started(3)]), &mut listener).unwrap();
        assert_eq!(listener.0.last(), Some(&Event::Stopped { round: 0, step: 6 }));
    }

    #[test]
    fn a_run_without_a_checkpoint_stands_at_its_start() {
        let mut store = MemoryStore::default();
        RunCard::new(&Settings::default(), &["cow".into()], 3).save(&mut store).unwrap();
        let mut listener = Listener::default();
        assert!(!replay(&store, &mut listener).unwrap());
        for event in [started(0), losses(0..3)] {
            store.append(LOG, &serde_json::to_string(&event).unwrap()).unwrap();
        }
        assert!(replay(&store, &mut listener).unwrap());
        assert_eq!(listener.0, [started(0), Event::Stopped { round: 0, step: 0 }]);
    }

    #[test]
    fn without_a_run_nothing_is_told() {
        let mut listener = Listener::default();
        assert!(!replay(&MemoryStore::default(), &mut listener).unwrap());
        assert!(listener.0.is_empty());
    }
}
