//! The static folder: page and trainer, for any host and any path on it.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::command::{execute, output, root, say, target_folder};
use crate::tools::Tools;
use crate::{inline, offline};

/// How much effort goes into size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As cargo builds it: for development and tests.
    Quick,
    /// Made small by wasm-opt, which takes minutes, and held to the limits.
    Release,
}

/// What stands in the folder under these very names: the page fetches them by name.
const EXPECTED: [&str; 15] = [
    "index.html",
    "offline.js",
    "service-worker.js",
    "manifest.webmanifest",
    "icon.svg",
    "icon-192.png",
    "icon-512.png",
    "icon-maskable-512.png",
    "page.js",
    "page_bg.wasm",
    "trainer.js",
    "trainer_bg.wasm",
    "trainer-cpu.js",
    "trainer-cpu_bg.wasm",
    "trainer-worker.js",
];

/// What the host sends compressed, at most, in bytes.
const LIMITS: [(&str, [&str; 2], u64); 3] = [
    ("the page", ["page.js", "page_bg.wasm"], 520_000),
    ("the trainer", ["trainer.js", "trainer_bg.wasm"], 2_450_000),
    ("the trainer for the processor", ["trainer-cpu.js", "trainer-cpu_bg.wasm"], 2_200_000),
];

/// What the compiler and wasm-bindgen use, one by one: with `--all-features`, wasm-opt writes modules
/// that browsers refuse.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-simd",
];

/// Prints the size of each named file in bytes after brotli at its best, one a line.
const BROTLI: &str = "\
const { readFileSync } = require('node:fs');
const { brotliCompressSync, constants } = require('node:zlib');
for (const file of process.argv.slice(1)) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  console.log(brotliCompressSync(readFileSync(file), { params }).length);
}";

/// Builds, and returns the folder.
///
/// # Errors
/// A tool is missing, the build failed, or a release is larger than the limits.
pub fn build(effort: Effort) -> Result<PathBuf> {
    let mut tools = Tools::new()?;
    tools.fetch_builders()?;
    if effort == Effort::Release {
        tools.fetch_wasm_opt()?;
    }
    let folder = folder(effort);
    say(format_args!("building the page and the trainer into {}", folder.display()));
    // Trunk copies all that it finds there, scripts of earlier builds too.
    let _ = std::fs::remove_dir_all(target_folder().join("wasm-bindgen"));
    // NO_COLOR=1, as the convention has it, is an error to this version of trunk.
    execute(tools.command("trunk").args(["build", "--dist"]).arg(&folder).env_remove("NO_COLOR"))?;
    for name in EXPECTED {
        if !folder.join(name).is_file() {
            return Err(format!("the build left out {name}: {}", folder.display()));
        }
    }
    refuse_inline_scripts(&folder)?;
    inline::move_out(&folder)?;
    if effort == Effort::Release {
        for name in EXPECTED.iter().filter(|name| name.ends_with(".wasm")) {
            optimize(&tools, &folder.join(name))?;
        }
    }
    // Last, as it names the bytes of all others.
    offline::fill_in(&folder, &files_below(&folder)?)?;
    if effort == Effort::Release {
        let sizes = sizes(&tools, &folder)?;
        let table = table(&sizes);
        print!("{table}");
        let path = root().join("target/payload.txt");
        let _ = std::fs::create_dir_all(root().join("target"));
        std::fs::write(&path, table)
            .map_err(|error| format!("cannot write ({error}): {}", path.display()))?;
        within_limits(&sizes)?;
    }
    Ok(folder)
}

/// `cargo xtask dist`.
///
/// # Errors
/// As [`build`].
pub fn run(effort: Effort) -> Result<()> {
    let folder = build(effort)?;
    say(format_args!("ready for any static host: {}", folder.display()));
    Ok(())
}

fn folder(effort: Effort) -> PathBuf {
    root().join(match effort {
        // Not in dist/: what stands there is meant for users.
        Effort::Quick => "target/page",
        Effort::Release => "dist",
    })
}

/// Both modules are built from one package, and wasm-bindgen numbers a package's inline scripts from 0:
/// the second module's would overwrite the first's. Scripts in files of their own keep their names.
fn refuse_inline_scripts(folder: &Path) -> Result<()> {
    for file in files_below(folder)? {
        let path = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        if path.starts_with("snippets/tag2mask-app-") && path.contains("/inline") {
            return Err(format!(
                "inline_js in the app clashes between page and trainer; use module = \"…\": {path}"
            ));
        }
    }
    Ok(())
}

/// Makes a module small, in place.
fn optimize(tools: &Tools, module: &Path) -> Result<()> {
    say(format_args!("making {} small (some minutes)", module.display()));
    let small = module.with_extension("small");
    let strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
    execute(
        tools.command("wasm-opt").arg("-Oz").args(FEATURES).args(strip).arg(module).arg("-o").arg(&small),
    )?;
    std::fs::rename(&small, module).map_err(|error| format!("cannot write ({error}): {}", module.display()))
}

/// One file of the folder.
struct Size {
    /// Path in the folder.
    name: String,
    /// Bytes.
    raw: u64,
    /// Bytes after brotli.
    brotli: u64,
}

fn sizes(tools: &Tools, folder: &Path) -> Result<Vec<Size>> {
    say("measuring");
    let files = files_below(folder)?;
    let printed = output(tools.command("node").args(["-e", BROTLI, "--"]).args(&files))?;
    let mut sizes = Vec::new();
    for (file, brotli) in files.iter().zip(printed.lines()) {
        let raw =
            file.metadata().map_err(|error| format!("cannot read ({error}): {}", file.display()))?.len();
        let brotli = brotli.parse().map_err(|_| format!("not a size: {brotli}"))?;
        let name = file.strip_prefix(folder).unwrap_or(file).display().to_string();
        sizes.push(Size { name, raw, brotli });
    }
    Ok(sizes)
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| format!("cannot list ({error}): {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            files.append(&mut files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn table(sizes: &[Size]) -> String {
    let mut table = format!("{:<32} {:>12} {:>12}\n", "file", "bytes", "brotli");
    for Size { name, raw, brotli } in sizes {
        table += &format!("{name:<32} {raw:>12} {brotli:>12}\n");
    }
    table
}

fn within_limits(sizes: &[Size]) -> Result<()> {
    let mut over = Vec::new();
    for (what, names, limit) in LIMITS {
        let found: u64 =
            sizes.iter().filter(|size| names.contains(&size.name.as_str())).map(|size| size.brotli).sum();
        println!("{what}: {found} bytes after brotli, of {limit} allowed");
        if found > limit {
            over.push(format!("{what} is {found} bytes after brotli, more than the limit of {limit}"));
        }
    }
    if over.is_empty() { Ok(()) } else { Err(over.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(brotli: u64) -> Vec<Size> {
        vec![
            Size { name: "page.js".into(), raw: 1, brotli: 20_000 },
            Size { name: "page_bg.wasm".into(), raw: 1, brotli },
            Size { name: "large.png".into(), raw: 1, brotli: 900_000 },
        ]
    }

    #[test]
    fn the_page_is_held_to_its_limit() {
        assert!(within_limits(&page(500_000)).is_ok());
        assert!(within_limits(&page(500_001)).unwrap_err().contains("the page is 520001 bytes"));
    }
}
