//! Files that are there in full or not at all.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes `bytes` to `path`, replacing what is there: to a temporary file in the same folder, which is
/// synced and then renamed. Folders above `path` are made where they are missing. After an error, what
/// was at `path` is unchanged and no temporary file is left.
///
/// # Errors
/// [`Error::Io`] with the system's reason.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let mut pending = Pending::new(path)?;
    pending.write(bytes)?;
    pending.finish()
}

/// A file that is written part by part and is not there before [`finish`](Self::finish); dropped before, it
/// leaves what was at its path unchanged.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    temporary: PathBuf,
    /// `None` once nothing is left to remove.
    file: Option<File>,
}

impl Pending {
    /// Begins a file. Folders above `path` are made where they are missing.
    ///
    /// # Errors
    /// [`Error::Io`] with the system's reason.
    pub fn new(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = folder_of(path);
        let created = fs::create_dir_all(folder).and_then(|()| create_in(folder));
        let (temporary, file) = created.map_err(|source| failed(path, source))?;
        Ok(Self { path: path.to_owned(), temporary, file: Some(file) })
    }

    /// Writes the next bytes.
    ///
    /// # Errors
    /// [`Error::Io`] with the system's reason.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|source| failed(&self.path, source))
    }

    fn open(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Puts the file where it belongs.
    ///
    /// # Errors
    /// [`Error::Io`] with the system's reason.
    pub fn finish(mut self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file.sync_all().map_err(|source| failed(&self.path, source))?;
        let file = self.file.take();
        drop(file); // an open file cannot be renamed on Windows
        if let Err(source) = fs::rename(&self.temporary, &self.path) {
            // The first reason is the one to report; a file that cannot be removed changes nothing.
            let _ = fs::remove_file(&self.temporary);
            return Err(failed(&self.path, source));
        }
        sync_folder(folder_of(&self.path)).map_err(|source| failed(&self.path, source))
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open()?.flush()
    }
}

impl Seek for Pending {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.open()?.seek(to)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            drop(file);
            // Nobody is left to tell, and a hidden file changes no result.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io { action: "write", path: path.display().to_string(), source }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file that is hidden from listings of results. The result's own name is not part of its name:
/// that may already be as long as the system allows.
fn create_in(folder: &Path) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".tag2mask-{}-{count}.tmp", std::process::id()));
        match File::create_new(&path) {
            // Left by a process that was killed and had the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return Ok((path, other?)),
        }
    }
}

/// A rename lives in the folder: without this it may be lost with the power.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems (network shares) cannot sync a folder; the file itself is safe.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for each test, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tag2mask-atomic-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn writes_replaces_and_leaves_nothing_else() {
        let scratch = Scratch::new("replace");
        let path = scratch.0.join("run.json");
        write(&path, b"one, and longer").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(scratch.names(), ["run.json"]);
    }

    #[test]
    fn makes_missing_folders() {
        let scratch = Scratch::new("folders");
        write(scratch.0.join("cow/left/a.png"), b"x").unwrap();
        assert_eq!(fs::read(scratch.0.join("cow/left/a.png")).unwrap(), b"x");
    }

    #[test]
    fn a_file_of_parts_is_there_at_its_end_or_not_at_all() {
        let scratch = Scratch::new("parts");
        let path = scratch.0.join("a.json");
        let mut pending = Pending::new(&path).unwrap();
        pending.write(b"one ").unwrap();
        assert!(!path.exists());
        pending.write(b"two").unwrap();
        pending.finish().unwrap();
        let mut given_up = Pending::new(&path).unwrap();
        given_up.write(b"half").unwrap();
        drop(given_up);
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert_eq!(scratch.names(), ["a.json"]);
    }

    #[test]
    fn a_failed_rename_leaves_no_temporary_file_and_names_the_path() {
        let scratch = Scratch::new("failure");
        let path = scratch.0.join("taken");
        fs::create_dir_all(path.join("by a folder")).unwrap();
        let error = write(&path, b"x").unwrap_err().to_string();
        assert!(error.starts_with("cannot write: ") && error.ends_with("taken"), "{error}");
        assert_eq!(scratch.names(), ["taken"]);
    }

    #[test]
    fn threads_writing_one_path_leave_one_whole_file() {
        let scratch = Scratch::new("threads");
        let path = scratch.0.join("state");
        std::thread::scope(|scope| {
            for letter in b'a'..=b'h' {
                let path = &path;
                scope.spawn(move || write(path, &[letter; 4096]).unwrap());
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 4096);
        assert!(bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(scratch.names(), ["state"]);
    }
}
