//! `tag2mask pack`: photos, a run and masks as one file.

use std::path::PathBuf;

use serde_json::json;
use tag2mask_core::export::atomic::Pending;
use tag2mask_core::export::project_zip::ProjectPacker;
use tag2mask_core::files::{FileSet, Part, ProjectCard, is_image_name, name, stem};
use tag2mask_core::run::checkpoint::RunCard;
use tag2mask_core::run::packed::PackedRun;
use tag2mask_core::run::store::{FolderStore, is_run_file};
use tag2mask_core::{Error, Result};

use super::output::Report;
use super::project::{is_archive, open_masks, run_files};
use super::train::read;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask pack run photos --out cells.zip
  tag2mask pack run photos --masks masks --name \"blood cells\" --out cells.zip

Every command takes such a file where it takes a run, a data set or masks, and the page opens it: begin there and
finish on a machine with a large GPU, or the other way round.
  tag2mask train cells.zip --out run --resume       goes on with its run
  tag2mask masks cells.zip cells.zip --out masks    makes masks of its photos";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run
    run: PathBuf,
    /// Folder or .zip: the photos that it learns from, with their labels
    data: PathBuf,
    /// Of VOC: the list of images under ImageSets, for instance train_aug; of COCO: train2014 or val2014
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Folder or .zip of masks, to be packed too
    #[arg(long, value_name = "MASKS")]
    masks: Option<PathBuf>,
    /// What the project is called [default: the file's name]
    #[arg(long)]
    name: Option<String>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let shown = args.run.display().to_string();
    let card = match is_archive(&args.run) {
        true => match PackedRun::of(&shown, &FileSet::open(&args.run)?)? {
            Some(store) => RunCard::load(&store)?,
            None => None,
        },
        false => RunCard::load(&FolderStore::open(&args.run))?,
    };
    let card = card.ok_or_else(|| Error::Format { path: shown, reason: "no run is here".into() })?;
    let dataset = read(&args.data, args.split.as_deref(), report)?;
    card.check_data(&dataset)?;
    let masks = args.masks.as_deref().map(open_masks).transpose()?;
    let out = args.out.display().to_string();
    let project = ProjectCard::new(args.name.as_deref().unwrap_or_else(|| name(stem(&out))));
    let mut packer = ProjectPacker::new(Pending::new(&args.out)?, &project)?;
    packer.add_data(&dataset, &mut |done, total| report.progress("packing", done, total, None))?;
    packer.add_files(Part::Run, &run_files(&args.run)?, is_run_file)?;
    let mut drawn = 0;
    if let Some(masks) = &masks {
        let is_mask = |path: &str| is_image_name(path) || path == "classes.txt";
        packer.add_files(Part::Masks, masks, is_mask)?;
        drawn = masks.entries().iter().filter(|entry| is_image_name(&entry.path)).count();
    }
    packer.finish()?.finish()?;
    report.end_progress();
    let images = dataset.items.len();
    let with_masks = if drawn > 0 { format!(", {drawn} masks") } else { String::new() };
    report.line(format!("{images} photos and their run{with_masks}: {out}"));
    report.object(&json!({ "out": out, "name": project.name, "images": images, "masks": drawn }));
    Ok(())
}
