//! `tag2mask unpack`: a project's file as folders.

use std::path::PathBuf;

use serde_json::json;
use tag2mask_core::export::atomic;
use tag2mask_core::files::FileSet;
use tag2mask_core::{Error, Result};

use super::output::Report;
use super::project::{card, check};
use super::sample::refuse_if_used;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask unpack cells.zip --out cells

The folder gets data/, run/ and masks/, as far as the project has them.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A project: what `pack` and the page write
    project: PathBuf,
    /// Folder to write to: new, or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let files = FileSet::open(&args.project)?;
    let card = card(&args.project, &files)?;
    check(&args.project, &files)?;
    refuse_if_used(&args.out)?;
    let total = files.entries().len();
    for (done, entry) in files.entries().iter().enumerate() {
        let path = format!("{}/{}", args.project.display(), entry.path);
        let bytes = entry.blob.read_at(0, usize::MAX);
        let bytes = bytes.map_err(|source| Error::Io { action: "read", path, source })?;
        atomic::write(args.out.join(&entry.path), &bytes)?;
        report.progress("unpacking", done + 1, total, None);
    }
    report.end_progress();
    let out = args.out.display();
    report.line(format!("\"{}\", {total} files: {out}", card.name));
    report.object(&json!({ "out": out.to_string(), "name": card.name, "files": total }));
    Ok(())
}
