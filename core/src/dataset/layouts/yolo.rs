//! YOLO: one text file an image, beside it or with `labels` for `images` in its path, one line an object:
//! the number of its class, then the box's centre, width and height as shares of the image's sides; or the
//! corners of an outline, whose bounding box is taken. Classes are numbered from 0 in `data.yaml` or
//! `classes.txt`.
//!
//! An image without a text file holds no objects, as YOLO's own training takes it.

mod names;

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::{Edges, GivenBox};
use super::tally::Tally;
use super::{Candidate, Labelled, Problem, ProblemKind, text_bytes};
use crate::error::{Error, Result};
use crate::files::{FileEntry, FileSet, extension, is_image_name, limits, name, stem};

/// Files of labels that are looked into to tell whether they are YOLO's.
const LOOKED_AT: usize = 16;
/// Their first bytes, which the first line is in.
const FIRST_BYTES: usize = 4096;

/// What plays which part.
pub(super) struct Yolo<'a> {
    /// Names the classes.
    names: &'a FileEntry,
    /// Files of labels by their path without extension.
    labels: BTreeMap<&'a str, &'a FileEntry>,
}

/// What was found in the files.
pub(super) struct Found {
    pub(super) labelled: Vec<Labelled>,
    pub(super) classes: Vec<String>,
}

impl<'a> Yolo<'a> {
    /// The files, if they are laid out as YOLO's are: classes are named, images have text files, and what
    /// these start with is a number and a box.
    pub(super) fn find(files: &'a FileSet) -> Option<Self> {
        let entries = files.entries();
        let shallowest = |is: fn(&str) -> bool| {
            let named = entries.iter().filter(|entry| is(&name(&entry.path).to_ascii_lowercase()));
            named.min_by_key(|entry| entry.path.matches('/').count())
        };
        let is_yaml = |name: &str| ["data.yaml", "data.yml", "dataset.yaml"].contains(&name);
        let names = shallowest(is_yaml).or_else(|| shallowest(|name| name == "classes.txt"))?;
        let texts: BTreeMap<&str, &FileEntry> = entries
            .iter()
            .filter(|entry| extension(&entry.path) == "txt" && name(&entry.path) != "classes.txt")
            .map(|entry| (stem(&entry.path), entry))
            .collect();
        let mut labels = BTreeMap::new();
        for image in entries.iter().filter(|entry| is_image_name(&entry.path)) {
            let found = places(&image.path).into_iter().find_map(|place| texts.get_key_value(place.as_str()));
            labels.extend(found);
        }
        let starts_as_yolo = |entry: &&FileEntry| {
            let start = entry.blob.read_at(0, FIRST_BYTES).unwrap_or_default();
            let start = String::from_utf8_lossy(&start);
            start
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty())
                .is_some_and(|line| object(line).is_ok())
        };
        if !labels.values().take(LOOKED_AT).any(starts_as_yolo) {
            return None;
        }
        // Those of images that are not there.
        let is_label = |path: &str| path.split('/').rev().skip(1).any(|folder| folder == "labels");
        labels.extend(texts.into_iter().filter(|(path, _)| is_label(path)));
        Some(Self { names, labels })
    }

    /// The file that names the classes.
    pub(super) fn path(&self) -> &str {
        &self.names.path
    }

    /// Whether a file is part of the layout.
    pub(super) fn has(&self, path: &str) -> bool {
        path == self.names.path || self.labels.get(stem(path)).is_some_and(|entry| entry.path == path)
    }

    /// Reads the classes, and the labels and boxes of the images. Lines that cannot be used become problems.
    ///
    /// # Errors
    /// [`Error::Format`] for names that cannot be told, [`Error::TooLarge`] beyond [`limits`], [`Error::Io`].
    pub(super) fn read(mut self, images: &[Candidate<'_>], problems: &mut Vec<Problem>) -> Result<Found> {
        let classes = self.classes()?;
        let mut labelled = Vec::with_capacity(images.len());
        let mut without = Tally::default();
        let mut read = BTreeSet::new();
        for image in images {
            let file =
                places(&image.path).into_iter().find_map(|place| self.labels.get(place.as_str()).copied());
            let boxes = match file {
                Some(file) => {
                    read.insert(stem(&file.path));
                    boxes(file, &classes, problems)?
                }
                None => {
                    without.add(|| image.path.clone());
                    Vec::new()
                }
            };
            let is_class = |name: &&String| classes.contains(name);
            let labels = boxes.iter().map(|given| &given.class).filter(is_class).cloned().collect();
            labelled.push(Labelled { path: image.path.clone(), blob: image.blob.clone(), labels, boxes });
        }
        self.labels.retain(|path, _| !read.contains(path));
        let mut missing = Tally::default();
        self.labels.values().for_each(|file| missing.add(|| file.path.clone()));
        let path = self.names.path.as_str();
        let what = ["file of labels has no image", "files of labels have no image"];
        missing.tell(path, ProblemKind::LabelWithoutImage, what, problems);
        let what = ["image has no file of labels", "images have no file of labels"];
        let what = (what, "Taken as of no class.");
        without.tell_and(path, ProblemKind::ImageWithoutLabel, what, problems);
        Ok(Found { labelled, classes })
    }

    fn classes(&self) -> Result<Vec<String>> {
        let refuse = |reason| Err(Error::Format { path: self.names.path.clone(), reason });
        let bytes = text_bytes(self.names)?;
        let text = String::from_utf8_lossy(&bytes);
        let names = match extension(&self.names.path).as_str() {
            "txt" => Ok(names::of_lines(&text)),
            _ => names::of_yaml(&text),
        };
        let names = match names {
            Ok(names) if names.is_empty() => return refuse("it names no classes".into()),
            Ok(names) => names,
            Err(reason) => return refuse(reason),
        };
        if names.len() > limits::CLASSES {
            return Err(Error::TooLarge {
                what: "the number of classes",
                found: names.len().to_string(),
                limit: limits::CLASSES.to_string(),
                path: self.names.path.clone(),
            });
        }
        let mut seen = BTreeSet::new();
        match names.iter().find(|name| !seen.insert(name.as_str())) {
            Some(twice) => refuse(format!("two classes are called {twice}")),
            None => Ok(names),
        }
    }
}

