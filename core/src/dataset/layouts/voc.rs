//! PASCAL VOC: photos in `JPEGImages`, their objects in `Annotations/*.xml` or lists per class in
//! `ImageSets/Main`, masks in `SegmentationClass` (with those of the augmented set in `SegmentationClassAug`),
//! and splits as lists of names under `ImageSets`.
//!
//! An image that neither annotations nor lists name has the labels of its mask: as such sets are shared,
//! the augmented one comes without annotations; a `classes.txt` names the values, else they are the benchmark's. A problem
//! says how many images have such labels.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::{Edges, GivenBox};
use super::tally::{Forms, Tally, counted};
use super::{Labelled, Problem, ProblemKind, text_bytes};
use crate::dataset::decode;
use crate::error::{Error, Result};
use crate::export::classes_txt;
use crate::files::{FileEntry, FileSet, extension, name, stem};
use crate::masks::IGNORE;

/// The classes of VOC 2007 to 2012, in the order of their values in masks.
pub const CLASSES: [&str; 20] = [
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

/// What is said of an image.
#[derive(Default)]
pub(super) struct Given {
    pub(super) labels: BTreeSet<String>,
    pub(super) boxes: Vec<GivenBox>,
    /// The image, as an annotation names it.
    pub(super) file_name: Option<String>,
}

/// What was found.
pub(super) struct Voc<'a> {
    pub(super) labelled: Vec<Labelled>,
    /// Masks of the labelled images, one each.
    pub(super) masks: Vec<&'a FileEntry>,
    /// The classes, in the order of their values in masks.
    pub(super) classes: Vec<String>,
}

/// Whether the files are laid out as VOC's are.
pub(super) fn is_voc(files: &FileSet) -> bool {
    let any = |folder| files.entries().iter().any(|entry| is_in(&entry.path, folder));
    any("JPEGImages") && (any("Annotations") || any("ImageSets"))
}

/// Reads the images of a split, or all that have labels.
///
/// # Errors
/// [`Error::Setting`] when there is no list of that name, and those of reading text files.
pub(super) fn read<'a>(
    files: &'a FileSet,
    split: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Result<Voc<'a>> {
    let wanted = split.map(|split| names_of_split(files, split)).transpose()?;
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
    let images: BTreeMap<&str, &FileEntry> = files
        .entries()
        .iter()
        .filter(|entry| is_in(&entry.path, "JPEGImages"))
        .map(|entry| (name(stem(&entry.path)), entry))
        .filter(|(name, _)| is_wanted(name))
        .collect();
    let all: BTreeSet<&str> =
        files.entries().iter().filter(|entry| is_in(&entry.path, "JPEGImages")).map(image_of).collect();
    let (mut given, annotated) = given(files, &all, &images, problems)?;
    let masks = masks(files, &images);
    let found: BTreeSet<&String> = given.values().flat_map(|given| &given.labels).collect();
    // Values in masks are VOC's only where something else says that this is VOC.
    let is_augmented = || files.entries().iter().any(|entry| is_in(&entry.path, "SegmentationClassAug"));
    let is_standard =
        found.iter().all(|name| CLASSES.contains(&name.as_str())) && (!found.is_empty() || is_augmented());
    // As we write them ourselves: a list beside the folders, in the order of values in masks.
    let listed = listed(files)?.filter(|listed| found.iter().all(|name| listed.contains(name)));
    let values = match listed {
        Some(listed) => Some(listed),
        // The whole list, whichever of its classes occur.
        None => is_standard.then(|| CLASSES.map(str::to_owned).to_vec()),
    };
    let classes = match values {
        Some(classes) => {
            label_by_masks(&mut given, &annotated, &masks, &classes, problems);
            classes
        }
        None => found.into_iter().cloned().collect(),
    };
    let mut labelled = Vec::new();
    let mut without = 0;
    for (name, image) in &images {
        match given.remove(*name) {
            Some(Given { labels, boxes, .. }) => {
                let (path, blob) = (image.path.clone(), image.blob.clone());
                labelled.push(Labelled { path, blob, labels, boxes });
            }
            // One whose annotation is damaged is told of already.
            None if annotated.contains(name) => {}
            None => without += 1,
        }
    }
    // As of every layout, whatever finds them: a project that is packed and read again has the same photos by number.
    labelled.sort_by(|a, b| a.path.cmp(&b.path));
    if without > 0 {
        let what = counted(without, ["image has", "images have"]);
        let reason = format!("{what} no annotations, no line in a list and no mask. Left out.");
        problems.push(Problem {
            path: "JPEGImages".into(),
            kind: ProblemKind::ImageWithoutLabel,
            count: without,
            reason,
        });
    }
    Ok(Voc { labelled, masks: masks.into_values().collect(), classes })
}

