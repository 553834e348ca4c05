//! `report.md`: our figures beside the published ones, and all that they depend on.

use std::fmt::Write as _;

use super::{Part, Plan, Record, Reproduction};
use crate::dataset::{Dataset, ProblemKind, Summary};
use crate::error::Result;
use crate::run::duration::duration;
use crate::run::preset::Preset;
use crate::run::settings::Settings;

/// Where no figure is.
const NOT_RUN: &str = "not run";
const NONE: &str = "–";

/// A row of the table of stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was done.
    pub title: String,
    /// Images that were scored.
    pub images: String,
    /// Our mIoU in percent, or why there is none.
    pub miou: String,
    /// The published one.
    pub published: String,
    /// Whether ground truth played a part in how the masks were made.
    pub looked_at_truth: &'static str,
    /// How long it took.
    pub time: String,
}

/// The table of stages.
pub(super) fn rows(plan: &Plan, records: &[(Part, Option<Record>)]) -> Vec<Row> {
    let mut rows: Vec<Row> = records
        .iter()
        .map(|(part, record)| {
            let score = record.as_ref().and_then(|record| record.score.as_ref());
            let finished = record.as_ref().is_some_and(|record| record.finished);
            let makes_masks = matches!(part, Part::Masks(_) | Part::Predict);
            let split = match part {
                Part::Predict => format!(", masks of {}, no labels told", plan.validation_split),
                Part::Masks(_) => format!(", of {}", plan.training_split),
                _ => String::new(),
            };
            Row {
                title: part.title() + &split,
                images: score.map_or(NONE.into(), |score| score.images.to_string()),
                miou: match (score, finished) {
                    (_, false) if record.is_some() => "not finished".into(),
                    (_, false) => NOT_RUN.into(),
                    (Some(score), _) => format!("{:.1}", score.miou),
                    (None, _) if makes_masks => "no truth supplied".into(),
                    (None, _) => NONE.into(),
                },
                published: match part {
                    Part::Predict => format!("{:.1}", plan.benchmark.published()),
                    _ => NONE.into(),
                },
                looked_at_truth: match score {
                    Some(score) if score.looked_at_truth => {
                        "yes: a fixed threshold may have been chosen on it"
                    }
                    Some(_) => "no",
                    None => NONE,
                },
                time: record.as_ref().map_or(NONE.into(), |record| duration(record.seconds)),
            }
        })
        .collect();
    if let Some(published) = plan.benchmark.published_test() {
        rows.push(Row {
            title: "second stage, masks of the test set (only the benchmark's server has its truth)".into(),
            images: NONE.into(),
            miou: NOT_RUN.into(),
            published: format!("{published:.1}"),
            looked_at_truth: NONE,
            time: NONE.into(),
        });
    }
    rows
}

/// The whole report.
pub(super) fn text(
    work: &Reproduction<'_>,
    records: &[(Part, Option<Record>)],
    rows: &[Row],
) -> Result<String> {
    let plan = work.plan;
    let finished = |record: &Option<Record>| record.as_ref().is_some_and(|record| record.finished);
    let done = records.iter().filter(|(_, record)| finished(record)).count();
    let mut text = format!("# Spatial-BCE on {}\n\n", plan.benchmark.title());
    let _ = writeln!(text, "By {}. {done} of {} parts are finished.", version(), records.len());
    let _ =
        writeln!(text, "\n| part | images scored | mIoU, % | published, % | looked at ground truth | time |");
    let _ = writeln!(text, "| --- | --- | --- | --- | --- | --- |");
    for row in rows {
        let cells = [&row.title, &row.images, &row.miou, &row.published, row.looked_at_truth, &row.time];
        let _ = writeln!(text, "| {} |", cells.map(escaped).join(" | "));
    }
    let labels_from_masks =
        work.training.problems.iter().any(|problem| problem.kind == ProblemKind::LabelFromMask);
    let learned = match labels_from_masks {
        true => "Of the supplied masks nothing was learned but image-level labels, as Data says below",
        false => "Nothing was learned from the supplied masks",
    };
    let _ = writeln!(
        text,
        "\nmIoU is the mean over background and the classes that occur in truth or masks. Published: Wu et al., \
         ECCV 2022, as others quote it; of the masks between, no figure is known to us. {learned}: where \
         \"looked at ground truth\" says no, they also gave the figure, and nothing else. Times are of all \
         sessions that did not crash."
    );
    departures(&mut text, plan, &work.training.summary());
    text.push_str("\n## Classes\n\n");
    classes(&mut text, work.training, records);
    text.push_str("\n![Intersection over union](iou.svg)\n\n![Losses](losses.svg)\n\n## Data\n\n");
    data(&mut text, &plan.training_split, work.training);
    data(&mut text, &plan.validation_split, work.validation);
    text.push_str("\n## Machine\n\n");
    machine(&mut text, records);
    let _ = write!(text, "\n## Settings\n\n```json\n{}\n```\n", plan.json()?);
    Ok(text)
}

