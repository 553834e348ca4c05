//! COCO: `annotations/instances_<split>.json` says what is in the images of `<split>/` and where, object by
//! object. A file of the same structure may also have any name, with its images beside it, in `images/`, or
//! anywhere under names that only they have.
//!
//! An image has the label of each object in it, crowds included. A mask is painted from the objects: a
//! crowd is pixels of its class, as in COCO's own conversion of panoptic to semantic masks, and lies below
//! single objects; of these the smaller lies on top. A crowd gives no box, as it is many objects.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use self::file::{Annotation, Contents};
use super::boxes::{Edges, GivenBox};
use super::finder::{Finder, Found};
use super::given_mask::GivenMask;
use super::tally::counted;
use super::{Candidate, Labelled, Problem, ProblemKind, check_number};
use crate::error::{Error, Result};
use crate::files::{FileEntry, FileSet, clean_path, name};
use crate::masks::objects::Object;

/// What was found.
pub(super) struct Coco {
    pub(super) labelled: Vec<Labelled>,
    /// What masks are painted from, by path of the image.
    pub(super) masks: BTreeMap<String, GivenMask>,
    /// The classes, in the order of the file, whose identifiers have gaps.
    pub(super) classes: Vec<String>,
}

/// Whether the files are laid out as COCO's are.
pub(super) fn is_coco(files: &FileSet) -> bool {
    files.entries().iter().any(|entry| split_of(entry).is_some())
}

/// The folder that `annotations` lies in, with its `/`, and the split that a file annotates.
fn split_of(entry: &FileEntry) -> Option<(&str, &str)> {
    let file = name(&entry.path);
    let split = file.strip_prefix("instances_")?.strip_suffix(".json")?;
    let root = entry.path.strip_suffix(file)?.strip_suffix("annotations/")?;
    (root.is_empty() || root.ends_with('/')).then_some((root, split))
}

/// Reads the images of a split, or of all.
///
/// # Errors
/// [`Error::Setting`] when there is no such split; [`Error::Format`] for files of another structure, or
/// whose classes differ; [`Error::TooLarge`] beyond [`limits`], and [`Error::Io`].
pub(super) fn read(files: &FileSet, wanted: Option<&str>, problems: &mut Vec<Problem>) -> Result<Coco> {
    let mut found: Vec<(&FileEntry, &str, &str)> = files
        .entries()
        .iter()
        .filter_map(|entry| split_of(entry).map(|(root, split)| (entry, root, split)))
        .collect();
    if let Some(wanted) = wanted {
        let known: BTreeSet<&str> = found.iter().map(|&(_, _, split)| split).collect();
        found.retain(|&(_, _, split)| split == wanted);
        if found.is_empty() {
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            let reason =
                format!("there is no annotations/instances_{wanted}.json; there are the splits {known}");
            return Err(Error::Setting { name: "split", reason });
        }
    }
    let mut coco = Coco { labelled: Vec::new(), masks: BTreeMap::new(), classes: Vec::new() };
    for (entry, root, split) in found {
        let contents = Contents::read(entry)?;
        let classes = classes(&contents, entry)?;
        if !coco.classes.is_empty() && coco.classes != classes {
            let reason = "its categories are not those of the other files; choose one by its split".into();
            return Err(Error::Format { path: entry.path.clone(), reason });
        }
        coco.classes = classes;
        let places = Places::OfSplit(Split::new(files, root, split));
        take(&mut coco, contents, entry, &places, problems);
    }
    coco.labelled.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(coco)
}

