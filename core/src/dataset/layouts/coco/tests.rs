use serde_json::{Value, json};

use crate::dataset::{Dataset, Item, Layout, ObjectBox, ProblemKind, read_split};
use crate::error::{Error, Result};
use crate::files::FileSet;

fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Identifiers have gaps, and their order is not that of the list.
fn categories() -> Value {
    json!([
        {"supercategory": "person", "id": 1, "name": "person"},
        {"supercategory": "sports", "id": 90, "name": "toothbrush"},
        {"supercategory": "animal", "id": 13, "name": "cow"},
    ])
}

fn annotations(images: Value, annotations: Value) -> Vec<u8> {
    let file = json!({
        "info": {"year": 2014}, "annotations": annotations, "licenses": [{"id": 1}], "images": images,
        "categories": categories(),
    });
    file.to_string().into_bytes()
}

fn object(image: i64, category: i64, bbox: Value, segmentation: Value) -> Value {
    json!({"image_id": image, "category_id": category, "iscrowd": 0, "area": 1.0, "id": 7, "bbox": bbox,
           "segmentation": segmentation})
}

fn val() -> Vec<u8> {
    let square = json!([[1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]]);
    let mut crowd =
        object(3, 1, json!([0, 0, 7, 5]), json!({"size": [5, 7], "counts": [0, 1, 10, 3, 2, 3, 2, 3, 11]}));
    crowd["iscrowd"] = json!(1);
    annotations(
        json!([
            {"id": 3, "file_name": "b.png", "width": 7, "height": 5},
            {"id": 9, "file_name": "a.png", "width": 7, "height": 5},
            {"id": 11, "file_name": "gone.png"},
        ]),
        json!([
            object(3, 90, json!([1.0, 1.0, 3.0, 2.0]), square),
            crowd,
            object(3, 13, json!([2.0, 1.0, 3.0, 3.0]), json!({"size": [5, 7], "counts": "01:2H0009"})),
        ]),
    )
}

fn tree(val: Vec<u8>) -> FileSet {
    let train = annotations(
        json!([{"id": 1, "file_name": "c.png"}]),
        json!([object(1, 13, json!([0, 0, 4, 4]), json!([[0, 0, 4, 0, 4, 4]]))]),
    );
    FileSet::memory(vec![
        ("coco/annotations/instances_val2014.json".into(), val),
        ("coco/annotations/instances_train2014.json".into(), train),
        ("coco/annotations/captions_val2014.json".into(), b"{".to_vec()),
        ("coco/val2014/a.png".into(), photo(7, 5)),
        ("coco/val2014/b.png".into(), photo(7, 5)),
        ("coco/images/train2014/c.png".into(), photo(6, 6)),
    ])
}

fn read(val: Vec<u8>, split: Option<&str>) -> Result<Dataset> {
    read_split(&tree(val), split, &mut |_, _| {})
}

fn mask(item: &Item) -> Vec<u8> {
    item.mask.as_ref().unwrap().decode("m").unwrap().labels
}

#[test]
fn annotations_give_labels_boxes_and_masks() {
    let dataset = read(val(), Some("val2014")).unwrap();
    assert_eq!(
        (dataset.layout, dataset.classes.as_slice()),
        (Layout::Coco, &["person", "toothbrush", "cow"].map(str::to_owned)[..])
    );
    let paths: Vec<&str> = dataset.items.iter().map(|item| item.path.as_str()).collect();
    assert_eq!(paths, ["val2014/a.png", "val2014/b.png"]);
    let [a, b] = &dataset.items[..] else { panic!() };
    assert_eq!((b.labels.as_slice(), a.labels.as_slice()), (&[0, 1, 2][..], &[][..]));
    // The crowd has none.
    let boxes = [
        ObjectBox { class: 1, x0: 1.0, y0: 1.0, x1: 4.0, y1: 3.0 },
        ObjectBox { class: 2, x0: 2.0, y0: 1.0, x1: 5.0, y1: 4.0 },
    ];
    assert_eq!((b.boxes.as_slice(), dataset.summary().boxes), (&boxes[..], 2));
    // The cow and the crowd have the same 10 pixels, the brush 6: it lies on top, the crowd below.
    #[rustfmt::skip]
    assert_eq!(mask(b), [
        3, 0, 0, 0, 0, 0, 0,
        0, 2, 2, 2, 3, 0, 0,
        0, 2, 2, 2, 3, 0, 0,
        0, 0, 3, 3, 3, 0, 0,
        0, 0, 0, 0, 0, 0, 0,
    ]);
    assert_eq!(mask(a), [0; 35], "no object is no class, and background");
    let reasons: Vec<&str> = dataset.problems.iter().map(|problem| problem.reason.as_str()).collect();
    assert_eq!(reasons, ["1 of its images is not there: gone.png. Left out."]);
}

