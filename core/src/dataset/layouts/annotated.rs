//! What documents say of images, put together by image.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::GivenBox;
use super::finder::{Finder, Found};
use super::given_mask::GivenMask;
use super::tally::Tally;
use super::{Candidate, Labelled, Problem, ProblemKind, means_no_class};
use crate::masks::Outline;
use crate::masks::objects::Object;

/// What is said of one image.
#[derive(Default)]
pub(super) struct Said {
    labels: BTreeSet<String>,
    pub(super) boxes: Vec<GivenBox>,
    /// Outlines of objects with their classes, pixels of an image of `size`, or what is wrong with them.
    pub(super) outlines: Vec<(String, Result<Outline, String>)>,
    /// Whether there is an object that has no outline, but a box or brushed pixels.
    pub(super) without_outline: bool,
    /// Columns and rows of the image, as the document has them.
    pub(super) size: Option<(i64, i64)>,
    /// Which kinds of marks gave labels, for the user.
    pub(super) marks: BTreeSet<&'static str>,
}

impl Said {
    /// Gives the image a label, of a kind of mark, and tells the class. `None` for a name that is empty or
    /// means none of the classes.
    pub(super) fn label(&mut self, name: &str, mark: &'static str) -> Option<String> {
        let class = class_name(name).filter(|class| !means_no_class(class))?;
        self.marks.insert(mark);
        self.labels.insert(class.clone());
        Some(class)
    }

    /// What the outlines paint, if they are all that is there.
    fn mask(&mut self, classes: &[String]) -> Option<GivenMask> {
        let outlined = |label: &String| self.outlines.iter().any(|(class, _)| class == label);
        if self.outlines.is_empty() || self.without_outline || !self.labels.iter().all(outlined) {
            return None;
        }
        let object = |(class, outline): (String, Result<Outline, String>)| {
            let at = classes.iter().position(|name| *name == class);
            let at = at.and_then(|at| u8::try_from(at + 1).ok());
            let label = at.ok_or_else(|| "One of its objects has no known class.".to_owned())?;
            let wrong = |reason| format!("One of its objects ({class}) is wrong: {reason}.");
            Ok(Object { label, crowd: false, outline: outline.map_err(wrong)? })
        };
        let objects = std::mem::take(&mut self.outlines).into_iter().map(object).collect();
        Some(GivenMask { size: self.size, objects })
    }
}

/// A name of a class on one line, without space around it; `None` if nothing is left.
pub(super) fn class_name(given: &str) -> Option<String> {
    let one_line: String = given.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = one_line.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// What was found in documents.
pub(super) struct Annotated {
    pub(super) labelled: Vec<Labelled>,
    /// What masks are painted from, by path of the image.
    pub(super) masks: BTreeMap<String, GivenMask>,
    pub(super) classes: Vec<String>,
    /// Which kinds of marks gave labels.
    pub(super) marks: BTreeSet<&'static str>,
}

/// Collects what documents say.
pub(super) struct Collection<'a> {
    images: &'a [Candidate<'a>],
    pub(super) finder: Finder<'a>,
    said: BTreeMap<usize, Said>,
}

/// What is wrong with the entries of one document.
#[derive(Default)]
pub(super) struct Wrong {
    /// Entries that say nothing that can be used.
    pub(super) bad: Tally,
    missing: Tally,
    ambiguous: Tally,
    twice: Tally,
}

impl Wrong {
    pub(super) fn tell(self, path: &str, problems: &mut Vec<Problem>) {
        use ProblemKind::{BadLine, Duplicate, LabelWithoutImage};
        self.bad.tell(path, BadLine, ["entry cannot be used", "entries cannot be used"], problems);
        let what = ["entry names an image that is not there", "entries name images that are not there"];
        self.missing.tell(path, LabelWithoutImage, what, problems);
        let what = ["entry names an image without its folder", "entries name images without their folder"];
        self.ambiguous.tell(path, BadLine, what, problems);
        let what = [
            "entry names an image that an earlier one names, which counts",
            "entries name images that earlier ones name, which count",
        ];
        self.twice.tell(path, Duplicate, what, problems);
    }
}

impl<'a> Collection<'a> {
    pub(super) fn new(images: &'a [Candidate<'a>]) -> Self {
        Self { images, finder: Finder::new(images), said: BTreeMap::new() }
    }

    /// Takes what an entry says of an image; `entry` says which it is, for problems.
    pub(super) fn take(
        &mut self,
        found: Found,
        said: Said,
        wrong: &mut Wrong,
        entry: impl FnOnce() -> String,
    ) {
        match found {
            Found::One(at) => match self.said.entry(at) {
                std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(said)),
                std::collections::btree_map::Entry::Occupied(_) => wrong.twice.add(entry),
            },
            Found::None => wrong.missing.add(entry),
            Found::Several(count) => wrong.ambiguous.add(|| format!("{} could be any of {count}", entry())),
        }
    }

    /// Whether any image was found.
    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Images with what is said of them. Classes are those listed; without a list those that occur, first
    /// those of `order`, then by alphabet. Images that nothing is said of become a problem under `path`.
    pub(super) fn finish(
        mut self,
        path: &str,
        listed: Option<&[String]>,
        order: &[String],
        problems: &mut Vec<Problem>,
    ) -> Annotated {
        let occurring: BTreeSet<String> = self.said.values().flat_map(|said| &said.labels).cloned().collect();
        let classes: Vec<String> = match listed {
            Some(listed) => listed.to_vec(),
            None => {
                let first = order.iter().filter(|class| occurring.contains(*class));
                let rest = occurring.iter().filter(|class| !order.contains(class));
                first.chain(rest).cloned().collect()
            }
        };
        let (mut unlisted, mut without) = (Tally::default(), Tally::default());
        for class in occurring.iter().filter(|class| !classes.contains(class)) {
            unlisted.add(|| class.clone());
        }
        let what = ["label is not named in classes.txt", "labels are not named in classes.txt"];
        unlisted.tell(path, ProblemKind::BadLine, what, problems);
        let known: BTreeSet<&String> = classes.iter().collect();
        let mut annotated = Annotated {
            labelled: Vec::new(),
            masks: BTreeMap::new(),
            classes: Vec::new(),
            marks: BTreeSet::new(),
        };
        for (at, image) in self.images.iter().enumerate() {
            let Some(mut said) = self.said.remove(&at) else {
                without.add(|| image.path.clone());
                continue;
            };
            if let Some(mask) = said.mask(&classes) {
                annotated.masks.insert(image.path.clone(), mask);
            }
            annotated.marks.extend(said.marks);
            let labels = said.labels.into_iter().filter(|label| known.contains(label)).collect();
            let (path, blob) = (image.path.clone(), image.blob.clone());
            annotated.labelled.push(Labelled { path, blob, labels, boxes: said.boxes });
        }
        let what = ["image has no label in it", "images have no labels in it"];
        without.tell(path, ProblemKind::ImageWithoutLabel, what, problems);
        annotated.classes = classes;
        annotated
    }
}
