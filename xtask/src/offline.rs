//! The service worker's list: which files the page has, and a name for these very bytes, so that browsers see
//! when there is a new version.

use std::path::{Path, PathBuf};

use crate::Result;

const WORKER: &str = "service-worker.js";
/// The line of the worker that is filled in.
const EMPTY: &str = "const BUILD = { version: \"\", files: [] };";

/// Writes the list of `files` below `folder` into the worker among them.
///
/// # Errors
/// A file cannot be read, or the worker has no place for the list.
pub fn fill_in(folder: &Path, files: &[PathBuf]) -> Result<()> {
    let mut names = Vec::new();
    let mut version = Version::new();
    for file in files {
        let path = file.strip_prefix(folder).unwrap_or(file);
        let name = path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        let bytes =
            std::fs::read(file).map_err(|error| format!("cannot read ({error}): {}", file.display()))?;
        version.add(name.as_bytes());
        version.add(&bytes);
        // Browsers look for a new one on the host themselves.
        if name != WORKER {
            names.push(name);
        }
    }
    let worker = folder.join(WORKER);
    let text = std::fs::read_to_string(&worker)
        .map_err(|error| format!("cannot read ({error}): {}", worker.display()))?;
    let text = filled_in(&text, &version, &names)
        .ok_or_else(|| format!("no place for the list of files: {}", worker.display()))?;
    std::fs::write(&worker, text).map_err(|error| format!("cannot write ({error}): {}", worker.display()))
}

fn filled_in(worker: &str, version: &Version, names: &[String]) -> Option<String> {
    let (before, after) = worker.split_once(EMPTY)?;
    let version = version.to_hex();
    // Names of a build's files hold nothing that JavaScript would escape otherwise.
    Some(format!("{before}const BUILD = {{ version: \"{version}\", files: {names:?} }};{after}"))
}

/// A hash that tells two versions apart, and no more: FNV-1a, 64 bits. Lengths count, so that bytes cannot
/// move between files unseen.
struct Version(u64);

impl Version {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for &byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn to_hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::root;

    fn version(parts: &[&str]) -> String {
        let mut version = Version::new();
        parts.iter().for_each(|part| version.add(part.as_bytes()));
        version.to_hex()
    }

    #[test]
    fn other_bytes_make_another_version() {
        assert_eq!(version(&["a.js", "1"]), version(&["a.js", "1"]));
        assert_ne!(version(&["a.js", "1"]), version(&["a.js", "2"]));
        assert_ne!(version(&["a.js", "1"]), version(&["a.js1", ""]));
    }

    #[test]
    fn our_worker_takes_the_list() {
        let worker = std::fs::read_to_string(root().join("app/src").join(WORKER)).unwrap();
        let names = ["index.html".to_string(), "sub/a.js".to_string()];
        let text = filled_in(&worker, &Version(0xab), &names).unwrap();
        let line = "const BUILD = { version: \"00000000000000ab\", files: [\"index.html\", \"sub/a.js\"] };";
        assert!(text.contains(line), "{text}");
        assert_eq!(filled_in(&text, &Version(1), &names), None, "only once");
    }
}
