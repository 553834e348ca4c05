//! How a table is laid out, found out from its first lines: what separates cells, whether the first line
//! names the columns, which column is the image, and whether labels stand in one column or each class has
//! its own.

use super::super::finder::{Finder, Found};
use super::cell::flag;
use crate::files::{is_foreign_image_name, is_image_name};

/// Where a record has what is needed.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Shape {
    pub(super) separator: u8,
    /// Whether the first line names the columns.
    pub(super) has_header: bool,
    pub(super) image: usize,
    pub(super) labels: Labels,
    /// Columns of a table of flags that are no class, with why.
    pub(super) passed_over: Vec<String>,
    /// Lines looked at that name an image of the data set.
    pub(in super::super) found: usize,
}

/// Where labels stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Labels {
    /// In one column.
    Column(usize),
    /// In a column for each class, whose name its first line has.
    Flags(Vec<(usize, String)>),
}

/// Lines looked at.
const LINES: usize = 100;
/// Bytes that they are in.
const BYTES: usize = 1 << 20;
const SEPARATORS: [u8; 3] = [b',', b'\t', b';'];

const IMAGE: [&str; 16] = [
    "image",
    "images",
    "file",
    "filename",
    "path",
    "file_name",
    "file name",
    "filepath",
    "file_path",
    "image_path",
    "image_name",
    "image_id",
    "imageid",
    "imagename",
    "img",
    "photo",
];
const LABEL: [&str; 11] = [
    "labels",
    "label",
    "class",
    "classes",
    "tags",
    "tag",
    "category",
    "categories",
    "class_name",
    "target",
    "targets",
];

type Rows = Vec<Vec<String>>;