#[test]
fn a_split_is_a_file_of_annotations_and_without_one_all_are_read() {
    let train = read(val(), Some("train2014")).unwrap();
    assert_eq!(train.items[0].path, "images/train2014/c.png");
    assert_eq!(mask(&train.items[0])[..7], [3, 3, 3, 3, 0, 0, 0]);
    assert_eq!(read(val(), None).unwrap().items.len(), 3);
    let error = read(val(), Some("test2014")).err().unwrap().to_string();
    assert!(error.contains("the splits train2014, val2014"), "{error}");
}

#[test]
fn what_is_wrong_with_an_object_is_listed_and_its_image_is_not_scored() {
    let images = json!([
        {"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"},
        {"id": 3, "file_name": "../../etc/passwd"}, {"id": 4, "file_name": "/val2014/a.png"},
        {"id": 5, "file_name": "a.png"},
    ]);
    let fine = json!([[0, 0, 4, 0, 4, 4]]);
    let found = |objects: Value| {
        let dataset = read(annotations(images.clone(), objects), Some("val2014")).unwrap();
        let masks: Vec<bool> = dataset.items.iter().map(|item| item.mask.is_some()).collect();
        let boxes = dataset.summary().boxes;
        let kinds: Vec<ProblemKind> = dataset.problems.iter().map(|problem| problem.kind).collect();
        use ProblemKind::{Duplicate, LabelWithoutImage};
        let rest = [LabelWithoutImage, LabelWithoutImage, Duplicate];
        let own = kinds.into_iter().filter(|kind| !rest.contains(kind)).collect::<Vec<_>>();
        (masks, boxes, own)
    };
    use ProblemKind::{BadBox, BadLine, BadMask};
    let usual = json!([0, 0, 4, 4]);
    for segmentation in [
        json!({"size": [5, 7], "counts": [0, 36]}),
        json!({"size": [5, 7], "counts": [0, -35, 70]}),
        json!({"size": [7, 5], "counts": [0, 35]}),
        json!({"size": [-5, -7], "counts": [0, 35]}),
        json!({"size": [4_000_000_000i64, 4_000_000_000i64], "counts": [0, 35]}),
        json!({"size": [5, 7], "counts": "no code"}),
        json!({"size": [5, 7], "counts": "oooooooooooooooooo"}),
        json!({"counts": "0"}),
        json!([[0, 0, 4, 0, 4]]),
        json!([[0, 0, 4, 1e200, 4, 4]]),
        json!(null),
        json!([]),
    ] {
        let bad = object(1, 1, usual.clone(), segmentation.clone());
        let outcome = found(json!([object(2, 1, usual.clone(), fine.clone()), bad]));
        assert_eq!(outcome, (vec![false, true], 2, vec![BadMask]), "{segmentation}");
    }
    for bbox in [
        json!([5, 0, 9, 2]),
        json!([1, 1, 0, 2]),
        json!([1, 1, -1, 2]),
        json!([1, 2, 3]),
        json!([1e200, 0, 1, 1]),
    ] {
        let outcome = found(json!([object(1, 1, bbox.clone(), fine.clone())]));
        assert_eq!(outcome, (vec![true, true], 0, vec![BadBox]), "{bbox}");
    }
    let outcome = found(json!([object(1, 77, usual.clone(), fine.clone())]));
    assert_eq!(outcome, (vec![false, true], 0, vec![BadLine, BadMask, BadBox]));
    let outcome = found(json!([object(99, 1, usual, fine)]));
    assert_eq!(outcome, (vec![true, true], 0, vec![BadLine]));
}

