use crate::dataset::{Dataset, Layout, ObjectBox, ProblemKind, read};
use crate::error::Result;
use crate::files::FileSet;

/// Pictures that differ, 40 × 30 pixels.
fn photo(seed: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(40, 30, image::Rgb([seed, 0, 0]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Tables, and a photo at each path.
fn read_set(tables: &[(&str, &str)], photos: &[&str]) -> Result<Dataset> {
    let tables = tables.iter().map(|(path, text)| (path.to_string(), text.as_bytes().to_vec()));
    let photos = (0u8..).zip(photos).map(|(seed, path)| (path.to_string(), photo(seed)));
    read(&FileSet::memory(tables.chain(photos).collect()), &mut |_, _| {})
}

fn found(dataset: &Dataset) -> Vec<(&str, &[u16], usize)> {
    dataset.items.iter().map(|item| (item.path.as_str(), item.labels.as_slice(), item.boxes.len())).collect()
}

fn told(dataset: &Dataset) -> Vec<(ProblemKind, String)> {
    let line = |problem: &crate::dataset::Problem| format!("{}: {}", problem.path, problem.reason);
    dataset.problems.iter().map(|problem| (problem.kind, line(problem))).collect()
}

#[test]
fn a_table_of_boxes_alone_labels_its_images() {
    let table = "Image,area,XMin,ymin,xmax,ymax,class\n\
        a.png,9,1,2,3.5,4,dog\n\
        images/a.png,9,0,0,40,30,cow\n\
        b,9,5,5,6,6,dog\n";
    let dataset =
        read_set(&[("boxes.csv", table)], &["images/a.png", "images/b.png", "images/c.png"]).unwrap();
    assert_eq!(
        (dataset.layout, dataset.classes.as_slice()),
        (Layout::BoxesTable, &["cow", "dog"].map(str::to_owned)[..])
    );
    let expected = [("images/a.png", &[0, 1][..], 2), ("images/b.png", &[1], 1), ("images/c.png", &[], 0)];
    assert_eq!(found(&dataset), expected);
    assert_eq!(dataset.items[0].boxes[0], ObjectBox { class: 1, x0: 1.0, y0: 2.0, x1: 3.5, y1: 4.0 });
    assert_eq!((dataset.summary().boxes, dataset.summary().without_class), (3, 1));
    assert_eq!(told(&dataset), []);
}

#[test]
fn labels_and_folders_keep_their_word_against_boxes() {
    let boxes = "image,class,x0,y0,x1,y1\na.png,cow,0,0,9,9\na.png,dog,0,0,9,9\nb.png,dog,1,1,9,9\n";
    let labels = "image,labels\na.png,cow\nb.png,dog\n";
    let table = read_set(&[("labels.csv", labels), ("boxes.csv", boxes)], &["a.png", "b.png"]).unwrap();
    assert_eq!(table.layout, Layout::LabelsTable);
    assert_eq!(found(&table), [("a.png", &[0][..], 1), ("b.png", &[1], 1)]);
    let wrong = "1 of 2 boxes cannot be: one (dog, 0, 0 to 9, 9; line 3) is of a class that the image is not \
                 labelled with. Left out.";
    assert_eq!(told(&table), [(ProblemKind::BadBox, format!("a.png: {wrong}"))]);

    let folders = read_set(&[("boxes.csv", boxes)], &["cow/a.png", "dog/b.png"]).unwrap();
    assert_eq!(folders.layout, Layout::ClassFolders);
    assert_eq!(found(&folders), [("cow/a.png", &[0][..], 1), ("dog/b.png", &[1], 1)]);
    assert_eq!(told(&folders), [(ProblemKind::BadBox, format!("cow/a.png: {wrong}"))]);
    // Folders that are no classes say nothing.
    let folders = read_set(&[("boxes.csv", boxes)], &["monday/a.png", "tuesday/b.png"]).unwrap();
    assert_eq!(folders.layout, Layout::BoxesTable);
    assert_eq!(found(&folders), [("monday/a.png", &[0, 1][..], 2), ("tuesday/b.png", &[1], 1)]);
}

#[test]
fn the_same_picture_in_two_folders_has_the_boxes_of_both() {
    let table = "cow/a.png,cow,0,0,9,9\ndog/a.png,dog,0,0,9,9\n";
    let files = vec![
        ("boxes.csv".to_owned(), table.as_bytes().to_vec()),
        ("cow/a.png".to_owned(), photo(1)),
        ("dog/a.png".to_owned(), photo(1)),
    ];
    let dataset = read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
    assert_eq!(found(&dataset), [("cow/a.png", &[0, 1][..], 2)]);
}

#[test]
fn what_is_no_box_is_told_once_with_its_line() {
    let table = "a.png,cow,1,1,5,5\n\
        a.png,cow,1,1,5\n\
        a.png,cow,1,one,5,5\n\
        ,cow,1,1,5,5\n\
        \n\
        gone.png,cow,1,1,5,5\n\
        gone.png,cow,1,1,5,5\n\
        twice.png,cow,1,1,5,5\n\
        a.png,wolf,1,1,5,5\n\
        a.png,cow,5,5,5,9\n\
        a.png,cow,1,1,99,9\n\
        a.png,cow,nan,1,99,9\n";
    let photos = ["a.png", "x/twice.png", "y/twice.png"];
    let dataset = read_set(&[("boxes.csv", table), ("classes.txt", "cow\n")], &photos).unwrap();
    assert_eq!(dataset.layout, Layout::BoxesTable);
    assert_eq!(found(&dataset)[0], ("a.png", &[0][..], 1));
    use ProblemKind::*;
    let expected = [
        (LabelWithoutImage, "2 lines name images that are not there, for one line 6 (gone.png). Left out."),
        (
            BadLine,
            "1 line names an image without its folder: line 8 (twice.png could be any of 2). Left out.",
        ),
        (BadLine, "3 lines are no boxes, for one line 2 (the lower edge is missing). Left out."),
    ];
    let expected = expected.map(|(kind, reason)| (kind, format!("boxes.csv: {reason}")));
    let bad = "a.png: 4 of 5 boxes cannot be: one (wolf, 1, 1 to 5, 5; line 9) has no known class. Left out.";
    assert_eq!(told(&dataset), [&expected[..], &[(BadBox, bad.to_owned())]].concat());
}

#[test]
fn damaged_tables_never_panic() {
    let table = "image,class,x0,y0,x1,y1\na.png,\"cow\",1,1,5,5\na.png,cow,1e40,-1,5,5\n".as_bytes();
    for at in 0..table.len() {
        for byte in [0, b',', b'"', b'\n', 0xFF] {
            let mut damaged = table.to_vec();
            damaged[at] = byte;
            let files = vec![("boxes.csv".to_owned(), damaged), ("a.png".to_owned(), photo(0))];
            let dataset = read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
            assert!(dataset.summary().boxes <= 2);
        }
    }
}
