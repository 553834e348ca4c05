//! `labels.csv`: one line an image, with the names of its classes.

use std::collections::{BTreeMap, BTreeSet};

use super::finder::{Finder, Found};
use super::{Candidate, Labelled, Problem, ProblemKind, line_of, means_no_class, text_bytes};
use crate::error::Result;
use crate::files::FileEntry;

/// Reads the table and finds the image of each line. Lines that cannot be used, and images that no
/// line names, become problems.
pub(super) fn read(
    table: &FileEntry,
    images: &[Candidate<'_>],
    listed: Option<&[String]>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Labelled>> {
    let bytes = text_bytes(table)?;
    let finder = Finder::new(images);
    // Per image: the line that names it, and its labels unless the line is bad.
    let mut named: BTreeMap<usize, (u64, Option<BTreeSet<String>>)> = BTreeMap::new();
    let mut columns = Columns { image: 0, labels: 1, exact: true };
    let mut first = true;
    let records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes.as_slice())
        .into_byte_records();
    for record in records {
        let problem = |path: &str, kind, line: u64, reason: String| Problem {
            path: path.to_owned(),
            kind,
            reason: format!("Line {line} of {}: {reason}", table.path),
        };
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                problems.push(problem(
                    &table.path,
                    ProblemKind::BadLine,
                    line,
                    format!("{error}. Left out."),
                ));
                continue;
            }
        };
        let line = line_of(&record, &bytes);
        if std::mem::take(&mut first)
            && let Some(header) = Columns::from_header(&record)
        {
            columns = header;
            continue;
        }
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        let (image, labels) = match columns.cells(&record) {
            Ok(cells) => cells,
            Err(reason) => {
                problems.push(problem(
                    &table.path,
                    ProblemKind::BadLine,
                    line,
                    format!("{reason} Left out."),
                ));
                continue;
            }
        };
        let at = match finder.find(image) {
            Found::One(at) => at,
            Found::None => {
                let reason = "names this image, but it is not there. Left out.".to_owned();
                problems.push(problem(image, ProblemKind::LabelWithoutImage, line, reason));
                continue;
            }
            Found::Several(count) => {
                let reason =
                    format!("{image} could be any of {count} images; give it with its folder. Left out.");
                problems.push(problem(&table.path, ProblemKind::BadLine, line, reason));
                continue;
            }
        };
        let path = &images[at].path;
        if let Some((earlier, _)) = named.get(&at) {
            let reason = format!("names this image again. Line {earlier} counts.");
            problems.push(problem(path, ProblemKind::Duplicate, line, reason));
            continue;
        }
        let labels = match split(labels, listed) {
            Ok(labels) => Some(labels),
            Err(unknown) => {
                let reason =
                    format!("{path} has the label {unknown}, which classes.txt does not name. Left out.");
                problems.push(problem(&table.path, ProblemKind::BadLine, line, reason));
                None
            }
        };
        named.insert(at, (line, labels));
    }
    let mut labelled = Vec::with_capacity(named.len());
    for (at, image) in images.iter().enumerate() {
        match named.remove(&at) {
            Some((_, Some(labels))) => {
                let (path, blob) = (image.path.clone(), image.blob.clone());
                labelled.push(Labelled { path, blob, labels, boxes: Vec::new() });
            }
            Some((_, None)) => {}
            None => problems.push(Problem {
                path: image.path.clone(),
                kind: ProblemKind::ImageWithoutLabel,
                reason: format!("No line of {} names it. Left out.", table.path),
            }),
        }
    }
    Ok(labelled)
}

/// Where a record has what is needed.
struct Columns {
    image: usize,
    labels: usize,
    /// Without a header line there are two columns and no more.
    exact: bool,
}

impl Columns {
    /// The columns that a first line names, if it is a header.
    fn from_header(record: &csv::ByteRecord) -> Option<Self> {
        let position = |names: &[&str]| {
            record.iter().position(|cell| names.iter().any(|name| cell.eq_ignore_ascii_case(name.as_bytes())))
        };
        let image = position(&["image", "images", "file", "filename", "path"])?;
        let labels = position(&["labels", "label", "class", "classes", "tags"])?;
        Some(Self { image, labels, exact: false })
    }

    fn cells<'a>(&self, record: &'a csv::ByteRecord) -> Result<(&'a str, &'a str), String> {
        if self.exact && record.len() > 2 {
            return Err(format!(
                "{} columns where 2 are expected; separate labels by a space, ; or |.",
                record.len()
            ));
        }
        let cell = |at: usize| {
            let bytes =
                record.get(at).ok_or("An image and its labels are expected, separated by a comma.")?;
            std::str::from_utf8(bytes).map_err(|_| "It is not UTF-8 text.")
        };
        let (image, labels) = (cell(self.image)?, cell(self.labels)?);
        if image.is_empty() {
            return Err("The name of the image is missing.".to_owned());
        }
        Ok((image, labels))
    }
}

/// The labels of a cell, separated by spaces, `;` or `|`. With listed classes, a name may itself have
/// spaces, and a name that is not listed is an error that holds it.
fn split(cell: &str, listed: Option<&[String]>) -> Result<BTreeSet<String>, String> {
    let is_listed = |label: &str| listed.is_some_and(|names| names.iter().any(|name| name == label));
    let mut labels = BTreeSet::new();
    for part in cell.split([';', '|']).map(str::trim).filter(|part| !part.is_empty()) {
        let words: Vec<&str> = if is_listed(part) { vec![part] } else { part.split_whitespace().collect() };
        for label in words {
            if is_listed(label) || (listed.is_none() && !means_no_class(label)) {
                labels.insert(label.to_owned());
            } else if !means_no_class(label) {
                return Err(label.to_owned());
            }
        }
    }
    Ok(labels)
}
