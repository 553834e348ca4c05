//! Masks as they are: a palette PNG a photo, and the names of its values.

use super::formats::{Masks, Plan};
use super::mask_set::MaskSet;
use super::{classes_txt, palette_png};

/// `<stem>.png`, as [`palette_png`] has it, and `classes.txt`.
pub(super) fn plan(set: &MaskSet) -> Plan<'_> {
    Plan {
        photos: None,
        files: vec![(classes_txt::NAME.into(), classes_txt::encode(&set.classes))],
        masks: Masks::Files(Box::new(|photo, mask| {
            Ok(vec![(format!("{}.png", photo.stem), palette_png::encode(mask)?)])
        })),
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::decode;
    use crate::export::Format;
    use crate::export::test_set::{files, set};
    use crate::files::MemoryBlob;

    #[test]
    fn masks_come_back_as_they_were() {
        let set = set();
        let files = files(&set, &[Format::IndexPng], false);
        assert_eq!(files.len(), set.photos.len() + 1);
        assert_eq!(files["index-png/classes.txt"], b"background\ncow\nred fox\n");
        for photo in &set.photos {
            let bytes = files[&format!("index-png/{}.png", photo.stem)].clone();
            assert_eq!(decode::mask(&MemoryBlob::new(bytes), "m.png").unwrap(), set.mask(photo).unwrap());
        }
    }
}
