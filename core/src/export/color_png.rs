//! Masks in their classes' colours: an RGB PNG a photo, and a table of the colours.

use super::classes_txt::BACKGROUND;
use super::formats::{Masks, Plan};
use super::mask_set::MaskSet;
use super::palette_png::voc_color;
use super::rgb_png;
use crate::error::{Error, Result};

/// `<stem>.png` in the colours of [`voc_color`], and `colors.csv`.
///
/// # Errors
/// [`Error::Format`] with what the writer of the table said.
pub(super) fn plan(set: &MaskSet) -> Result<Plan<'_>> {
    Ok(Plan {
        photos: None,
        files: vec![("colors.csv".into(), table(&set.classes)?)],
        masks: Masks::Files(Box::new(|photo, mask| {
            let pixels: Vec<u8> = mask.labels.iter().flat_map(|&label| voc_color(label)).collect();
            let png = rgb_png::encode(mask.width, mask.height, false, &pixels)?;
            Ok(vec![(format!("{}.png", photo.stem), png)])
        })),
    })
}

fn table(classes: &[String]) -> Result<Vec<u8>> {
    let fault = |reason: String| Error::Format { path: "colors.csv".into(), reason };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |record: [&str; 5]| writer.write_record(record).map_err(|error| fault(error.to_string()));
    write(["value", "class", "red", "green", "blue"])?;
    let names = std::iter::once(BACKGROUND).chain(classes.iter().map(String::as_str));
    for (value, name) in (0..=u8::MAX).zip(names) {
        let [red, green, blue] = voc_color(value).map(|share| share.to_string());
        write([&value.to_string(), name, &red, &green, &blue])?;
    }
    writer.into_inner().map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use crate::dataset::decode;
    use crate::export::Format;
    use crate::export::palette_png::voc_color;
    use crate::export::test_set::{files, set};
    use crate::files::MemoryBlob;

    #[test]
    fn pixels_have_the_colours_of_their_classes() {
        let set = set();
        let files = files(&set, &[Format::ColorPng], false);
        let table = "value,class,red,green,blue\n0,background,0,0,0\n1,cow,128,0,0\n2,red fox,0,128,0\n";
        assert_eq!(files["color-png/colors.csv"], table.as_bytes());
        for photo in &set.photos {
            let bytes = files[&format!("color-png/{}.png", photo.stem)].clone();
            let picture = decode::rgb(&MemoryBlob::new(bytes), "c.png").unwrap();
            let mask = set.mask(photo).unwrap();
            assert_eq!(picture.dimensions(), (photo.width, photo.height));
            assert!(picture.pixels().zip(&mask.labels).all(|(pixel, &label)| pixel.0 == voc_color(label)));
        }
    }
}
