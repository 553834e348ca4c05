//! A project: photos with their labels, the run that learned from them, and the masks it made, in one archive or
//! folder. It says what it is in `project.json` and has a folder a part.

use serde::{Deserialize, Serialize};

use super::limits;
use super::set::{FileEntry, FileSet};
use crate::error::{Error, Result};

/// What says that files are a project.
pub const CARD: &str = "project.json";
const FORMAT: &str = "tag2mask-project";
/// The version of the layout.
const VERSION: u32 = 1;
/// Cards are short, even with a letter for each mask; a file of this name that is longer is something else.
const LONGEST_CARD: usize = 1 << 20;

/// `project.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectCard {
    /// `tag2mask-project`: other programs have files of this name.
    pub format: String,
    /// Layout of the project.
    pub version: u32,
    /// What its owner calls it.
    pub name: String,
    /// The program that wrote it.
    pub program: String,
    /// What was said of the masks of each round, a letter a photo: `a` for accepted, `r` for rejected, `-` for
    /// neither. A round's number, or `None` for masks of what was learned until then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<(Option<usize>, String)>,
    /// Whether labels or boxes were changed since the run began to learn from others: it cannot go on with these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub labels_are_new: bool,
}

/// A folder of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Photos as they were given, `labels.csv`, `boxes.csv`, `classes.txt`, and masks for scoring.
    Data,
    /// A run's files.
    Run,
    /// The masks that were made.
    Masks,
}

impl Part {
    /// Its name.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Run => "run",
            Self::Masks => "masks",
        }
    }
}

impl ProjectCard {
    /// The card of a new project.
    pub fn new(name: &str) -> Self {
        Self {
            format: FORMAT.into(),
            version: VERSION,
            name: name.into(),
            program: concat!("tag2mask ", env!("CARGO_PKG_VERSION")).into(),
            verdicts: Vec::new(),
            labels_are_new: false,
        }
    }

    /// What its archive is called: the name, as far as every system allows it in a file's.
    pub fn file_name(&self) -> String {
        let name = self.name.strip_suffix(".zip").unwrap_or(&self.name);
        let keep = |letter: char| match letter {
            letter if letter.is_alphanumeric() || " -_.".contains(letter) => letter,
            _ => '_',
        };
        let name: String = name.chars().map(keep).take(80).collect();
        let name = name.trim_matches([' ', '.']);
        format!("{}.zip", if name.is_empty() { "project" } else { name })
    }

    /// The file.
    ///
    /// # Errors
    /// None in practice.
    pub fn encode(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(|error| Error::Format {
            path: CARD.into(),
            reason: format!("cannot be encoded ({error})"),
        })
    }

    /// The card of a project; `None` where the files are none.
    ///
    /// # Errors
    /// [`Error::Format`] for the project of a newer version, [`Error::Archive`] for one with a path that leads
    /// out of it, [`Error::Io`] when the card cannot be read.
    pub fn of(files: &FileSet) -> Result<Option<Self>> {
        let Some(entry) = files.get(CARD).filter(|entry| entry.blob.len() <= LONGEST_CARD as u64) else {
            return Ok(None);
        };
        let bytes = entry.blob.read_at(0, LONGEST_CARD).map_err(|source| Error::Io {
            action: "read",
            path: entry.path.clone(),
            source,
        })?;
        let Ok(card) = serde_json::from_slice::<Self>(&bytes) else { return Ok(None) };
        if card.format != FORMAT {
            return Ok(None);
        }
        if card.version > VERSION {
            let reason =
                format!("the project is of version {}; this tag2mask reads up to {VERSION}", card.version);
            return Err(Error::Format { path: CARD.into(), reason });
        }
        if let Some(skipped) = files.skipped().first() {
            return Err(Error::Archive { path: skipped.path.clone(), reason: skipped.reason.clone() });
        }
        Ok(Some(card))
    }
}

