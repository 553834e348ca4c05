//! Where a run's files live: a folder, or memory in the page.

use std::collections::BTreeMap;

use crate::error::Result;

/// A flat set of named files, each written whole or not at all.
pub trait RunStore {
    /// Writes or replaces a file.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Adds a line to a text file.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn append(&mut self, name: &str, line: &str) -> Result<()>;

    /// Removes a file; one that is not there is gone already.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn remove(&mut self, name: &str) -> Result<()>;

    /// The bytes of a file; `None` when there is no such file.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// The name to show in messages.
    fn describe(&self, name: &str) -> String;
}

/// Whether a run has a file of this name: of a folder or an archive, what belongs to the run.
pub fn is_run_file(name: &str) -> bool {
    let is_numbered = |(before, after): (&str, &str)| {
        let number = name.strip_prefix(before).and_then(|name| name.strip_suffix(after));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let fixed = [
        "run.json",
        "events.jsonl",
        "weights.safetensors",
        "optimizer.safetensors",
        "box-masks.zip",
        "given-masks.zip",
        "model.safetensors",
        "model.json",
    ];
    let numbered = [("shares-", ".json"), ("masks-", ".zip"), ("round-", ".safetensors")];
    fixed.contains(&name) || numbered.into_iter().any(is_numbered)
}

/// Masks that are being made between two rounds, while they are.
pub const BEGUN: &str = "begun.zip";

/// The round whose network at its end a file keeps: training goes on without it. `None` for all other files.
pub fn round_of(name: &str) -> Option<usize> {
    name.strip_prefix("round-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// Whether a file only keeps the masks that shares were measured on: nothing reads it but people.
pub fn is_measured(name: &str) -> bool {
    let number = name.strip_prefix("masks-").and_then(|rest| rest.strip_suffix(".zip"));
    number.is_some_and(|number| number.parse::<usize>().is_ok())
}

/// Files in memory, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    /// The files.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl RunStore for MemoryStore {
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.files.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn append(&mut self, name: &str, line: &str) -> Result<()> {
        let file = self.files.entry(name.to_owned()).or_default();
        file.extend_from_slice(line.as_bytes());
        file.push(b'\n');
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        self.files.remove(name);
        Ok(())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.files.get(name).cloned())
    }

    fn describe(&self, name: &str) -> String {
        name.to_owned()
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use folder::FolderStore;

#[cfg(not(target_arch = "wasm32"))]
mod folder {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};

    use super::RunStore;
    use crate::error::{Error, Result};
    use crate::export::atomic;

    /// A run's folder.
    #[derive(Debug, Clone)]
    pub struct FolderStore {
        root: PathBuf,
    }

    impl FolderStore {
        /// An existing folder.
        pub fn open(root: &Path) -> Self {
            Self { root: root.to_owned() }
        }

        /// A folder, made if it is not there.
        ///
        /// # Errors
        /// [`Error::Io`].
        pub fn create(root: &Path) -> Result<Self> {
            std::fs::create_dir_all(root).map_err(|source| Error::Io {
                action: "create",
                path: root.display().to_string(),
                source,
            })?;
            Ok(Self::open(root))
        }

        fn failed(&self, action: &'static str, name: &str) -> impl FnOnce(std::io::Error) -> Error {
            let path = self.describe(name);
            move |source| Error::Io { action, path, source }
        }
    }

    impl RunStore for FolderStore {
        fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
            atomic::write(self.root.join(name), bytes)
        }

        fn append(&mut self, name: &str, line: &str) -> Result<()> {
            // One write call per line: a reader, or a crash, sees whole lines.
            std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.root.join(name))
                .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
                .map_err(self.failed("write", name))
        }

        fn remove(&mut self, name: &str) -> Result<()> {
            match std::fs::remove_file(self.root.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(self.failed("remove", name)(error))
                }
                _ => Ok(()),
            }
        }

        fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
            match std::fs::read(self.root.join(name)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(self.failed("read", name)(error)),
            }
        }

        fn describe(&self, name: &str) -> String {
            self.root.join(name).display().to_string()
        }
    }
}
