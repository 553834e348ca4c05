//! `report.html`: one file, which asks nothing of the network.

use std::fmt::Write as _;

use super::figures::{Figures, Masks};
use super::table::Row;
use super::{Comparison, looks_at_truth, page_tables as tables};
use crate::dataset::ProblemKind;
use crate::error::Result;
use crate::export::html;
use crate::export::markup::escaped;
use crate::export::plot::Picture;
use crate::export::svg;
use crate::method::Supervision;
use crate::run::checkpoint::to_json;

/// The whole page.
pub(super) fn page(
    work: &Comparison<'_>,
    figures: &[Figures],
    rows: &[Row],
    plots: &[(&'static str, Picture)],
) -> Result<String> {
    let mut page = html::begin(&format!("Methods compared on {}", work.plan.data));
    head(&mut page, work, figures);
    page.push_str("<h2>Figures</h2>\n");
    tables::methods(&mut page, rows);
    terms(&mut page, work, rows);
    page.push_str("<h2>Plots</h2>\n");
    for (_, picture) in plots {
        let _ = writeln!(page, "<figure>{}</figure>", svg::encode(picture));
    }
    page.push_str("<h2>Photos</h2>\n");
    tables::photos(&mut page, work);
    page.push_str("<h2>Classes</h2>\n");
    tables::classes(&mut page, work, rows);
    page.push_str("<h2>Training</h2>\n");
    tables::trainings(&mut page, work, figures);
    machine(&mut page, figures);
    let settings = String::from_utf8_lossy(&to_json(work.plan, "compare.json")?).into_owned();
    let _ = writeln!(
        page,
        "<details><summary>All settings</summary><pre>{}</pre></details>",
        settings.lines().map(escaped).collect::<Vec<_>>().join("\n")
    );
    page.push_str(html::END);
    Ok(page)
}

/// What was compared, and how far it is.
fn head(page: &mut String, work: &Comparison<'_>, figures: &[Figures]) {
    let is_done = |figures: &&Figures| {
        let drawn = figures.masks.iter().all(|(masks, _)| figures.of(*masks).is_some());
        figures.training_seconds().is_some() && drawn
    };
    let done = figures.iter().filter(is_done).count();
    let [training, left_out] = work.plan.images;
    let _ = writeln!(
        page,
        "<p class=\"muted\">By tag2mask {}. {done} of {} trainings with their masks are finished: {} methods, \
         {} seeds.</p>",
        env!("CARGO_PKG_VERSION"),
        figures.len(),
        work.plan.methods.len(),
        work.seeds,
    );
    let split = match work.plan.left_out {
        0 => "No photo was left out of training.".to_owned(),
        k => format!("Left out of every training: one photo in {k} by path, {left_out} in all."),
    };
    let named = work.plan.split.as_ref().map_or(String::new(), |split| format!(" of {}", escaped(split)));
    let weights = match &work.plan.weights {
        Some(name) => format!("Backbones started from {}.", escaped(name)),
        None => "Backbones started from random weights.".into(),
    };
    let _ = writeln!(
        page,
        "<p>Every method learned from the same {training} photos{named}, with {} passes over them in all its \
         rounds together. {split} {weights}</p>",
        work.plan.passes
    );
    for note in work.notes {
        let _ = writeln!(page, "<p>{}</p>", escaped(note));
    }
}

/// What the figures mean.
fn terms(page: &mut String, work: &Comparison<'_>, rows: &[Row]) {
    let spread = match work.seeds {
        1 => "One seed: there is no spread.",
        _ => "± is the standard deviation over seeds, with n − 1 below.",
    };
    let mut said = vec![
        format!("{spread} mIoU is the mean over background and the classes that occur in truth or masks."),
        "Thresholds: every method cuts its maps by its own usual reading, the same on all photos, without a \
         look at the truth."
            .into(),
        "With labels told, only classes that a photo is labelled with can be drawn on it. Without, a photo is \
         drawn as nobody labelled it; only methods that make segmentation networks can do that."
            .into(),
    ];
    if work.plan.methods.values().any(looks_at_truth) {
        said[1] =
            "Thresholds: a fixed one was given; it may have been chosen with a look at the truth.".into();
    }
    if !rows.iter().any(|row| row.miou.iter().any(|figure| figure.known().is_some())) {
        said.push("The data set has no masks that these could be scored against: there is no mIoU.".into());
    }
    let boxed = work.plan.methods.keys().filter(|name| name.method().supervision() == Supervision::Boxes);
    let boxed: Vec<&str> = boxed.map(|name| name.title()).collect();
    if !boxed.is_empty() {
        said.push(format!(
            "Told more than labels: {} learned from boxes, and from those photos only that have one.",
            boxed.join(", ")
        ));
    }
    if rows.iter().any(|row| !row.trained) {
        said.push(format!(
            "{}: cut before the training, by no network, of those training photos that have a box; nothing \
             learns from their score.",
            Masks::Boxes.title()
        ));
    }
    if work.training.problems.iter().any(|problem| problem.kind == ProblemKind::LabelFromMask) {
        said.push("Of the supplied masks nothing was learned but image-level labels.".into());
    }
    page.push_str("<ul>\n");
    said.iter().for_each(|words| {
        let _ = writeln!(page, "<li>{}</li>", escaped(words));
    });
    page.push_str(
        "</ul>\n<p class=\"muted\">All figures of every seed: results.csv, beside this file.</p>\n",
    );
}

fn machine(page: &mut String, figures: &[Figures]) {
    let records = || {
        let drawn = |figures: &'_ Figures| {
            let drawn = figures.masks.iter().filter_map(|(_, record)| record.clone());
            figures.training.iter().cloned().chain(drawn).collect::<Vec<_>>()
        };
        figures.iter().flat_map(drawn)
    };
    let mut devices: Vec<String> =
        records().map(|record| format!("{} ({})", record.device.name, record.device.backend)).collect();
    devices.sort();
    devices.dedup();
    let devices = if devices.is_empty() { "nothing has been run".into() } else { devices.join(", ") };
    let peak = match (records().all(|r| r.peak_memory.is_some()), records().all(|r| r.own_peak)) {
        (false, _) => "not known: only Linux says it",
        (true, true) => {
            "the process's in the parts of the method, with what it had not given back from parts before; a \
             GPU's own memory is not counted"
        }
        (true, false) => {
            "the process's since its start, methods that came before with it, as the system does not let it \
             be counted anew; a GPU's own memory is not counted"
        }
    };
    let _ = writeln!(page, "<p>Device: {}. Peak memory: {peak}.</p>", escaped(&devices));
    let lost: usize = records().map(|record| record.without_mask).sum();
    if lost > 0 {
        let _ = writeln!(page, "<p>Masks that are missing, as photos could not be decoded: {lost}.</p>");
    }
}
