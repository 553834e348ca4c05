//! Losses of a run, by round.

use std::collections::BTreeMap;

use crate::run::event::Event;

/// Points of a line: more cannot be told apart.
const COLUMNS: usize = 400;

/// Losses of a round.
#[derive(Debug, Default, PartialEq)]
pub struct Losses {
    /// Steps of all kinds.
    pub steps: usize,
    /// Of network steps, by step; what threshold steps minimise is another quantity.
    pub network: BTreeMap<usize, f32>,
}

/// By round. Where a crash made a run take steps again, the last count.
pub fn by_round<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeMap<usize, Losses> {
    let mut rounds: BTreeMap<usize, Losses> = BTreeMap::new();
    for event in events {
        if let Event::Losses { round, points, .. } = event {
            let losses = rounds.entry(*round).or_default();
            losses.steps = points.iter().map(|point| point.step + 1).fold(losses.steps, usize::max);
            let network = points.iter().filter(|point| !point.threshold_step);
            losses.network.extend(network.map(|point| (point.step, point.total)));
        }
    }
    rounds
}

/// Means of neighbouring steps.
pub fn means(losses: &BTreeMap<usize, f32>, steps_before: usize) -> Vec<(f64, f64)> {
    let all: Vec<(usize, f32)> = losses.iter().map(|(&step, &loss)| (step, loss)).collect();
    let mean = |part: &[(usize, f32)]| {
        let count = part.len().max(1) as f64;
        let step = part.iter().map(|&(step, _)| (steps_before + step) as f64).sum::<f64>() / count;
        (step, part.iter().map(|&(_, loss)| f64::from(loss)).sum::<f64>() / count)
    };
    all.chunks(all.len().div_ceil(COLUMNS).max(1)).map(mean).collect()
}
