//! PASCAL VOC's folders, for segmentation: `SegmentationClass`, lists under `ImageSets/Segmentation`, and
//! `JPEGImages` where photos are wanted.

use super::classes_txt;
use super::classes_txt::BACKGROUND;
use super::formats::{Masks, Plan};
use super::mask_set::MaskSet;
use super::palette_png::{self, voc_color};
use crate::masks::IGNORE;

/// What VOC calls pixels that nobody has decided on.
const IGNORED: &str = "ignored";

/// Palette PNGs as VOC has them. All photos are in the lists `train` and `trainval`; `val` is left to who
/// knows which photos to keep apart. Classes are named in `classes.txt`, and with their colours in
/// `labelmap.txt`, which CVAT and Datumaro read.
pub(super) fn plan(set: &MaskSet) -> Plan<'_> {
    let list: String = set.photos.iter().map(|photo| format!("{}\n", photo.stem)).collect();
    let in_lists = |name: &str| (format!("ImageSets/Segmentation/{name}.txt"), list.clone().into_bytes());
    Plan {
        photos: Some("JPEGImages/"),
        files: vec![
            in_lists("train"),
            in_lists("trainval"),
            (classes_txt::NAME.into(), classes_txt::encode(&set.classes)),
            ("labelmap.txt".into(), label_map(&set.classes).into_bytes()),
        ],
        masks: Masks::Files(Box::new(|photo, mask| {
            Ok(vec![(format!("SegmentationClass/{}.png", photo.stem), palette_png::encode(mask)?)])
        })),
    }
}

/// A line a class: its name, its colour, and two fields that stay empty. The format cannot hold a colon or
/// a leading `#` in a name.
fn label_map(classes: &[String]) -> String {
    let mut text = String::from("# label:color_rgb:parts:actions\n");
    let names = std::iter::once(BACKGROUND).chain(classes.iter().map(String::as_str));
    for (value, name) in (0..=u8::MAX).zip(names) {
        let [red, green, blue] = voc_color(value);
        text.push_str(&format!("{}:{red},{green},{blue}::\n", name.replace([':', '#'], "_")));
    }
    // Datumaro knows no pixel without a name; supplied masks have some.
    if !classes.iter().any(|name| name == IGNORED) {
        let [red, green, blue] = voc_color(IGNORE);
        text.push_str(&format!("{IGNORED}:{red},{green},{blue}::\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Layout, read_split};
    use crate::export::Format;
    use crate::export::test_set::{files, set};
    use crate::files::FileSet;

    #[test]
    fn the_folders_are_those_of_voc() {
        let set = set();
        let files = files(&set, &[Format::Voc], true);
        let list = &files["voc/ImageSets/Segmentation/train.txt"];
        assert_eq!(list, b"a\nb\nc\n");
        assert_eq!(list, &files["voc/ImageSets/Segmentation/trainval.txt"]);
        for photo in &set.photos {
            assert!(files.contains_key(&format!("voc/JPEGImages/{}", photo.file_name)));
            assert!(files.contains_key(&format!("voc/SegmentationClass/{}.png", photo.stem)));
        }
        let map = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nx_ y:128,0,0::\n_b:0,128,0::\nignored:224,224,192::\n";
        assert_eq!(label_map(&["x: y".to_owned(), "#b".to_owned()]), map);
    }

    #[test]
    fn this_program_reads_the_masks_back() {
        let set = set();
        let mut all = files(&set, &[Format::Voc], true);
        // What VOC's other half is there for: labels, here by a list of a class.
        let listed = set.photos.iter().map(|photo| format!("{} 1\n", photo.stem)).collect::<String>();
        all.insert("voc/ImageSets/Main/cow_train.txt".into(), listed.into_bytes());
        let back =
            read_split(&FileSet::memory(all.into_iter().collect()), Some("train"), &mut |_, _| ()).unwrap();
        assert_eq!((back.layout, back.items.len()), (Layout::Voc, set.photos.len()));
        for (item, photo) in back.items.iter().zip(&set.photos) {
            let mask = item.mask.as_ref().unwrap().decode(&item.path).unwrap();
            assert_eq!(mask, set.mask(photo).unwrap());
        }
    }
}
