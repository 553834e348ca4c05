//! LabelMe's JSON: `<stem>.json`, which belongs beside its photo.

use serde_json::{Value, json};

use super::formats::{Masks, Plan};
use super::json;
use super::mask_set::{MaskSet, MaskedPhoto};
use crate::error::Result;
use crate::masks::LabelMap;
use crate::masks::polygon::{Polygon, polygons};

/// A polygon a region: as LabelMe's have no holes, the line of one with holes goes to each hole, around it and
/// back the same way. The photo is named, not held.
pub(super) fn plan(set: &MaskSet) -> Plan<'_> {
    Plan {
        photos: Some(""),
        files: Vec::new(),
        masks: Masks::Files(Box::new(|photo, mask| {
            let path = format!("{}.json", photo.stem);
            let bytes = json::encode(&document(set, photo, mask)?, &path)?;
            Ok(vec![(path, bytes)])
        })),
    }
}

fn document(set: &MaskSet, photo: &MaskedPhoto, mask: &LabelMap) -> Result<Value> {
    let shape = |polygon: Polygon| {
        json!({
            "label": set.classes.get(usize::from(polygon.label) - 1), "points": polygon.joined(),
            "group_id": null, "description": "", "shape_type": "polygon", "flags": {},
        })
    };
    let shapes: Vec<Value> = polygons(mask, &photo.mask_path)?.into_iter().map(shape).collect();
    Ok(json!({
        // Of the first program that knew all of these fields.
        "version": "5.2.0", "flags": {}, "shapes": shapes, "imagePath": photo.file_name, "imageData": null,
        "imageHeight": photo.height, "imageWidth": photo.width,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Format;
    use crate::export::test_set::{files, iou, set};
    use crate::masks::Outline;

    #[test]
    fn shapes_are_regions_of_the_photo_beside() {
        let set = set();
        let files = files(&set, &[Format::LabelMe], true);
        for photo in &set.photos {
            let json: Value =
                serde_json::from_slice(&files[&format!("labelme/{}.json", photo.stem)]).unwrap();
            assert!(files.contains_key(&format!("labelme/{}", json["imagePath"].as_str().unwrap())));
            let mask = set.mask(photo).unwrap();
            let mut back = LabelMap::background(mask.width, mask.height);
            for shape in json["shapes"].as_array().unwrap() {
                let label =
                    1 + set.classes.iter().position(|name| shape["label"] == name.as_str()).unwrap() as u8;
                let points: Vec<[f32; 2]> = serde_json::from_value(shape["points"].clone()).unwrap();
                let outline = Outline::polygons(&[points.into_iter().flatten().collect()]).unwrap();
                outline.fill(mask.width, mask.height, |pixels| back.labels[pixels].fill(label));
            }
            for label in [1, 2] {
                assert!(iou(&mask, &back, label) >= 0.99, "{} {label}", photo.path);
            }
        }
        let json: Value = serde_json::from_slice(&files["labelme/b.json"]).unwrap();
        let expected = json!({
            "label": "cow", "points": [[5.0, 1.0], [5.0, 4.0], [2.0, 4.0], [2.0, 1.0]], "group_id": null,
            "description": "", "shape_type": "polygon", "flags": {},
        });
        assert_eq!(json["shapes"][1], expected);
        assert_eq!((json["imageWidth"].as_u64(), json["imageHeight"].as_u64()), (Some(7), Some(5)));
    }
}