/// What is known to be other than published.
fn departures(text: &mut String, plan: &Plan, training: &Summary) {
    text.push_str(
        "\nOther than published, whatever the settings: no RandAugment; round 0, where the first \
                   foreground shares come from, is ours, as the authors' are not public; so is the second \
                   stage's training.",
    );
    if training.without_class > 0 {
        let _ = write!(
            text,
            " {} images with none of the classes were learned from, too.",
            training.without_class
        );
    }
    let (learned, scored) = (plan.benchmark.training_split(), plan.benchmark.validation_split());
    if (plan.training_split.as_str(), plan.validation_split.as_str()) != (learned, scored) {
        let _ = write!(
            text,
            " Splits: {} and {} instead of {} and {}.",
            escaped(&plan.training_split),
            escaped(&plan.validation_split),
            escaped(learned),
            escaped(scored)
        );
    }
    let is_paper = |settings: &Settings| {
        let paper = Preset::Paper.settings(settings.method, None, training, false);
        Settings { seed: paper.seed, ..settings.clone() } == paper
    };
    if !is_paper(&plan.first) || !is_paper(&plan.second) {
        text.push_str(" The settings are not the paper's.");
    }
    if plan.weights.is_none() {
        text.push_str(" The backbone started from random weights.");
    }
    text.push('\n');
}

/// Intersection over union of each class, a column for each part that was scored.
fn classes(text: &mut String, training: &Dataset, records: &[(Part, Option<Record>)]) {
    let scored: Vec<_> = records
        .iter()
        .filter_map(|(part, record)| Some((part.title(), record.as_ref()?.score.as_ref()?)))
        .collect();
    let Some((_, first)) = scored.first() else {
        text.push_str("Nothing has been scored yet.\n");
        return;
    };
    let images = training.summary().images_per_class;
    let titles: Vec<String> = scored.iter().map(|(title, _)| escaped(title)).collect();
    let _ = writeln!(text, "| class | training images | {} |", titles.join(" | "));
    let _ = writeln!(text, "| --- | --- |{}", " --- |".repeat(titles.len()));
    for (class, (name, _)) in first.iou.iter().enumerate() {
        let count = class.checked_sub(1).and_then(|class| images.get(class));
        let count = count.map_or(NONE.into(), usize::to_string);
        let iou = |score: &crate::run::event::Score| {
            let iou = score.iou.get(class).and_then(|(_, iou)| *iou);
            iou.map_or(NONE.to_owned(), |iou| format!("{iou:.1}"))
        };
        let cells: Vec<String> = scored.iter().map(|(_, score)| iou(score)).collect();
        let _ = writeln!(text, "| {} | {count} | {} |", escaped(name), cells.join(" | "));
    }
}

fn data(text: &mut String, split: &str, dataset: &Dataset) {
    let Summary { images, classes, without_class, several_classes, with_mask, boxes, problems, .. } =
        dataset.summary();
    let _ = writeln!(
        text,
        "- {}: {} images of {} classes; {several_classes} with several classes, {without_class} with none, \
         {with_mask} with a mask (for scoring only), {boxes} boxes (not used); {} problems",
        escaped(split),
        images.len(),
        classes.len(),
        problems.len()
    );
    for problem in problems.iter().filter(|problem| problem.kind == ProblemKind::LabelFromMask) {
        let _ = writeln!(text, "  - {}", escaped(&problem.reason));
    }
}

