//! COCO: `annotations/instances_<split>.json` says what is in the images of `<split>/` and where, object by
//! object.
//!
//! An image has the label of each object in it, crowds included. A mask is painted from the objects: a
//! crowd is pixels of its class, as in COCO's own conversion of panoptic to semantic masks, and lies below
//! single objects; of these the smaller lies on top. A crowd gives no box, as it is many objects.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use self::file::{Annotation, Contents};
use super::boxes::{Edges, GivenBox};
use super::{Labelled, Problem, ProblemKind};
use crate::error::{Error, Result};
use crate::files::{FileEntry, FileSet, clean_path, limits, name};
use crate::masks::Objects;
use crate::masks::objects::Object;

/// What was found.
pub(super) struct Coco {
    pub(super) labelled: Vec<Labelled>,
    /// What masks are painted from, by path of the image.
    pub(super) masks: BTreeMap<String, GivenMask>,
    /// The classes, in the order of the file, whose identifiers have gaps.
    pub(super) classes: Vec<String>,
}

/// Steps that painting the mask of an image may take, by its pixels: as objects overlap, and COCO's have up
/// to hundreds of points.
const STEPS_PER_PIXEL: u64 = 256;
/// Steps that it may take in any image, however small.
const LEAST_STEPS: u64 = 1 << 24;

/// The objects of an image, or why they make no mask.
pub(super) struct GivenMask {
    /// The size that the file states, where it does.
    size: Option<(i64, i64)>,
    objects: Result<Vec<Object>, String>,
}

impl GivenMask {
    /// The mask of an image that turned out to be of this size.
    pub(super) fn of_size(self, width: u32, height: u32) -> Result<Objects, String> {
        let objects = self.objects?;
        if let Some((columns, rows)) = self.size.filter(|&size| size != (width.into(), height.into())) {
            return Err(format!(
                "The annotations say {columns} × {rows} pixels, the image has {width} × {height}."
            ));
        }
        if !objects.iter().all(|object| object.outline.is_of_size(width, height)) {
            return Err(format!("An outline is of another size than the image's {width} × {height} pixels."));
        }
        let most = (u64::from(width) * u64::from(height) * STEPS_PER_PIXEL).max(LEAST_STEPS);
        let steps = |object: &Object| object.outline.work(width as usize, height as usize);
        if objects.iter().map(steps).fold(0, u64::saturating_add) > most {
            return Err("Its outlines are more than can be painted in reasonable time.".into());
        }
        Ok(Objects::new(width, height, objects))
    }
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
        let classes: Vec<String> = contents.categories.iter().map(|(_, name)| name.clone()).collect();
        check_classes(&classes, &coco.classes, entry)?;
        coco.classes = classes;
        take(&mut coco, contents, entry, &Places::new(files, root, split), problems);
    }
    coco.labelled.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(coco)
}

/// Refuses classes that masks cannot hold, and those of a second file that differ from the first's.
fn check_classes(classes: &[String], before: &[String], entry: &FileEntry) -> Result<()> {
    let refuse = |reason: String| Err(Error::Format { path: entry.path.clone(), reason });
    if classes.is_empty() {
        return refuse("the file lists no categories".into());
    }
    if classes.len() > limits::CLASSES {
        return Err(Error::TooLarge {
            what: "the number of classes",
            found: classes.len().to_string(),
            limit: limits::CLASSES.to_string(),
            path: entry.path.clone(),
        });
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = classes.iter().find(|class| !seen.insert(class.as_str())) {
        return refuse(format!("two categories are called {twice}"));
    }
    if !before.is_empty() && before != classes {
        return refuse("its categories are not those of the other files; choose one by its split".into());
    }
    Ok(())
}

/// Where the images of a split may lie.
struct Places<'a> {
    files: &'a FileSet,
    root: &'a str,
    split: &'a str,
    /// Where the split has no folder: all files by name, `None` for a name that several have.
    elsewhere: BTreeMap<&'a str, Option<&'a FileEntry>>,
}

impl<'a> Places<'a> {
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
    let class_of: BTreeMap<i64, usize> =
        categories.iter().enumerate().map(|(class, &(id, _))| (id, class)).collect();
    let mut of_image: BTreeMap<i64, Vec<Annotation>> = BTreeMap::new();
    for annotation in annotations {
        of_image.entry(annotation.image).or_default().push(annotation);
    }
    let mut tell = |path: &str, kind, reason: String| {
        problems.push(Problem { path: path.to_owned(), kind, reason });
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
                tell(&entry.path, ProblemKind::LabelWithoutImage, reason);
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
        let reason = format!("{count} of its images are not there, for one {first}. Left out.");
        tell(&entry.path, ProblemKind::LabelWithoutImage, reason);
    }
    if let (count, Some(first)) = twice {
        let reason =
            format!("{count} of its images are named a second time, for one {first}. The first counts.");
        tell(&entry.path, ProblemKind::Duplicate, reason);
    }
    if let (count, Some(first)) = unknown {
        let reason =
            format!("{count} objects have a category that is not listed, for one {first}. Left out.");
        tell(&entry.path, ProblemKind::BadLine, reason);
    }
    let strays: usize = of_image.values().map(Vec::len).sum();
    if strays > 0 {
        let reason = format!("{strays} objects are in images that the file does not list. Left out.");
        tell(&entry.path, ProblemKind::BadLine, reason);
    }
}

#[cfg(test)]
mod tests;
