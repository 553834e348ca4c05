//! `tag2mask report`: a run on paper.

use std::path::PathBuf;

use serde_json::json;
use tag2mask_core::dataset::decode;
use tag2mask_core::dataset::targets::masks_of_items;
use tag2mask_core::export::atomic;
use tag2mask_core::files::{FileSet, Part};
use tag2mask_core::run::packed::PackedRun;
use tag2mask_core::run::report::{Drawn, FILE, Look, of_run};
use tag2mask_core::run::scorer::refuse_unknown;
use tag2mask_core::run::store::FolderStore;
use tag2mask_core::{Error, Result};

use super::output::Report;
use super::project::{is_archive, open_masks};
use super::train::read_files;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask report run
  tag2mask report run --out report.html --masks cells-masks --data cells
  tag2mask report cells.zip --out report.html                   # a project: its photos and masks too

One HTML file with its pictures in it, which loads and runs nothing, and prints on A4. It says what was
trained, on what, with which settings, how losses, shares and thresholds went, and, of masks whose photos
came with true ones, mIoU and confusion. Which figures looked at the truth is said in it.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, or a project
    run: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = FILE)]
    out: PathBuf,
    /// Masks of the run, as `masks` writes them, for shares, scores and examples [of a project: its own]
    #[arg(long, value_name = "DIR", requires = "data")]
    masks: Option<PathBuf>,
    /// The photos that they are of
    #[arg(long, value_name = "DATA", requires = "masks")]
    data: Option<PathBuf>,
    /// Of VOC: the list of images under ImageSets, for instance val; of COCO: train2014 or val2014
    #[arg(long, value_name = "NAME", requires = "data")]
    split: Option<String>,
    /// The masks were cut with a threshold that may have been chosen with a look at the truth
    #[arg(long, requires = "masks")]
    looked_at_truth: bool,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let html = if is_archive(&args.run) {
        let project = FileSet::open(&args.run)?;
        let store = PackedRun::of(&args.run.display().to_string(), &project)?.ok_or_else(|| no_run(args))?;
        let masks = match masks(args, report)? {
            Some(masks) => Some(masks),
            None => of_project(args, &project, report)?,
        };
        of_run(&store, masks.as_ref())?
    } else {
        of_run(&FolderStore::open(&args.run), masks(args, report)?.as_ref())?
    };
    let html = html.ok_or_else(|| no_run(args))?;
    atomic::write(&args.out, html.as_bytes())?;
    report.line(format!("report: {}", args.out.display()));
    report.object(&json!({ "out": args.out.display().to_string(), "bytes": html.len() }));
    Ok(())
}

/// Those that were given.
fn masks(args: &Args, report: &mut Report) -> Result<Option<Drawn>> {
    let (Some(masks), Some(data)) = (&args.masks, &args.data) else { return Ok(None) };
    look(args, &open_masks(masks)?, &FileSet::open(data)?, data, report).map(Some)
}

/// Those of a project, where it has some.
fn of_project(args: &Args, project: &FileSet, report: &mut Report) -> Result<Option<Drawn>> {
    let Some(masks) = project.part(Part::Masks)?.filter(|masks| !masks.entries().is_empty()) else {
        return Ok(None);
    };
    look(args, &masks, project, &args.run, report).map(Some)
}

fn look(
    args: &Args,
    masks: &FileSet,
    data: &FileSet,
    path: &std::path::Path,
    report: &mut Report,
) -> Result<Drawn> {
    let dataset = read_files(data, path, args.split.as_deref(), report)?;
    let masks = masks_of_items(masks, &dataset)?;
    if masks.is_empty() {
        return Err(Error::NoData { reason: "no mask has the name of a photo".into() });
    }
    let mut look = Look::new(&dataset);
    for (done, (&item, mask)) in masks.iter().enumerate() {
        let path = &dataset.items[item].path;
        let mask = decode::mask(mask.as_ref(), path)?;
        refuse_unknown(&mask, dataset.classes.len(), path)?;
        look.add(item, &mask)?;
        report.progress("looking at masks", done + 1, masks.len(), None);
    }
    report.end_progress();
    Ok(look.finish(None, 0, args.looked_at_truth))
}

fn no_run(args: &Args) -> Error {
    Error::Format { path: args.run.display().to_string(), reason: "no run is here".into() }
}
