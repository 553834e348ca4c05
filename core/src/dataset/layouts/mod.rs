//! Finding out how a data set is laid out, and reading it.

mod annotated;
mod boxes;
mod boxes_table;
mod class_folders;
mod classes;
mod coco;
mod cvat;
mod documents;
mod finder;
mod finding;
mod given_mask;
mod json;
mod label_studio;
mod labels_table;
mod masks;
mod others;
mod parts;
mod tables;
mod tally;
mod voc;
mod voc_xml;
mod yolo;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::annotated::Annotated;
use self::boxes::GivenBox;
use self::documents::{Documents, Form};
use self::finding::Finding;
use self::given_mask::GivenMask;
use self::parts::{Parts, sort_out};
use self::yolo::Yolo;
use super::{
    Dataset, Item, Layout, ObjectBox, Problem, ProblemKind, SuppliedMask, duplicates, header, stems,
};
use crate::error::{Error, Result};
use crate::files::{Blob, FileEntry, FileSet, Part, limits};

/// A file that is taken for an image, before anything in it was read.
type Candidate<'a> = &'a FileEntry;

/// An image, the names of its classes, and its boxes.
struct Labelled {
    path: String,
    blob: Arc<dyn Blob>,
    labels: BTreeSet<String>,
    boxes: Vec<GivenBox>,
}

/// Reads a data set: finds its layout, its classes and labels, checks every image's header, and lists
/// what is left out. `progress` hears of images checked and images in all.
///
/// In this order, the more explicit first: `JPEGImages` beside `Annotations` or `ImageSets` make it VOC,
/// `annotations/instances_*.json` COCO, a `labels.csv` at the top a labels table; then annotations that are
/// known by their content ([`documents`]), if they name images that are there. Text files of boxes beside the
/// images make it YOLO. A table of any name that names images is one of labels, or of boxes, as `boxes.csv`;
/// boxes alone label images, unless these lie in folders of their classes. Otherwise each folder is a class.
/// Files of what comes later in this order become problems. Of a project ([`Part`]) its data is read.
///
/// # Errors
/// [`Error::NoData`] if no image can be used, [`Error::TooLarge`] for text files or class numbers
/// beyond [`limits`], [`Error::Io`] if a text file cannot be read. All else becomes a [`Problem`].
pub fn read(files: &FileSet, progress: &mut dyn FnMut(usize, usize)) -> Result<Dataset> {
    read_split(files, None, progress)
}

