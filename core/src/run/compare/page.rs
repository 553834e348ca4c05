//! `report.html`: one file, which asks nothing of the network.

use std::fmt::Write as _;

use super::figures::{Figures, Masks};
use super::table::Row;
use super::{Comparison, examples, looks_at_truth};
use crate::dataset::ProblemKind;
use crate::error::Result;
use crate::export::markup::escaped;
use crate::export::palette_png::voc_color;
use crate::export::plot::Picture;
use crate::export::svg;
use crate::method::Supervision;
use crate::run::checkpoint::to_json;
use crate::run::duration::duration;

const STYLE: &str = include_str!("page.css");
const NONE: &str = "–";

/// The whole page.
pub(super) fn page(
    work: &Comparison<'_>,
    figures: &[Figures],
    rows: &[Row],
    plots: &[(&'static str, Picture)],
) -> Result<String> {
    let title = escaped(&format!("Methods compared on {}", work.plan.data));
    // The policy is what "opens offline" means: nothing is fetched, and nothing runs.
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    head(&mut page, work, figures);
    page.push_str("<h2>Figures</h2>\n");
    methods(&mut page, rows);
    terms(&mut page, work, rows);
    page.push_str("<h2>Plots</h2>\n");
    for (_, picture) in plots {
        let _ = writeln!(page, "<figure>{}</figure>", svg::encode(picture));
    }
    page.push_str("<h2>Photos</h2>\n");
    photos(&mut page, work);
    page.push_str("<h2>Classes</h2>\n");
    classes(&mut page, work, rows);
    page.push_str("<h2>Training</h2>\n");
    trainings(&mut page, work, figures);
    machine(&mut page, figures);
    let settings = String::from_utf8_lossy(&to_json(work.plan, "compare.json")?).into_owned();
    let _ = writeln!(
        page,
        "<details><summary>All settings</summary><pre>{}</pre></details>\n</body>\n</html>",
        settings.lines().map(escaped).collect::<Vec<_>>().join("\n")
    );
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
        k => format!("Left out of every training: every {k}th photo by path, {left_out} photos."),
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

fn methods(page: &mut String, rows: &[Row]) {
    let heads = Masks::DRAWN.map(|masks| format!("mIoU, %<br>{}", escaped(masks.title()))).join("</th><th>");
    let _ = writeln!(
        page,
        "<div class=\"wide\"><table id=\"figures\"><thead><tr><th>method</th><th>{heads}</th>\
         <th>training</th><th>masks of the training photos</th><th>peak memory, MiB</th></tr></thead><tbody>"
    );
    for row in rows {
        let time = |spread: Option<super::Spread>| match spread {
            None => NONE.to_owned(),
            Some(spread) => {
                let deviation = spread.deviation.map(|seconds| format!(" ± {}", duration(seconds)));
                duration(spread.mean) + &deviation.unwrap_or_default()
            }
        };
        let peak = row.peak_memory.map_or(NONE.into(), |bytes| (bytes >> 20).to_string());
        let mious = row.miou.map(|figure| figure.text(1)).join("</td><td>");
        let (training, masks) = (time(row.training), time(row.masks));
        let _ = writeln!(
            page,
            "<tr><th>{}</th><td>{mious}</td><td>{training}</td><td>{masks}</td><td>{peak}</td></tr>",
            escaped(&row.title)
        );
    }
    page.push_str("</tbody></table></div>\n");
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

fn photos(page: &mut String, work: &Comparison<'_>) {
    let (masks, examples) = examples::all(work);
    let _ = writeln!(page, "<p class=\"muted\">{}, seed 0, chosen by path.</p><p>", escaped(masks.title()));
    for (label, name) in (1..).zip(&work.training.classes) {
        let [red, green, blue] = voc_color(label);
        let _ = writeln!(
            page,
            "<span class=\"key\"><i style=\"background:rgb({red} {green} {blue})\"></i>{}</span>",
            escaped(name)
        );
        if label == u8::MAX - 1 {
            break;
        }
    }
    page.push_str("</p>\n<div class=\"wide\"><table class=\"photos\">\n");
    for (index, example) in examples.iter().enumerate() {
        if index == 0 {
            let heads = example.pictures.iter().map(|(name, _)| escaped(name)).collect::<Vec<_>>();
            let _ = writeln!(
                page,
                "<thead><tr><th>path and classes</th><th>{}</th></tr></thead><tbody>",
                heads.join("</th><th>")
            );
        }
        let (path, classes) = (escaped(&example.path), escaped(&example.classes.join(", ")));
        let _ = write!(page, "<tr><td>{path}<br>{classes}</td>");
        for (name, picture) in &example.pictures {
            let _ = match picture {
                Ok(address) => write!(page, "<td><img src=\"{address}\" alt=\"{}\"></td>", escaped(name)),
                Err(reason) => write!(page, "<td>{}</td>", escaped(reason)),
            };
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

/// Intersection over union of each class, a table for each set of masks that was scored.
fn classes(page: &mut String, work: &Comparison<'_>, rows: &[Row]) {
    let images = work.training.summary().images_per_class;
    let mut any = false;
    for (set, masks) in Masks::DRAWN.into_iter().enumerate() {
        let scored: Vec<&Row> = rows.iter().filter(|row| row.miou[set].known().is_some()).collect();
        if scored.is_empty() {
            continue;
        }
        any = true;
        let heads: Vec<String> = scored.iter().map(|row| escaped(&row.title)).collect();
        let _ = writeln!(
            page,
            "<p>IoU, %: {}</p>\n<div class=\"wide\"><table><thead><tr><th>class</th><th>training photos with \
             it</th><th>{}</th></tr></thead><tbody>",
            escaped(masks.title()),
            heads.join("</th><th>")
        );
        let names = ["background"].into_iter().chain(work.training.classes.iter().map(String::as_str));
        for (label, name) in names.enumerate() {
            let count = label.checked_sub(1).and_then(|class| images.get(class));
            let count = count.map_or(NONE.into(), usize::to_string);
            let iou = |row: &&Row| row.iou.get(label).and_then(|figures| figures[set]);
            let cells: Vec<String> =
                scored.iter().map(|row| iou(row).map_or(NONE.to_owned(), |spread| spread.text(1))).collect();
            let _ = writeln!(
                page,
                "<tr><th>{}</th><td>{count}</td><td>{}</td></tr>",
                escaped(name),
                cells.join("</td><td>")
            );
        }
        page.push_str("</tbody></table></div>\n");
    }
    if !any {
        page.push_str("<p>Nothing has been scored.</p>\n");
    }
}

/// Rounds, steps and sizes: what the same number of passes is for each method.
fn trainings(page: &mut String, work: &Comparison<'_>, figures: &[Figures]) {
    page.push_str(
        "<div class=\"wide\"><table><thead><tr><th>method</th><th>passes by round</th><th>steps</th>\
         <th>learned numbers, millions</th><th>lost the objects</th></tr></thead><tbody>\n",
    );
    for (&method, settings) in &work.plan.methods {
        let own: Vec<&Figures> = figures.iter().filter(|figures| figures.method == method).collect();
        let rounds: Vec<String> =
            settings.rounds().iter().map(|round| format!("{} {}", round.epochs, round.name)).collect();
        let facts = own.iter().map(|figures| &figures.facts);
        let steps = facts.clone().find_map(|facts| facts.steps).map_or(NONE.into(), |n| n.to_string());
        let millions = facts.clone().find_map(|facts| facts.parameters);
        let millions = millions.map_or(NONE.into(), |n| format!("{:.2}", n as f64 / 1e6));
        let lost: Vec<String> =
            own.iter().filter(|f| f.facts.collapsed).map(|f| format!("seed {}", f.seed)).collect();
        let lost = if lost.is_empty() { NONE.to_owned() } else { lost.join(", ") };
        let _ = writeln!(
            page,
            "<tr><th>{}</th><td>{}</td><td>{steps}</td><td>{millions}</td><td>{lost}</td></tr>",
            escaped(method.title()),
            escaped(&rounds.join(", "))
        );
    }
    page.push_str("</tbody></table></div>\n<ul>\n");
    for name in work.plan.methods.keys() {
        let _ = writeln!(page, "<li>{}: {}.</li>", escaped(name.title()), escaped(name.method().source()));
    }
    page.push_str("</ul>\n");
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
        (true, true) => "the process's in the parts of the method; a GPU's own memory is not counted",
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
