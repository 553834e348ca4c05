//! A table of labels, as `labels.csv`: one line an image with the names of its classes, a line for each class
//! of an image, or a column for each class that says whether an image has it.

mod cell;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use self::cell::{flag, split};
use self::shape::Labels;
pub(super) use self::shape::Shape;
use super::annotated::class_name;
use super::finder::{Finder, Found};
use super::tally::counted;
use super::{Candidate, Labelled, Problem, ProblemKind, line_of, means_no_class, text_bytes};
use crate::error::Result;
use crate::files::FileEntry;

/// What was found.
pub(super) struct Table {
    pub(super) labelled: Vec<Labelled>,
    /// How it is laid out, for the user.
    pub(super) words: String,
}

/// A line that names an image.
struct Line {
    number: u64,
    /// Its labels, unless they are bad, which was told.
    labels: Option<BTreeSet<String>>,
}

/// Of a table that is not called `labels.csv`: how many images its first lines name, if it is one of labels.
///
/// # Errors
/// Those of reading it.
pub(super) fn fits(table: &FileEntry, finder: &Finder<'_>) -> Result<Option<usize>> {
    let bytes = text_bytes(table)?;
    let shape = Shape::find(&bytes, finder);
    let first = records(&bytes, &shape).next().and_then(Result::ok);
    Ok(shape.is_sure(first.map_or(0, |record| record.len())).then_some(shape.found))
}

fn records<'a>(bytes: &'a [u8], shape: &Shape) -> csv::ByteRecordsIntoIter<&'a [u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(shape.separator)
        .from_reader(bytes)
        .into_byte_records()
}

/// Reads the table and finds the image of each line. Lines that cannot be used, and images that no
/// line names, become problems.
///
/// Where lines have one label at most, and an image has several lines, it has the labels of all.
///
/// # Errors
/// Those of reading the file.
pub(super) fn read(
    table: &FileEntry,
    images: &[Candidate<'_>],
    listed: Option<&[String]>,
    problems: &mut Vec<Problem>,
) -> Result<Table> {
    let bytes = text_bytes(table)?;
    let finder = Finder::new(images);
    let mut shape = Shape::find(&bytes, &finder);
    shape.settle_classes(listed, &table.path, problems);
    let mut named: BTreeMap<usize, Vec<Line>> = BTreeMap::new();
    let mut is_first = shape.has_header;
    for record in records(&bytes, &shape) {
        let mut tell = |path: &str, kind, line: u64, reason: String| {
            let reason = format!("Line {line} of {}: {reason}", table.path);
            problems.push(Problem { count: 1, path: path.to_owned(), kind, reason });
        };
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                tell(&table.path, ProblemKind::BadLine, line, format!("{error}. Left out."));
                continue;
            }
        };
        let line = line_of(&record, &bytes);
        if record.iter().all(<[u8]>::is_empty) || std::mem::take(&mut is_first) {
            continue;
        }
        let image = match shape.image(&record) {
            Ok(image) => image,
            Err(reason) => {
                tell(&table.path, ProblemKind::BadLine, line, format!("{reason} Left out."));
                continue;
            }
        };
        let at = match finder.find(image) {
            Found::One(at) => at,
            Found::None => {
                let reason = "names this image, but it is not there. Left out.".to_owned();
                tell(image, ProblemKind::LabelWithoutImage, line, reason);
                continue;
            }
            Found::Several(count) => {
                let reason =
                    format!("{image} could be any of {count} images; give it with its folder. Left out.");
                tell(&table.path, ProblemKind::BadLine, line, reason);
                continue;
            }
        };
        let labels = match shape.labels(&record, listed, &images[at].path) {
            Ok(labels) => Some(labels),
            Err(reason) => {
                tell(&table.path, ProblemKind::BadLine, line, format!("{reason} Left out."));
                None
            }
        };
        named.entry(at).or_default().push(Line { number: line, labels });
    }
    let labelled = settle(named, images, &table.path, problems);
    Ok(Table { labelled, words: shape.words() })
}