/// Where an image's labels may be, without extension: with the last folder `images` of its path called
/// `labels`, or beside it.
fn places(image: &str) -> Vec<String> {
    let beside = stem(image);
    let mut parts: Vec<&str> = beside.split('/').collect();
    let folders = parts.len() - 1;
    let images = parts[..folders].iter().rposition(|folder| folder.eq_ignore_ascii_case("images"));
    let mut places = Vec::with_capacity(2);
    if let Some(at) = images {
        parts[at] = "labels";
        places.push(parts.join("/"));
    }
    places.push(beside.to_owned());
    places
}

/// The boxes of one file.
fn boxes(file: &FileEntry, classes: &[String], problems: &mut Vec<Problem>) -> Result<Vec<GivenBox>> {
    let bytes = text_bytes(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut boxes = Vec::new();
    let mut malformed = Tally::default();
    for (line, row) in (1u64..).zip(text.lines().map(str::trim)).filter(|(_, row)| !row.is_empty()) {
        match object(row) {
            Ok((class, edges)) => {
                let class = classes.get(class).cloned().unwrap_or_else(|| format!("class {class}"));
                boxes.push(GivenBox { class, edges: Edges::Shares(edges), line: Some(line) });
            }
            Err(reason) => malformed.add(|| format!("line {line} ({reason})")),
        }
    }
    let what = ["line is no object", "lines are no objects"];
    malformed.tell(&file.path, ProblemKind::BadLine, what, problems);
    Ok(boxes)
}

/// The class and the left, upper, right and lower edge of one object, of the image's sides.
fn object(row: &str) -> Result<(usize, [f32; 4]), String> {
    let mut words = row.split_whitespace();
    let class = words.next().unwrap_or_default();
    let class = class.parse().map_err(|_| format!("{class:.20} is not the number of a class"))?;
    let mut numbers = Vec::new();
    for word in words {
        let number = word.parse::<f32>().ok().filter(|number| number.is_finite());
        numbers.push(number.ok_or_else(|| format!("{word:.20} is no number"))?);
    }
    match numbers.as_slice() {
        &[x, y, width, height] => {
            Ok((class, [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]))
        }
        corners if corners.len() >= 6 && corners.len() % 2 == 0 => {
            let mut edges = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
            for corner in corners.as_chunks::<2>().0 {
                for (axis, &value) in corner.iter().enumerate() {
                    edges[axis] = edges[axis].min(value);
                    edges[axis + 2] = edges[axis + 2].max(value);
                }
            }
            Ok((class, edges))
        }
        other => Err(format!("{} numbers follow the class where 4, or pairs, are expected", other.len())),
    }
}

#[cfg(test)]
mod tests;