impl FileSet {
    /// The files of a part of a project, by their paths inside it; `None` where this is no project.
    ///
    /// # Errors
    /// As [`ProjectCard::of`].
    pub fn part(&self, part: Part) -> Result<Option<Self>> {
        if ProjectCard::of(self)?.is_none() {
            return Ok(None);
        }
        let inside = |entry: &FileEntry| {
            let path = entry.path.strip_prefix(part.folder())?.strip_prefix('/')?;
            Some(FileEntry { path: path.to_owned(), blob: entry.blob.clone() })
        };
        // Still sorted: a common prefix is gone.
        let entries = self.entries.iter().filter_map(inside).collect();
        Ok(Some(Self { entries, skipped: Vec::new() }))
    }

    /// The part of a project, and where this is none, all files.
    ///
    /// # Errors
    /// As [`ProjectCard::of`].
    pub fn part_or_all(self, part: Part) -> Result<Self> {
        Ok(self.part(part)?.unwrap_or(self))
    }
}

/// Refuses an archive of `packed` bytes whose files would take far more than that; `path` is what the error names.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn check_unpacked(files: &FileSet, packed: u64, path: &str) -> Result<()> {
    let unpacked = files.entries().iter().fold(0u64, |sum, entry| sum.saturating_add(entry.blob.len()));
    let limit = limits::PROJECT_BYTES.max(packed.saturating_mul(limits::PROJECT_RATIO));
    if unpacked > limit {
        let megabytes = |bytes: u64| format!("{} MB", bytes.div_ceil(1 << 20));
        return Err(Error::TooLarge {
            what: "the unpacked project",
            found: megabytes(unpacked),
            limit: megabytes(limit),
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(card: &[u8], others: &[&str]) -> FileSet {
        let others = others.iter().map(|path| ((*path).to_owned(), vec![1]));
        FileSet::memory(others.chain([(CARD.to_owned(), card.to_vec())]).collect())
    }

    #[test]
    fn parts_have_the_paths_they_had_before() {
        let card = ProjectCard::new("cells");
        let encoded = card.encode().unwrap();
        let files =
            project(&encoded, &["data/images/a.png", "data/labels.csv", "run/run.json", "datax/b.png"]);
        assert_eq!(ProjectCard::of(&files).unwrap(), Some(card));
        let paths = |part| -> Vec<String> {
            let part = files.part(part).unwrap().unwrap();
            part.entries().iter().map(|entry| entry.path.clone()).collect()
        };
        assert_eq!(paths(Part::Data), ["images/a.png", "labels.csv"]);
        assert_eq!(paths(Part::Run), ["run.json"]);
        assert!(paths(Part::Masks).is_empty());
    }

    #[test]
    fn its_archive_has_a_name_that_every_system_allows() {
        for (name, file) in [
            ("blood cells", "blood cells.zip"),
            ("photos.zip", "photos.zip"),
            ("../a:b\\c", "_a_b_c.zip"),
            ("Zellen für Ä", "Zellen für Ä.zip"),
            (" ..", "project.zip"),
        ] {
            assert_eq!(ProjectCard::new(name).file_name(), file);
        }
    }

    #[test]
    fn a_file_of_this_name_may_be_something_else() {
        for other in
            [&b"[]"[..], b"{\"format\": \"x\", \"version\": 1, \"name\": \"\", \"program\": \"\"}", b""]
        {
            assert!(project(other, &["a.png"]).part(Part::Data).unwrap().is_none());
        }
    }

    #[test]
    fn a_newer_project_and_one_that_leads_out_are_refused() {
        let newer = ProjectCard { version: VERSION + 1, ..ProjectCard::new("x") }.encode().unwrap();
        let error = project(&newer, &[]).part(Part::Data).err().unwrap().to_string();
        assert_eq!(error, "the project is of version 2; this tag2mask reads up to 1: project.json");
        let card = ProjectCard::new("x").encode().unwrap();
        for path in ["../evil.png", "/etc/x", "data/../../x", "C:\\x"] {
            let error = project(&card, &[path]).part(Part::Data).err().unwrap().to_string();
            assert!(
                error.starts_with("cannot read the archive (the path ") && error.ends_with(path),
                "{error}"
            );
        }
    }
}
