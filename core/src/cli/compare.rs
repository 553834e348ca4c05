//! `tag2mask compare`: methods beside each other, on the same photos and the same budget.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tag2mask_core::dataset::{Dataset, Summary};
use tag2mask_core::device::Compute;
use tag2mask_core::method::Supervision;
use tag2mask_core::run::compare::{Comparison, Masks, Plan, Row, Spread, split};
use tag2mask_core::run::preset::Preset;
use tag2mask_core::run::settings::{MethodName, Settings};
use tag2mask_core::run::train::Ending;
use tag2mask_core::{Error, Result};

use super::host::Terminal;
use super::output::Report;
use super::settings::{SettingsArgs, warn_of_random_weights};
use super::train::read;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask compare cells --methods all --seeds 3 --out compared
  tag2mask compare photos --methods all --seeds 3 --out compared \\
      --backbone mobilenet-v2 --weights torchvision
  tag2mask compare photos --methods cam,spatial-bce --left-out 0 --epochs 20 --out compared

Every method learns from the same photos, with as many passes over them in all its rounds
together, and draws them and those that were left out. The folder gets report.html, which opens
offline, results.csv and plots. Ctrl-C leaves what the same command goes on with; more seeds and
methods can follow.";

/// Optimiser steps that the usual budget comes to.
const STEPS: usize = 600;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder or .zip: a labelled data set; with masks, methods are scored, with boxes, methods that learn
    /// from boxes take part
    data: PathBuf,
    /// Of VOC: the list of images under ImageSets, for instance train_aug; of COCO: train2014 or val2014
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// all, or names of methods with commas between
    #[arg(long, value_delimiter = ',', default_value = "all", value_name = "all|NAME,…")]
    methods: Vec<String>,
    /// Trainings of each method, with the seeds 0, 1, …
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Leave one photo in K, by path, out of training; 0 = none
    #[arg(long, value_name = "K", default_value_t = 6)]
    left_out: usize,
    /// Folder for everything that is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// What `--epochs` is here.
pub fn epochs(arg: clap::Arg) -> clap::Arg {
    arg.help(
        "Passes over the photos that every method gets, all its rounds together [default: about 600 steps]",
    )
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    refuse_own_terms(&args.settings)?;
    let names = methods(&args.methods)?;
    let dataset = read(&args.data, args.split.as_deref(), report)?;
    let [training, left_out] = split(&dataset, args.left_out);
    let (names, notes) = able(&names, &training);
    notes.iter().for_each(|note| report.warning(note));
    let plan = plan(args, &names, &training, &left_out)?;
    plan.check()?;
    let backbone = plan.methods.values().next().map(|settings| settings.backbone).unwrap_or_default();
    let weights = args.settings.weights(backbone)?;
    if weights.is_none() {
        warn_of_random_weights(backbone, report);
    }
    let compute = Compute::open(&args.settings.device)?;
    plan.settle(&args.out, &dataset, weights.as_ref())?;
    let work = Comparison {
        plan: &plan,
        seeds: args.seeds,
        out: &args.out,
        training: &training,
        left_out: &left_out,
        compute: &compute,
        weights: weights.as_ref(),
        notes: &notes,
    };
    let finished = work_off(&work, &mut Terminal::new(report, &training.classes)?)?;
    print(&work, finished, report)
}

/// What one method could not have without the others.
fn refuse_own_terms(settings: &SettingsArgs) -> Result<()> {
    if settings.seed.is_some() {
        let reason = "give --seeds N: every method is trained from the seeds 0, 1, … below it".into();
        return Err(Error::Setting { name: "seed", reason });
    }
    if settings.rounds.is_some() {
        let reason = "all methods share one budget: give --epochs N, the passes of all rounds".into();
        return Err(Error::Setting { name: "rounds", reason });
    }
    Ok(())
}

/// The methods that are asked for; `all` are those that learn from no other's masks.
fn methods(asked: &[String]) -> Result<Vec<MethodName>> {
    let mut names = Vec::new();
    for name in asked.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        match name {
            "all" => names.extend(MethodName::ALL.into_iter().filter(|name| !name.learns_from_masks())),
            name => names.push(name.parse()?),
        }
    }
    Ok(names)
}

/// Those that the data set has enough for, and what the others lack.
fn able(names: &[MethodName], training: &Dataset) -> (Vec<MethodName>, Vec<String>) {
    let boxes = training.items.iter().any(|item| !item.boxes.is_empty());
    let (able, unable): (Vec<_>, Vec<_>) =
        names.iter().copied().partition(|name| boxes || name.method().supervision() != Supervision::Boxes);
    let note = |name: MethodName| {
        format!("{} is left out: it learns from boxes, and no photo to learn from has one", name.title())
    };
    (able, unable.into_iter().map(note).collect())
}

