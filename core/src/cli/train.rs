//! `tag2mask train`: from a labelled data set to a run's folder.

use std::path::PathBuf;

use serde_json::{Value, json};
use tag2mask_core::backbone::weights::TensorFile;
use tag2mask_core::dataset::targets::Targets;
use tag2mask_core::dataset::{self, Dataset};
use tag2mask_core::device::{Compute, DeviceChoice};
use tag2mask_core::files::FileSet;
use tag2mask_core::run::checkpoint::RunCard;
use tag2mask_core::run::preset::Preset;
use tag2mask_core::run::settings::{BackboneName, MethodName, Settings};
use tag2mask_core::run::store::FolderStore;
use tag2mask_core::run::train::{Ending, Run, train};
use tag2mask_core::{Error, Result};

use super::host::Terminal;
use super::output::Report;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask train cells --out run
  tag2mask train photos --out run --backbone mobilenet-v2 --weights mobilenet_v2.safetensors
  tag2mask train VOC --out run --preset paper --weights resnet38.pth --device cuda
  tag2mask train photos --out run --resume
  tag2mask train photos --method deeplab --masks masks --out segmenter
  tag2mask train photos --out run --set spatial_bce.learning_rate=0.001 --set augment.flip=false

Every setting is in run.json, and `--set` changes any of them. Ctrl-C leaves a run that `--resume`
goes on with. Weights are read from .safetensors and .pth: torchvision's and timm's networks, the authors' ResNet-38.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder or .zip: a folder per class, images and a labels.csv, or PASCAL VOC
    data: PathBuf,
    /// Of VOC: the list of images under ImageSets, for instance train_aug
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Folder for the run
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// spatial-bce or cam, which learn from labels; deeplab, which learns from masks
    #[arg(long)]
    method: Option<MethodName>,
    /// Settings to start from: quick (what suits the data), or paper (the paper's, with resnet-38)
    #[arg(long, default_value = "quick")]
    preset: Preset,
    /// tiny, mobilenet-v2, resnet-18, resnet-50, resnet-101 or resnet-38
    #[arg(long)]
    backbone: Option<BackboneName>,
    /// Masks to learn from, for the method deeplab: the folder that `tag2mask masks` wrote
    #[arg(long, value_name = "DIR")]
    masks: Option<PathBuf>,
    /// Pretrained weights of the backbone: .safetensors or PyTorch's .pth, torchvision's or timm's
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// auto, cpu, vulkan, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Passes over the data in each round
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Rounds of Spatial-BCE after the plain classifier
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Images per step
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Side that images are resized to, in pixels
    #[arg(long, value_name = "PX")]
    size: Option<usize>,
    /// Another seed gives another run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Any setting by its name in run.json
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Go on with the run in the folder, with the settings it was started with
    #[arg(long)]
    resume: bool,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let dataset = read(&args.data, args.split.as_deref(), report)?;
    let known = if args.resume { RunCard::load(&FolderStore::open(&args.out))? } else { None };
    let resume = known.is_some();
    let settings = match known {
        Some(card) => card.settings,
        None => settings(args, &dataset)?,
    };
    let weights = args.weights.as_deref().map(read_weights).transpose()?;
    if weights.is_none() && !resume && !settings.backbone.trains_from_scratch() {
        report.warning(format!(
            "{} starts from random weights: give `--weights`, or expect little",
            settings.backbone.id()
        ));
    }
    let targets = match &args.masks {
        Some(masks) => Some(Targets::read(&FileSet::open(masks)?, &dataset)?),
        None => None,
    };
    if let Some(targets) = &targets {
        let without = dataset.items.len() - targets.items().len();
        if without > 0 {
            report.warning(format!("{without} images have no mask and are left out"));
        }
    }
    let compute = Compute::open(args.device)?;
    refuse_other_run(args, resume)?;
    let mut store = FolderStore::create(&args.out)?;
    let run = Run {
        dataset: &dataset,
        settings: &settings,
        compute: &compute,
        weights: weights.as_ref(),
        targets: targets.as_ref(),
        previews: &[],
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
        let next = match settings.method {
            MethodName::Deeplab => format!("predict {out} PHOTOS"),
            _ => format!("masks {out} {data}"),
        };
        report.line(format!(
            "trained in {}; next: tag2mask {next} --out MASKS",
            super::output::duration(seconds),
        ));
    }
    report.object(&json!({
        "run": args.out.display().to_string(), "finished": finished, "seconds": seconds,
        "device": compute.info,
    }));
    Ok(())
}

/// Reads a weights file of any layout that is known.
pub fn read_weights(path: &std::path::Path) -> Result<TensorFile> {
    let name = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|source| Error::Io { action: "read", path: name.clone(), source })?;
    TensorFile::parse(&name, &bytes)
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
    let files = FileSet::open(path)?;
    let mut progress = |done, total| report.progress("reading", done, total, None);
    let dataset = dataset::read_split(&files, split, &mut progress)?;
    report.end_progress();
    if !dataset.problems.is_empty() {
        report.warning(format!(
            "{} files or lines were left out; `tag2mask inspect` lists them: {}",
            dataset.problems.len(),
            path.display()
        ));
    }
    Ok(dataset)
}

/// What suits the data and the backbone, then what the command line says.
fn settings(args: &Args, dataset: &Dataset) -> Result<Settings> {
    let method = args.method.unwrap_or_default();
    let mut settings = args.preset.settings(method, args.backbone, &dataset.summary(), false);
    if let Some(epochs) = args.epochs {
        settings.cam.epochs = epochs;
        settings.spatial_bce.epochs = epochs;
        settings.deeplab.epochs = epochs;
    }
    if let Some(rounds) = args.rounds {
        settings.spatial_bce.rounds = rounds;
    }
    settings.batch = args.batch.unwrap_or(settings.batch);
    settings.size = args.size.unwrap_or(settings.size);
    settings.seed = args.seed.unwrap_or(settings.seed);
    for assignment in &args.set {
        settings = assign(&settings, assignment)?;
    }
    settings.check()?;
    Ok(settings)
}

/// Sets the value that a path of names leads to in the settings' own JSON.
fn assign(settings: &Settings, assignment: &str) -> Result<Settings> {
    let refused = |reason: String| Error::Setting { name: "set", reason };
    let (path, text) =
        assignment.split_once('=').ok_or_else(|| refused(format!("\"{assignment}\" is not NAME=VALUE")))?;
    let mut all = serde_json::to_value(settings).map_err(|error| refused(error.to_string()))?;
    let mut place = &mut all;
    for name in path.split('.') {
        place = place
            .as_object_mut()
            .and_then(|object| object.get_mut(name))
            .ok_or_else(|| refused(format!("there is no setting \"{path}\"; run.json has them all")))?;
    }
    *place = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    serde_json::from_value(all).map_err(|error| refused(format!("\"{assignment}\": {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tag2mask_core::run::settings::Threshold;

    #[test]
    fn any_setting_can_be_set_by_its_name() {
        let settings = Settings::default();
        let changed = assign(&settings, "spatial_bce.learning_rate=0.01").unwrap();
        assert_eq!(changed.spatial_bce.learning_rate, 0.01);
        let changed = assign(&settings, r#"masks.threshold={"fixed":0.4}"#).unwrap();
        assert_eq!(changed.masks.threshold, Threshold::Fixed(0.4));
        assert_eq!(assign(&settings, "method=cam").unwrap().method, MethodName::Cam);
        for wrong in ["spatial_bce.learning=1", "size", "size=big", "size.x=1"] {
            assert!(assign(&settings, wrong).is_err(), "{wrong}");
        }
    }
}