/// Reads files of the same structure, wherever they and the images lie. Their classes become one list.
///
/// # Errors
/// As [`read`].
pub(super) fn read_anywhere(
    documents: &[&FileEntry],
    images: &[Candidate<'_>],
    problems: &mut Vec<Problem>,
) -> Result<Coco> {
    let mut coco = Coco { labelled: Vec::new(), masks: BTreeMap::new(), classes: Vec::new() };
    let finder = Finder::new(images);
    for &entry in documents {
        let contents = Contents::read(entry)?;
        for class in classes(&contents, entry)? {
            if !coco.classes.contains(&class) {
                coco.classes.push(class);
            }
        }
        check_number(&coco.classes, &entry.path)?;
        let folder = entry.path.strip_suffix(name(&entry.path)).unwrap_or_default();
        take(&mut coco, contents, entry, &Places::Anywhere { folder, images, finder: &finder }, problems);
    }
    // Files for detection have boxes alone: no mask is missing.
    if !coco.masks.values().any(|mask| mask.objects.as_ref().is_ok_and(|objects| !objects.is_empty())) {
        coco.masks.clear();
    }
    coco.labelled.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(coco)
}

/// The names of the categories, in the order of the file.
fn classes(contents: &Contents, entry: &FileEntry) -> Result<Vec<String>> {
    let refuse = |reason: String| Err(Error::Format { path: entry.path.clone(), reason });
    let classes: Vec<String> = contents.categories.iter().map(|(_, name)| name.clone()).collect();
    if classes.is_empty() {
        return refuse("the file lists no categories".into());
    }
    check_number(&classes, &entry.path)?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = classes.iter().find(|class| !seen.insert(class.as_str())) {
        return refuse(format!("two categories are called {twice}"));
    }
    Ok(classes)
}

/// Where the images of a file may lie.
enum Places<'a> {
    OfSplit(Split<'a>),
    /// Beside the file, in the folder `images` there, or anywhere.
    Anywhere {
        /// The folder that the file lies in, with its `/`.
        folder: &'a str,
        images: &'a [Candidate<'a>],
        finder: &'a Finder<'a>,
    },
}

impl<'a> Places<'a> {
    /// The file of an image.
    ///
    /// # Errors
    /// A name that leads out of the data set, or that several images have.
    fn find(&self, file_name: &str) -> Result<Option<&'a FileEntry>, String> {
        let (folder, images, finder) = match self {
            Self::OfSplit(split) => return split.find(file_name),
            Self::Anywhere { folder, images, finder } => (folder, images, finder),
        };
        // One that leads elsewhere was written on another machine: its last part may be found all the same.
        let file = clean_path(file_name).unwrap_or_else(|| name(&file_name.replace('\\', "/")).to_owned());
        let beside = [format!("{folder}{file}"), format!("{folder}images/{file}")];
        let at =
            beside.iter().find_map(|path| finder.at(path)).map_or_else(|| finder.find(&file), Found::One);
        match at {
            Found::One(at) => Ok(images.get(at).copied()),
            Found::None => Ok(None),
            Found::Several(count) => Err(format!("{file} could be any of {count} images")),
        }
    }
}

/// Where the images of a split may lie.
struct Split<'a> {
    files: &'a FileSet,
    root: &'a str,
    split: &'a str,
    /// Where the split has no folder: all files by name, `None` for a name that several have.
    elsewhere: BTreeMap<&'a str, Option<&'a FileEntry>>,
}

impl<'a> Split<'a> {
    fn new(files: &'a FileSet, root: &'a str, split: &'a str) -> Self {
        let mut elsewhere = BTreeMap::new();
        let folders = [format!("{root}{split}/"), format!("{root}images/{split}/")];
        let is_split = |entry: &FileEntry| folders.iter().any(|folder| entry.path.starts_with(folder));
        if !files.entries().iter().any(is_split) {
            for entry in files.entries().iter().filter(|entry| entry.path.starts_with(root)) {
                elsewhere.entry(name(&entry.path)).and_modify(|one| *one = None).or_insert(Some(entry));
            }
        }
        Self { files, root, split, elsewhere }
    }

    /// In the folder of the split's name, under `images` or not, or right beside `annotations`. The images
    /// of a split without a folder, as `minival2014` is part of `val2014`, are found by their names.
    ///
    /// # Errors
    /// A name that leads out of the data set.
    fn find(&self, file_name: &str) -> Result<Option<&'a FileEntry>, String> {
        let file = clean_path(file_name).ok_or("its file name leads out of the data set")?;
        let Self { files, root, split, elsewhere } = self;
        let folders = [format!("{split}/"), format!("images/{split}/"), String::new(), "images/".into()];
        let usual = folders.iter().find_map(|folder| files.get(&format!("{root}{folder}{file}")));
        Ok(usual.or_else(|| elsewhere.get(file.as_str()).copied().flatten()))
    }
}