fn plan(args: &Args, names: &[MethodName], training: &Dataset, left_out: &Dataset) -> Result<Plan> {
    let summary = training.summary();
    let passes = match args.settings.epochs {
        Some(epochs) => epochs,
        None => usual_passes(&args.settings, names, &summary)?,
    };
    let settings = |&name: &MethodName| {
        let budget = |settings: &mut Settings| name.method().set_budget(settings, passes);
        Ok((name, args.settings.settings_within(name, Preset::Quick, &summary, budget)?))
    };
    let file_name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Plan {
        data: file_name(&args.data).unwrap_or_else(|| args.data.display().to_string()),
        split: args.split.clone(),
        left_out: args.left_out,
        images: [training.items.len(), left_out.items.len()],
        passes,
        weights: args.settings.weights.as_deref().and_then(file_name),
        methods: names.iter().map(settings).collect::<Result<BTreeMap<_, _>>>()?,
    })
}

/// About [`STEPS`] steps; two passes at least, one for each of two rounds.
fn usual_passes(args: &SettingsArgs, names: &[MethodName], summary: &Summary) -> Result<usize> {
    let Some(&first) = names.first() else { return Ok(2) };
    let batch = args.settings_within(first, Preset::Quick, summary, |_| {})?.batch;
    Ok(passes(summary.images.len(), batch))
}

fn passes(images: usize, batch: usize) -> usize {
    let steps_per_pass = images.div_ceil(batch.max(1)).max(1);
    ((STEPS + steps_per_pass / 2) / steps_per_pass).max(2)
}

/// Does what is left to do. `false` when the user stopped it.
fn work_off(work: &Comparison<'_>, terminal: &mut Terminal<'_>) -> Result<bool> {
    let parts = work.parts();
    for (number, &part) in parts.iter().enumerate() {
        let title = format!("part {} of {}, {}", number + 1, parts.len(), part.title());
        if work.record(part)?.is_some_and(|record| record.finished) {
            terminal.report().note(format!("{title}: done before"));
            continue;
        }
        terminal.report().note(&title);
        let ending = pollster::block_on(work.run(part, terminal))?;
        terminal.report().end_progress();
        // After each part: what a crash would leave is a report of what was done.
        work.report()?;
        if ending == Ending::Stopped {
            return Ok(false);
        }
    }
    Ok(true)
}

fn print(work: &Comparison<'_>, finished: bool, report: &mut Report) -> Result<()> {
    let rows = work.report()?;
    let wide = rows.iter().map(|row| row.title.chars().count()).max().unwrap_or(0);
    let heads = ["mIoU training", "left out, told", "left out, untold"];
    let line = |title: &str, mious: [&str; 3], time: &str, peak: &str| {
        let [a, b, c] = mious;
        format!("{title:<wide$}  {a:>14}  {b:>14}  {c:>16}  {time:>14}  {peak:>9}")
    };
    report.line(line("", heads, "training", "peak, MiB"));
    for row in &rows {
        let mious = row.miou.map(|figure| figure.text(1));
        let time = row.training.map_or("–".into(), |spread| spread.time());
        let peak = row.peak_memory.map_or("–".into(), |bytes| (bytes >> 20).to_string());
        report.line(line(&row.title, [&mious[0], &mious[1], &mious[2]], &time, &peak));
    }
    let seeds = work.seeds;
    if seeds > 1 {
        report.line(format!("± is the standard deviation over {seeds} seeds"));
    }
    if !finished {
        report.line("stopped; the same command goes on");
    }
    let path = work.out.join("report.html");
    report.line(format!("report: {}", path.display()));
    report.object(&json!({
        "report": path.display().to_string(), "results": work.out.join("results.csv").display().to_string(),
        "finished": finished, "seeds": seeds, "passes": work.plan.passes, "images": work.plan.images,
        "notes": work.notes, "methods": rows.iter().map(object).collect::<Vec<_>>(),
    }));
    Ok(())
}

fn object(row: &Row) -> Value {
    let spread = |spread: Option<Spread>| {
        spread.map(
            |Spread { mean, deviation, count }| json!({"mean": mean, "deviation": deviation, "seeds": count}),
        )
    };
    let mious = Masks::DRAWN.into_iter().zip(row.miou);
    let mious: serde_json::Map<String, Value> =
        mious.map(|(masks, figure)| (masks.title().to_owned(), json!(spread(figure.known())))).collect();
    json!({
        "method": row.method.id(), "title": row.title, "trained": row.trained, "miou": mious,
        "training_seconds": spread(row.training), "mask_seconds": spread(row.masks),
        "peak_bytes": row.peak_memory,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_budget_is_about_600_steps_and_a_pass_for_each_of_two_rounds() {
        assert_eq!(passes(100, 8) * 13, 598);
        assert_eq!((passes(1, 8), passes(0, 8), passes(100_000, 8)), (600, 600, 2));
    }

    #[test]
    fn all_are_those_that_need_no_other_s_masks() {
        let all = methods(&["all".into()]).unwrap();
        assert!(all.contains(&MethodName::Box2Seg) && !all.contains(&MethodName::Deeplab));
        assert_eq!(methods(&["cam".into(), " spatial-bce".into()]).unwrap().len(), 2);
        assert!(methods(&["magic".into()]).unwrap_err().to_string().contains("spatial-bce"));
    }
}
