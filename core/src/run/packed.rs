//! A run inside a project's archive.

use std::collections::BTreeSet;

use super::store::{MemoryStore, RunStore};
use crate::error::{Error, Result};
use crate::files::{FileSet, Part};

/// A run to be read where it is packed. What is written stays in memory: the archive does not change.
#[derive(Clone)]
pub struct PackedRun {
    /// What errors name the archive by.
    archive: String,
    files: FileSet,
    written: MemoryStore,
    /// Of the archive's.
    removed: BTreeSet<String>,
}

impl PackedRun {
    /// The run of a project; `None` where the files are no project or one without a run. `archive` is what errors
    /// name it by.
    ///
    /// # Errors
    /// As [`FileSet::part`].
    pub fn of(archive: &str, project: &FileSet) -> Result<Option<Self>> {
        let files = project.part(Part::Run)?.filter(|run| run.get("run.json").is_some());
        let written = MemoryStore::default();
        Ok(files.map(|files| Self { archive: archive.to_owned(), files, written, removed: BTreeSet::new() }))
    }
}

impl RunStore for PackedRun {
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.written.write(name, bytes)
    }

    fn append(&mut self, name: &str, line: &str) -> Result<()> {
        if !self.written.files.contains_key(name)
            && let Some(before) = self.read(name)?
        {
            self.written.write(name, &before)?;
        }
        self.written.append(name, line)
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        self.removed.insert(name.to_owned());
        self.written.remove(name)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.written.files.get(name) {
            return Ok(Some(bytes.clone()));
        }
        let Some(entry) = self.files.get(name).filter(|_| !self.removed.contains(name)) else {
            return Ok(None);
        };
        let failed = |source| Error::Io { action: "read", path: self.describe(name), source };
        entry.blob.read_at(0, usize::MAX).map(Some).map_err(failed)
    }

    fn describe(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.archive, Part::Run.folder())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{CARD, ProjectCard};

    fn project(files: &[(&str, &[u8])]) -> FileSet {
        let card = (CARD.to_owned(), ProjectCard::new("x").encode().unwrap());
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        FileSet::memory(files.chain([card]).collect())
    }

    #[test]
    fn what_is_written_covers_what_is_packed() {
        let files = project(&[("run/run.json", b"{}"), ("run/events.jsonl", b"1\n"), ("data/a.png", b"x")]);
        let mut run = PackedRun::of("x.zip", &files).unwrap().unwrap();
        assert_eq!(run.read("run.json").unwrap().unwrap(), b"{}");
        assert_eq!(run.read("a.png").unwrap(), None);
        run.append("events.jsonl", "2").unwrap();
        run.write("run.json", b"[]").unwrap();
        assert_eq!(run.read("events.jsonl").unwrap().unwrap(), b"1\n2\n");
        assert_eq!(run.read("run.json").unwrap().unwrap(), b"[]");
        assert_eq!(run.describe("run.json"), "x.zip/run/run.json");
        assert!(PackedRun::of("x.zip", &project(&[("data/a.png", b"x")])).unwrap().is_none());
    }
}
