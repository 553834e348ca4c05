//! `tag2mask onnx`: a trained network as a file that other programs run.

use std::path::PathBuf;

use serde_json::json;
use tag2mask_core::export::{atomic, onnx};
use tag2mask_core::{Error, Result};

use super::output::Report;
use super::project::trained;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask onnx segmenter --out segmenter.onnx
  tag2mask onnx run --out classifier.onnx --round 0

For onnxruntime and whatever else reads ONNX. Input: image, red, green and blue of 0 to 1, [N, 3, H, W] of any size;
the file normalises them. Output of a method that needs no labels then: logits and probabilities, background first;
of the others: class maps, and logits of the whole image or thresholds. Its metadata hold the names of the classes.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, or a project
    run: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The network at the end of this round instead of the last
    #[arg(long, value_name = "N")]
    round: Option<usize>,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let trained = trained(&args.run, args.round)?.ok_or_else(|| {
        let reason = match args.round {
            Some(round) => format!("the run has not finished round {round}"),
            None => "no trained run is here".into(),
        };
        Error::Format { path: args.run.join("run.json").display().to_string(), reason }
    })?;
    let bytes = onnx::encode(&trained)?;
    atomic::write(&args.out, &bytes)?;
    let settings = &trained.card.settings;
    let (method, backbone) = (trained.network.id(), settings.backbone.id());
    let megabytes = bytes.len() as f64 / 1e6;
    report.line(format!("{method} on {backbone}, {megabytes:.1} MB: {}", args.out.display()));
    report.object(&json!({
        "out": args.out.display().to_string(), "bytes": bytes.len(), "method": method, "backbone": backbone,
        "classes": trained.card.classes, "round": trained.position.round, "step": trained.position.step,
    }));
    Ok(())
}