#[test]
fn a_split_without_a_folder_finds_its_images_by_name() {
    let photos = |paths: &[&str]| {
        let minival = annotations(
            json!([{"id": 1, "file_name": "c.png"}]),
            json!([object(1, 13, json!([0, 0, 4, 4]), json!([[0, 0, 4, 0, 4, 4]]))]),
        );
        let mut files = vec![("annotations/instances_minival2014.json".to_owned(), minival)];
        files.extend(paths.iter().map(|&path| (path.to_owned(), photo(6, 6))));
        let dataset = read_split(&FileSet::memory(files), Some("minival2014"), &mut |_, _| {});
        dataset.map(|dataset| dataset.items[0].path.clone())
    };
    assert_eq!(photos(&["val2014/c.png", "val2014/d.png"]).unwrap(), "val2014/c.png");
    assert!(photos(&["val2014/c.png", "train2014/c.png"]).is_err(), "either may be meant");
    assert!(photos(&["val2014/c.png", "minival2014/d.png"]).is_err(), "the split has a folder");
}

#[test]
fn many_empty_parts_take_no_memory_and_endless_painting_is_refused() {
    let read_one = |segmentations: Vec<Value>| {
        let objects = segmentations.into_iter().map(|one| object(9, 1, json!([0, 0, 4, 4]), one)).collect();
        let images = json!([{"id": 9, "file_name": "a.png"}]);
        let dataset = read(annotations(images, Value::Array(objects)), Some("val2014")).unwrap();
        let kinds: Vec<ProblemKind> = dataset.problems.iter().map(|problem| problem.kind).collect();
        (dataset.items[0].mask.as_ref().map(|_| mask(&dataset.items[0])), kinds)
    };
    let empty = json!(vec![Value::Array(Vec::new()); 10_000]);
    assert_eq!(read_one(vec![empty]), (Some(vec![0; 35]), Vec::new()));
    let mut counts = vec![0; 10_000];
    counts[9_999] = 35;
    assert_eq!(read_one(vec![json!({"size": [5, 7], "counts": counts})]), (Some(vec![1; 35]), Vec::new()));
    // Each row of the image looks at every point: 5 · 2,000,000 fit, twice that does not.
    let points: Vec<u8> = [0, 0, 7, 0, 7, 5, 0, 5].repeat(500_000);
    let far = |times| read_one(vec![json!([points]); times]);
    assert!(far(1).0.is_some());
    assert_eq!(far(2), (None, vec![ProblemKind::BadMask]));
}

#[test]
fn a_file_of_another_structure_is_an_error_that_names_it() {
    let whole = val();
    let rest = [
        b"[]".to_vec(),
        b"{}".to_vec(),
        br#"{"images": 3}"#.to_vec(),
        br#"{"images": [{"id": "x", "file_name": "a.png"}], "categories": []}"#.to_vec(),
        br#"{"categories": [{"id": 1, "name": "cow"}, {"id": 2, "name": "cow"}]}"#.to_vec(),
        br#"{"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1e999, 0, 1, 1]}]}"#.to_vec(),
        br#"{"annotations": [{"image_id": 1, "category_id": 1, "segmentation": 5}]}"#.to_vec(),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"x"].concat(),
        vec![b'['; 100_000],
    ];
    for bytes in rest {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let error = read(bytes, Some("val2014")).err().unwrap_or_else(|| panic!("{shown}"));
        assert!(matches!(error, Error::Format { .. }), "{error}");
        assert!(error.to_string().ends_with("annotations/instances_val2014.json"), "{error}");
    }
    let many: Vec<Value> = (0..300).map(|id| json!({"id": id, "name": format!("c{id}")})).collect();
    let error = read(json!({"categories": many}).to_string().into_bytes(), Some("val2014")).err().unwrap();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[test]
fn damaged_annotations_never_panic() {
    let whole = val();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] = b"0-9\"[]{}e,"[at % 10];
        for item in read(bytes, Some("val2014")).iter().flat_map(|dataset| &dataset.items) {
            if let Some(mask) = &item.mask {
                assert!(mask.decode("m").is_ok());
            }
        }
        let _ = read(whole[..at].to_vec(), Some("val2014"));
    }
}

/// A file of any name, with photos of 7 × 5 pixels.
fn read_anywhere(files: Vec<(&str, Vec<u8>)>, photos: &[&str]) -> Result<Dataset> {
    let photos = (0u8..).zip(photos).map(|(seed, path)| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = image::RgbImage::from_pixel(7, 5, image::Rgb([seed, 0, 0]));
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        (path.to_string(), bytes.into_inner())
    });
    let files = files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes));
    read_split(&FileSet::memory(files.chain(photos).collect()), None, &mut |_, _| {})
}

