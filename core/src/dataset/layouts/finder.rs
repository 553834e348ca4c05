//! The image that a name in a table or an annotation means.

use std::collections::BTreeMap;

use super::Candidate;
use crate::files::{name, stem};

/// What a name means.
pub(super) enum Found {
    One(usize),
    None,
    Several(usize),
}

impl Found {
    /// One of these images.
    pub(super) fn of(images: &[usize]) -> Self {
        match images {
            [] => Self::None,
            [at] => Self::One(*at),
            several => Self::Several(several.len()),
        }
    }
}

/// Finds the image that a name means.
pub(super) struct Finder<'a> {
    by_path: BTreeMap<&'a str, usize>,
    by_path_stem: BTreeMap<&'a str, Vec<usize>>,
    by_name: BTreeMap<&'a str, Vec<usize>>,
    by_name_stem: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(images: &[Candidate<'a>]) -> Self {
        let mut finder = Self {
            by_path: BTreeMap::new(),
            by_path_stem: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_name_stem: BTreeMap::new(),
        };
        for (at, image) in images.iter().enumerate() {
            finder.by_path.insert(&image.path, at);
            finder.by_path_stem.entry(stem(&image.path)).or_default().push(at);
            finder.by_name.entry(name(&image.path)).or_default().push(at);
            finder.by_name_stem.entry(name(stem(&image.path))).or_default().push(at);
        }
        finder
    }

    /// The image of exactly this path.
    pub(super) fn at(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// The image of this path, which has no extension.
    pub(super) fn beside(&self, path: &str) -> Found {
        self.by_path_stem.get(path).map_or(Found::None, |found| Found::of(found))
    }

    /// By path, by path inside `images`, by file name anywhere; then the same without extension.
    pub(super) fn find(&self, cell: &str) -> Found {
        let cell = cell.replace('\\', "/");
        let cell = cell.trim_start_matches("./");
        let inside = format!("images/{cell}");
        if let Some(&at) = self.by_path.get(cell).or_else(|| self.by_path.get(inside.as_str())) {
            return Found::One(at);
        }
        let file = name(cell);
        let rest = [
            self.by_name.get(file),
            self.by_path_stem.get(cell),
            self.by_path_stem.get(inside.as_str()),
            self.by_name_stem.get(file),
        ];
        rest.into_iter().flatten().next().map_or(Found::None, |found| Found::of(found))
    }
}
