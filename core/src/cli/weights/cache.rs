//! Where fetched weights are kept: one folder of the user's, a file each, and what has arrived of a file
//! that is still being fetched.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use tag2mask_core::public_weights::PublicWeights;
use tag2mask_core::{Error, Result};

/// The folder.
pub struct Cache {
    folder: PathBuf,
}

/// What the folder has of a file.
pub enum Copy {
    /// Nothing.
    None,
    /// That many bytes of it.
    Part(u64),
    /// A file that is not what was fetched, and why.
    Damaged(String),
    /// Its bytes, of the right length and hash.
    Whole(Vec<u8>),
}

impl Cache {
    /// In the cache folder of the user.
    ///
    /// # Errors
    /// [`Error::NoData`] where the system does not say where that is.
    pub fn of_user() -> Result<Self> {
        let folder = cache_folder(std::env::consts::OS, |name| std::env::var_os(name)).ok_or_else(|| {
            Error::NoData { reason: "there is no cache folder; set XDG_CACHE_HOME to one".into() }
        })?;
        Ok(Self { folder: folder.join("tag2mask").join("weights") })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the file is, or will be.
    pub fn path(&self, entry: &PublicWeights) -> PathBuf {
        self.folder.join(entry.file_name())
    }

    /// What has arrived of it.
    pub fn part(&self, entry: &PublicWeights) -> PathBuf {
        self.folder.join(format!("{}.part", entry.file_name()))
    }

    /// Which version of the file the part is of: the server's entity tag.
    pub fn tag(&self, entry: &PublicWeights) -> PathBuf {
        self.folder.join(format!("{}.part.etag", entry.file_name()))
    }

    /// Looks for a copy of the file, and checks its length and hash.
    ///
    /// # Errors
    /// [`Error::Io`] when it is there and cannot be read.
    pub fn look(&self, entry: &PublicWeights) -> Result<Copy> {
        let failed =
            |path: &Path, source| Error::Io { action: "read", path: path.display().to_string(), source };
        let path = self.path(entry);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(match fault(entry, &bytes, None) {
                None => Copy::Whole(bytes),
                Some(reason) => Copy::Damaged(reason),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match std::fs::metadata(self.part(entry)) {
                    Ok(part) if part.len() == 0 => Ok(Copy::None),
                    Ok(part) => Ok(Copy::Part(part.len())),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Copy::None),
                    Err(error) => Err(failed(&self.part(entry), error)),
                }
            }
            Err(error) => Err(failed(&path, error)),
        }
    }
}

/// What is wrong with the bytes of a file; `told` is the length that the server told.
pub fn fault(entry: &PublicWeights, bytes: &[u8], told: Option<u64>) -> Option<String> {
    entry.length_fault(bytes.len() as u64, told).or_else(|| {
        entry.sha256.as_ref()?;
        let hash: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        entry.hash_fault(&hash)
    })
}

/// The user's cache folder by the custom of the system, from its environment. `XDG_CACHE_HOME` is heard
/// everywhere.
fn cache_folder(system: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // The specification wants relative paths ignored.
    let path = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    path("XDG_CACHE_HOME").or_else(|| match system {
        "windows" => path("LOCALAPPDATA"),
        "macos" => Some(path("HOME")?.join("Library").join("Caches")),
        _ => Some(path("HOME")?.join(".cache")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tag2mask_core::public_weights::KNOWN;

    #[cfg(unix)]
    #[test]
    fn the_cache_folder_is_the_system_s() {
        let folder = |system: &str, variables: &[(&str, &str)]| {
            let variables = variables.to_vec();
            cache_folder(system, |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            })
        };
        let home = ("HOME", "/home/a");
        assert_eq!(folder("linux", &[home]), Some("/home/a/.cache".into()));
        assert_eq!(folder("linux", &[home, ("XDG_CACHE_HOME", "/c")]), Some("/c".into()));
        assert_eq!(folder("linux", &[home, ("XDG_CACHE_HOME", "c")]), Some("/home/a/.cache".into()));
        assert_eq!(folder("macos", &[home]), Some("/home/a/Library/Caches".into()));
        assert_eq!(folder("windows", &[("LOCALAPPDATA", "/local")]), Some("/local".into()));
        assert_eq!(folder("linux", &[]), None);
    }

    #[test]
    fn a_file_of_the_right_length_and_another_content_is_damaged() {
        let mut entry = KNOWN[0].clone();
        (entry.bytes, entry.is_exact) = (3, true);
        entry.sha256 = Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into());
        assert_eq!(fault(&entry, b"abc", None), None);
        assert!(fault(&entry, b"abd", None).unwrap().contains("damaged"));
        assert!(fault(&entry, b"ab", None).unwrap().contains("2 bytes instead of 3"));
    }
}
