//! `tag2mask devices`: what a run could compute on.

use tag2mask_core::Result;
use tag2mask_core::device::Compute;

use super::output::Report;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask devices
  tag2mask devices --json

The first is what `--device auto` takes. Software rasterisers are not listed: the CPU is faster.";

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, report: &mut Report) -> Result<()> {
    let all = Compute::all();
    for device in &all {
        let largest = device.max_binding.map(|bytes| format!(", largest binding {} MiB", bytes >> 20));
        report.line(format!("{:8} {}{}", device.backend, device.name, largest.unwrap_or_default()));
    }
    report.object(&all);
    Ok(())
}
