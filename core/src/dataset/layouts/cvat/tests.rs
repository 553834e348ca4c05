use crate::dataset::layouts::tests::{found, labels, png, read_all, set};
use crate::dataset::{Dataset, Layout, ObjectBox, ProblemKind};
use crate::error::{Error, Result};

/// A document beside pictures of 40 × 30 pixels.
fn read(xml: &str, photos: &[&str]) -> Result<Dataset> {
    let photos: Vec<(&str, Vec<u8>)> = (1u8..).zip(photos).map(|(seed, path)| (*path, png(seed))).collect();
    let mut files: Vec<(&str, &[u8])> = vec![("task/annotations.xml", xml.as_bytes())];
    files.extend(photos.iter().map(|(path, bytes)| (*path, bytes.as_slice())));
    read_all(set(&files))
}

fn reasons(dataset: &Dataset) -> Vec<&str> {
    dataset.problems.iter().map(|problem| problem.reason.as_str()).collect()
}

const FULL: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><labels>
    <label><name>sheep</name><attributes><attribute><name>age</name></attribute></attributes></label>
    <label><name>dog</name></label><label><name>cat</name></label>
  </labels></task></meta>
  <image id="0" name="one/a.png" width="40" height="30">
    <tag label="dog" source="manual"></tag>
    <box label="cat" occluded="0" xtl="1.5" ytl="2" xbr="11.50" ybr="12.00" z_order="0">
      <attribute name="age">3</attribute></box>
  </image>
  <image id="1" name="b.png" width="40" height="30">
    <polygon label="dog" points="0.00,0.00;20.00,0.00;20.00,30.00;0.00,30.00"/>
  </image>
  <image id="2" name="c.png" width="40" height="30">
    <mask label="cat" rle="0, 4" left="3" top="4" width="2" height="2"/>
    <box label="dog" xtl="10" ytl="10" xbr="30" ybr="20" rotation="90.0"/>
  </image>
  <image id="3" name="d.png" width="40" height="30"/>
</annotations>
"#;

#[test]
fn tags_and_shapes_label_images() {
    let photos = ["one/a.png", "two/a.png", "b.png", "c.png", "d.png"];
    for text in [FULL.to_owned(), format!("\u{feff}{}", FULL.replace('\n', "\r\n"))] {
        let dataset = read(&text, &photos).unwrap();
        assert_eq!(dataset.layout, Layout::Cvat);
        // Those that occur, as they are declared.
        assert_eq!(dataset.classes, ["dog", "cat"]);
        let expected = [("b.png", &[0][..]), ("c.png", &[0, 1]), ("d.png", &[]), ("one/a.png", &[0, 1])];
        assert_eq!(labels(&dataset), expected);
        let of = |class, x0, y0, x1, y1| ObjectBox { class, x0, y0, x1, y1 };
        assert_eq!(dataset.items[0].boxes, [of(0, 0.0, 0.0, 20.0, 30.0)]);
        assert_eq!(dataset.items[1].boxes[0], of(1, 3.0, 4.0, 5.0, 6.0));
        let turned = dataset.items[1].boxes[1];
        for (edge, expected) in [(turned.x0, 15.0), (turned.y0, 5.0), (turned.x1, 25.0), (turned.y1, 25.0)] {
            assert!((edge - expected).abs() < 1e-3, "{turned:?}");
        }
        assert_eq!(dataset.items[3].boxes, [of(1, 1.5, 2.0, 11.5, 12.0)]);
        let mask = dataset.items[0].mask.as_ref().unwrap().decode("m").unwrap();
        assert!((0..1200).all(|at| mask.labels[at] == u8::from(at % 40 < 20)));
        assert!(dataset.items[1].mask.is_none());
        let line = "CVAT XML: task/annotations.xml, 2 classes from boxes, masks, polygons, tags, 4 boxes, 1 mask \
                    for scoring";
        assert_eq!(dataset.finding, line);
        assert_eq!(
            reasons(&dataset),
            [
                "1 image has no label in it: two/a.png. Left out.",
                "1 image has no tag and no shape: d.png. Taken as of no class.",
            ]
        );
    }
}

#[test]
fn what_is_wrong_with_an_image_costs_no_other() {
    let xml = r#"<annotations><track id="0" label="x"/>
        <image width="40" height="30"><tag label="cow"/></image>
        <image name="../../a.png"><tag/><tag label=" "/><box label="&lt;img src=x&gt;" xtl="1" ytl="x"/>
        <polygon label="cow" points="1,2;3"/><polygon label="cow" points=""/><box label="cow" xtl="1" ytl="1"
        xbr="1e9" ybr="5" rotation="7"/><unknown label="cow"/></image>
        <image name="gone.png"/><image name="../../a.png"/><image name="c.png"/>
        </annotations>"#;
    let dataset = read(xml, &["a.png", "x/c.png", "y/c.png"]).unwrap();
    assert_eq!(dataset.classes, ["<img src=x>", "cow"]);
    assert_eq!(labels(&dataset), [("a.png", &[0, 1][..])]);
    assert!(dataset.items[0].boxes.is_empty() && dataset.items[0].mask.is_none());
    let reasons = reasons(&dataset);
    let of =
        |part: &str| assert!(reasons.iter().any(|reason| reason.contains(part)), "{part} in {reasons:?}");
    of("1 track is of a video");
    of("3 entries cannot be used, for one line 2 (the image has no name)");
    of("1 entry names an image that is not there: line 6 (gone.png)");
    of("1 entry names an image that an earlier one names");
    of("line 6 (c.png) could be any of 2");
    of("4 of 4 boxes cannot be");
    assert!(found(&dataset).contains(&("a.png", ProblemKind::BadBox)), "{reasons:?}");
}

#[test]
fn damaged_files_are_refused_and_never_panic() {
    for at in 0..FULL.len() {
        for damaged in [FULL[..at].to_owned(), format!("{}9e99{}", &FULL[..at], &FULL[at + 1..])] {
            match read(&damaged, &["b.png"]) {
                Ok(_) | Err(Error::NoData { .. }) => {}
                Err(Error::Format { path, .. }) => assert_eq!(path, "task/annotations.xml"),
                Err(other) => panic!("{other}"),
            }
        }
    }
    let bomb = "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><annotations>&b;</annotations>";
    let refused = read(bomb, &["b.png"]).err().unwrap();
    assert!(refused.to_string().contains("no export of CVAT's"), "{refused}");
}