impl Shape {
    /// The layout of a table that begins so, whose lines name images that the finder finds.
    pub(in super::super) fn find(bytes: &[u8], finder: &Finder<'_>) -> Self {
        let start = bytes.get(..BYTES).map_or(bytes, |start| {
            let end = start.iter().rposition(|&byte| byte == b'\n').unwrap_or(start.len());
            &start[..end]
        });
        let is_found = |cell: &str| !cell.is_empty() && !matches!(finder.find(cell), Found::None);
        // Later ones need more: most tables are of the first.
        let mut best: Option<(usize, u8, Rows, Vec<usize>)> = None;
        for separator in SEPARATORS {
            let rows = rows(start, separator);
            let counts = counts(&rows, is_found);
            let most = counts.iter().copied().max().unwrap_or(0);
            let is_table = || rows.first().is_some_and(|row| row.len() > 1);
            let is_better = match &best {
                None => true,
                Some((0, _, before, _)) if most == 0 => {
                    before.first().is_none_or(|row| row.len() < 2) && is_table()
                }
                Some((before, ..)) => most > *before,
            };
            if is_better {
                best = Some((most, separator, rows, counts));
            }
        }
        let (_, separator, rows, counts) = best.unwrap_or((0, b',', Vec::new(), Vec::new()));
        let head: &[String] = rows.first().map_or(&[], Vec::as_slice);
        let body = rows.get(1..).unwrap_or(&[]);
        let head_finds = |at: usize| head.get(at).is_some_and(|cell| is_found(cell));
        let of_body = |at: usize| counts.get(at).map_or(0, |&count| count - usize::from(head_finds(at)));

        let most = (0..counts.len()).map(of_body).max().unwrap_or(0);
        let by_content = (0..counts.len()).find(|&at| most > 0 && of_body(at) == most);
        let by_name = named(head, &IMAGE);
        let image = match (by_name, by_content) {
            (Some(named), Some(_)) if of_body(named) > 0 => Some(named),
            (_, Some(found)) => Some(found),
            (named, None) => named,
        };
        let label = named(head, &LABEL).filter(|&label| Some(label) != image);
        let is_flags = |at: usize| {
            let mut cells = body.iter().map(|row| row.get(at).map_or("", String::as_str));
            let is_any = body.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()));
            is_any && cells.all(|cell| flag(cell).is_some())
        };
        let is_class = |&at: &usize| {
            Some(at) != image && head.get(at).is_some_and(|name| flag(name).is_none()) && is_flags(at)
        };
        let flags: Vec<usize> = (0..head.len()).filter(is_class).collect();
        let head_names_image =
            head.iter().any(|cell| is_found(cell) || is_image_name(cell) || is_foreign_image_name(cell));
        let has_header = match (by_name, label) {
            (Some(_), Some(_)) => true,
            (Some(_), None) => !flags.is_empty(),
            (None, label) => {
                !head_names_image && by_content.is_some() && (label.is_some() || !flags.is_empty())
            }
        };
        let labels = match label {
            _ if !has_header => None,
            // One of the classes may be called so.
            Some(label) if !flags.contains(&label) || flags.len() == 1 => Some(Labels::Column(label)),
            _ => Some(Labels::Flags(flags.iter().map(|&at| (at, head[at].clone())).collect())),
        };
        let passed_over = match &labels {
            Some(Labels::Flags(classes)) => {
                let is_over = |at: &usize| Some(*at) != image && classes.iter().all(|(class, _)| class != at);
                (0..head.len()).filter(is_over).map(|at| why_passed_over(head, body, at)).collect()
            }
            _ => Vec::new(),
        };
        // Without names of columns the image stands first, unless only the second names images.
        let first = usize::from(of_body(0) == 0 && !head_finds(0) && (of_body(1) > 0 || head_finds(1)));
        let (image, labels) = match labels {
            Some(labels) => (image.unwrap_or(0), labels),
            None => (first, Labels::Column(1 - first)),
        };
        let found = counts.get(image).copied().unwrap_or(0);
        Self { separator, has_header, image, labels, passed_over, found }
    }

    /// Whether a table that is not called `labels.csv` is one of labels all the same.
    pub(in super::super) fn is_sure(&self, columns_of_first: usize) -> bool {
        self.found > 0 && columns_of_first > 1 && (self.has_header || columns_of_first == 2)
    }

    /// What a user is told of it.
    pub(in super::super) fn words(&self) -> String {
        let what = match &self.labels {
            Labels::Column(_) => "a column of labels",
            Labels::Flags(_) => "a column per class",
        };
        match self.separator {
            b'\t' => format!("{what}, separated by tabs"),
            b';' => format!("{what}, separated by semicolons"),
            _ => what.to_owned(),
        }
    }
}

/// The first records, as text.
fn rows(start: &[u8], separator: u8) -> Rows {
    let records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(separator)
        .from_reader(start)
        .into_byte_records();
    let texts = |record: csv::ByteRecord| -> Vec<String> {
        record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    };
    let is_any = |row: &Vec<String>| row.iter().any(|cell| !cell.is_empty());
    records.filter_map(Result::ok).map(texts).filter(is_any).take(LINES).collect()
}

/// Per column, how many of its cells name an image.
fn counts(rows: &Rows, is_found: impl Fn(&str) -> bool) -> Vec<usize> {
    let mut counts = vec![0; rows.iter().map(Vec::len).max().unwrap_or(0)];
    for row in rows {
        for (count, cell) in counts.iter_mut().zip(row) {
            *count += usize::from(is_found(cell));
        }
    }
    counts
}

/// The first of these names that a column has.
fn named(head: &[String], names: &[&str]) -> Option<usize> {
    head.iter().position(|cell| names.iter().any(|name| cell.eq_ignore_ascii_case(name)))
}

fn why_passed_over(head: &[String], body: &[Vec<String>], at: usize) -> String {
    let name = head.get(at).map_or("", String::as_str);
    let other = body.iter().filter_map(|row| row.get(at)).find(|cell| flag(cell).is_none());
    match (name, other) {
        ("", _) => format!("column {} has no name", at + 1),
        (name, Some(other)) => format!("{name:.60} holds {other:.60}"),
        (name, None) => format!("{name:.60} is empty"),
    }
}
