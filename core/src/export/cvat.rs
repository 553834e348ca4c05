//! CVAT's XML for images, version 1.1: `annotations.xml`, and photos in `images` where they are wanted.

use super::formats::{Masks, Plan};
use super::markup::escaped;
use super::mask_set::{MaskSet, MaskedPhoto};
use super::palette_png::voc_color;
use crate::error::Result;
use crate::masks::polygon::polygons;
use crate::masks::{LabelMap, run_lengths};

/// How regions are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shapes {
    /// A polygon a region: as CVAT's have no holes, the line of one with holes goes to each hole, around it
    /// and back the same way.
    Polygons,
    /// A mask a class.
    Masks,
}

/// One XML; images are numbered from 0.
pub(super) fn plan(set: &MaskSet, shapes: Shapes) -> Plan<'_> {
    let part = move |at: usize, photo: &MaskedPhoto, mask: &LabelMap| -> Result<Vec<u8>> {
        let name = escaped(&photo.file_name);
        let mut text = format!(
            "  <image id=\"{at}\" name=\"{name}\" width=\"{}\" height=\"{}\">\n",
            photo.width, photo.height
        );
        match shapes {
            Shapes::Polygons => {
                for polygon in polygons(mask, &photo.mask_path)? {
                    let label = set.classes.get(usize::from(polygon.label) - 1).map_or("", String::as_str);
                    let point = |[x, y]: [f64; 2]| format!("{x:.2},{y:.2}");
                    let points = polygon.joined().into_iter().map(point).collect::<Vec<_>>().join(";");
                    text.push_str(&element("polygon", label, &format!("points=\"{points}\"")));
                }
            }
            Shapes::Masks => {
                for class in set.classes_in(mask) {
                    text.push_str(&element("mask", &set.classes[class], &cropped(mask, class as u8 + 1)));
                }
            }
        }
        text.push_str("  </image>\n");
        Ok(text.into_bytes())
    };
    Plan {
        photos: Some("images/"),
        files: Vec::new(),
        masks: Masks::Document {
            path: "annotations.xml",
            head: head(set).into_bytes(),
            part: Box::new(part),
            tail: "</annotations>\n",
        },
    }
}

fn head(set: &MaskSet) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n\
         \x20     <size>{}</size>\n      <mode>annotation</mode>\n      <labels>\n",
        set.photos.len()
    );
    for (value, name) in (1..=u8::MAX).zip(&set.classes) {
        let [red, green, blue] = voc_color(value);
        text.push_str(&format!(
            "        <label>\n          <name>{}</name>\n          <color>#{red:02x}{green:02x}{blue:02x}</color>\n\
             \x20         <attributes></attributes>\n        </label>\n",
            escaped(name)
        ));
    }
    text + "      </labels>\n    </task>\n  </meta>\n"
}

fn element(tag: &str, label: &str, shape: &str) -> String {
    let label = escaped(label);
    format!(
        "    <{tag} label=\"{label}\" source=\"file\" occluded=\"0\" {shape} z_order=\"0\">\n    </{tag}>\n"
    )
}

/// The rectangle around a label's pixels, and the lengths of runs in it that are not and are of it, in turn,
/// along the rows.
fn cropped(mask: &LabelMap, label: u8) -> String {
    let [left, top, width, height] = mask.extent(label);
    let rows = mask.labels.chunks_exact(mask.width.max(1)).skip(top).take(height);
    let pixels = rows.flat_map(|row| row.iter().skip(left).take(width).copied());
    let lengths = run_lengths::of_label(pixels, label);
    let runs = lengths.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    format!("rle=\"{runs}\" left=\"{left}\" top=\"{top}\" width=\"{width}\" height=\"{height}\"")
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::export::Format;
    use crate::export::test_set::{files, iou, set};
    use crate::masks::Outline;

    fn written(format: Format) -> String {
        let mut files = files(&set(), &[format], false);
        String::from_utf8(files.remove(&format!("{}/annotations.xml", format.id())).unwrap()).unwrap()
    }

    fn number(node: Node<'_, '_>, name: &str) -> usize {
        node.attribute(name).unwrap().parse().unwrap()
    }

    /// The labels of an image's shapes, painted.
    fn painted(image: Node<'_, '_>, classes: &[String]) -> LabelMap {
        let mut map = LabelMap::background(number(image, "width"), number(image, "height"));
        let (width, height) = (map.width, map.height);
        for shape in image.children().filter(Node::is_element) {
            let class =
                classes.iter().position(|name| Some(name.as_str()) == shape.attribute("label")).unwrap();
            let label = class as u8 + 1;
            if let Some(points) = shape.attribute("points") {
                let points = points.split([',', ';']).map(|at| at.parse().unwrap()).collect();
                let outline = Outline::polygons(&[points]).unwrap();
                outline.fill(width, height, |pixels| map.labels[pixels].fill(label));
                continue;
            }
            let (left, top, columns) = (number(shape, "left"), number(shape, "top"), number(shape, "width"));
            let (mut at, mut inside) = (0, false);
            for length in shape.attribute("rle").unwrap().split(", ") {
                let length: usize = length.parse().unwrap();
                for pixel in (at..at + length).filter(|_| inside) {
                    map.labels[(top + pixel / columns) * width + left + pixel % columns] = label;
                }
                (at, inside) = (at + length, !inside);
            }
            assert_eq!(at, columns * number(shape, "height"));
        }
        map
    }

    #[test]
    fn images_hold_their_masks() {
        let set = set();
        for (format, least) in [(Format::CvatMasks, 1.0), (Format::CvatPolygons, 0.99)] {
            let text = written(format);
            let document = Document::parse(&text).unwrap();
            let labels: Vec<_> = document.descendants().filter(|node| node.has_tag_name("name")).collect();
            assert_eq!(labels.iter().filter_map(Node::text).collect::<Vec<_>>(), ["cow", "red fox"]);
            let images: Vec<_> = document.descendants().filter(|node| node.has_tag_name("image")).collect();
            assert_eq!(images.len(), set.photos.len());
            for (image, photo) in images.into_iter().zip(&set.photos) {
                assert_eq!(image.attribute("name"), Some(photo.file_name.as_str()));
                let (back, mask) = (painted(image, &set.classes), set.mask(photo).unwrap());
                for label in [1, 2] {
                    assert!(iou(&mask, &back, label) >= least, "{format:?} {} {label}", photo.path);
                }
            }
        }
    }

    #[test]
    fn a_mask_is_runs_within_its_rectangle() {
        let text = written(Format::CvatMasks);
        let expected = "rle=\"0, 1, 6, 3, 2, 3, 2, 3\" left=\"0\" top=\"0\" width=\"5\" height=\"4\"";
        assert!(text.contains(expected), "{text}");
        let text = written(Format::CvatPolygons);
        let expected = "<polygon label=\"cow\" source=\"file\" occluded=\"0\" \
                        points=\"5.00,1.00;5.00,4.00;2.00,4.00;2.00,1.00\" z_order=\"0\">";
        assert!(text.contains(expected), "{text}");
    }
}
