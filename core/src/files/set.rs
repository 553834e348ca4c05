//! The one list of files that a data set is read from.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::blob::{Blob, MemoryBlob};
use super::path::{Cleaned, clean, extension, is_image_name};
use super::{limits, zip};
use crate::error::{Error, Result};

/// One file: its path inside the set and its bytes.
#[derive(Clone)]
pub struct FileEntry {
    /// Relative path with `/` between parts; never empty, absolute, or with a `..` part.
    pub path: String,
    /// The bytes.
    pub blob: Arc<dyn Blob>,
}

/// A file that is there but not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    /// The path as it was given.
    pub path: String,
    /// Why it is not read, one sentence.
    pub reason: String,
}

/// Files by relative path, sorted by it, each path once.
#[derive(Clone, Default)]
pub struct FileSet {
    pub(super) entries: Vec<FileEntry>,
    pub(super) skipped: Vec<SkippedFile>,
}

impl FileSet {
    /// Takes files under paths from outside. `\` becomes `/`; paths that are absolute or lead out of
    /// their folder are skipped; hidden files and what systems leave behind (`.DS_Store`,
    /// `__MACOSX`, `Thumbs.db`) are dropped without a word; folders around everything are taken off,
    /// as far as they are neither `images`, `masks`, nor the only class folder.
    pub fn new(files: impl IntoIterator<Item = (String, Arc<dyn Blob>)>) -> Self {
        let mut entries = BTreeMap::new();
        let mut skipped = Vec::new();
        for (given, blob) in files {
            match clean(&given) {
                Cleaned::Junk => {}
                Cleaned::Refused(reason) => {
                    skipped.push(SkippedFile { path: given, reason: reason.to_owned() });
                }
                Cleaned::Path(path) => {
                    if let Entry::Vacant(place) = entries.entry(path.clone()) {
                        place.insert(blob);
                    } else {
                        let reason = "a file with the same path is already in the set".to_owned();
                        skipped.push(SkippedFile { path, reason });
                    }
                }
            }
        }
        let entries = entries.into_iter().map(|(path, blob)| FileEntry { path, blob }).collect();
        let mut set = Self { entries, skipped };
        while set.drop_shared_folder() {}
        set.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        set
    }

    /// Files held in memory.
    pub fn memory(files: Vec<(String, Vec<u8>)>) -> Self {
        Self::new(files.into_iter().map(|(path, bytes)| (path, Arc::new(MemoryBlob::new(bytes)) as _)))
    }

    /// What a user dropped or picked: exactly one `.zip` is opened, anything else is files.
    ///
    /// # Errors
    /// [`Error::Archive`] or [`Error::TooLarge`] if the archive cannot be used;
    /// [`Error::TooLarge`] above [`limits::FILES`] files.
    pub fn picked(mut files: Vec<(String, Arc<dyn Blob>)>) -> Result<Self> {
        if files.len() == 1 && extension(&files[0].0) == "zip" {
            let (name, blob) = files.remove(0);
            return Self::archive(&name, blob);
        }
        check_count(files.len(), "the selection")?;
        Ok(Self::new(files))
    }

    /// The files of a `.zip`. Nothing is unpacked until it is read.
    ///
    /// # Errors
    /// [`Error::Archive`] if it is no archive or damaged; [`Error::TooLarge`] beyond [`limits`].
    pub fn archive(name: &str, blob: Arc<dyn Blob>) -> Result<Self> {
        Ok(Self::new(zip::open(name, blob)?))
    }

    /// All files, by path.
    pub fn entries(&self) -> &[FileEntry] {
        &self.entries
    }

    /// Files that are there but not followed, by path.
    pub fn skipped(&self) -> &[SkippedFile] {
        &self.skipped
    }

    /// The file of that path.
    pub fn get(&self, path: &str) -> Option<&FileEntry> {
        self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok().map(|at| &self.entries[at])
    }

