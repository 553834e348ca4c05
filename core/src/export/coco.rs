//! COCO's annotations: `annotations/instances_train.json`, and photos in `train` where they are wanted.
//!
//! Run lengths tell each class of a photo as one object, exactly. Polygons tell each region as one; as COCO's
//! polygons have no holes (those of an object are united), the line of one with holes goes to each hole,
//! around it and back the same way. Neither says which pixels are one thing and which another: masks of
//! classes do not know.

use serde_json::{Value, json};

use super::formats::{Masks, Plan};
use super::json;
use super::mask_set::{MaskSet, MaskedPhoto};
use crate::error::Result;
use crate::masks::polygon::polygons;
use crate::masks::{LabelMap, run_lengths};

const PATH: &str = "annotations/instances_train.json";

/// How objects are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segmentation {
    /// Compressed run lengths, as pycocotools has them.
    RunLengths,
    /// Lines around regions.
    Polygons,
}

/// One JSON. A category's number is its value in masks; images are numbered from 1.
///
/// # Errors
/// As [`json::encode`].
pub(super) fn plan(set: &MaskSet, segmentation: Segmentation) -> Result<Plan<'_>> {
    let mut annotations = 0usize;
    let part = move |at: usize, photo: &MaskedPhoto, mask: &LabelMap| {
        let objects = match segmentation {
            Segmentation::RunLengths => run_length_objects(set, mask),
            Segmentation::Polygons => polygon_objects(photo, mask)?,
        };
        let mut bytes = Vec::new();
        for mut object in objects {
            bytes.extend(if annotations > 0 { b",\n".as_slice() } else { b"\n" });
            annotations += 1;
            (object["id"], object["image_id"], object["iscrowd"]) =
                (annotations.into(), (at + 1).into(), 0.into());
            bytes.extend(json::encode(&object, PATH)?);
        }
        Ok(bytes)
    };
    Ok(Plan {
        photos: Some("train/"),
        files: Vec::new(),
        masks: Masks::Document { path: PATH, head: head(set)?, part: Box::new(part), tail: "\n]}\n" },
    })
}

/// All but the objects.
fn head(set: &MaskSet) -> Result<Vec<u8>> {
    let image = |(at, photo): (usize, &MaskedPhoto)| json!({"id": at + 1, "file_name": photo.file_name, "width": photo.width, "height": photo.height});
    let category = |(at, name): (usize, &String)| json!({"id": at + 1, "name": name, "supercategory": ""});
    let images: Vec<Value> = set.photos.iter().enumerate().map(image).collect();
    let categories: Vec<Value> = set.classes.iter().enumerate().map(category).collect();
    let info = json!({"description": concat!("tag2mask ", env!("CARGO_PKG_VERSION"))});
    let mut head = json::encode(&json!({"info": info, "categories": categories, "images": images}), PATH)?;
    head.pop();
    head.extend(b",\n\"annotations\":[");
    Ok(head)
}

/// One object a class: `size` is rows, then columns.
fn run_length_objects(set: &MaskSet, mask: &LabelMap) -> Vec<Value> {
    let (width, height) = (mask.width, mask.height);
    let object = |class: usize| {
        let label = class as u8 + 1;
        let down_the_columns = (0..width).flat_map(|x| (0..height).map(move |y| mask.labels[y * width + x]));
        let lengths = run_lengths::of_label(down_the_columns, label);
        let area: u64 = lengths.iter().skip(1).step_by(2).map(|&length| u64::from(length)).sum();
        json!({
            "category_id": label, "area": area, "bbox": mask.extent(label),
            "segmentation": {"size": [height, width], "counts": run_lengths::compress(&lengths)},
        })
    };
    set.classes_in(mask).into_iter().map(object).collect()
}

/// One object a region.
fn polygon_objects(photo: &MaskedPhoto, mask: &LabelMap) -> Result<Vec<Value>> {
    let object = |polygon: crate::masks::Polygon| {
        let points: Vec<f64> = polygon.joined().into_iter().flatten().collect();
        json!({
            "category_id": polygon.label, "area": polygon.area, "bbox": polygon.edges, "segmentation": [points],
        })
    };
    Ok(polygons(mask, &photo.mask_path)?.into_iter().map(object).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Layout, read};
    use crate::export::Format;
    use crate::export::test_set::{files, iou, set};
    use crate::files::FileSet;

    fn written(format: Format) -> Value {
        let files = files(&set(), &[format], false);
        serde_json::from_slice(&files[&format!("{}/{PATH}", format.id())]).unwrap()
    }

    #[test]
    fn objects_are_those_of_the_masks() {
        let exact = written(Format::CocoRle);
        assert_eq!(exact["images"][1], json!({"id": 2, "file_name": "b.png", "width": 7, "height": 5}));
        assert_eq!(exact["categories"][1], json!({"id": 2, "name": "red fox", "supercategory": ""}));
        // A rectangle from 2, 1 to 5, 4 and the corner at 0, 0: the text is pycocotools'.
        let of_b = exact["annotations"].as_array().unwrap().iter().find(|one| one["image_id"] == 2).unwrap();
        let expected = json!({
            "id": of_b["id"], "image_id": 2, "category_id": 1, "iscrowd": 0, "area": 10, "bbox": [0, 0, 5, 4],
            "segmentation": {"size": [5, 7], "counts": "01:2H0009"},
        });
        assert_eq!(*of_b, expected);
        let outlined = written(Format::CocoPolygons);
        let of_b: Vec<_> =
            outlined["annotations"].as_array().unwrap().iter().filter(|one| one["image_id"] == 2).collect();
        assert_eq!(of_b.len(), 2);
        assert_eq!(of_b[1]["segmentation"], json!([[5.0, 1.0, 5.0, 4.0, 2.0, 4.0, 2.0, 1.0]]));
        assert_eq!((of_b[1]["area"].as_u64(), &of_b[1]["bbox"]), (Some(9), &json!([2, 1, 3, 3])));
    }

    #[test]
    fn this_program_reads_the_masks_back() {
        for (format, least) in [(Format::CocoRle, 1.0), (Format::CocoPolygons, 0.99)] {
            let set = set();
            let back =
                read(&FileSet::memory(files(&set, &[format], true).into_iter().collect()), &mut |_, _| ());
            let back = back.unwrap();
            assert_eq!((back.layout, back.classes), (Layout::Coco, set.classes.clone()));
            assert_eq!(back.items.len(), set.photos.len());
            for (item, photo) in back.items.iter().zip(&set.photos) {
                let found = item.mask.as_ref().unwrap().decode(&item.path).unwrap();
                let expected = set.mask(photo).unwrap();
                for label in [1, 2] {
                    assert!(iou(&expected, &found, label) >= least, "{} {label}", photo.path);
                }
            }
        }
    }
}
