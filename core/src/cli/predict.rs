//! `tag2mask predict`: masks of photos that nobody labelled, with a trained segmentation network.

use std::path::PathBuf;

use serde_json::json;
use tag2mask_core::dataset;
use tag2mask_core::device::{Compute, DeviceChoice};
use tag2mask_core::export::mask_folder;
use tag2mask_core::files::FileSet;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::make_masks::{Mask, MaskJob, make_masks};
use tag2mask_core::run::settings::Refine;
use tag2mask_core::{Error, Result};

use super::host::Terminal;
use super::masks::RefineChoice;
use super::output::{Report, duration};
use super::project;
use super::score_folder;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask train photos --method deeplab --masks masks --out segmenter
  tag2mask predict segmenter new-photos --out new-masks
  tag2mask predict segmenter photo.zip --out new-masks --refine none
  tag2mask export new-masks new-photos --format coco-rle --out exported
                                            the same masks for other programs

Photos need no labels. Masks are palette PNGs in the VOC colours, 0 background, with classes.txt.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run of a method that needs no labels, as deeplab, or a project
    run: PathBuf,
    /// Folder or .zip with photos
    images: PathBuf,
    /// Folder for the masks
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How masks are made to follow edges
    #[arg(long)]
    refine: Option<RefineChoice>,
    /// Sizes relative to the training size, whose maps are averaged
    #[arg(long, value_delimiter = ',', value_name = "1,0.5,…")]
    scales: Option<Vec<f64>>,
    /// Also write what the network says of every class at every pixel, as .npy: float32, the background, then
    /// the classes × height × width. channels.txt names them
    #[arg(long, value_name = "DIR")]
    scores: Option<PathBuf>,
    /// auto, cpu, vulkan, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let trained = project::trained(&args.run, None)?;
    let segments =
        |trained: &Trained| trained.network.method().reading(&trained.card.settings).needs_no_labels();
    let trained = trained.filter(segments).ok_or_else(|| Error::Format {
        path: args.run.display().to_string(),
        reason: "holds no segmentation network; train one on masks: tag2mask train DATA --method deeplab \
                 --masks MASKS --out RUN"
            .into(),
    })?;
    let same =
        |a: &std::path::Path, b: &std::path::Path| Some(a.canonicalize().ok()? == b.canonicalize().ok()?);
    if same(&args.images, &args.out) == Some(true) {
        let reason = "masks would replace the photos; give another folder".into();
        return Err(Error::Setting { name: "out", reason });
    }
    let files = FileSet::open(&args.images)?;
    let photos = dataset::read_photos(&files, &trained.card.classes, &mut |done, total| {
        report.progress("reading", done, total, None);
    })?;
    report.end_progress();
    for problem in &photos.problems {
        report.warning(format!("{} {}", problem.reason, problem.path));
    }
    let mut card = trained.card.settings.clone();
    if let Some(refine) = args.refine {
        card.masks.refine = refine.into();
    }
    if let Some(scales) = &args.scales {
        card.masks.scales = scales.clone();
    }
    card.check()?;
    let compute = Compute::open(args.device.one()?)?;
    let job = MaskJob {
        dataset: &photos,
        settings: &card.masks,
        side: card.size,
        keep_scores: args.scores.is_some(),
        search: false,
        phase: Phase::Masks,
        from: 0,
    };
    let mut count = 0;
    let mut sink = |mask: Mask| {
        let stem = &photos.items[mask.item].stem;
        mask_folder::write(&args.out, stem, &mask.labels)?;
        if let (Some(folder), Some(scores)) = (&args.scores, &mask.scores) {
            score_folder::write(folder, stem, scores)?;
        }
        count += 1;
        Ok(())
    };
    let started = std::time::Instant::now();
    let mut terminal = Terminal::new(report, &photos.classes)?;
    let finished = pollster::block_on(make_masks(&job, &trained, &compute, &mut terminal, &mut sink))?;
    mask_folder::write_classes(&args.out, &photos.classes)?;
    if let Some(folder) = &args.scores {
        score_folder::write_channels(folder, &trained)?;
    }
    report.end_progress();
    let seconds = started.elapsed().as_secs_f64();
    let refined = if card.masks.refine == Refine::None { ", not refined" } else { "" };
    report.line(format!("{count} masks in {}{refined}: {}", duration(seconds), args.out.display()));
    report.object(&json!({
        "out": args.out.display().to_string(), "images": count, "left_out": photos.problems.len(),
        "seconds": seconds, "finished": finished,
    }));
    Ok(())
}
