//! `tag2mask masks`: masks of a data set with a trained run.

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use serde_json::json;
use tag2mask_core::device::{Compute, DeviceChoice};
use tag2mask_core::export::{atomic, doubt_csv, mask_folder};
use tag2mask_core::run::event::{Phase, Score};
use tag2mask_core::run::make_masks::{Mask, MaskJob, make_masks};
use tag2mask_core::run::published::published;
use tag2mask_core::run::scorer::{Scorer, is_blind};
use tag2mask_core::run::settings::{MaskSettings, Refine, Threshold, ViewSize};
use tag2mask_core::{Error, Result};

use super::host::Terminal;
use super::output::{Report, duration};
use super::project::{is_archive, trained};
use super::score_folder;
use super::train::read;
use super::weights::read_file;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask masks run photos --out masks
  tag2mask masks run photos --out masks --refine none --scales 1
  tag2mask masks run photos --out cam --round 0 --threshold 0.3
  tag2mask masks run photos --out masks --scores maps
  tag2mask masks run photos --out masks --doubt doubt.csv
  tag2mask masks checkpoint.pth VOC --out masks

Palette PNGs in the VOC colours, 0 background, with classes.txt. The adaptive threshold looks at no
ground truth. `--round 0` is the plain classifier that Spatial-BCE started from.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, a project, or a checkpoint of the authors' program (.pth)
    run: PathBuf,
    /// Folder or .zip: the images, with their labels
    data: PathBuf,
    /// Of VOC: the list of images under ImageSets, for instance val; of COCO: train2014 or val2014
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Folder for the masks
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How masks are made to follow edges
    #[arg(long)]
    refine: Option<RefineChoice>,
    /// adaptive (learned, and ours), published (learned, as in the paper), or a number from 0 to 1
    #[arg(long, value_name = "adaptive|published|X")]
    threshold: Option<ThresholdChoice>,
    /// Sizes whose maps are averaged, relative to the training size or, with `--views photo`, the photo's
    #[arg(long, value_delimiter = ',', value_name = "1,0.5,…")]
    scales: Option<Vec<f64>>,
    /// Whether scale 1 is the square of the training size, or the photo's own size as published
    #[arg(long)]
    views: Option<ViewsChoice>,
    /// Also write the unscaled class maps here, as .npy: classes × height × width, float32; of a
    /// segmentation network also of the background, first. channels.txt names them
    #[arg(long, value_name = "DIR")]
    scores: Option<PathBuf>,
    /// Also write how much each mask is to be doubted here, as a table, the most doubtful first: image,
    /// doubt (0 to 1, told without the truth), and iou in percent where a mask was supplied
    #[arg(long, value_name = "FILE")]
    doubt: Option<PathBuf>,
    /// The network at the end of this round instead of the last
    #[arg(long, value_name = "N")]
    round: Option<usize>,
    /// Also find the fixed threshold whose refined masks fit the supplied ones best, of 0.05 to 0.95: a
    /// figure that looks at the truth. Refines each image 19 times more. Images of more than 1024
    /// pixels a side are left out of it
    #[arg(long)]
    search: bool,
    /// auto, cpu, vulkan, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RefineChoice {
    /// A dense random field over labels
    Crf,
    /// The same over a segmenter's probabilities, as DeepLab has it
    CrfProbabilities,
    /// Photos with boxes, of a method that learns from them: what two of three agree on, of the random field, the
    /// boxes' GrabCut, and a GrabCut that weighs the network's opinion
    #[value(name = "grabcut")]
    GrabCut,
    /// As the network draws them
    None,
}

