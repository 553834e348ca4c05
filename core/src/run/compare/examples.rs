//! Photos side by side: the photo, its truth, and what each method draws on it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::Comparison;
use super::figures::Masks;
use crate::dataset::{Item, decode};
use crate::error::{Error, Result};
use crate::files::MemoryBlob;
use crate::masks::LabelMap;
use crate::run::examples::{examples, overlay};
use crate::run::settings::MethodName;
use crate::run::store::{FolderStore, RunStore};

/// Photos that are shown.
const PHOTOS: usize = 8;
/// Longest side of a shown photo, pixels.
const SIDE: u32 = 320;
/// Of 100.
const QUALITY: u8 = 80;

/// A row of pictures.
pub(super) struct Example {
    /// The photo's path.
    pub path: String,
    /// Its classes.
    pub classes: Vec<String>,
    /// Picture by what it is called: an address with the picture in it, or why there is none.
    pub pictures: Vec<(String, Result<String, String>)>,
}

/// Whether they were learned from, and the pictures of the first seed.
pub(super) fn all(work: &Comparison<'_>) -> (Masks, Vec<Example>) {
    let (masks, dataset) = match work.left_out.items.is_empty() {
        true => (Masks::Training, work.training),
        false => (Masks::LeftOut, work.left_out),
    };
    let with_truth = dataset.items.iter().any(|item| item.mask.is_some());
    let of_item = |item: usize| {
        let facts = &dataset.items[item];
        let classes = facts.labels.iter().filter_map(|&label| dataset.classes.get(usize::from(label)));
        Example {
            path: facts.path.clone(),
            classes: classes.cloned().collect(),
            pictures: pictures(work, facts, masks, with_truth),
        }
    };
    (masks, examples(dataset, PHOTOS).into_iter().map(of_item).collect())
}

fn pictures(
    work: &Comparison<'_>,
    item: &Item,
    masks: Masks,
    with_truth: bool,
) -> Vec<(String, Result<String, String>)> {
    let photo = decode::rgb(item.image.as_ref(), &item.path).map(|photo| decode::reduced(photo, SIDE));
    let photo = match photo {
        Ok(photo) => photo,
        Err(error) => return vec![("photo".into(), Err(error.to_string()))],
    };
    let said = |picture: Result<String>| picture.map_err(|error| error.to_string());
    let mut pictures = vec![("photo".to_owned(), said(address(&photo)))];
    if with_truth {
        let truth = match &item.mask {
            None => Err("none".to_owned()),
            Some(truth) => said(truth.decode(&item.path).and_then(|truth| address(&overlay(&photo, &truth)))),
        };
        pictures.push(("truth".to_owned(), truth));
    }
    for &method in work.plan.methods.keys() {
        let drawn = match mask(&work.masks_folder(method, 0, masks), item) {
            Ok(None) => Err("not done".to_owned()),
            Ok(Some(labels)) => said(address(&overlay(&photo, &labels))),
            Err(error) => Err(error.to_string()),
        };
        pictures.push((MethodName::title(method).to_owned(), drawn));
    }
    pictures
}

/// What was drawn of an item; `None` where nothing was.
fn mask(folder: &Path, item: &Item) -> Result<Option<LabelMap>> {
    let bytes = FolderStore::open(folder).read(&format!("{}.png", item.stem))?;
    bytes.map(|bytes| decode::mask(&MemoryBlob::new(bytes), &item.path)).transpose()
}

/// A picture as an address that holds it.
fn address(picture: &RgbImage) -> Result<String> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(picture).map_err(|error| {
        Error::Format { path: "report.html".into(), reason: format!("cannot encode a picture: {error}") }
    })?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_labelled_is_coloured() {
        let photo = RgbImage::from_pixel(2, 1, image::Rgb([100, 100, 100]));
        let labels = LabelMap { width: 2, height: 1, labels: vec![0, 1] };
        // Label 1 is dark red: 128, 0, 0.
        assert_eq!(overlay(&photo, &labels).as_raw(), &[100, 100, 100, 116, 40, 40]);
        assert!(address(&photo).unwrap().starts_with("data:image/jpeg;base64,/9j/"));
    }
}