/// Images with the labels of their lines. An image's first line counts, unless no line has several labels:
/// then each says one more.
fn settle(
    mut named: BTreeMap<usize, Vec<Line>>,
    images: &[Candidate<'_>],
    table: &str,
    problems: &mut Vec<Problem>,
) -> Vec<Labelled> {
    let of_line = |line: &Line| line.labels.as_ref().map_or(0, BTreeSet::len);
    let is_line_a_label = named.values().flatten().all(|line| of_line(line) <= 1);
    let mut tell = |path: &str, kind, reason: String| {
        problems.push(Problem { count: 1, path: path.to_owned(), kind, reason });
    };
    let mut joined = 0usize;
    let mut labelled = Vec::with_capacity(named.len());
    for (at, image) in images.iter().enumerate() {
        let Some(lines) = named.remove(&at) else {
            let reason = format!("No line of {table} names it. Left out.");
            tell(&image.path, ProblemKind::ImageWithoutLabel, reason);
            continue;
        };
        let mut labels: Option<BTreeSet<String>> = None;
        let mut earlier: Option<u64> = None;
        for line in lines {
            match (&mut labels, line.labels, earlier) {
                (Some(all), Some(more), Some(_)) if is_line_a_label && !more.is_subset(all) => {
                    all.extend(more);
                    joined += 1;
                }
                (_, _, Some(earlier)) => {
                    let number = line.number;
                    let reason =
                        format!("Line {number} of {table}: names this image again. Line {earlier} counts.");
                    tell(&image.path, ProblemKind::Duplicate, reason);
                }
                (labels, first, None) => {
                    *labels = first;
                    earlier = Some(line.number);
                }
            }
        }
        if let Some(labels) = labels {
            let (path, blob) = (image.path.clone(), image.blob.clone());
            labelled.push(Labelled { path, blob, labels, boxes: Vec::new() });
        }
    }
    if joined > 0 {
        let what = ["line names an image again", "lines name an image again"];
        let what = counted(joined, what);
        let reason = format!("{what} with another label: such an image has the labels of all its lines.");
        tell(table, ProblemKind::Duplicate, reason);
    }
    labelled
}

impl Shape {
    /// Takes from a table of flags the columns that are no classes, which is told.
    fn settle_classes(&mut self, listed: Option<&[String]>, path: &str, problems: &mut Vec<Problem>) {
        let Labels::Flags(columns) = &mut self.labels else { return };
        let passed_over = &mut self.passed_over;
        let mut seen = BTreeSet::new();
        columns.retain_mut(|(at, name)| {
            let reason = match class_name(name) {
                None => format!("column {} has no name", *at + 1),
                Some(class) if listed.is_some_and(|listed| !listed.contains(&class)) => {
                    format!("{class:.60} is not named in classes.txt")
                }
                Some(class) if !seen.insert(class.clone()) => {
                    format!("{class:.60} is named twice, and the first counts")
                }
                Some(class) => {
                    *name = class;
                    return true;
                }
            };
            passed_over.push(reason);
            false
        });
        if let Some(first) = passed_over.first() {
            let what = ["column is no class:", "columns are no classes: for one,"];
            let reason = format!("{} {first}. Left out.", counted(passed_over.len(), what));
            problems.push(Problem { count: 1, path: path.to_owned(), kind: ProblemKind::BadLine, reason });
        }
    }

    /// The cell that names the image.
    ///
    /// # Errors
    /// One that is missing or no text, and more cells than a table without a header may have.
    fn image<'a>(&self, record: &'a csv::ByteRecord) -> Result<&'a str, String> {
        if !self.has_header && record.len() > 2 {
            return Err(format!(
                "{} columns where 2 are expected; separate labels by a space, ; or |.",
                record.len()
            ));
        }
        let is_short = matches!(self.labels, Labels::Column(labels) if record.get(labels).is_none());
        match text(record, self.image)? {
            Some(_) if is_short => Err("An image and its labels are expected, separated by a comma.".into()),
            None => Err("An image and its labels are expected, separated by a comma.".into()),
            Some("") => Err("The name of the image is missing.".into()),
            Some(image) => Ok(image),
        }
    }

    /// The labels of the image at `path`.
    ///
    /// # Errors
    /// What about them cannot be understood.
    fn labels(
        &self,
        record: &csv::ByteRecord,
        listed: Option<&[String]>,
        path: &str,
    ) -> Result<BTreeSet<String>, String> {
        match &self.labels {
            Labels::Column(column) => {
                let cell = text(record, *column)?.unwrap_or_default();
                split(cell, listed).map_err(|unknown| {
                    format!("{path} has the label {unknown}, which classes.txt does not name.")
                })
            }
            Labels::Flags(columns) => {
                let mut labels = BTreeSet::new();
                for (at, name) in columns {
                    let cell = text(record, *at)?.unwrap_or_default();
                    match flag(cell) {
                        Some(true) if listed.is_some() || !means_no_class(name) => {
                            labels.insert(name.clone());
                        }
                        Some(_) => {}
                        None => {
                            return Err(format!(
                                "{path} has {cell:.60} in the column {name:.60}, where 0 or 1 is expected."
                            ));
                        }
                    }
                }
                Ok(labels)
            }
        }
    }
}

/// A cell as text; `None` if the line has fewer.
fn text(record: &csv::ByteRecord, at: usize) -> Result<Option<&str>, String> {
    let cell = record.get(at).map(std::str::from_utf8).transpose();
    cell.map_err(|_| "It is not UTF-8 text.".to_owned())
}

#[cfg(test)]
mod tests;
