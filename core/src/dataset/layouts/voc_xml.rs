//! Annotations as PASCAL VOC's, one XML file an image, wherever they lie: beside their images, or in a folder
//! of any name. The image is the one of the same path but for its ending, else the one that the file names,
//! else the one of the same name.

use super::annotated::{Annotated, Collection, Said, Wrong};
use super::finder::{Finder, Found};
use super::{Candidate, Problem, text_bytes, voc};
use crate::error::Result;
use crate::files::{FileEntry, name, stem};

/// Reads documents. `None` if none of their images is there, which is a problem.
///
/// # Errors
/// Those of reading text files. One that is damaged becomes a problem.
pub(super) fn read(
    documents: &[&FileEntry],
    images: &[Candidate<'_>],
    listed: Option<&[String]>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Annotated>> {
    let mut collection = Collection::new(images);
    let mut wrong = Wrong::default();
    for entry in documents {
        let given = match voc::objects(&text_bytes(entry)?) {
            Ok(given) => given,
            Err(reason) => {
                wrong.bad.add(|| format!("{} ({reason})", entry.path));
                continue;
            }
        };
        let mut said = Said::default();
        for label in &given.labels {
            said.label(label, "objects");
        }
        said.boxes = given.boxes;
        let found = find(&collection.finder, &entry.path, given.file_name.as_deref());
        collection.take(found, said, &mut wrong, || entry.path.clone());
    }
    let path = match documents {
        [one] => one.path.clone(),
        [first, ..] => first.path.strip_suffix(name(&first.path)).unwrap_or_default().to_owned(),
        [] => String::new(),
    };
    let path = if path.is_empty() { "*.xml" } else { &path };
    wrong.tell(path, problems);
    Ok((!collection.is_empty()).then(|| collection.finish(path, listed, &[], problems)))
}

fn find(finder: &Finder<'_>, path: &str, file_name: Option<&str>) -> Found {
    if let found @ Found::One(_) = finder.beside(stem(path)) {
        return found;
    }
    match file_name.map(|file| finder.find(file)) {
        Some(found @ Found::One(_)) => found,
        _ => finder.find(name(stem(path))),
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::layouts::tests::{found, labels, png, read_all, set};
    use crate::dataset::{Layout, ObjectBox, ProblemKind};

    fn annotation(file: &str, object: &str) -> String {
        format!(
            "\u{feff}<annotation>\r\n<filename>{file}</filename><object><name>{object}</name><bndbox>\
             <xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>3</ymax></bndbox></object></annotation>"
        )
    }

    #[test]
    fn annotations_lie_beside_images_or_anywhere() {
        let photos: Vec<Vec<u8>> = (1..=4).map(png).collect();
        let [cow, dog, tag] = ["cow", "dog", "&lt;img&gt;"].map(|name| annotation("old.jpg", name));
        let named = annotation("../x/d.png", "cow");
        let dataset = read_all(set(&[
            ("train/a.png", &photos[0]),
            ("train/a.xml", cow.as_bytes()),
            ("val/a.png", &photos[1]),
            ("val/a.xml", dog.as_bytes()),
            ("val/c.png", &photos[2]),
            ("labels/c.xml", tag.as_bytes()),
            ("val/d.png", &photos[3]),
            ("labels/other.xml", named.as_bytes()),
            ("labels/cut.xml", b"<annotation><object>"),
            ("labels/gone.xml", cow.as_bytes()),
        ]))
        .unwrap();
        assert_eq!(dataset.layout, Layout::VocXml);
        assert_eq!(dataset.classes, ["<img>", "cow", "dog"]);
        let expected =
            [("train/a.png", &[1][..]), ("val/a.png", &[2]), ("val/c.png", &[0]), ("val/d.png", &[1])];
        assert_eq!(labels(&dataset), expected);
        let of_first = ObjectBox { class: 1, x0: 0.0, y0: 1.0, x1: 4.0, y1: 3.0 };
        assert_eq!(dataset.items[0].boxes, [of_first]);
        assert_eq!(dataset.finding, "PASCAL VOC XML: 6 files as c.xml, 3 classes from objects, 4 boxes");
        use ProblemKind::*;
        assert_eq!(found(&dataset), [("labels/", LabelWithoutImage), ("labels/", BadLine)]);
    }
}
