//! `tag2mask reproduce`: a benchmark from labels to figures beside the published ones.

use std::path::{Path, PathBuf};

use serde_json::json;
use tag2mask_core::dataset::Dataset;
use tag2mask_core::device::Compute;
use tag2mask_core::files::FileSet;
use tag2mask_core::run::preset::Preset;
use tag2mask_core::run::reproduce::{Benchmark, Part, Plan, Reproduction};
use tag2mask_core::run::settings::MethodName;
use tag2mask_core::run::train::Ending;
use tag2mask_core::{Error, Result};

use super::host::Terminal;
use super::output::{Report, duration};
use super::settings::{SettingsArgs, warn_of_random_weights};
use super::train::read_files;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask reproduce voc --root VOCdevkit/VOC2012 --weights resnet38.pth --out voc --device cuda
  tag2mask reproduce coco --root coco --weights resnet38.pth --out coco-run --device cuda
  tag2mask reproduce voc --root VOCdevkit/VOC2012 --train-split train --out small \\
      --preset quick --backbone mobilenet-v2 --weights mobilenet_v2.safetensors

Rounds of Spatial-BCE, masks of the training images by each round, a segmentation network that learns
from the last, and its masks of the validation images. The folder gets report.md. Ctrl-C leaves what
the same command goes on with.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// voc (PASCAL VOC 2012) or coco (COCO 2014)
    benchmark: Benchmark,
    /// Folder or .zip of the benchmark
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Folder for everything that is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Images to learn from [default: train_aug or train2014]
    #[arg(long, value_name = "NAME")]
    train_split: Option<String>,
    /// Images to score [default: val or val2014]
    #[arg(long, value_name = "NAME")]
    val_split: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let benchmark = args.benchmark;
    let training_split = args.train_split.as_deref().unwrap_or(benchmark.training_split());
    let validation_split = args.val_split.as_deref().unwrap_or(benchmark.validation_split());
    let files = FileSet::open(&args.root)?;
    let training = read(&files, args, training_split, report)?;
    let validation = read(&files, args, validation_split, report)?;
    if training.classes != validation.classes {
        let reason = format!("{training_split} and {validation_split} have different classes");
        return Err(Error::NoData { reason });
    }
    let summary = training.summary();
    let settings = |method| args.settings.settings(method, Preset::Paper, &summary);
    let plan = Plan {
        benchmark,
        training_split: training_split.to_owned(),
        validation_split: validation_split.to_owned(),
        images: [training.items.len(), validation.items.len()],
        weights: args
            .settings
            .weights
            .as_deref()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into()),
        preset: args.settings.preset.unwrap_or(Preset::Paper),
        first: settings(MethodName::SpatialBce)?,
        second: settings(MethodName::Deeplab)?,
    };
    let weights = args.settings.weights(plan.first.backbone)?;
    if weights.is_none() {
        warn_of_random_weights(plan.first.backbone, report);
    }
    let compute = Compute::open(&args.settings.device)?;
    plan.settle(&args.out, &training, &validation, weights.as_ref())?;
    let work = Reproduction {
        plan: &plan,
        out: &args.out,
        training: &training,
        validation: &validation,
        compute: &compute,
        weights: weights.as_ref(),
    };
    let finished = work_off(&work, &mut Terminal::new(report, &training.classes)?)?;
    print(&work, finished, report)
}

/// Does what is left to do. `false` when the user stopped it.
fn work_off(work: &Reproduction<'_>, terminal: &mut Terminal<'_>) -> Result<bool> {
    let parts = Part::all(work.plan);
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

fn print(work: &Reproduction<'_>, finished: bool, report: &mut Report) -> Result<()> {
    let rows = work.report()?;
    for row in &rows {
        report.line(format!("{}: {} (published {}), {}", row.title, row.miou, row.published, row.time));
    }
    let seconds: f64 = Part::all(work.plan)
        .into_iter()
        .map(|part| Ok(work.record(part)?.map_or(0.0, |record| record.seconds)))
        .sum::<Result<f64>>()?;
    if !finished {
        report.line("stopped; the same command goes on");
    }
    let path = work.out.join("report.md");
    report.line(format!("{} in all: {}", duration(seconds), path.display()));
    let table: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({"part": row.title, "images": row.images, "miou": row.miou, "published": row.published,
                   "looked_at_truth": row.looked_at_truth})
        })
        .collect();
    report.object(&json!({
        "report": path.display().to_string(), "finished": finished, "seconds": seconds, "parts": table,
    }));
    Ok(())
}

/// Reads a split of the benchmark, and nothing else.
fn read(files: &FileSet, args: &Args, split: &str, report: &mut Report) -> Result<Dataset> {
    let dataset = read_files(files, &args.root, Some(split), report)?;
    if dataset.layout != args.benchmark.layout() {
        let reason = format!("this is not laid out as {} is", args.benchmark.title());
        return Err(Error::Format { path: args.root.display().to_string(), reason });
    }
    Ok(dataset)
}