/// Puts the images of one file with those of the others.
fn take(
    coco: &mut Coco,
    contents: Contents,
    entry: &FileEntry,
    places: &Places<'_>,
    problems: &mut Vec<Problem>,
) {
    let Contents { images, annotations, categories } = contents;
    let class_of: BTreeMap<i64, usize> = categories
        .iter()
        .filter_map(|(id, name)| Some((*id, coco.classes.iter().position(|class| class == name)?)))
        .collect();
    let mut of_image: BTreeMap<i64, Vec<Annotation>> = BTreeMap::new();
    for annotation in annotations {
        of_image.entry(annotation.image).or_default().push(annotation);
    }
    let mut tell = |path: &str, kind, count, reason: String| {
        problems.push(Problem { path: path.to_owned(), kind, count, reason });
    };
    let mut missing: (usize, Option<String>) = (0, None);
    let mut twice: (usize, Option<&str>) = (0, None);
    let mut unknown: (usize, Option<i64>) = (0, None);
    for image in images {
        let annotations = of_image.remove(&image.id).unwrap_or_default();
        let file = match places.find(&image.file_name) {
            Ok(Some(file)) => file,
            Ok(None) => {
                missing.0 += 1;
                missing.1.get_or_insert(image.file_name);
                continue;
            }
            Err(reason) => {
                let reason = format!("Image {}: {reason}. Left out.", image.id);
                tell(&entry.path, ProblemKind::LabelWithoutImage, 1, reason);
                continue;
            }
        };
        if coco.masks.contains_key(&file.path) {
            twice.0 += 1;
            twice.1.get_or_insert(&file.path);
            continue;
        }
        let mut labelled = Labelled {
            path: file.path.clone(),
            blob: file.blob.clone(),
            labels: BTreeSet::new(),
            boxes: Vec::new(),
        };
        let mut objects = Ok(Vec::with_capacity(annotations.len()));
        for annotation in annotations {
            let class = class_of.get(&annotation.category).copied();
            let class_name = match class {
                Some(class) => coco.classes[class].clone(),
                None => {
                    unknown.0 += 1;
                    unknown.1.get_or_insert(annotation.category);
                    format!("category {}", annotation.category)
                }
            };
            if class.is_some() {
                labelled.labels.insert(class_name.clone());
            }
            let object = match (class, annotation.outline) {
                (None, _) => Err("One of its objects has no known class.".to_owned()),
                (_, None) => Err(format!("One of its objects ({class_name}) has no outline.")),
                (_, Some(Err(reason))) => {
                    Err(format!("One of its objects ({class_name}) is wrong: {reason}."))
                }
                (Some(class), Some(Ok(outline))) => {
                    Ok(Object { label: class as u8 + 1, crowd: annotation.crowd, outline })
                }
            };
            match (object, &mut objects) {
                (Ok(object), Ok(all)) => all.push(object),
                (Err(reason), Ok(_)) => objects = Err(reason),
                (_, Err(_)) => {}
            }
            if let Some([x, y, width, height]) = annotation.edges.filter(|_| !annotation.crowd) {
                let edges = Edges::Pixels([x, y, x + width, y + height]);
                labelled.boxes.push(GivenBox { class: class_name, edges, line: None });
            }
        }
        coco.masks.insert(file.path.clone(), GivenMask { size: image.size, objects });
        coco.labelled.push(labelled);
    }
    if let (count, Some(first)) = missing {
        let what = counted(count, ["of its images is not there:", "of its images are not there, for one"]);
        let reason = format!("{what} {first}. Left out.");
        tell(&entry.path, ProblemKind::LabelWithoutImage, count, reason);
    }
    if let (count, Some(first)) = twice {
        let what =
            ["of its images is named a second time:", "of its images are named a second time, for one"];
        let reason = format!("{} {first}. The first counts.", counted(count, what));
        tell(&entry.path, ProblemKind::Duplicate, count, reason);
    }
    if let (count, Some(first)) = unknown {
        let what = [
            "object has a category that is not listed:",
            "objects have a category that is not listed, for one",
        ];
        let reason = format!("{} {first}. Left out.", counted(count, what));
        tell(&entry.path, ProblemKind::BadLine, count, reason);
    }
    let strays: usize = of_image.values().map(Vec::len).sum();
    if strays > 0 {
        let what = [
            "object is in an image that the file does not list",
            "objects are in images that the file does not list",
        ];
        let reason = format!("{}. Left out.", counted(strays, what));
        tell(&entry.path, ProblemKind::BadLine, strays, reason);
    }
}

#[cfg(test)]
mod tests;