fn labels(dataset: &Dataset) -> Vec<(&str, &[u16])> {
    dataset.items.iter().map(|item| (item.path.as_str(), item.labels.as_slice())).collect()
}

#[test]
fn a_file_of_any_name_finds_its_images() {
    let mut with_mark = b"\xEF\xBB\xBF".to_vec();
    with_mark.extend(val());
    let other = json!({
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "C:\\x\\c.png"},
                   {"id": 3, "file_name": "../../d.png"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]},
                        {"image_id": 3, "category_id": 4, "bbox": [0, 0, 2, 2]}],
        "categories": [{"id": 1, "name": "cow"}, {"id": 4, "name": "<img src=x>"}],
    });
    let dataset = read_anywhere(
        vec![("train/_annotations.coco.json", with_mark), ("valid/x.json", other.to_string().into_bytes())],
        &["train/a.png", "train/b.png", "valid/images/a.png", "more/c.png", "more/d.png"],
    )
    .unwrap();
    assert_eq!((dataset.layout, dataset.classes.len()), (Layout::Coco, 4));
    let expected = [
        ("more/c.png", &[][..]),
        ("more/d.png", &[3]),
        ("train/a.png", &[]),
        ("train/b.png", &[0, 1, 2]),
        ("valid/images/a.png", &[2]),
    ];
    assert_eq!(labels(&dataset), expected);
    assert_eq!(mask(&dataset.items[3])[0], 3);
    let finding = "COCO JSON: 2 files as _annotations.coco.json, 4 classes from categories, 4 boxes, 3 masks \
                   for scoring";
    assert_eq!(dataset.finding, finding);
}

#[test]
fn files_for_detection_miss_no_masks_and_damaged_ones_are_refused() {
    let file = annotations(
        json!([{"id": 1, "file_name": "a.png"}]),
        json!([object(1, 13, json!([0, 0, 2, 2]), json!([]))]),
    );
    let dataset = read_anywhere(vec![("x.json", file.clone())], &["cow/a.png"]).unwrap();
    assert_eq!((dataset.problems.as_slice(), dataset.summary().with_mask), (&[][..], 0));
    let text = String::from_utf8(file).unwrap();
    let wrong = text.replace("\"category_id\":13", "\"category_id\":\"cow\"");
    let refused = read_anywhere(vec![("x.json", wrong.into_bytes())], &["cow/a.png"]).err().unwrap();
    assert!(matches!(&refused, Error::Format { path, .. } if path == "x.json"), "{refused}");
    for cut in 0..text.len() {
        let _ = read_anywhere(vec![("x.json", text.as_bytes()[..cut].to_vec())], &["cow/a.png"]);
    }
}

#[test]
fn the_most_explicit_of_several_is_read_and_the_others_are_told() {
    let coco = || {
        annotations(
            json!([{"id": 1, "file_name": "a.png"}]),
            json!([object(1, 13, json!([0, 0, 2, 2]), json!([]))]),
        )
    };
    let studio = r#"[{"data": {"image": "a.png"}, "annotations": [{"result": [
        {"type": "choices", "value": {"choices": ["ape"]}}]}]}]"#;
    let cvat = "<annotations><image name=\"a.png\"><tag label=\"cat\"/></image></annotations>";
    let all = [
        ("labels.csv", b"image,labels\na.png,bat\n".to_vec(), "bat"),
        ("b.json", studio.into(), "ape"),
        ("c.xml", cvat.into(), "cat"),
        ("a.json", coco(), "person"),
        ("train.csv", b"image,labels\na.png,dog\n".to_vec(), "dog"),
        ("boxes.csv", b"a.png,elk,1,1,2,2\n".to_vec(), "elk"),
    ];
    for (at, (winner, _, class)) in all.iter().enumerate() {
        let files = all[at..].iter().map(|(path, bytes, _)| (*path, bytes.clone())).collect();
        let dataset = read_anywhere(files, &["x/a.png"]).unwrap();
        assert_eq!(dataset.classes[0], *class, "{winner}");
        let told = dataset.problems.iter().filter(|problem| problem.kind == ProblemKind::OtherLayout);
        // Boxes go with a table of labels.
        let with_boxes = usize::from(winner.ends_with("csv"));
        assert_eq!(told.count(), all.len() - 1 - at - with_boxes.min(all.len() - 1 - at), "{winner}");
    }
}
