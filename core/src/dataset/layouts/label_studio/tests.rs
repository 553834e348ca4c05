use crate::dataset::layouts::tests::{found, labels, png, read_all, set};
use crate::dataset::{Dataset, Layout, ObjectBox, ProblemKind};
use crate::error::{Error, Result};

/// A document beside pictures of 40 × 30 pixels.
fn read(json: &str, photos: &[&str]) -> Result<Dataset> {
    let photos: Vec<(&str, Vec<u8>)> = (1u8..).zip(photos).map(|(seed, path)| (*path, png(seed))).collect();
    let mut files: Vec<(&str, &[u8])> = vec![("export/project.json", json.as_bytes())];
    files.extend(photos.iter().map(|(path, bytes)| (*path, bytes.as_slice())));
    read_all(set(&files))
}

fn reasons(dataset: &Dataset) -> Vec<&str> {
    dataset.problems.iter().map(|problem| problem.reason.as_str()).collect()
}

const FULL: &str = r#"[
 {"id": 1, "annotations": [
   {"was_cancelled": true, "result": [{"type": "choices", "value": {"choices": ["Sheep"]}}]},
   {"was_cancelled": false, "result": [{"type": "choices", "value": {"choices": ["Cat", "Dog"]}}]}
  ], "file_upload": "0a1b2c3d-a_b.png", "data": {"image": "/data/upload/1/0a1b2c3d-a_b.png"},
  "predictions": [{"result": [{"type": "choices", "value": {"choices": ["Wolf"]}}]}]},
 {"id": 2, "data": {"note": "x", "picture": "https://host.example/set/c.png?sig=1"}, "annotations": [{"result": [
   {"type": "rectanglelabels", "original_width": 40, "original_height": 30,
    "value": {"x": 10, "y": 20, "width": 50.0, "height": 40, "rotation": 0, "rectanglelabels": ["Cow"]}},
   {"type": "textarea", "value": {"text": ["hello"]}},
   {"type": "brushlabels", "value": {"format": "rle", "rle": [1, 2, 3], "brushlabels": ["Grass"]}}]}]},
 {"id": 3, "data": {"image": "s3://bucket/d.png"}, "annotations": [{"result": [
   {"type": "polygonlabels", "original_width": 40, "original_height": 30,
    "value": {"points": [[0, 0], [50, 0], [50, 100], [0, 100]], "polygonlabels": ["Dog"]}}]}]},
 {"id": 4, "data": {"image": "e.png"}, "annotations": []},
 {"id": 5, "data": {"image": "f.png"}, "annotations": [{"result": []}]}
]"#;

#[test]
fn choices_and_marks_label_images() {
    let photos = ["a b.png", "photos/c.png", "photos/0a1b2c3d-d.png", "e.png", "f.png"];
    let dataset = read(FULL, &photos).unwrap();
    assert_eq!(dataset.layout, Layout::LabelStudio);
    assert_eq!(dataset.classes, ["Cat", "Cow", "Dog", "Grass"]);
    let expected = [
        ("a b.png", &[0, 2][..]),
        ("f.png", &[]),
        ("photos/0a1b2c3d-d.png", &[2]),
        ("photos/c.png", &[1, 3]),
    ];
    assert_eq!(labels(&dataset), expected);
    let cow = dataset.items[3].boxes[0];
    assert_eq!((cow.class, cow.x0, cow.y0), (1, 4.0, 6.0));
    assert!((cow.x1 - 24.0).abs() < 1e-4 && (cow.y1 - 18.0).abs() < 1e-4, "{cow:?}");
    assert_eq!(dataset.items[2].boxes, [ObjectBox { class: 2, x0: 0.0, y0: 0.0, x1: 20.0, y1: 30.0 }]);
    // Nothing but polygons: the left half is class 2, whose value is 3.
    let mask = dataset.items[2].mask.as_ref().unwrap().decode("m").unwrap();
    assert!((0..1200).all(|at| mask.labels[at] == if at % 40 < 20 { 3 } else { 0 }));
    assert!(dataset.items[3].mask.is_none());
    let line = "Label Studio JSON: export/project.json, 4 classes from brushes, choices, polygons, rectangles, \
                2 boxes, 1 mask for scoring";
    assert_eq!(dataset.finding, line);
    assert_eq!(
        reasons(&dataset),
        [
            "1 entry is not annotated: entry 4 (e.png). Left out.",
            "1 image has no label in it: e.png. Left out.",
        ]
    );
}

#[test]
fn json_min_is_read_by_its_order() {
    let json = "\u{feff}[\r\n\
        {\"source\": \"camera 1\", \"image\": \"/data/upload/1/01234567-a.png\", \"id\": 1, \"choice\": \"Cat\",\
         \"annotator\": 1, \"annotation_id\": 1, \"created_at\": \"now\", \"lead_time\": 1.5},\r\n\
        {\"image\": \"b.png\", \"id\": 2, \"what\": {\"choices\": [\"Cat\", \"Dog\"]}, \"annotator\": 1},\r\n\
        {\"image\": \"c.png\", \"id\": 3, \"tags\": [{\"x\": 0, \"y\": 0, \"width\": 50, \"height\": 100,\
         \"rotation\": 90, \"rectanglelabels\": [\"Cow\"], \"original_width\": 40, \"original_height\": 30}]},\r\n\
        {\"annotator\": 2, \"choice\": \"Dog\", \"id\": 4, \"image\": \"d.png\"}\r\n]\r\n";
    let dataset = read(json, &["a.png", "b.png", "c.png", "d.png"]).unwrap();
    assert_eq!(dataset.classes, ["Cat", "Cow", "Dog"]);
    let expected = [("a.png", &[0][..]), ("b.png", &[0, 2]), ("c.png", &[1]), ("d.png", &[2])];
    assert_eq!(labels(&dataset), expected);
    // 20 × 30 pixels turned by a right angle around the corner: all to the left of it, off the image.
    assert_eq!(found(&dataset), [("c.png", ProblemKind::BadBox)]);
}