    /// Takes one folder off all paths, if everything lies in it and it says nothing.
    fn drop_shared_folder(&mut self) -> bool {
        let Some((top, _)) = self.entries.first().and_then(|entry| entry.path.split_once('/')) else {
            return false;
        };
        let top = format!("{top}/");
        if !self.entries.iter().all(|entry| entry.path.starts_with(&top)) || self.has_meaning(&top) {
            return false;
        }
        for entry in &mut self.entries {
            entry.path.drain(..top.len());
        }
        // Still sorted: a common prefix is gone.
        true
    }

    /// Whether the folder around everything is part of the layout: `images` and `masks`, or a class
    /// folder, which has images directly in it, no folders, and nothing that names labels or classes.
    fn has_meaning(&self, top: &str) -> bool {
        let inside = || self.entries.iter().filter_map(|entry| entry.path.strip_prefix(top));
        let is = |path: &str, names: &[&str]| names.iter().any(|name| path.eq_ignore_ascii_case(name));
        if inside().any(|path| is(path, &["labels.csv", "boxes.csv", "classes.txt", "data.yaml"])) {
            return false;
        }
        let only_files = inside().all(|path| !path.contains('/'));
        let any_image = inside().any(is_image_name);
        is(top, &["images/", "masks/"]) || (only_files && any_image)
    }
}

/// Refuses more files than a data set may have.
pub(super) fn check_count(count: usize, path: &str) -> Result<()> {
    if count > limits::FILES {
        return Err(Error::TooLarge {
            what: "the number of files",
            found: count.to_string(),
            limit: limits::FILES.to_string(),
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(given: &[&str]) -> Vec<String> {
        let files = given.iter().map(|path| (path.to_string(), vec![1])).collect();
        FileSet::memory(files).entries().iter().map(|entry| entry.path.clone()).collect()
    }

    #[test]
    fn a_folder_around_everything_is_taken_off() {
        assert_eq!(paths(&["set/dog/b.jpg", "set/cow/a.jpg"]), ["cow/a.jpg", "dog/b.jpg"]);
        assert_eq!(paths(&["x/set/labels.csv", "x/set/a.jpg"]), ["a.jpg", "labels.csv"]);
        assert_eq!(paths(&["set/labels.csv", "set/images/a.jpg"]), ["images/a.jpg", "labels.csv"]);
        assert_eq!(paths(&["images/a.jpg", "images/labels.csv"]), ["a.jpg", "labels.csv"]);
    }

    #[test]
    fn a_single_class_folder_keeps_its_name() {
        assert_eq!(paths(&["cow/a.jpg", "cow/b.png"]), ["cow/a.jpg", "cow/b.png"]);
        assert_eq!(paths(&["set/cow/a.jpg", "set/cow/b.png"]), ["cow/a.jpg", "cow/b.png"]);
        assert_eq!(paths(&["images/cow/a.jpg"]), ["images/cow/a.jpg"]);
        assert_eq!(paths(&["set/images/a.jpg"]), ["images/a.jpg"]);
    }

    #[test]
    fn what_must_not_be_followed_is_named_and_junk_is_not() {
        let set = FileSet::memory(
            ["a.jpg", "../evil.jpg", "/abs.jpg", "__MACOSX/._a.jpg", "./a.jpg", r"sub\c.jpg"]
                .map(|path| (path.to_owned(), vec![0]))
                .into(),
        );
        assert_eq!(set.entries().iter().map(|e| &*e.path).collect::<Vec<_>>(), ["a.jpg", "sub/c.jpg"]);
        assert_eq!(
            set.skipped().iter().map(|s| &*s.path).collect::<Vec<_>>(),
            ["../evil.jpg", "/abs.jpg", "a.jpg"]
        );
        assert!(set.get("sub/c.jpg").is_some() && set.get("c.jpg").is_none());
    }

    #[test]
    fn one_picked_zip_is_opened_and_no_zip_is_an_error() {
        let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(b"not a zip".to_vec()));
        let error = FileSet::picked(vec![("set.ZIP".into(), blob.clone())]).err().unwrap();
        assert!(matches!(error, Error::Archive { .. }), "{error}");
        let two = FileSet::picked(vec![("a.zip".into(), blob.clone()), ("b.jpg".into(), blob)]).unwrap();
        assert_eq!(two.entries().len(), 2);
    }
}