fn machine(text: &mut String, records: &[(Part, Option<Record>)]) {
    let mut devices: Vec<String> = Vec::new();
    for (part, record) in records.iter().filter_map(|(part, record)| Some((part, record.as_ref()?))) {
        let device = format!("{} ({})", record.device.name, record.device.backend);
        if !devices.contains(&device) {
            devices.push(device);
        }
        if record.without_mask > 0 {
            let _ = writeln!(
                text,
                "- {}: {} images could not be decoded and are not scored",
                escaped(&part.title()),
                record.without_mask
            );
        }
    }
    let devices = if devices.is_empty() { NOT_RUN.into() } else { devices.join(", ") };
    let _ = writeln!(text, "- device: {}", escaped(&devices));
    let peak = records.iter().filter_map(|(_, record)| record.as_ref()?.peak_memory).max();
    let peak = match peak {
        Some(bytes) => format!("{} MiB (the process's; a GPU's own memory is not counted)", bytes >> 20),
        None => "not known: only Linux says it".into(),
    };
    let _ = writeln!(text, "- peak memory: {peak}");
}

fn version() -> &'static str {
    concat!("tag2mask ", env!("CARGO_PKG_VERSION"))
}

/// Names come from outside: none of them is markup or ends a cell.
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => out.extend(['\\', letter]),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Layout;
    use crate::run::event::Score;
    use crate::run::reproduce::Benchmark;
    use crate::run::settings::MethodName;

    fn plan() -> Plan {
        Plan {
            benchmark: Benchmark::Voc,
            training_split: "train".into(),
            validation_split: "val".into(),
            images: [1, 1],
            weights: None,
            preset: Preset::Quick,
            first: Settings::default(),
            second: Settings { method: MethodName::Deeplab, ..Settings::default() },
        }
    }

    fn score(miou: f64, looked_at_truth: bool) -> Option<Score> {
        let iou = vec![("background".into(), Some(miou)), ("a|b<".into(), None)];
        Some(Score { miou, iou, images: 3, looked_at_truth, ..Score::default() })
    }

    #[test]
    fn what_was_not_run_is_said_and_nothing_is_made_up() {
        let plan = plan();
        let mut records: Vec<(Part, Option<Record>)> =
            Part::all(&plan).into_iter().map(|part| (part, None)).collect();
        records[0].1 = Some(Record { finished: true, seconds: 70.0, ..Record::default() });
        records[1].1 = Some(Record { finished: true, score: score(41.26, true), ..Record::default() });
        records[2].1 = Some(Record { finished: true, ..Record::default() });
        records[3].1 = Some(Record::default());
        let rows = rows(&plan, &records);
        let mious: Vec<&str> = rows.iter().map(|row| row.miou.as_str()).collect();
        let expected = ["–", "41.3", "no truth supplied", "not finished", "not run", "not run", "not run"];
        assert_eq!(mious, expected);
        let published: Vec<&str> = rows.iter().map(|row| row.published.as_str()).collect();
        assert_eq!(published[4..], ["–", "70.0", "71.3"]);
        assert!(rows[1].looked_at_truth.starts_with("yes") && rows[2].looked_at_truth == "–");
        assert_eq!(rows[0].time, "1 min 10 s");
    }

    #[test]
    fn settings_that_are_not_the_paper_s_are_said_to_be_other() {
        let dataset = Dataset {
            layout: Layout::Voc,
            finding: String::new(),
            classes: Vec::new(),
            items: Vec::new(),
            problems: Vec::new(),
        };
        let summary = dataset.summary();
        let said = |change: fn(&mut Plan)| {
            let paper = |method| Preset::Paper.settings(method, None, &summary, false);
            let (first, second) = (paper(MethodName::SpatialBce), paper(MethodName::Deeplab));
            let mut plan = Plan { preset: Preset::Paper, first, second, ..plan() };
            change(&mut plan);
            let mut text = String::new();
            departures(&mut text, &plan, &summary);
            text.contains("The settings are not the paper's")
        };
        assert!(!said(|_| {}) && !said(|plan| plan.first.seed = 7));
        assert!(said(|plan| plan.first.size = 224) && said(|plan| plan.second.batch = 4));
    }

    #[test]
    fn names_do_not_end_cells() {
        let mut text = String::new();
        let dataset = Dataset {
            layout: Layout::Voc,
            finding: String::new(),
            classes: vec!["a|b<".into()],
            items: Vec::new(),
            problems: Vec::new(),
        };
        let record = Record { finished: true, score: score(50.0, false), ..Record::default() };
        classes(&mut text, &dataset, &[(Part::Predict, Some(record))]);
        assert!(text.ends_with("| background | – | 50.0 |\n| a\\|b&lt; | 0 | – |\n"), "{text}");
    }
}
