use crate::dataset::layouts::tests::{found, labels, png, read_all, set};
use crate::dataset::{Dataset, Layout, ProblemKind};
use crate::error::Result;

/// A table of some name beside the pictures `a.png` to `d.png`.
fn read_as(name: &str, table: &str) -> Result<Dataset> {
    let photos: Vec<Vec<u8>> = (1..=4).map(png).collect();
    let mut files: Vec<(&str, &[u8])> = vec![(name, table.as_bytes())];
    files.extend(
        ["x/a.png", "x/b.png", "x/c.png", "x/d.png"].into_iter().zip(photos.iter().map(Vec::as_slice)),
    );
    read_all(set(&files))
}

fn read(table: &str) -> Dataset {
    read_as("set/train.csv", table).unwrap()
}

fn reasons(dataset: &Dataset) -> Vec<&str> {
    dataset.problems.iter().map(|problem| problem.reason.as_str()).collect()
}

const EXPECTED: [(&str, &[u16]); 4] =
    [("x/a.png", &[0]), ("x/b.png", &[0, 1]), ("x/c.png", &[]), ("x/d.png", &[1])];

#[test]
fn labels_are_told_whatever_the_form() {
    let forms = [
        "image,labels\na,cow\nb,cow dog\nc,\nd,dog\n",
        "\u{feff}image;labels\r\na.png;cow\r\nb.png;cow, dog\r\nc.png;\r\nd.png;dog\r\n",
        "File_Name\tsize\tTag\na.png\t1\tcow\nb.png\t2\t['cow', 'dog']\nc.png\t3\t[]\nd.png\t4\tdog\n",
        "label,image\ncow,a.png\ndog,b.png\ncow,b.png\nnone,c.png\ndog,d.png\n",
        "a.png;cow\nb.png;cow|dog\nc.png;\nd.png;dog\n",
        "cow,a.png\n\"cow,dog\",b.png\n,c.png\ndog,d.png\n",
        "image,cow,dog\na.png,1,0\nb.png,1,1\nc.png,0,0\nd.png,0,1\n",
        "id;cow;dog;comment\na;x;;\nb;X;x;\nc;;;\nd;;x;\n",
        "\u{feff}dog\timage_id\tcow\r\nfalse\ta\ttrue\r\nTRUE\tb\tTrue\r\nno\tc\tno\r\nyes\td\tno\r\n",
        "image,cow,label,dog\na.png,1,0,0\nb.png,1,0,1\nc.png,0,0,0\nd.png,0,0,1\n",
    ];
    for form in forms {
        let dataset = read(form);
        assert_eq!(dataset.layout, Layout::LabelsTable, "{form}");
        assert_eq!(dataset.classes, ["cow", "dog"], "{form}");
        assert_eq!(labels(&dataset), EXPECTED, "{form}");
        let finding = &dataset.finding;
        assert!(finding.starts_with("Table of labels: set/train.csv, 2 classes from a column"), "{finding}");
    }
    assert!(read(forms[7]).finding.ends_with("a column per class, separated by semicolons"));
    let empty = "1 column is no class: comment is empty. Left out.";
    assert_eq!(reasons(&read(forms[7])), [empty]);
    let again =
        "1 line names an image again with another label: such an image has the labels of all its lines.";
    assert_eq!(reasons(&read(forms[3])), [again]);
}

#[test]
fn flags_that_are_none_are_told_with_their_line() {
    let mut table = String::from("image,split,cow,,dog,dog,<img src=x>\n");
    table += "a.png,train,1,1,0,1,1\nb.png,val,1,1,1,1,0\ngone.png,val,1,1,1,1,0\n";
    // Behind the lines that the columns are told from.
    table += &"\n".repeat(3);
    table += &"a.png,train,1,1,0,1,1\n".repeat(200);
    table += "c.png,val,-1,0,0,0,0\n";
    let dataset = read(&table);
    assert_eq!(dataset.classes, ["<img src=x>", "cow", "dog"]);
    assert_eq!(labels(&dataset), [("x/a.png", &[0, 1][..]), ("x/b.png", &[1, 2])]);
    let reasons = reasons(&dataset);
    let of =
        |part: &str| assert!(reasons.iter().any(|reason| reason.contains(part)), "{part} in {reasons:?}");
    of("3 columns are no classes: for one, split holds train. Left out.");
    of("Line 4 of set/train.csv: names this image, but it is not there.");
    of("Line 208 of set/train.csv: x/c.png has -1 in the column cow, where 0 or 1 is expected. Left out.");
    assert_eq!(found(&dataset).iter().filter(|(_, kind)| *kind == ProblemKind::Duplicate).count(), 200);
}

#[test]
fn a_table_by_another_name_must_be_one_of_labels() {
    let no = [
        "when,what\n2020,rain\n",
        "image\na.png\nb.png\n",
        "image,width,height\na.png,640,480\n",
        "image,labels\ngone.png,cow\n",
        "a.png,1,2,3\nb.png,2,3,4\n",
        "",
        "\u{feff}",
        "\"a.png,cow",
    ];
    for table in no {
        let dataset = read_as("notes.csv", table).unwrap();
        assert_eq!(
            (dataset.layout, dataset.classes.as_slice()),
            (Layout::ClassFolders, &["x".to_owned()][..])
        );
        assert_eq!(found(&dataset), [("notes.csv", ProblemKind::OtherFile)], "{table}");
    }
}

#[test]
fn the_table_of_most_images_counts_and_others_are_told() {
    let photo = png(1);
    let files = |name: &'static str| {
        set(&[
            (name, b"image,labels\na,cow\n"),
            ("2.tsv", b"image\tlabels\na.png\tdog\nb.png\tdog\n"),
            ("a.png", &photo),
            ("b.png", &png(2)),
        ])
    };
    let dataset = read_all(files("1.csv")).unwrap();
    assert_eq!(dataset.classes, ["dog"]);
    assert_eq!(found(&dataset), [("1.csv", ProblemKind::OtherLayout)]);
    // Our own name is more explicit.
    let dataset = read_all(files("labels.csv")).unwrap();
    assert_eq!(dataset.classes, ["cow"]);
    assert_eq!(found(&dataset)[1], ("2.tsv", ProblemKind::OtherLayout));
}

#[test]
fn damaged_tables_never_panic() {
    let table = "image,cow,dog\n\"a.png\",1,0\nb,0,1\n".as_bytes();
    for at in 0..table.len() {
        for byte in [0, b',', b';', b'\t', b'"', b'\n', 0xFF] {
            let mut damaged = table.to_vec();
            damaged[at] = byte;
            for name in ["labels.csv", "other.csv"] {
                let _ = read_all(set(&[(name, &damaged), ("a.png", &png(1)), ("y/b.png", &png(2))]));
            }
        }
    }
}
