//! `tag2mask sample`: the built-in sample set, as files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::json;
use tag2mask_core::dataset::sample::{CLASSES, SampleSettings, files};
use tag2mask_core::export::atomic;
use tag2mask_core::{Error, Result};

use super::output::Report;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask sample cells
  tag2mask sample cells --images 200 --size 256 --seed 7

The folder holds images/, labels.csv and classes.txt, and for scoring masks/ and boxes.csv.
The same numbers give the same files.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write to: new, or empty
    dir: PathBuf,
    /// Number of images
    #[arg(long, default_value_t = SampleSettings::default().images as u64,
          value_parser = clap::value_parser!(u64).range(1..=10_000))]
    images: u64,
    /// Columns and rows of each image, in pixels
    #[arg(long, default_value_t = SampleSettings::default().size,
          value_parser = clap::value_parser!(u32).range(64..=1024))]
    size: u32,
    /// Another seed gives other images
    #[arg(long, default_value_t = SampleSettings::default().seed)]
    seed: u64,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    refuse_if_used(&args.dir)?;
    let settings = SampleSettings { images: args.images as usize, size: args.size, seed: args.seed };
    let files = files(&settings);
    let total = files.len();
    for (done, (path, bytes)) in files.into_iter().enumerate() {
        atomic::write(args.dir.join(path), &bytes)?;
        report.progress("writing", done + 1, total, None);
    }
    report.end_progress();
    let dir = args.dir.display();
    report.line(format!(
        "{} images of {size} × {size} pixels, classes {}: {dir}",
        settings.images,
        CLASSES.join(", "),
        size = settings.size
    ));
    report.object(&json!({
        "dir": dir.to_string(), "images": settings.images, "size": settings.size, "seed": settings.seed,
        "classes": CLASSES,
    }));
    Ok(())
}

/// What is written among other files would be a data set that nobody meant.
pub fn refuse_if_used(dir: &Path) -> Result<()> {
    let path = || dir.display().to_string();
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::Format { path: path(), reason: "the folder is not empty".into() }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Io { action: "list", path: path(), source }),
    }
}