/// Names of classes in a `classes.txt` beside the folders, without the background; `None` where there is none.
fn listed(files: &FileSet) -> Result<Option<Vec<String>>> {
    let Some(file) = files.entries().iter().find(|entry| name(&entry.path) == "classes.txt") else {
        return Ok(None);
    };
    let names = classes_txt::decode(&String::from_utf8_lossy(&text_bytes(file)?));
    Ok((!names.is_empty()).then_some(names))
}

fn image_of(entry: &FileEntry) -> &str {
    name(stem(&entry.path))
}

/// Labels of images that nothing but a mask tells of, no damaged annotation either: those of `classes` in it.
fn label_by_masks(
    given: &mut BTreeMap<String, Given>,
    annotated: &BTreeSet<&str>,
    masks: &BTreeMap<&str, &FileEntry>,
    classes: &[String],
    problems: &mut Vec<Problem>,
) {
    let mut count = 0;
    for (&image, mask) in masks {
        if given.contains_key(image) || annotated.contains(image) {
            continue;
        }
        // One that cannot be read is told of where masks are checked.
        let Ok(map) = decode::mask(mask.blob.as_ref(), &mask.path) else { continue };
        let values: BTreeSet<u8> = map.labels.into_iter().collect();
        let named = values.into_iter().filter(|&value| value != 0 && value != IGNORE);
        let labels = named.map(|value| classes.get(usize::from(value) - 1).cloned());
        let Some(labels) = labels.collect::<Option<BTreeSet<_>>>() else { continue };
        given.insert(image.to_owned(), Given { labels, ..Given::default() });
        count += 1;
    }
    if count > 0 {
        let what = [
            "image has neither annotations nor a line in a list: the classes in its mask are its labels",
            "images have neither annotations nor a line in a list: the classes in their masks are their labels",
        ];
        let reason = format!("{}.", counted(count, what));
        problems.push(Problem { count, path: "JPEGImages".into(), kind: ProblemKind::LabelFromMask, reason });
    }
}

/// Whether one of the folders of a path has this name.
pub(super) fn is_in(path: &str, folder: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(|each| each == folder))
}

/// Names on the list `split`: one a line, or pairs of paths of an image and its mask, as the augmented list
/// has them.
fn names_of_split(files: &FileSet, split: &str) -> Result<BTreeSet<String>> {
    let lists = || {
        let is_list = |entry: &&FileEntry| extension(&entry.path) == "txt" && is_in(&entry.path, "ImageSets");
        files.entries().iter().filter(is_list)
    };
    let list = lists().find(|entry| name(stem(&entry.path)) == split).ok_or_else(|| {
        let mut known: BTreeSet<&str> = lists().map(|entry| name(stem(&entry.path))).collect();
        // Lists per class are many, and none of them is a split.
        known.retain(|name| !name.contains('_') || name.starts_with("train"));
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        Error::Setting { name: "split", reason: format!("there is no list \"{split}\"; there are {known}") }
    })?;
    let text = text_bytes(list)?;
    let first_word = |line: &str| line.split_whitespace().next().map(|word| name(stem(word)).to_owned());
    Ok(String::from_utf8_lossy(&text).lines().filter_map(first_word).collect())
}

