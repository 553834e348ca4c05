//! `tag2mask export`: masks in the formats of other programs.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::json;
use tag2mask_core::dataset;
use tag2mask_core::export::{ExportOptions, Exporter, FolderSink, Format, MaskSet};
use tag2mask_core::files::FileSet;
use tag2mask_core::{Error, Result};

use super::eval::class_names;
use super::output::Report;
use super::project::{open_data, open_masks};

pub const EXAMPLES: &str = "\
Examples:
  tag2mask export cells-masks cells --format coco-rle --out exported
  tag2mask export masks photos --format yolo-seg,labelme --out exported --photos
  tag2mask export masks.zip photos.zip --format cut-outs --out exported

Each format gets a folder of its name. Photos are called by their file names; where two have the
same, by those of their masks, and --photos writes them under these names. Polygons overlap their
mask by 99 % or more; the formats that say exact lose nothing. Pixels of value 255 are of no class.
Score maps are written by tag2mask masks --scores, as .npy.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder or .zip of masks, as `masks` and `predict` write them
    masks: PathBuf,
    /// Folder or .zip with the photos that they are of
    data: PathBuf,
    /// What to write, one or several
    #[arg(long, value_delimiter = ',', required = true, value_name = "FORMAT,…", value_parser = formats())]
    format: Vec<Format>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Also write the photos, where the format has a place for them
    #[arg(long)]
    photos: bool,
    /// Of VOC: the list of images under ImageSets, for instance val; of COCO: train2014 or val2014
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Class names, one per line, background first [default: classes.txt in MASKS or DATA]
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.id()).help(format.summary()));
    PossibleValuesParser::new(values).try_map(|id| Format::by_id(&id).ok_or("no such format"))
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    for input in [&args.masks, &args.data] {
        if is_same(input, &args.out) {
            let reason = "results would mix with what they are made from; give another folder".into();
            return Err(Error::Setting { name: "out", reason });
        }
    }
    let (masks, photos) = (open_masks(&args.masks)?, open_data(&args.data)?);
    let places = [(&masks, args.masks.as_path()), (&photos, args.data.as_path())];
    let classes = class_names(args.classes.as_deref(), places)?.ok_or_else(|| Error::Format {
        path: args.masks.display().to_string(),
        reason: "no classes.txt names the values of the masks; give one with --classes".into(),
    })?;
    let set = masked_photos(args, &masks, &photos, &classes, report)?;
    warn(&set, args, report);
    let mut sink = FolderSink::new(&args.out);
    let exporter = Exporter::new(&set, &args.format, ExportOptions { photos: args.photos });
    exporter.run(&mut sink, &mut |done, total| report.progress("writing", done, total, None))?;
    report.end_progress();
    let names = Format::ALL.map(Format::id);
    let written: Vec<&str> =
        names.into_iter().filter(|id| args.format.iter().any(|format| format.id() == *id)).collect();
    for id in &written {
        report.line(format!("{} masks: {}", set.photos.len(), args.out.join(id).display()));
    }
    report.object(&json!({
        "out": args.out.display().to_string(), "formats": written, "images": set.photos.len(),
        "classes": set.classes, "without_photo": set.without_photo, "without_mask": set.without_mask,
    }));
    Ok(())
}

/// The photos of the masks, read as a data set or, where that leaves masks without a photo, as photos that
/// nobody labelled: masks are named by the one or the other.
fn masked_photos(
    args: &Args,
    masks: &FileSet,
    files: &FileSet,
    classes: &[String],
    report: &mut Report,
) -> Result<MaskSet> {
    let mut progress = |done, total| report.progress("reading", done, total, None);
    let labelled = dataset::read_split(files, args.split.as_deref(), &mut progress)
        .and_then(|dataset| MaskSet::new(masks, &dataset, classes));
    let is_whole = labelled.as_ref().is_ok_and(|set| set.without_photo.is_empty());
    let can_be_other = args.split.is_none() && matches!(labelled, Ok(_) | Err(Error::NoData { .. }));
    let set = match can_be_other && !is_whole {
        false => labelled,
        true => {
            let photos = dataset::read_photos(files, classes, &mut progress)
                .and_then(|dataset| MaskSet::new(masks, &dataset, classes));
            match (labelled, photos) {
                (Ok(labelled), Ok(photos)) if photos.photos.len() > labelled.photos.len() => Ok(photos),
                (Err(_), photos) => photos,
                (labelled, _) => labelled,
            }
        }
    };
    report.end_progress();
    set
}

/// What is left out, and what is called otherwise.
fn warn(set: &MaskSet, args: &Args, report: &mut Report) {
    if let Some(first) = set.without_photo.first() {
        let count = set.without_photo.len();
        report.warning(format!("{count} masks are of no photo and are left out, for one: {first}"));
    }
    if let Some(first) = set.without_mask.first() {
        let count = set.without_mask.len();
        report.warning(format!("{count} photos have no mask and are left out, for one: {first}"));
    }
    let mut renamed = set.photos.iter().filter(|photo| photo.is_renamed);
    if let Some(first) = renamed.next() {
        let hint = if args.photos { "" } else { "; --photos writes them under these names" };
        report.warning(format!(
            "{} photos have other names in the results, as theirs repeat or are not allowed everywhere, for one \
             {}{hint}: {}",
            1 + renamed.count(),
            first.file_name,
            first.path
        ));
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
