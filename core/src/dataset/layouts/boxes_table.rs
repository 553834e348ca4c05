//! `boxes.csv`: one line a box, `image,class,x0,y0,x1,y1` in pixels. Edges lie between pixels: a box of the
//! first pixel alone goes from 0, 0 to 1, 1.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::{Edges, GivenBox};
use super::finder::{Finder, Found};
use super::tally::Tally;
use super::{Candidate, Labelled, Problem, ProblemKind, line_of, text_bytes};
use crate::error::Result;
use crate::files::FileEntry;

/// Boxes by index of their image.
pub(super) type Boxes = BTreeMap<usize, Vec<GivenBox>>;

/// Reads the table and finds the image of each line. Lines that cannot be used become problems.
pub(super) fn read(
    table: &FileEntry,
    images: &[Candidate<'_>],
    problems: &mut Vec<Problem>,
) -> Result<Boxes> {
    let bytes = text_bytes(table)?;
    let finder = Finder::new(images);
    let mut boxes = Boxes::new();
    let mut columns = Columns::default();
    let mut first = true;
    let (mut malformed, mut missing, mut ambiguous) = (Tally::default(), Tally::default(), Tally::default());
    let records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes.as_slice())
        .into_byte_records();
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                malformed.add(|| format!("line {line} ({error})"));
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
        let (image, class, edges) = match columns.cells(&record) {
            Ok(cells) => cells,
            Err(reason) => {
                malformed.add(|| format!("line {line} ({reason})"));
                continue;
            }
        };
        match finder.find(image) {
            Found::One(at) => boxes.entry(at).or_default().push(GivenBox {
                class: class.to_owned(),
                edges: Edges::Pixels(edges),
                line: Some(line),
            }),
            Found::None => missing.add(|| format!("line {line} ({image})")),
            Found::Several(count) => {
                ambiguous.add(|| format!("line {line} ({image} could be any of {count})"));
            }
        }
    }
    let path = table.path.as_str();
    malformed.tell(path, ProblemKind::BadLine, ["line is no box", "lines are no boxes"], problems);
    let what = ["line names an image without its folder", "lines name images without their folder"];
    ambiguous.tell(path, ProblemKind::BadLine, what, problems);
    let what = ["line names an image that is not there", "lines name images that are not there"];
    missing.tell(path, ProblemKind::LabelWithoutImage, what, problems);
    Ok(boxes)
}

/// Whether a table that is not called `boxes.csv` is one of boxes: its header says so, and one of its first
/// lines names an image.
///
/// # Errors
/// Those of reading it.
pub(super) fn fits(table: &FileEntry, finder: &Finder<'_>) -> Result<bool> {
    /// Lines looked at.
    const LINES: usize = 100;
    let bytes = text_bytes(table)?;
    let reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(&*bytes);
    let mut records = reader.into_byte_records().filter_map(Result::ok);
    let Some(columns) = records.next().and_then(|head| Columns::from_header(&head)) else { return Ok(false) };
    let finds = |record: csv::ByteRecord| {
        columns.cells(&record).is_ok_and(|(image, ..)| !matches!(finder.find(image), Found::None))
    };
    Ok(records.take(LINES).any(finds))
}

/// Whether a name is that of a class: a listed one, or of any box where none are listed.
pub(super) fn names(boxes: &Boxes, listed: Option<&[String]>, name: &str) -> bool {
    match listed {
        Some(listed) => listed.iter().any(|class| class == name),
        None => boxes.values().flatten().any(|given| given.class == name),
    }
}

/// Images whose labels are the classes of their boxes; those without a box have none of the classes. With
/// listed classes, others are no labels. The boxes are yet to be attached.
pub(super) fn labelled(images: &[Candidate<'_>], boxes: &Boxes, listed: Option<&[String]>) -> Vec<Labelled> {
    let is_class = |name: &&String| listed.is_none_or(|names| names.contains(name));
    let label = |(at, image): (usize, &Candidate<'_>)| {
        let classes = boxes.get(&at).into_iter().flatten().map(|given| &given.class);
        let labels: BTreeSet<String> = classes.filter(is_class).cloned().collect();
        Labelled { path: image.path.clone(), blob: image.blob.clone(), labels, boxes: Vec::new() }
    };
    images.iter().enumerate().map(label).collect()
}

/// Gives labelled images their boxes.
pub(super) fn attach(images: &[Candidate<'_>], mut boxes: Boxes, labelled: &mut [Labelled]) {
    let at: BTreeMap<&str, usize> =
        images.iter().enumerate().map(|(at, image)| (image.path.as_str(), at)).collect();
    for image in labelled {
        image.boxes = at.get(image.path.as_str()).and_then(|at| boxes.remove(at)).unwrap_or_default();
    }
}

/// Where a record has what is needed.
struct Columns {
    image: usize,
    class: usize,
    edges: [usize; 4],
}

impl Default for Columns {
    fn default() -> Self {
        Self { image: 0, class: 1, edges: [2, 3, 4, 5] }
    }
}

impl Columns {
    /// The columns that a first line names, if it is a header.
    fn from_header(record: &csv::ByteRecord) -> Option<Self> {
        let position = |names: &[&str]| {
            record.iter().position(|cell| names.iter().any(|name| cell.eq_ignore_ascii_case(name.as_bytes())))
        };
        Some(Self {
            image: position(&["image", "images", "file", "filename", "path"])?,
            class: position(&["class", "label", "name", "category"])?,
            edges: [
                position(&["x0", "xmin", "left"])?,
                position(&["y0", "ymin", "top"])?,
                position(&["x1", "xmax", "right"])?,
                position(&["y1", "ymax", "bottom"])?,
            ],
        })
    }

    /// Image, class, and left, upper, right and lower edge.
    fn cells<'a>(&self, record: &'a csv::ByteRecord) -> Result<(&'a str, &'a str, [f32; 4]), String> {
        let cell = |at: usize, what: &str| {
            let bytes =
                record.get(at).filter(|cell| !cell.is_empty()).ok_or(format!("the {what} is missing"))?;
            std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
        };
        let mut edges = [0.0; 4];
        for (edge, (&at, what)) in edges.iter_mut().zip(self.edges.iter().zip([
            "left edge",
            "upper edge",
            "right edge",
            "lower edge",
        ])) {
            let text = cell(at, what)?;
            *edge = text.parse().map_err(|_| format!("the {what} is no number, but {text}"))?;
        }
        Ok((cell(self.image, "image")?, cell(self.class, "class")?, edges))
    }
}

#[cfg(test)]
mod tests;
