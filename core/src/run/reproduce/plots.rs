//! What a reproduction shows in pictures: losses step by step, and how well each class was found.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Part, Record};
use crate::error::Result;
use crate::export::plot::{self, Bar};
use crate::export::svg;
use crate::run::event::Event;
use crate::run::report::losses::{Losses, by_round, means};
use crate::run::store::{FolderStore, RunStore};

/// The losses of both trainings, one after the other.
pub(super) fn losses(first: &Path, second: &Path) -> Result<String> {
    let mut lines = Vec::new();
    let mut steps_before = 0usize;
    for (folder, is_second) in [(first, false), (second, true)] {
        for (round, Losses { steps, network }) in of_run(folder)? {
            let name = match (is_second, round) {
                (true, _) => "second stage".to_owned(),
                (false, 0) => "plain classifier (round 0)".to_owned(),
                (false, round) => format!("Spatial-BCE, round {round}"),
            };
            lines.push(plot::Line { name, points: means(&network, steps_before) });
            steps_before += steps;
        }
    }
    Ok(svg::encode(&plot::lines("Loss of network steps", "steps", &lines)))
}

/// Losses by round, from a run's log.
fn of_run(folder: &Path) -> Result<BTreeMap<usize, Losses>> {
    let log = FolderStore::open(folder).read("events.jsonl")?.unwrap_or_default();
    // The last line may be half written.
    let events = log.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    Ok(by_round(events.collect::<Vec<Event>>().iter()))
}

/// Intersection over union of each class, by every part that was scored.
pub(super) fn iou(records: &[(Part, Option<Record>)]) -> String {
    let scored: Vec<_> = records
        .iter()
        .filter_map(|(part, record)| Some((part.title(), record.as_ref()?.score.as_ref()?)))
        .collect();
    let names = scored.first().map_or(&[][..], |(_, score)| &score.iou);
    let rows = names.iter().enumerate().map(|(class, (name, _))| plot::Row {
        name: name.clone(),
        bars: scored
            .iter()
            .map(|(_, score)| score.iou.get(class).and_then(|(_, iou)| iou.map(Bar::from)))
            .collect(),
    });
    let series: Vec<String> = scored.iter().map(|(title, _)| title.clone()).collect();
    let rows: Vec<plot::Row> = rows.collect();
    svg::encode(&plot::bars("Intersection over union", "%", &series, &rows, 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_taken_twice_count_once_and_half_a_line_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let losses = |points: &str| {
            format!(r#"{{"event":"losses","round":1,"points":[{points}],"learning_rate":0.1}}"#) + "\n"
        };
        let point = |step: usize, total: f32, threshold: bool| {
            format!(
                r#"{{"step":{step},"total":{total},"main":0,"share":0,"activation":0,"threshold_step":{threshold}}}"#
            )
        };
        let first = losses(&format!("{},{}", point(0, 4.0, false), point(1, 3.0, false)));
        let second = losses(&format!("{},{}", point(1, 2.0, false), point(2, 9.0, true)));
        let log = first + &second + "{\"event\":\"los";
        std::fs::write(folder.path().join("events.jsonl"), log).unwrap();
        let rounds = of_run(folder.path()).unwrap();
        assert_eq!(rounds[&1], Losses { steps: 3, network: BTreeMap::from([(0, 4.0), (1, 2.0)]) });
        assert_eq!(means(&rounds[&1].network, 10), [(10.0, 4.0), (11.0, 2.0)]);
        let many = (0..4000).map(|step| (step, 1.0)).collect();
        assert_eq!(means(&many, 0).len(), 400);
        assert!(of_run(&folder.path().join("nowhere")).unwrap().is_empty());
    }
}
