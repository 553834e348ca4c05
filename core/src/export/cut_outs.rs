//! What is in the photos, without the rest: a PNG per photo and class, as large as the photo and transparent
//! where the class is not.

use super::formats::{Masks, Plan};
use super::mask_set::MaskSet;
use super::rgb_png;
use crate::dataset::{decode, stems};
use crate::error::{Error, Result};
use crate::masks::LabelMap;

/// `<class>/<stem>.png`, for classes that the photo has.
pub(super) fn plan(set: &MaskSet) -> Plan<'_> {
    let folders = stems::of_names(&set.classes);
    Plan {
        photos: None,
        files: Vec::new(),
        masks: Masks::Files(Box::new(move |photo, mask| {
            let classes = set.classes_in(mask);
            // A photo with nothing in it need not be decoded.
            if classes.is_empty() {
                return Ok(Vec::new());
            }
            let pixels = decode::rgb(photo.image.as_ref(), &photo.path)?;
            if pixels.dimensions() != (photo.width, photo.height) {
                let reason = "its size is another than its header says".into();
                return Err(Error::Image { path: photo.path.clone(), reason });
            }
            let file = |class: usize| {
                Ok((
                    format!("{}/{}.png", folders[class], photo.stem),
                    cut_out(&pixels, mask, class as u8 + 1)?,
                ))
            };
            classes.into_iter().map(file).collect()
        })),
    }
}

/// Transparent pixels are black, which takes the least room.
fn cut_out(pixels: &image::RgbImage, mask: &LabelMap, label: u8) -> Result<Vec<u8>> {
    let pixel = |(pixel, found): (&image::Rgb<u8>, &u8)| {
        let [red, green, blue] = pixel.0;
        if *found == label { [red, green, blue, u8::MAX] } else { [0; 4] }
    };
    let rgba: Vec<u8> = pixels.pixels().zip(&mask.labels).flat_map(pixel).collect();
    rgb_png::encode(mask.width, mask.height, true, &rgba)
}

#[cfg(test)]
mod tests {
    use crate::dataset::decode;
    use crate::export::Format;
    use crate::export::test_set::{files, set};

    #[test]
    fn what_is_of_the_class_is_the_photo_and_the_rest_is_clear() {
        let set = set();
        let files = files(&set, &[Format::CutOuts], false);
        let paths: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["cut-outs/cow/a.png", "cut-outs/cow/b.png", "cut-outs/red fox/a.png"]);
        for (class, name) in set.classes.iter().enumerate() {
            let photo = &set.photos[0];
            let (mask, pixels) = (set.mask(photo).unwrap(), decode::rgb(photo.image.as_ref(), "a").unwrap());
            let found =
                image::load_from_memory(&files[&format!("cut-outs/{name}/a.png")]).unwrap().into_rgba8();
            for ((cut, pixel), &label) in found.pixels().zip(pixels.pixels()).zip(&mask.labels) {
                let [red, green, blue] = pixel.0;
                let expected = if usize::from(label) == class + 1 { [red, green, blue, 255] } else { [0; 4] };
                assert_eq!(cut.0, expected);
            }
        }
    }
}