/// What annotations and lists say of `images`, by image name, and the names of images with annotations, damaged or not.
/// `known` are all that there are, wanted or not.
fn given<'a>(
    files: &'a FileSet,
    known: &BTreeSet<&str>,
    images: &BTreeMap<&str, &FileEntry>,
    problems: &mut Vec<Problem>,
) -> Result<(BTreeMap<String, Given>, BTreeSet<&'a str>)> {
    let mut all: BTreeMap<String, Given> = BTreeMap::new();
    let mut annotated: BTreeSet<&'a str> = BTreeSet::new();
    let (mut gone, mut unlisted) = (Tally::default(), Tally::default());
    for entry in files.entries() {
        let image = image_of(entry);
        if extension(&entry.path) != "xml" || !is_in(&entry.path, "Annotations") {
            continue;
        }
        if !known.contains(image) {
            gone.add(|| entry.path.clone());
        }
        if !images.contains_key(image) {
            continue;
        }
        annotated.insert(image);
        match objects(&text_bytes(entry)?) {
            Ok(objects) => drop(all.insert(image.to_owned(), objects)),
            Err(reason) => problems.push(Problem {
                count: 1,
                path: entry.path.clone(),
                kind: ProblemKind::BadLine,
                reason: format!("It cannot be read ({reason}). Its image is left out."),
            }),
        }
    }
    // Where there are no annotations, a list per class: 1 says that an image has it.
    for entry in files.entries() {
        if extension(&entry.path) != "txt" || !is_in(&entry.path, "ImageSets") || !is_in(&entry.path, "Main")
        {
            continue;
        }
        let Some((class, _)) = name(stem(&entry.path)).rsplit_once('_') else { continue };
        let text = text_bytes(entry)?;
        for line in String::from_utf8_lossy(&text).lines() {
            let mut words = line.split_whitespace();
            let (Some(image), Some(flag)) = (words.next(), words.next()) else { continue };
            if !known.contains(image) {
                unlisted.add(|| format!("{image} in {}", entry.path));
            }
            if !images.contains_key(image) || annotated.contains(image) {
                continue;
            }
            let of_image = all.entry(image.to_owned()).or_default();
            if flag == "1" {
                of_image.labels.insert(class.to_owned());
            }
        }
    }
    let tell = |tally: Tally, path: &str, what: Forms, problems: &mut Vec<Problem>| {
        tally.tell(path, ProblemKind::LabelWithoutImage, what, problems);
    };
    let what =
        ["annotation is of an image that is not there", "annotations are of images that are not there"];
    tell(gone, "Annotations", what, problems);
    let what =
        ["line of lists names an image that is not there", "lines of lists name images that are not there"];
    tell(unlisted, "ImageSets/Main", what, problems);
    Ok((all, annotated))
}

/// The objects of an annotation.
///
/// # Errors
/// What is wrong with the XML.
pub(super) fn objects(xml: &[u8]) -> Result<Given, String> {
    let text = std::str::from_utf8(xml).map_err(|error| error.to_string())?;
    let document = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
    let members = || document.root_element().children();
    let file_name = members().find(|node| node.has_tag_name("filename")).and_then(|node| node.text());
    let objects = members().filter(|node| node.has_tag_name("object"));
    let mut given = Given { file_name: file_name.map(|name| name.trim().to_owned()), ..Given::default() };
    for object in objects {
        let child = |name| object.children().find(|node| node.has_tag_name(name));
        let class = child("name").and_then(|name| name.text()).unwrap_or_default().trim().to_owned();
        if let Some(bndbox) = child("bndbox") {
            given.boxes.push(GivenBox {
                class: class.clone(),
                edges: Edges::Pixels(edges(bndbox)),
                line: None,
            });
        }
        if !class.is_empty() {
            given.labels.insert(class);
        }
    }
    Ok(given)
}

/// Edges of a `bndbox`. VOC counts pixels from 1 and names the last one inside, so that a box from 1 to 1 is
/// one pixel wide: here from 0 to 1. What is missing is no number.
fn edges(bndbox: roxmltree::Node<'_, '_>) -> [f32; 4] {
    let number = |name| {
        let node = bndbox.children().find(|node| node.has_tag_name(name))?;
        node.text()?.trim().parse::<f32>().ok()
    };
    let [x0, y0, x1, y1] = ["xmin", "ymin", "xmax", "ymax"].map(|name| number(name).unwrap_or(f32::NAN));
    [x0 - 1.0, y0 - 1.0, x1, y1]
}