#[test]
fn rectangles_are_turned_in_pixels() {
    let json = r#"[{"id": 1, "annotator": 1, "image": "a.png"}, {"image": "b.png", "id": 2, "label": [{"x": 50,
        "y": 0, "width": 25, "height": 50, "rotation": 90, "rectanglelabels": ["Cow"], "original_width": 40,
        "original_height": 30}]}]"#;
    let dataset = read(json, &["a.png", "b.png"]).unwrap();
    let cow = dataset.items[1].boxes[0];
    // 10 × 15 pixels become 15 × 10, left of 20.
    for (edge, expected) in [(cow.x0, 5.0), (cow.y0, 0.0), (cow.x1, 20.0), (cow.y1, 10.0)] {
        assert!((edge - expected).abs() < 1e-3, "{cow:?}");
    }
    assert!(dataset.items[0].labels.is_empty());
}

#[test]
fn what_is_wrong_with_an_entry_costs_no_other() {
    let json = r#"[
        {"data": {"image": "a.png"}, "annotations": [{"result": [
            {"type": "choices", "value": {"choices": ["<img src=x onerror=alert(1)>", "two\nlines", " "]}}]}]},
        5, null, {"data": 7, "annotations": 8}, {"data": {"image": "data:image/png;base64,AA"}, "annotations": []},
        {"data": {"image": "../../b.png"}, "annotations": [{"result": [
            {"type": "choices", "value": {"choices": [3]}}, {"type": "choices", "value": "x"}, 9,
            {"type": "rectanglelabels", "value": {"width": "wide", "rectanglelabels": ["Cow"]}},
            {"type": "polygonlabels", "value": {"points": [[1], 2], "polygonlabels": ["Dog"]}},
            {"type": "rectangle", "value": {"x": 1}}]}]},
        {"data": {"image": "../../etc/passwd.png"}, "annotations": [{"result": []}]},
        {"data": {"image": "a.png"}, "annotations": [{"result": []}]},
        {"data": {"image": "c.png"}, "annotations": [{"result": []}, {"result": [], "ground_truth": true}]}
    ]"#;
    let dataset = read(json, &["a.png", "b.png", "x/c.png", "y/c.png"]).unwrap();
    assert_eq!(dataset.classes, ["<img src=x onerror=alert(1)>", "Cow", "Dog", "two lines"]);
    assert_eq!(labels(&dataset), [("a.png", &[0, 3][..]), ("b.png", &[1, 2])]);
    use ProblemKind::*;
    let document = "export/project.json";
    let expected = [
        (document, LabelWithoutImage),
        (document, ImageWithoutLabel),
        (document, Duplicate),
        (document, Duplicate),
        (document, BadLine),
        (document, BadLine),
        ("b.png", BadBox),
    ];
    assert_eq!(found(&dataset), expected, "{:?}", dataset.problems);
    let reasons = reasons(&dataset);
    let of =
        |part: &str| assert!(reasons.iter().any(|reason| reason.contains(part)), "{part} in {reasons:?}");
    of("8 entries cannot be used, for one entry 2 (it is no object)");
    of("1 entry names an image that is not there: entry 7 (../../etc/passwd.png)");
    of("entry 9 (c.png) could be any of 2");
    of("1 entry has several annotations: entry 9");
    of("2 of 2 boxes cannot be: one (Cow, NaN, NaN to NaN, NaN) has edges that are no numbers");
}

#[test]
fn damaged_files_are_refused_and_never_panic() {
    for at in 0..FULL.len() {
        for damaged in [FULL[..at].to_owned(), format!("{}9e99{}", &FULL[..at], &FULL[at + 1..])] {
            match read(&damaged, &["a b.png"]) {
                Ok(_) | Err(Error::NoData { .. }) => {}
                Err(Error::Format { path, .. }) => assert_eq!(path, "export/project.json"),
                Err(other) => panic!("{other}"),
            }
        }
    }
    let cut = read(&FULL[..FULL.len() - 9], &["a b.png"]).err().unwrap();
    assert!(cut.to_string().contains("no export of Label Studio's"), "{cut}");
}

#[test]
fn listed_classes_keep_their_order_and_others_are_told() {
    let photo = png(1);
    let files: [(&str, &[u8]); 3] =
        [("project.json", FULL.as_bytes()), ("classes.txt", b"Dog\nCat\n"), ("c.png", &photo)];
    let mut files = set(&files);
    files.push(("a_b.png".into(), png(2)));
    let dataset = read_all(files).unwrap();
    assert_eq!(dataset.classes, ["Dog", "Cat"]);
    assert_eq!(labels(&dataset), [("a_b.png", &[0, 1][..]), ("c.png", &[])]);
    assert!(reasons(&dataset).iter().any(|reason| reason.contains("2 labels are not named in classes.txt")));
}

#[test]
fn images_that_are_not_there_leave_the_folders_to_label() {
    let photo = png(1);
    let dataset = read_all(set(&[("project.json", FULL.as_bytes()), ("cow/x.png", &photo)])).unwrap();
    assert_eq!((dataset.layout, dataset.classes.len()), (Layout::ClassFolders, 1));
    assert_eq!(dataset.finding, "A folder per class: 1 class");
    assert!(found(&dataset).contains(&("project.json", ProblemKind::LabelWithoutImage)));
}
