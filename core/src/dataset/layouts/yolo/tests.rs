use super::{object, places};
use crate::dataset::{Dataset, Layout, ObjectBox, ProblemKind, read};
use crate::error::{Error, Result};
use crate::files::FileSet;

/// Pictures that differ, 40 × 20 pixels.
fn photo(seed: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(40, 20, image::Rgb([seed, 0, 0]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Text files, and a photo at each path.
fn read_set(texts: &[(&str, &str)], photos: &[&str]) -> Result<Dataset> {
    let texts = texts.iter().map(|(path, text)| (path.to_string(), text.as_bytes().to_vec()));
    let photos = (0u8..).zip(photos).map(|(seed, path)| (path.to_string(), photo(seed)));
    read(&FileSet::memory(texts.chain(photos).collect()), &mut |_, _| {})
}

fn found(dataset: &Dataset) -> Vec<(&str, &[u16], usize)> {
    dataset.items.iter().map(|item| (item.path.as_str(), item.labels.as_slice(), item.boxes.len())).collect()
}

#[test]
fn boxes_are_shares_of_the_image_around_their_centres() {
    let dataset = read_set(
        &[
            ("set/data.yaml", "train: x\nnames:\n  0: cow\n  1: red fox\n  2: sheep\n"),
            ("set/labels/train/a.txt", "1 0.5 0.5 0.25 1\n2 0.1 0.2 0.1 0.2\n"),
            ("set/labels/train/b.txt", ""),
            ("set/labels/val/a.txt", "0 0.1 0.9 0.2 0.5 0.3 0.7\n"),
        ],
        &["set/images/train/a.png", "set/images/train/b.png", "set/images/val/a.png"],
    )
    .unwrap();
    assert_eq!(dataset.layout, Layout::Yolo);
    assert_eq!(dataset.classes, ["cow", "red fox", "sheep"]);
    let expected = [
        ("images/train/a.png", &[1, 2][..], 2),
        ("images/train/b.png", &[], 0),
        ("images/val/a.png", &[0], 1),
    ];
    assert_eq!(found(&dataset), expected);
    assert_eq!(dataset.items[0].boxes[0], ObjectBox { class: 1, x0: 15.0, y0: 0.0, x1: 25.0, y1: 20.0 });
    // The bounding box of an outline.
    let of_outline = dataset.items[2].boxes[0];
    for (edge, expected) in
        [(of_outline.x0, 4.0), (of_outline.y0, 10.0), (of_outline.x1, 12.0), (of_outline.y1, 18.0)]
    {
        assert!((edge - expected).abs() < 1e-4, "{of_outline:?}");
    }
    assert_eq!(dataset.problems, []);
}

#[test]
fn labels_may_lie_beside_their_images() {
    let texts = [("classes.txt", "cow\nsheep\n"), ("a.txt", "1 0.5 0.5 0.5 0.5\n"), ("readme.txt", "x")];
    let dataset = read_set(&texts, &["a.png", "b.png"]).unwrap();
    assert_eq!((dataset.layout, dataset.classes.len()), (Layout::Yolo, 2));
    assert_eq!(found(&dataset), [("a.png", &[1][..], 1), ("b.png", &[], 0)]);
    let reasons: Vec<&str> = dataset.problems.iter().map(|problem| problem.reason.as_str()).collect();
    assert_eq!(reasons, ["1 image has no file of labels: b.png. Taken as of no class."]);
    let roboflow = [("data.yaml", "names: [cow]"), ("train/labels/a.txt", "0 0.5 0.5 0.5 0.5")];
    let dataset = read_set(&roboflow, &["train/images/a.png"]).unwrap();
    assert_eq!(found(&dataset), [("train/images/a.png", &[0][..], 1)]);
    assert_eq!(places("images/x/images/a.b.png"), ["images/x/labels/a.b", "images/x/images/a.b"]);
    assert_eq!(places("images.png"), ["images"]);
}

#[test]
fn other_layouts_stay_what_they_are() {
    let classes = ("classes.txt", "cow\ndog\n");
    let folders = read_set(&[classes, ("cow/a.txt", "a note")], &["cow/a.png", "dog/b.png"]).unwrap();
    assert_eq!(folders.layout, Layout::ClassFolders);
    let row = ("cow/a.txt", "0 0.5 0.5 0.5 0.5");
    let unnamed = read_set(&[row], &["cow/a.png", "dog/b.png"]).unwrap();
    assert_eq!(unnamed.layout, Layout::ClassFolders);
    let table = ("labels.csv", "cow/a.png,cow\ndog/b.png,dog\n");
    let table = read_set(&[classes, row, table], &["cow/a.png", "dog/b.png"]).unwrap();
    assert_eq!(table.layout, Layout::LabelsTable);
}

#[test]
fn what_is_no_object_is_told_once_per_file_with_its_line() {
    let rows = "0 0.5 0.5 0.5 0.5\n0 0.5 0.5\nx 0 0 1 1\n0 0 0 1 nan\n\n7 0.5 0.5 0.5 0.5\n0 0.9 0.9 0.5 0.5\n0 0.5 0.5 0 0.5\n";
    let texts = [("classes.txt", "cow\n"), ("labels/a.txt", rows), ("labels/gone.txt", "0 0.5 0.5 0.5 0.5")];
    let dataset = read_set(&texts, &["images/a.png"]).unwrap();
    assert_eq!(found(&dataset), [("images/a.png", &[0][..], 1)]);
    use ProblemKind::*;
    let told: Vec<_> =
        dataset.problems.iter().map(|p| (p.kind, p.path.as_str(), p.reason.as_str())).collect();
    let expected = [
        (LabelWithoutImage, "classes.txt", "1 file of labels has no image: labels/gone.txt. Left out."),
        (
            BadLine,
            "labels/a.txt",
            "3 lines are no objects, for one line 2 (2 numbers follow the class where 4, or pairs, are expected). \
             Left out.",
        ),
        (
            BadBox,
            "images/a.png",
            "3 of 4 boxes cannot be: one (class 7, 10, 5 to 30, 15; line 6) has no known class. Left out.",
        ),
    ];
    assert_eq!(told, expected);
}

#[test]
fn names_that_cannot_be_told_are_refused() {
    let with =
        |names| read_set(&[("data.yaml", names), ("a.txt", "0 0.5 0.5 0.5 0.5")], &["a.png"]).err().unwrap();
    for (names, reason) in [
        ("names: [cow, cow]", "two classes are called cow"),
        ("nc: 2", "there is no key names: in it"),
        ("names:\n", "it names no classes"),
    ] {
        let error = with(names);
        assert!(matches!(error, Error::Format { .. }) && error.to_string().contains(reason), "{error}");
    }
    let many: String = (0..300).map(|class| format!("- c{class}\n")).collect();
    assert!(matches!(with(&format!("names:\n{many}")), Error::TooLarge { .. }));
}

#[test]
fn rows_are_a_box_or_pairs_of_corners() {
    for (row, numbers) in [("0 1 1 1 1 0.9", 5), ("0", 0), ("0 1 1", 2), ("0 1 1 1 1 1 1 1", 7)] {
        let reason = format!("{numbers} numbers follow the class where 4, or pairs, are expected");
        assert_eq!(object(row), Err(reason), "{row}");
    }
    assert_eq!(object("3 0.5 0.5 1 1"), Ok((3, [0.0, 0.0, 1.0, 1.0])));
    assert_eq!(object("3\t0.5 0.25 1 0.75 0.25 0.5"), Ok((3, [0.25, 0.25, 1.0, 0.75])));
    for row in ["-1 0 0 1 1", "1.5 0 0 1 1", "ü 0 0 1 1", "0 0 0 1 inf", "0 0 0 1 ääääääääääääääääääääääää"]
    {
        assert!(object(row).is_err(), "{row}");
    }
}
