//! The commands: what they are called, what they take, and how they end.
//!
//! Each command is one file with its `Args`, its `EXAMPLES`, and `run(&Args, &mut Report)`. Results go
//! to standard output, news and errors to standard error. Exit status: 0 done, 1 failed, 2 used wrongly.

mod compare;
mod devices;
mod eval;
mod export;
mod host;
mod inspect;
mod masks;
mod onnx;
mod output;
mod pack;
mod predict;
mod project;
mod report;
mod reproduce;
mod sample;
mod score_folder;
mod settings;
mod train;
mod unpack;
mod weights;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tag2mask_core::{Error, Result};

use output::Report;

/// Image-level labels in, segmentation masks out.
#[derive(Debug, Parser)]
#[command(name = "tag2mask", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Print results as JSON, for other programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the built-in sample set: generated images with labels and exact masks
    #[command(after_help = sample::EXAMPLES)]
    Sample(sample::Args),
    /// Show what is in a data set: classes, sizes, and every file that was left out and why
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::Args),
    /// Learn where the labelled things are
    #[command(after_help = train::EXAMPLES)]
    Train(train::Args),
    /// Make masks with a trained run
    #[command(after_help = masks::EXAMPLES)]
    Masks(masks::Args),
    /// Make masks of new photos, without labels
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::Args),
    /// Score masks against true masks: intersection over union, in percent
    #[command(after_help = eval::EXAMPLES)]
    Eval(eval::Args),
    /// Write masks in the formats of other programs
    #[command(after_help = export::EXAMPLES)]
    Export(export::Args),
    /// Write a report of a run that can be printed: what was trained, how, and how good it is
    #[command(after_help = report::EXAMPLES)]
    Report(report::Args),
    /// Write a trained network as ONNX, for other programs
    #[command(after_help = onnx::EXAMPLES)]
    Onnx(onnx::Args),
    /// Put photos, a run and masks into one file, which every command and the page open
    #[command(after_help = pack::EXAMPLES)]
    Pack(pack::Args),
    /// Write what is in such a file as folders
    #[command(after_help = unpack::EXAMPLES)]
    Unpack(unpack::Args),
    /// Train methods on the same photos and budget, and set their masks side by side
    #[command(after_help = compare::EXAMPLES, mut_arg("epochs", compare::epochs),
              mut_arg("seed", |arg| arg.hide(true)), mut_arg("rounds", |arg| arg.hide(true)))]
    Compare(compare::Args),
    /// Run a benchmark as published, and set our figures beside the published ones
    #[command(after_help = reproduce::EXAMPLES)]
    Reproduce(reproduce::Args),
    /// List trained weights that anyone may use, and fetch them
    #[command(after_help = weights::EXAMPLES)]
    Weights(weights::Args),
    /// List what a run could compute on
    #[command(after_help = devices::EXAMPLES)]
    Devices(devices::Args),
}

const EXAMPLES: &str = "\
Examples:
  tag2mask sample cells                          a data set to try things on
  tag2mask inspect cells                         what is in it
  tag2mask train cells --out run                 learn where things are
  tag2mask masks run cells --out cells-masks     one mask per image
  tag2mask eval cells-masks cells/masks          how good masks are
  tag2mask export cells-masks cells --format coco-rle --out exported
  tag2mask train cells --method deeplab --masks cells-masks --out segmenter
                                                 a network that needs no labels
  tag2mask predict segmenter new-photos --out new-masks
  tag2mask onnx segmenter --out segmenter.onnx   the same for other programs

'tag2mask COMMAND --help' tells more. Exit status: 0 done, 1 failed, 2 used wrongly.";

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Wrong usage ends here with status 2, `--help` and `--version` with 0.
    let cli = Cli::parse();
    let mut report = Report::new(cli.json);
    match run(&cli.command, &mut report).and_then(|()| report.close()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report.error(&error);
            ExitCode::from(status(&error))
        }
    }
}

fn run(command: &Command, report: &mut Report) -> Result<()> {
    match command {
        Command::Sample(args) => sample::run(args, report),
        Command::Inspect(args) => inspect::run(args, report),
        Command::Train(args) => train::run(args, report),
        Command::Masks(args) => masks::run(args, report),
        Command::Predict(args) => predict::run(args, report),
        Command::Eval(args) => eval::run(args, report),
        Command::Export(args) => export::run(args, report),
        Command::Report(args) => report::run(args, report),
        Command::Onnx(args) => onnx::run(args, report),
        Command::Pack(args) => pack::run(args, report),
        Command::Unpack(args) => unpack::run(args, report),
        Command::Compare(args) => compare::run(args, report),
        Command::Reproduce(args) => reproduce::run(args, report),
        Command::Weights(args) => weights::run(args, report),
        Command::Devices(args) => devices::run(args, report),
    }
}

/// A setting that cannot be is wrong usage, whoever finds out.
fn status(error: &Error) -> u8 {
    if matches!(error, Error::Setting { .. }) { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_consistent_and_show_examples() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        assert!(command.render_help().to_string().contains("Examples:"));
        for subcommand in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let help = subcommand.render_help().to_string();
            assert!(help.contains("Examples:"), "{}", subcommand.get_name());
        }
    }

    #[test]
    fn json_may_stand_before_or_after_the_command() {
        for line in [["tag2mask", "--json", "inspect", "x"], ["tag2mask", "inspect", "x", "--json"]] {
            assert!(Cli::try_parse_from(line).unwrap().json);
        }
    }

    #[test]
    fn only_wrong_usage_exits_with_2() {
        assert_eq!(status(&Error::Setting { name: "size", reason: String::new() }), 2);
        assert_eq!(status(&Error::NoData { reason: String::new() }), 1);
    }
}
