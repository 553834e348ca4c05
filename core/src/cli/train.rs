//! `tag2mask train`: from a labelled data set to a run's folder.

use std::path::PathBuf;

use serde_json::json;
use tag2mask_core::dataset::targets::Targets;
use tag2mask_core::dataset::{self, Dataset, ProblemKind};
use tag2mask_core::device::Compute;
use tag2mask_core::files::FileSet;
use tag2mask_core::method::Supervision;
use tag2mask_core::run::checkpoint::RunCard;
use tag2mask_core::run::examples::examples;
use tag2mask_core::run::preset::Preset;
use tag2mask_core::run::settings::MethodName;
use tag2mask_core::run::store::FolderStore;
use tag2mask_core::run::train::{Ending, Run, train};
use tag2mask_core::{Error, Result};

use super::host::Terminal;
use super::output::Report;
use super::project::{open_masks, take_up};
use super::settings::{SettingsArgs, warn_of_random_weights};

pub const EXAMPLES: &str = "\
Examples:
  tag2mask train cells --out run
  tag2mask train photos --out run --backbone mobilenet-v2 --weights torchvision
  tag2mask train photos --out run --backbone resnet-50 --weights resnet50.safetensors
  tag2mask train VOC --out run --preset paper --weights resnet38.pth --device cuda
  tag2mask train VOC --out run --preset paper --weights resnet38.pth --device cuda:0,1,2,3
  tag2mask train photos --out run --resume
  tag2mask train cells.zip --out run --resume      # a project's run, in a folder
  tag2mask train photos --method adversarial-erasing --out run
  tag2mask train photos --method box2seg --out run          # boxes.csv, YOLO, VOC or COCO
  tag2mask train photos --method deeplab --masks masks --out segmenter
  tag2mask train photos --masks accepted --out run          # labels, and masks of some photos
  tag2mask train photos --out run --set spatial_bce.learning_rate=0.001 --set augment.flip=false

Every setting is in run.json, and `--set` changes any of them. Ctrl-C leaves a run that `--resume`
goes on with. Weights are read from .safetensors and .pth: torchvision's and
timm's networks, the authors' ResNet-38; 'tag2mask weights fetch' fetches the first two's.";

/// Photos whose shares are followed while it trains.
const WATCHED: usize = 12;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder, .zip or project: a folder per class, images and a labels.csv or boxes.csv, PASCAL VOC, COCO,
    /// or YOLO
    data: PathBuf,
    /// Of VOC: the list of images under ImageSets, for instance train_aug; of COCO: train2014 or val2014
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Folder for the run
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// spatial-bce, cam, adversarial-erasing or adaptive-affinity, which learn from labels; box2seg, which
    /// learns from boxes; deeplab, which learns from masks
    #[arg(long)]
    method: Option<MethodName>,
    /// Masks to learn from, a folder as `tag2mask masks` writes it: of all images for the method deeplab; for
    /// the others those that you have looked at and found good, of as few images as you like
    #[arg(long, value_name = "DIR")]
    masks: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Go on with the run in the folder, with the settings it was started with; where there is none and DATA is a
    /// project, with the project's
    #[arg(long)]
    resume: bool,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let dataset = read(&args.data, args.split.as_deref(), report)?;
    if args.resume {
        take_up(&args.data, &args.out, report)?;
    }
    let known = if args.resume { RunCard::load(&FolderStore::open(&args.out))? } else { None };
    let resume = known.is_some();
    let settings = match known {
        Some(card) => card.settings,
        None => args.settings.settings(args.method.unwrap_or_default(), Preset::Quick, &dataset.summary())?,
    };
    let weights = args.settings.weights(settings.backbone)?;
    if weights.is_none() && !resume {
        warn_of_random_weights(settings.backbone, report);
    }
    let targets = match &args.masks {
        Some(masks) => Some(Targets::read(&open_masks(masks)?, &dataset)?),
        None => None,
    };
    if let Some(targets) = &targets {
        let (with, all) = (targets.items().len(), dataset.items.len());
        if !settings.method.learns_from_masks() {
            let others = match settings.method.method().supervision() {
                Supervision::Boxes => "boxes",
                Supervision::Labels | Supervision::Masks => "labels",
            };
            report
                .note(format!("{with} of {all} images have a mask to learn from, all others their {others}"));
        } else if with < all {
            report.warning(format!("{} images have no mask and are left out", all - with));
        }
    }
    let compute = Compute::open(&args.settings.device)?;
    refuse_other_run(args, resume)?;
    let mut store = FolderStore::create(&args.out)?;
    let watched = examples(&dataset, WATCHED);
    let run = Run {
        dataset: &dataset,
        settings: &settings,
        compute: &compute,
        weights: weights.as_ref(),
        targets: targets.as_ref(),
        previews: &watched,
        resume,
    };
    let started = std::time::Instant::now();
    let mut terminal = Terminal::new(report, &dataset.classes)?;
    let ending = pollster::block_on(train(&run, &mut terminal, &mut store))?;
    let seconds = started.elapsed().as_secs_f64();
    report.end_progress();
    let finished = ending == Ending::Finished;
    if finished {
        let (out, data) = (args.out.display(), args.data.display());
        let next = match settings.method.learns_from_masks() {
            true => format!("predict {out} PHOTOS"),
            false => format!("masks {out} {data}"),
        };
        report.line(format!(
            "trained in {}; next: tag2mask {next} --out MASKS",
            super::output::duration(seconds),
        ));
    } else {
        report.note("`--resume` goes on with the run");
    }
    report.object(&json!({
        "run": args.out.display().to_string(), "finished": finished, "seconds": seconds,
        "device": compute.info,
    }));
    Ok(())
}

/// A new run in the folder of an old one would destroy it.
fn refuse_other_run(args: &Args, resume: bool) -> Result<()> {
    if !resume && RunCard::load(&FolderStore::open(&args.out))?.is_some() {
        return Err(Error::Format {
            path: args.out.display().to_string(),
            reason: "the folder holds a run; give `--resume` to go on with it, or another folder".into(),
        });
    }
    Ok(())
}

/// Reads a data set, or a split of it, and says what was left out.
pub fn read(path: &std::path::Path, split: Option<&str>, report: &mut Report) -> Result<Dataset> {
    read_files(&FileSet::open(path)?, path, split, report)
}

/// As [`read`], of files that are listed already; `path` is what a warning names.
pub fn read_files(
    files: &FileSet,
    path: &std::path::Path,
    split: Option<&str>,
    report: &mut Report,
) -> Result<Dataset> {
    let mut progress = |done, total| report.progress("reading", done, total, None);
    let dataset = dataset::read_split(files, split, &mut progress)?;
    report.end_progress();
    let (told, left_out): (Vec<_>, Vec<_>) =
        dataset.problems.iter().partition(|problem| problem.kind == ProblemKind::LabelFromMask);
    told.iter().for_each(|problem| report.note(&problem.reason));
    if !left_out.is_empty() {
        report.warning(format!(
            "{} files or lines were left out; `tag2mask inspect` lists them: {}",
            left_out.len(),
            path.display()
        ));
    }
    Ok(dataset)
}