/// As [`read`]; of a data set that comes with lists of images (VOC) or several files of
/// annotations (COCO), those of `split`.
///
/// # Errors
/// As [`read`]; [`Error::Setting`] for a split that the data set does not have.
pub fn read_split(
    files: &FileSet,
    split: Option<&str>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Dataset> {
    let of_project = files.part(Part::Data)?;
    let files = of_project.as_ref().unwrap_or(files);
    let mut problems = Vec::new();
    for skipped in files.skipped() {
        let reason = sentence(&skipped.reason);
        problems.push(Problem { count: 1, path: skipped.path.clone(), kind: ProblemKind::OtherFile, reason });
    }
    if voc::is_voc(files) {
        others::tell(files, |path| voc::is_in(path, "Annotations"), "the folder JPEGImages", &mut problems);
        return read_voc(files, split, problems, progress);
    }
    if coco::is_coco(files) {
        let is_own = |path: &str| voc::is_in(path, "annotations");
        others::tell(files, is_own, "annotations/instances_*.json", &mut problems);
        return read_coco(files, split, problems, progress);
    }
    if split.is_some() {
        let reason =
            "this data set has no lists of images; VOC has, under ImageSets, and COCO, under annotations"
                .into();
        return Err(Error::Setting { name: "split", reason });
    }
    let has_table = |name: &str| files.entries().iter().any(|entry| entry.path.eq_ignore_ascii_case(name));
    let mut documents = documents::find(files, |_| false);
    let of_documents: BTreeSet<&str> =
        documents.iter().flat_map(|group| &group.files).map(|entry| entry.path.as_str()).collect();
    let is_classes = |path: &str| path.eq_ignore_ascii_case("classes.txt");
    let mut yolo = (!has_table("labels.csv") && !has_table("boxes.csv")).then(|| Yolo::find(files)).flatten();
    let is_read = |path: &str| {
        of_documents.contains(path) || yolo.as_ref().is_some_and(|yolo| yolo.has(path) && !is_classes(path))
    };
    let mut told = Vec::new();
    let mut parts = sort_out(files, is_read, &mut told);
    let listed = match parts.classes {
        Some(file) if yolo.is_none() || !documents.is_empty() => classes::read(file, &mut told)?,
        _ => None,
    };
    if parts.table.is_none() {
        while !documents.is_empty() {
            let group = documents.remove(0);
            let Some(annotated) = group.read(&parts.images, listed.as_deref(), &mut problems)? else {
                continue;
            };
            let winner = group.form.title();
            for group in &documents {
                others::documents(group, winner, &mut problems);
            }
            if let Some(yolo) = &yolo {
                problems.push(others::file(yolo.path(), "with text files as YOLO's", winner));
            }
            problems.append(&mut told);
            tables::tell_others(&parts, winner, &mut problems);
            return read_documents(&group, annotated, &parts, problems, progress);
        }
    }
    if let Some(yolo) = yolo.take() {
        return read_yolo(files, yolo, &of_documents, problems, progress);
    }
    problems.append(&mut told);
    for group in &documents {
        others::documents(group, "labels.csv", &mut problems);
    }
    tables::choose(&mut parts, &mut problems);
    let (layout, finding, labelled) = label(&parts, listed.as_deref(), &mut problems)?;
    let usable = check_headers(labelled, &mut problems, progress);
    let usable = settle_duplicates(usable, layout, &mut problems);
    if usable.is_empty() {
        return Err(nothing_usable(files, &parts, &problems));
    }

    let names: Vec<String> = match listed {
        Some(names) => names,
        None => {
            let names: BTreeSet<&String> = usable.iter().flat_map(|(image, _)| &image.labels).collect();
            names.into_iter().cloned().collect()
        }
    };
    let file = parts.table.or(parts.classes).or(parts.boxes);
    check_number(&names, file.map_or("the class folders", |file| file.path.as_str()))?;
    let mut items = items(usable, &names, &mut problems);
    masks::attach(&parts.masks, &mut items, &mut problems);
    Ok(finished(layout, &finding, names, items, problems))
}

/// Refuses more classes than masks can hold.
fn check_number(names: &[String], path: &str) -> Result<()> {
    if names.len() > limits::CLASSES {
        return Err(Error::TooLarge {
            what: "the number of classes",
            found: names.len().to_string(),
            limit: limits::CLASSES.to_string(),
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn finished(
    layout: Layout,
    finding: &Finding,
    classes: Vec<String>,
    items: Vec<Item>,
    mut problems: Vec<Problem>,
) -> Dataset {
    problems.sort_by(|a, b| (a.kind, &a.path, &a.reason).cmp(&(b.kind, &b.path, &b.reason)));
    let finding = finding.line(classes.len(), &items);
    Dataset { layout, finding, classes, items, problems }
}

/// Labels images by the table, or their boxes, or their folders; and gives them their boxes.
fn label(
    parts: &Parts<'_>,
    listed: Option<&[String]>,
    problems: &mut Vec<Problem>,
) -> Result<(Layout, Finding, Vec<Labelled>)> {
    let images = &parts.images;
    let boxes = parts.boxes.map(|table| boxes_table::read(table, images, problems)).transpose()?;
    let (layout, finding, mut labelled) = match (parts.table, &boxes) {
        (Some(table), _) => {
            let labels_table::Table { labelled, words } =
                labels_table::read(table, images, listed, problems)?;
            let finding = Finding { from: words, ..Finding::of("Table of labels", &[table]) };
            (Layout::LabelsTable, finding, labelled)
        }
        (None, Some(boxes))
            if !class_folders::any(images, |folder| boxes_table::names(boxes, listed, folder)) =>
        {
            let labelled = boxes_table::labelled(images, boxes, listed);
            let files: Vec<&FileEntry> = parts.boxes.into_iter().collect();
            (Layout::BoxesTable, Finding::of("Table of boxes", &files), labelled)
        }
        (None, _) => {
            let labelled = class_folders::read(images, listed, problems);
            (Layout::ClassFolders, Finding::new("A folder per class"), labelled)
        }
    };
    if let Some(boxes) = boxes {
        boxes_table::attach(images, boxes, &mut labelled);
    }
    Ok((layout, finding, labelled))
}

fn read_documents(
    group: &Documents<'_>,
    annotated: Annotated,
    parts: &Parts<'_>,
    mut problems: Vec<Problem>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Dataset> {
    let Annotated { labelled, masks, classes, marks } = annotated;
    let layout = match group.form {
        Form::LabelStudio => Layout::LabelStudio,
        Form::Cvat => Layout::Cvat,
        Form::Coco => Layout::Coco,
        Form::Voc => Layout::VocXml,
    };
    check_number(&classes, group.files.first().map_or("", |entry| entry.path.as_str()))?;
    let usable = check_headers(labelled, &mut problems, progress);
    let usable = settle_duplicates(usable, layout, &mut problems);
    if usable.is_empty() {
        let form = group.form.title();
        let reason = format!("looked for {form}, but no image that it names can be read");
        return Err(Error::NoData { reason });
    }
    let mut items = items(usable, &classes, &mut problems);
    masks::attach(&parts.masks, &mut items, &mut problems);
    hang(masks, &mut items, &mut problems);
    let from = marks.into_iter().collect::<Vec<_>>().join(", ");
    let finding = Finding { from, ..Finding::of(group.form.title(), &group.files) };
    Ok(finished(layout, &finding, classes, items, problems))
}

/// Hangs masks that are painted from outlines on images that have none; those that cannot be become problems.
fn hang(mut masks: BTreeMap<String, GivenMask>, items: &mut [Item], problems: &mut Vec<Problem>) {
    for item in items.iter_mut().filter(|item| item.mask.is_none()) {
        match masks.remove(&item.path).map(|mask| mask.of_size(item.width, item.height)) {
            None => {}
            Some(Ok(objects)) => item.mask = Some(SuppliedMask::Objects(Arc::new(objects))),
            Some(Err(reason)) => problems.push(Problem {
                count: 1,
                path: item.path.clone(),
                kind: ProblemKind::BadMask,
                reason: format!("{} Its mask is not used for scoring.", sentence(&reason)),
            }),
        }
    }
}

fn read_yolo(
    files: &FileSet,
    yolo: Yolo<'_>,
    of_documents: &BTreeSet<&str>,
    mut problems: Vec<Problem>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Dataset> {
    let parts = sort_out(files, |path| yolo.has(path) || of_documents.contains(path), &mut problems);
    tables::tell_others(&parts, "YOLO's text files", &mut problems);
    let finding = Finding { files: yolo.path().to_owned(), ..Finding::new("YOLO") };
    let yolo::Found { labelled, classes } = yolo.read(&parts.images, &mut problems)?;
    let usable = check_headers(labelled, &mut problems, progress);
    let usable = settle_duplicates(usable, Layout::Yolo, &mut problems);
    if usable.is_empty() {
        return Err(Error::NoData {
            reason: "looked for YOLO's layout, but no image that has a text file of boxes can be read".into(),
        });
    }
    let mut items = items(usable, &classes, &mut problems);
    masks::attach(&parts.masks, &mut items, &mut problems);
    Ok(finished(Layout::Yolo, &finding, classes, items, problems))
}

fn read_voc(
    files: &FileSet,
    split: Option<&str>,
    mut problems: Vec<Problem>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Dataset> {
    let voc::Voc { labelled, masks, classes } = voc::read(files, split, &mut problems)?;
    let usable = check_headers(labelled, &mut problems, progress);
    if usable.is_empty() {
        return Err(Error::NoData {
            reason: "looked for PASCAL VOC's layout, but no image in JPEGImages can be read and has labels"
                .into(),
        });
    }
    let mut items = items(usable, &classes, &mut problems);
    masks::attach(&masks, &mut items, &mut problems);
    let finding = Finding::new("PASCAL VOC");
    Ok(finished(Layout::Voc, &finding, classes, items, problems))
}

fn read_coco(
    files: &FileSet,
    split: Option<&str>,
    mut problems: Vec<Problem>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Dataset> {
    let coco::Coco { labelled, masks, classes } = coco::read(files, split, &mut problems)?;
    let usable = check_headers(labelled, &mut problems, progress);
    if usable.is_empty() {
        return Err(Error::NoData {
            reason:
                "looked for COCO's layout, but no image that annotations/instances_*.json names is there \
                     and can be read"
                    .into(),
        });
    }
    let mut items = items(usable, &classes, &mut problems);
    hang(masks, &mut items, &mut problems);
    Ok(finished(Layout::Coco, &Finding::new("COCO"), classes, items, problems))
}

/// Reads photos that nobody labelled, for a network that knows `classes`: every image of the file set but
/// those under `masks/`.
///
/// # Errors
/// As [`read`].
pub fn read_photos(
    files: &FileSet,
    classes: &[String],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Dataset> {
    let of_project = files.part(Part::Data)?;
    let files = of_project.as_ref().unwrap_or(files);
    let mut problems = Vec::new();
    let parts = sort_out(files, |_| false, &mut problems);
    // What goes with a labelled data set may lie beside its photos.
    problems.retain(|problem| problem.kind == ProblemKind::UnreadableImage);
    for skipped in files.skipped() {
        let reason = sentence(&skipped.reason);
        problems.push(Problem { count: 1, path: skipped.path.clone(), kind: ProblemKind::OtherFile, reason });
    }
    // A folder of photos may have any name, that of masks too.
    let images = if parts.images.is_empty() { &parts.masks } else { &parts.images };
    let unlabelled = |file: &&FileEntry| Labelled {
        path: file.path.clone(),
        blob: file.blob.clone(),
        labels: BTreeSet::new(),
        boxes: Vec::new(),
    };
    let photos = check_headers(images.iter().map(unlabelled).collect(), &mut problems, progress);
    if photos.is_empty() {
        let first =
            problems.first().map_or(String::new(), |first| format!("; {}: {}", first.path, first.reason));
        let reason = format!("there is no JPEG, PNG, WebP or BMP image that can be read{first}");
        return Err(Error::NoData { reason });
    }
    let items = items(photos, &[], &mut problems);
    let finding = "Photos without labels".to_owned();
    Ok(Dataset { layout: Layout::Photos, finding, classes: classes.to_vec(), items, problems })
}

/// Items with labels by the classes' names; boxes that cannot be become problems.
fn items(usable: Vec<Sized>, names: &[String], problems: &mut Vec<Problem>) -> Vec<Item> {
    let paths: Vec<&str> = usable.iter().map(|(image, _)| image.path.as_str()).collect();
    let stems = stems::unique(&paths);
    let item = |((image, size), stem): (Sized, String)| Item {
        boxes: boxes::fitting(&image, size, names, problems),
        labels: (0u16..)
            .zip(names)
            .filter(|(_, name)| image.labels.contains(*name))
            .map(|(class, _)| class)
            .collect(),
        path: image.path,
        stem,
        width: size.0,
        height: size.1,
        image: image.blob,
        mask: None,
    };
    usable.into_iter().zip(stems).map(item).collect()
}

type Sized = (Labelled, (u32, u32));

fn check_headers(
    labelled: Vec<Labelled>,
    problems: &mut Vec<Problem>,
    progress: &mut dyn FnMut(usize, usize),
) -> Vec<Sized> {
    let total = labelled.len();
    let mut usable = Vec::with_capacity(total);
    for (done, image) in labelled.into_iter().enumerate() {
        progress(done, total);
        match header::size(&image.blob, &image.path) {
            Ok(size) => usable.push((image, size)),
            Err(error) => problems.push(Problem {
                count: 1,
                kind: ProblemKind::UnreadableImage,
                reason: format!("{} Left out.", sentence(&reason(error))),
                path: image.path,
            }),
        }
    }
    progress(total, total);
    usable
}

/// The error without its path, which the problem shows beside it.
fn reason(error: Error) -> String {
    match error {
        Error::Image { reason, .. } => reason,
        Error::TooLarge { what, found, limit, .. } => {
            format!("{what} is {found}, more than the limit of {limit}")
        }
        other => other.to_string(),
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let capital = chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect());
    if capital.ends_with('.') { capital } else { capital + "." }
}

/// The same bytes under two paths. In two class folders: one image with both classes. Twice in one
/// folder: the second is left out. In a table each has a line of its own, in YOLO a file, and gets a mask
/// of its own: both stay, and the user is told.
fn settle_duplicates(usable: Vec<Sized>, layout: Layout, problems: &mut Vec<Problem>) -> Vec<Sized> {
    let blobs: Vec<_> = usable.iter().map(|(image, _)| image.blob.clone()).collect();
    let first = duplicates::first_of_equals(&blobs);
    let mut kept: Vec<Sized> = Vec::with_capacity(usable.len());
    let mut place = vec![0; usable.len()];
    for (at, (image, size)) in usable.into_iter().enumerate() {
        place[at] = kept.len();
        if first[at] == at {
            kept.push((image, size));
            continue;
        }
        let original = &mut kept[place[first[at]]].0;
        let outcome = match layout {
            Layout::ClassFolders if !image.labels.is_subset(&original.labels) => {
                original.labels.extend(image.labels);
                original.boxes.extend(image.boxes);
                continue;
            }
            Layout::ClassFolders => "Left out",
            Layout::Photos | Layout::Voc | Layout::Coco => "Both are used",
            _ if image.labels == original.labels => "Both are used",
            Layout::BoxesTable | Layout::Yolo => "Their labels differ: check their boxes. Both are used",
            Layout::LabelsTable => "Their labels differ: check both lines. Both are used",
            Layout::LabelStudio | Layout::Cvat | Layout::VocXml => {
                "Their labels differ: check their annotations. Both are used"
            }
        };
        let reason = format!("The same picture as {}. {outcome}.", original.path);
        problems.push(Problem { count: 1, path: image.path.clone(), kind: ProblemKind::Duplicate, reason });
        if layout != Layout::ClassFolders {
            kept.push((image, size));
        }
    }
    kept
}

fn nothing_usable(files: &FileSet, parts: &Parts<'_>, problems: &[Problem]) -> Error {
    let looked_for = "a folder per class with JPEG, PNG, WebP or BMP images, or images and a labels.csv \
                      or boxes.csv, or annotations of Label Studio, CVAT, COCO or PASCAL VOC";
    let found = match (files.entries().len(), parts.images.len(), parts.table.is_some()) {
        (0, ..) => "there are no files".to_owned(),
        (1, 0, _) => "the file is no image of these formats".to_owned(),
        (count, 0, _) => format!("none of the {count} files is an image of these formats"),
        (_, images, true) => format!("none of the {images} images can be read and is named in labels.csv"),
        (_, images, false) => format!("none of the {images} images can be read and lies in a class folder"),
    };
    let example = problems.iter().find(|problem| problem.kind != ProblemKind::OtherFile);
    let example =
        example.map_or(String::new(), |first| format!("; for one, {}: {}", first.path, first.reason));
    Error::NoData { reason: format!("looked for {looked_for}, but {found}{example}") }
}

/// The text of a small file; a byte-order mark is taken off.
fn text_bytes(file: &FileEntry) -> Result<Vec<u8>> {
    let length = file.blob.len();
    if length > limits::TEXT_BYTES {
        return Err(Error::TooLarge {
            what: "the text file",
            found: format!("{} MB", length >> 20),
            limit: format!("{} MB", limits::TEXT_BYTES >> 20),
            path: file.path.clone(),
        });
    }
    let mut bytes = file.blob.read_at(0, length as usize).map_err(|source| Error::Io {
        action: "read",
        path: file.path.clone(),
        source,
    })?;
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// The line of `bytes` that a record of it starts on, from 1: empty lines before it are not its own.
fn line_of(record: &csv::ByteRecord, bytes: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let before = bytes.iter().skip(position.byte() as usize).take_while(|byte| b"\r\n".contains(byte));
    position.line() + before.filter(|&&byte| byte == b'\n').count() as u64
}

/// Names that mean "none of the classes" where labels or folders are named.
pub(crate) fn means_no_class(label: &str) -> bool {
    let label = label.to_lowercase();
    ["background", "none", "negative", "negatives", "unlabelled", "unlabeled", "no_label", "no-label"]
        .contains(&label.as_str())
}

#[cfg(test)]
mod tests;
