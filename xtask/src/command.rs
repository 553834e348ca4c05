//! Running other programs: said aloud, from the project's root, with failures that name the program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::Result;

/// The project's root: where the workspace's `Cargo.toml` stands.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // `cargo run` names the checkout that it was called in. The build's own constant may name
        // another, where several share a target folder.
        let xtask = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&xtask).parent().expect("xtask stands in the project's root").to_path_buf()
    })
}

/// A command that runs in the project's root.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that started us.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where cargo builds.
pub fn target_folder() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Says what is going on, apart from the output of the programs that do it.
pub fn say(text: impl std::fmt::Display) {
    println!("\n==> {text}");
}

/// Runs to the end with its output on ours.
///
/// # Errors
/// The program is missing, or ended with another status than 0.
pub fn execute(command: &mut Command) -> Result<()> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("cannot start ({error}): {line}"))?;
    if status.success() { Ok(()) } else { Err(format!("failed ({status}): {line}")) }
}

/// Runs to the end and returns what it printed.
///
/// # Errors
/// The program is missing, ended with another status than 0, or printed something other than text.
pub fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.output().map_err(|error| format!("cannot start ({error}): {line}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("failed ({}): {line}\n{}", output.status, reason.trim_end()));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("the output is not text: {line}"))
}

/// Where a program stands on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The command as it would be typed, for the reader.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    let line = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    if line.len() > 400 { format!("{}…", line.chars().take(400).collect::<String>()) } else { line }
}
