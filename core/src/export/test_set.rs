//! A few photos with masks that every format is tested on.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::zip::ZipPacker;
use super::{ExportOptions, Exporter, Format, MaskSet, palette_png};
use crate::dataset::read_photos;
use crate::files::FileSet;
use crate::masks::LabelMap;

/// A photo as a PNG, whatever its name says.
pub fn png(width: u32, height: u32, seed: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let pixel = |x: u32, y: u32| image::Rgb([seed, (x * 3) as u8, (y * 5) as u8]);
    image::RgbImage::from_fn(width, height, pixel).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// `a`: a disc of class 1 with a hole and one of class 2 that overlaps it, some pixels ignored; `b`: a small
/// rectangle and a corner of class 1; `c`: nothing.
pub fn set() -> MaskSet {
    let mut a = LabelMap::background(120, 90);
    for (at, label) in a.labels.iter_mut().enumerate() {
        let off = |x: f64, y: f64| ((at % 120) as f64 - x).hypot((at / 120) as f64 - y);
        *label = match () {
            () if off(85.0, 60.0) < 24.0 => 2,
            () if off(45.0, 40.0) < 33.0 && off(40.0, 38.0) > 9.0 => 1,
            () if at < 50 => 255,
            () => 0,
        };
    }
    let mut b = LabelMap::background(7, 5);
    b.labels[0] = 1;
    (1..4).for_each(|row| b.labels[row * 7 + 2..row * 7 + 5].fill(1));
    let masks = [("a", a), ("b", b), ("c", LabelMap::background(6, 6))];
    let photos = masks.iter().enumerate().map(|(at, (name, mask))| {
        let ending = if at == 0 { "jpeg" } else { "png" };
        (format!("photos/{name}.{ending}"), png(mask.width as u32, mask.height as u32, at as u8))
    });
    let photos = read_photos(&FileSet::memory(photos.collect()), &[], &mut |_, _| ()).unwrap();
    let masks = masks.iter().map(|(name, mask)| (format!("{name}.png"), palette_png::encode(mask).unwrap()));
    let classes = ["cow", "red fox"].map(str::to_owned);
    MaskSet::new(&FileSet::memory(masks.collect()), &photos, &classes).unwrap()
}

/// What an export writes, by path.
pub fn files(set: &MaskSet, formats: &[Format], photos: bool) -> BTreeMap<String, Vec<u8>> {
    let mut sink = ZipPacker::new(Cursor::new(Vec::new()));
    Exporter::new(set, formats, ExportOptions { photos }).run(&mut sink, &mut |_, _| ()).unwrap();
    let mut archive = ::zip::ZipArchive::new(sink.finish().unwrap()).unwrap();
    let count = archive.len();
    let file = |at: usize| {
        let mut entry = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(file).collect()
}

/// Intersection over union of the pixels of a label; 1 where neither has any.
pub fn iou(a: &LabelMap, b: &LabelMap, label: u8) -> f64 {
    let pairs = || a.labels.iter().zip(&b.labels);
    let both = pairs().filter(|(a, b)| **a == label && **b == label).count();
    let either = pairs().filter(|(a, b)| **a == label || **b == label).count();
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}
