//! A folder on disk, or a `.zip` beside it, as a set of files.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blob::Blob;
use super::path::{extension, is_junk};
use super::set::{FileSet, SkippedFile, check_count};
use crate::error::{Error, Result};

/// A file on disk, opened for each read: thousands of them hold no file handle.
#[derive(Debug, Clone)]
pub struct FileBlob {
    path: PathBuf,
    length: u64,
}

impl FileBlob {
    /// Looks the length up; the file is opened when it is read.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no such file.
    pub fn open(path: &Path) -> Result<Self> {
        let length = fs::metadata(path).map_err(|source| unreadable(path, source))?.len();
        Ok(Self { path: path.to_owned(), length })
    }
}

impl Blob for FileBlob {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(&self.path)?;
        file.seek(io::SeekFrom::Start(offset))?;
        let length = (length as u64).min(self.length.saturating_sub(offset));
        let mut bytes = Vec::with_capacity(length as usize);
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl FileSet {
    /// A folder with everything below it, or a `.zip`. Links are followed to files inside the
    /// folder only.
    ///
    /// # Errors
    /// [`Error::Io`] if it is not there or not readable; [`Error::Archive`] and [`Error::TooLarge`]
    /// as for [`FileSet::archive`]; [`Error::Format`] for any other file.
    pub fn open(path: &Path) -> Result<Self> {
        let about = fs::metadata(path).map_err(|source| unreadable(path, source))?;
        let shown = path.display().to_string();
        if about.is_dir() {
            return open_folder(path);
        }
        if extension(&shown) != "zip" {
            let reason = "a data set is a folder or a .zip; this is another file".to_owned();
            return Err(Error::Format { path: shown, reason });
        }
        Self::archive(&shown, Arc::new(FileBlob::open(path)?))
    }
}

fn open_folder(folder: &Path) -> Result<FileSet> {
    let root = folder.canonicalize().map_err(|source| unreadable(folder, source))?;
    // The folder's own name comes first, as it does for a folder picked in a browser: it is a class
    // where the folder holds nothing but the images of one.
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned());
    let start = name.filter(|name| !is_junk(name)).map_or(String::new(), |name| name + "/");
    let mut walk = Walk { root: root.clone(), files: Vec::new(), skipped: Vec::new() };
    let mut waiting = vec![(root, start.clone())];
    while let Some((folder, prefix)) = waiting.pop() {
        match fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => {
                for entry in entries {
                    walk.visit(&entry, &prefix, &mut waiting);
                }
            }
            Err(source) if folder == walk.root => return Err(unreadable(&folder, source)),
            Err(source) => walk.skip(prefix, format!("the folder cannot be listed ({source})")),
        }
        check_count(walk.files.len(), &folder.display().to_string())?;
    }
    let mut set = FileSet::new(walk.files);
    set.skipped.extend(walk.skipped.into_iter().map(|skipped| SkippedFile {
        path: skipped.path.strip_prefix(&start).map(str::to_owned).unwrap_or(skipped.path),
        ..skipped
    }));
    set.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(set)
}

struct Walk {
    root: PathBuf,
    files: Vec<(String, Arc<dyn Blob>)>,
    skipped: Vec<SkippedFile>,
}

impl Walk {
    fn skip(&mut self, path: String, reason: String) {
        self.skipped.push(SkippedFile { path, reason });
    }

    fn visit(&mut self, entry: &fs::DirEntry, prefix: &str, waiting: &mut Vec<(PathBuf, String)>) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_junk(&name) {
            return;
        }
        let (path, shown) = (entry.path(), format!("{prefix}{name}"));
        let found = entry.file_type().and_then(|kind| {
            if kind.is_symlink() {
                // A link that leads nowhere, out of the folder, or to a folder (which may be above).
                let target = path.canonicalize()?;
                let about = fs::metadata(&target)?;
                return Ok((about, target.starts_with(&self.root), true));
            }
            Ok((entry.metadata()?, true, false))
        });
        match found {
            Err(source) => self.skip(shown, format!("it cannot be read ({source})")),
            Ok((_, false, _)) => {
                self.skip(shown, "the link leads out of the folder and is not followed".into());
            }
            Ok((about, _, true)) if about.is_dir() => {
                self.skip(shown, "links to folders are not followed".into());
            }
            Ok((about, _, _)) if about.is_dir() => waiting.push((path, shown + "/")),
            Ok((about, _, _)) if about.is_file() => {
                self.files.push((shown, Arc::new(FileBlob { path, length: about.len() })));
            }
            Ok(_) => self.skip(shown, "it is neither a file nor a folder".into()),
        }
    }
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Io { action: "read", path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_to_its_depth_and_links_stay_inside() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.jpg"), b"secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("set");
        fs::create_dir_all(root.join("cow/ä b/c")).unwrap();
        fs::write(root.join("cow/ä b/c/x.jpg"), b"xyz").unwrap();
        fs::write(root.join("dog.jpg"), b"d").unwrap();
        fs::write(root.join(".hidden"), b"d").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(root.join("dog.jpg"), root.join("cow/link.jpg")).unwrap();
            symlink(outside.path().join("secret.jpg"), root.join("out.jpg")).unwrap();
            symlink(&root, root.join("cow/loop")).unwrap();
            symlink(root.join("nowhere"), root.join("dead.jpg")).unwrap();
        }
        let set = FileSet::open(&root).unwrap();
        let paths: Vec<_> = set.entries().iter().map(|entry| entry.path.as_str()).collect();
        let skipped: Vec<_> = set.skipped().iter().map(|skipped| skipped.path.as_str()).collect();
        if cfg!(unix) {
            assert_eq!(paths, ["cow/link.jpg", "cow/ä b/c/x.jpg", "dog.jpg"]);
            assert_eq!(skipped, ["cow/loop", "dead.jpg", "out.jpg"]);
        }
        let blob = &set.get("cow/ä b/c/x.jpg").unwrap().blob;
        assert_eq!((blob.len(), blob.read_at(1, 100).unwrap()), (3, b"yz".to_vec()));
        assert!(blob.read_at(10, 5).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_data_set_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.txt");
        fs::write(&file, b"x").unwrap();
        assert!(matches!(FileSet::open(&file), Err(Error::Format { .. })));
        let missing = FileSet::open(&folder.path().join("no")).err().unwrap().to_string();
        assert!(missing.starts_with("cannot read:") && missing.ends_with("/no"), "{missing}");
    }
}