impl From<RefineChoice> for Refine {
    fn from(choice: RefineChoice) -> Self {
        match choice {
            RefineChoice::Crf => Self::Crf,
            RefineChoice::CrfProbabilities => Self::CrfProbabilities,
            RefineChoice::GrabCut => Self::GrabCut,
            RefineChoice::None => Self::None,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ViewsChoice {
    Square,
    Photo,
}

#[derive(Debug, Clone, Copy)]
struct ThresholdChoice(Threshold);

impl FromStr for ThresholdChoice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "adaptive" {
            return Ok(Self(Threshold::Adaptive));
        }
        if text == "published" {
            return Ok(Self(Threshold::Published));
        }
        let wrong = || "give adaptive, published, or a number from 0 to 1".to_owned();
        let value: f64 = text.parse().map_err(|_| wrong())?;
        Ok(Self(Threshold::Fixed(value)))
    }
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let of_folder = match args.run.is_file() && !is_archive(&args.run) {
        true => None,
        false => Some(trained(&args.run, args.round)?.ok_or_else(|| no_run(args))?),
    };
    let dataset = read(&args.data, args.split.as_deref(), report)?;
    let trained = match of_folder {
        Some(trained) => trained,
        None => published(&read_file(&args.run)?, &dataset.classes, &Compute::cpu().device)?,
    };
    if dataset.classes != trained.card.classes {
        return Err(Error::NoData {
            reason: format!(
                "the run knows the classes {}, the data set has {}",
                trained.card.classes.join(", "),
                dataset.classes.join(", ")
            ),
        });
    }
    let reading = trained.network.method().reading(&trained.card.settings);
    let segments = !reading.has_threshold();
    if segments && (args.threshold.is_some() || args.search) {
        let name = if args.search { "search" } else { "threshold" };
        let reason = "a segmentation network has no background threshold".into();
        return Err(Error::Setting { name, reason });
    }
    let mut card = trained.card.settings.clone();
    card.masks = settings(args, card.masks);
    card.check()?;
    let compute = Compute::open(args.device.one()?)?;
    let job = MaskJob {
        dataset: &dataset,
        settings: &card.masks,
        side: card.size,
        keep_scores: args.scores.is_some(),
        search: args.search && card.masks.refine != Refine::None,
        phase: Phase::Masks,
        from: 0,
    };
    let mut scorer = Scorer::new(&dataset);
    let mut count = 0;
    let mut doubts = Vec::new();
    let mut sink = |mask: Mask| {
        let stem = &dataset.items[mask.item].stem;
        mask_folder::write(&args.out, stem, &mask.labels)?;
        if let (Some(folder), Some(scores)) = (&args.scores, &mask.scores) {
            score_folder::write(folder, stem, scores)?;
        }
        doubts.push((mask.item, mask.doubt, scorer.add(&mask)?));
        count += 1;
        Ok(())
    };
    let started = std::time::Instant::now();
    let mut terminal = Terminal::new(report, &dataset.classes)?;
    let finished = pollster::block_on(make_masks(&job, &trained, &compute, &mut terminal, &mut sink))?;
    mask_folder::write_classes(&args.out, &dataset.classes)?;
    if let Some(folder) = &args.scores {
        score_folder::write_channels(folder, &trained)?;
    }
    if let Some(path) = &args.doubt {
        let rows = doubts.iter().map(|&(item, doubt, iou)| (dataset.items[item].path.as_str(), doubt, iou));
        atomic::write(path, &doubt_csv::encode(rows.collect())?)?;
    }
    report.end_progress();
    let seconds = started.elapsed().as_secs_f64();
    let score = scorer.score(!segments && !is_blind(card.masks.threshold));
    report.line(format!("{count} masks in {}: {}", duration(seconds), args.out.display()));
    if let Some(score) = &score {
        let note =
            if score.looked_at_truth { " (a fixed threshold may have been chosen on the truth)" } else { "" };
        report.line(format!("mIoU against the supplied masks {:.1} %{note}", score.miou));
    }
    let (best, best_refined) = match segments {
        true => (None, None),
        false => (scorer.best_fixed(), scorer.best_fixed_refined()),
    };
    for (when, best) in [("before", &best), ("after", &best_refined)] {
        if let Some((threshold, score)) = best {
            report.line(format!(
                "best fixed threshold {when} refinement {threshold:.2}: {:.1} % (looks at the truth)",
                score.miou
            ));
        }
    }
    let found = |best: Option<(f32, Score)>| {
        best.map(|(threshold, score)| json!({"threshold": threshold, "score": score}))
    };
    report.object(&json!({
        "out": args.out.display().to_string(), "images": count, "seconds": seconds, "finished": finished,
        "score": score, "best_fixed": found(best), "best_fixed_refined": found(best_refined),
    }));
    Ok(())
}

fn settings(args: &Args, mut settings: MaskSettings) -> MaskSettings {
    if let Some(refine) = args.refine {
        settings.refine = refine.into();
    }
    if let Some(ThresholdChoice(threshold)) = args.threshold {
        settings.threshold = threshold;
    }
    if let Some(views) = args.views {
        settings.views = match views {
            ViewsChoice::Square => ViewSize::Square,
            ViewsChoice::Photo => ViewSize::Photo,
        };
    }
    if let Some(scales) = &args.scales {
        settings.scales = scales.clone();
    }
    settings
}

fn no_run(args: &Args) -> Error {
    let path = args.run.join("run.json").display().to_string();
    let reason = match args.round {
        Some(round) => format!("the run has not finished round {round}"),
        None => "no trained run is here".into(),
    };
    Error::Format { path, reason }
}
