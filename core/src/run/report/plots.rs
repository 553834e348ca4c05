//! What happened over the steps, in pictures.

use super::history::History;
use super::losses::means;
use crate::export::plot::{self, Line, Panel, Picture};
use crate::run::course::of_class;
use crate::run::settings::Settings;

/// Points of a line in a small picture.
const COLUMNS: usize = 120;

/// The loss of network steps, a line a round; `None` where no step was taken.
pub(super) fn losses(history: &History, settings: &Settings) -> Option<Picture> {
    let rounds = settings.rounds();
    let line = |(&round, losses): (&usize, &super::losses::Losses)| Line {
        name: format!("round {}: {}", round + 1, rounds.get(round).map_or("", |round| round.name)),
        points: means(&losses.network, settings.first_step(history.total_steps, round)),
    };
    let lines: Vec<Line> = history.losses.iter().map(line).collect();
    (!lines.is_empty()).then(|| plot::lines("Loss of network steps", "steps", &lines))
}

/// Share and threshold of every class over the steps; `None` where nothing was measured.
pub(super) fn classes(history: &History, names: &[String]) -> Option<Picture> {
    let course = &history.course;
    if course.is_empty() {
        return None;
    }
    let learns = !course.thresholds.is_empty();
    let panel = |(class, name): (usize, &String)| {
        let share = of_class(&course.shares, class, COLUMNS);
        let threshold = of_class(&course.thresholds, class, COLUMNS);
        let of_all = of_class(&course.of_all, class, COLUMNS);
        let last = |line: &[(f64, f64)]| line.last().map(|&(_, value)| value);
        let mut said = Vec::new();
        if let Some(share) = last(&share).or_else(|| last(&of_all)) {
            said.push(format!("{:.0} %", 100.0 * share));
        }
        if let Some(threshold) = last(&threshold) {
            said.push(format!("cut at {threshold:.2}"));
        }
        Panel { name: name.clone(), said: said.join(", "), lines: vec![share, threshold], dots: of_all }
    };
    let panels: Vec<Panel> = names.iter().enumerate().map(panel).collect();
    let series: &[&str] = match learns {
        true => &["share of the watched photos", "learned threshold", "share of all photos, finished masks"],
        false => &["share of the watched photos", "", "share of all photos, finished masks"],
    };
    let edges: Vec<f64> = course.edges().iter().map(|&edge| edge as f64).collect();
    let right = course.total_steps.max(1) as f64;
    Some(plot::panels("Share and threshold of each class, from 0 to 1", series, &panels, right, &edges))
}