/// Masks of these images, by name; the augmented set's where it has one, as it has more.
fn masks<'a>(files: &'a FileSet, images: &BTreeMap<&str, &FileEntry>) -> BTreeMap<&'a str, &'a FileEntry> {
    let mut found: BTreeMap<&str, &FileEntry> = BTreeMap::new();
    for folder in ["SegmentationClassAug", "SegmentationClass"] {
        for entry in files.entries().iter().filter(|entry| is_in(&entry.path, folder)) {
            let image = name(stem(&entry.path));
            if extension(&entry.path) == "png" && images.contains_key(image) {
                found.entry(image).or_insert(entry);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset, Layout, ObjectBox, read_split};
    use crate::export::palette_png;
    use crate::masks::LabelMap;

    fn annotation(objects: &[&str]) -> Vec<u8> {
        let object = |name: &&str| {
            let edges = "<xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>3</ymax>";
            let part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>";
            format!("<object><name>{name}</name>{part}<bndbox>{edges}</bndbox></object>")
        };
        let objects: String = objects.iter().map(object).collect();
        format!("<annotation><filename>x.jpg</filename>{objects}</annotation>").into_bytes()
    }

    fn photo() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(4, 3).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn mask(label: u8) -> Vec<u8> {
        palette_png::encode(&LabelMap { width: 4, height: 3, labels: vec![label; 12] }).unwrap()
    }

    /// A small tree of the same layout, under the folders that the archive unpacks to.
    fn tree(with_annotations: bool) -> FileSet {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut add = |path: &str, bytes: Vec<u8>| files.push((format!("VOCdevkit/VOC2012/{path}"), bytes));
        for name in ["2007_000032", "2008_000001", "2009_000002", "2010_000003"] {
            // The names end in .jpg; the content is what counts.
            add(&format!("JPEGImages/{name}.png"), photo());
        }
        if with_annotations {
            add("Annotations/2007_000032.xml", annotation(&["person", "aeroplane", "person"]));
            add("Annotations/2008_000001.xml", annotation(&["cow"]));
            add("Annotations/2009_000002.xml", b"<annotation><object>".to_vec());
        } else {
            add("ImageSets/Main/person_train.txt", b"2007_000032  1\n2008_000001 -1\n".to_vec());
            add("ImageSets/Main/cow_train.txt", b"2007_000032  0\n2008_000001  1\n".to_vec());
        }
        add("ImageSets/Segmentation/train.txt", b"2007_000032\n".to_vec());
        let pair = b"/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png\n/JPEGImages/2008_000001.jpg x\n";
        add("ImageSets/Segmentation/train_aug.txt", pair.to_vec());
        add("SegmentationClass/2007_000032.png", mask(15));
        add("SegmentationClassAug/2007_000032.png", mask(1));
        add("SegmentationClassAug/2008_000001.png", mask(10));
        add("SegmentationObject/2007_000032.png", mask(1));
        FileSet::memory(files)
    }

    fn names(dataset: &Dataset) -> Vec<(String, Vec<&str>)> {
        let of_item = |item: &crate::dataset::Item| {
            let labels = item.labels.iter().map(|&class| dataset.classes[usize::from(class)].as_str());
            (item.stem.clone(), labels.collect())
        };
        dataset.items.iter().map(of_item).collect()
    }

    fn read(split: Option<&str>, with_annotations: bool) -> Result<Dataset> {
        read_split(&tree(with_annotations), split, &mut |_, _| {})
    }

    #[test]
    fn annotations_label_the_images_and_the_augmented_masks_score_them() {
        let dataset = read(None, true).unwrap();
        assert_eq!((dataset.layout, dataset.classes.len()), (Layout::Voc, 20));
        let expected = [("2007_000032", vec!["aeroplane", "person"]), ("2008_000001", vec!["cow"])];
        assert_eq!(names(&dataset), expected.map(|(name, labels)| (name.to_owned(), labels)));
        let first = dataset.items[0].mask.as_ref().unwrap();
        assert_eq!(first.decode("m").unwrap().labels, [1; 12]);
        let reasons: Vec<&str> = dataset.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(reasons, ["JPEGImages", "Annotations/2009_000002.xml"], "{:?}", dataset.problems);
    }

    #[test]
    fn boxes_go_from_the_first_pixel_s_edge_to_the_last_s() {
        let dataset = read(None, true).unwrap();
        let of = |class: u16| ObjectBox { class, x0: 0.0, y0: 1.0, x1: 4.0, y1: 3.0 };
        assert_eq!(dataset.items[0].boxes, [of(14), of(0), of(14)]);
        assert_eq!(dataset.summary().boxes, 4);
        let bad = |edges: &str| {
            let object = format!("<a><object><name>cow</name><bndbox>{edges}</bndbox></object></a>");
            let mut files = vec![("JPEGImages/a.png".to_owned(), photo())];
            files.push(("Annotations/a.xml".to_owned(), object.into_bytes()));
            let dataset = read_split(&FileSet::memory(files), None, &mut |_, _| {}).unwrap();
            assert!(dataset.items[0].boxes.is_empty() && dataset.items[0].labels == [9], "{edges}");
            dataset.problems.into_iter().map(|problem| problem.kind).collect::<Vec<_>>()
        };
        for edges in [
            "<xmin>1</xmin>",
            "<xmin>3</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>",
            "<xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>2</ymax>",
            "<xmin>a</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>",
        ] {
            assert_eq!(bad(edges), [ProblemKind::BadBox], "{edges}");
        }
    }

    #[test]
    fn masks_label_what_nothing_else_names() {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut add = |path: &str, bytes: Vec<u8>| files.push((path.to_owned(), bytes));
        for name in ["a", "b", "c", "d"] {
            add(&format!("JPEGImages/{name}.png"), photo());
        }
        add("ImageSets/Main/cow_train.txt", b"a 1\n".to_vec());
        add("ImageSets/Segmentation/train_aug.txt", b"a\nb\nc\nd\n".to_vec());
        let of = |labels: Vec<u8>| palette_png::encode(&LabelMap { width: 4, height: 3, labels }).unwrap();
        add("SegmentationClassAug/a.png", mask(1));
        add("SegmentationClassAug/b.png", of(vec![0, 0, 0, 255, 255, 15, 15, 3, 3, 3, 0, 0]));
        add("SegmentationClassAug/c.png", mask(77));
        let dataset = read_split(&FileSet::memory(files), Some("train_aug"), &mut |_, _| {}).unwrap();
        let expected = [("a", vec!["cow"]), ("b", vec!["bird", "person"])];
        assert_eq!(names(&dataset), expected.map(|(name, labels)| (name.to_owned(), labels)));
        let reasons: Vec<&str> = dataset.problems.iter().map(|problem| problem.reason.as_str()).collect();
        assert!(reasons.iter().any(|reason| reason.starts_with("1 image has neither")), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.starts_with("2 images have no")), "{reasons:?}");
    }

    #[test]
    fn masks_of_another_s_classes_and_of_damaged_annotations_label_nothing() {
        let read = |more: Vec<(&str, Vec<u8>)>| {
            let mut files = vec![
                ("JPEGImages/a.png", photo()),
                ("JPEGImages/b.png", photo()),
                ("ImageSets/Segmentation/train.txt", b"a\nb\n".to_vec()),
                ("SegmentationClass/a.png", mask(1)),
            ];
            files.extend(more);
            let files = files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect();
            read_split(&FileSet::memory(files), Some("train"), &mut |_, _| {})
        };
        assert!(read(Vec::new()).is_err(), "nothing says that 1 is an aeroplane");
        let augmented = read(vec![("SegmentationClassAug/b.png", mask(10))]).unwrap();
        let expected = [("a", vec!["aeroplane"]), ("b", vec!["cow"])];
        assert_eq!(names(&augmented), expected.map(|(name, labels)| (name.to_owned(), labels)));
        let cow = ("Annotations/b.xml", annotation(&["cow"]));
        assert_eq!(read(vec![cow.clone()]).unwrap().items.len(), 2);
        let damaged = read(vec![cow, ("Annotations/a.xml", b"<annotation><object>".to_vec())]).unwrap();
        assert_eq!(names(&damaged), [("b".to_owned(), vec!["cow"])]);
        let kinds: Vec<ProblemKind> = damaged.problems.iter().map(|problem| problem.kind).collect();
        // The annotation, and the mask that is left without its image.
        assert_eq!(kinds, [ProblemKind::BadLine, ProblemKind::BadMask]);
    }

    #[test]
    fn lists_of_classes_label_where_there_are_no_annotations() {
        let dataset = read(None, false).unwrap();
        let expected = [("2007_000032", vec!["person"]), ("2008_000001", vec!["cow"])];
        assert_eq!(names(&dataset), expected.map(|(name, labels)| (name.to_owned(), labels)));
    }

    #[test]
    fn a_split_is_a_list_of_names_or_of_pairs() {
        assert_eq!(read(Some("train"), true).unwrap().items.len(), 1);
        assert_eq!(read(Some("train_aug"), true).unwrap().items.len(), 2);
        let error = read(Some("test"), true).err().unwrap().to_string();
        assert!(error.contains("there are train, train_aug"), "{error}");
    }

    #[test]
    fn only_voc_has_splits() {
        let files = FileSet::memory(vec![("cow/a.png".into(), photo())]);
        let error = read_split(&files, Some("train"), &mut |_, _| {}).err().unwrap();
        assert!(error.to_string().contains("split"), "{error}");
    }
}
