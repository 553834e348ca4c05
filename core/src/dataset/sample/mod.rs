//! The built-in sample set: generated fields of a stained blood smear, with three kinds of object.
//!
//! Nothing is downloaded and nothing is traced from photos. A field is painted as light sees it: every
//! object takes some of each colour away (Beer–Lambert), so that overlaps darken; the illumination is
//! uneven, stain and focus vary, and debris that is out of focus belongs to no class. Each class is in
//! half of the fields, independently of the others, and one field in eight has none.
//!
//! Only `+ − × ÷ √` are used, which every platform computes alike: the same seed gives the same files.

mod canvas;
mod cells;
mod field;

use std::fmt::Write;
use std::io::Cursor;

use image::ImageFormat;
use rand::seq::SliceRandom;

use super::augment::generator;
use crate::export::palette_png;
use field::Field;

/// The classes of the sample set: bit `c` of a field's pattern, value `c + 1` in its mask.
pub const CLASSES: [&str; 3] = ["erythrocyte", "leukocyte", "bacillus"];

/// How many fields, how large, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSettings {
    /// Number of images; 1 to 10,000.
    pub images: usize,
    /// Columns and rows of each, pixels; 64 to 1024. Objects grow with it.
    pub size: u32,
    /// Another seed gives other fields.
    pub seed: u64,
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self { images: 48, size: 128, seed: 0 }
    }
}

/// The files of the sample set, by path: `images/field_000.png` …, `masks/field_000.png` …,
/// `labels.csv`, `classes.txt`, and `boxes.csv` (`image,class,x0,y0,x1,y1` in pixels, the last two
/// exclusive). Settings are brought into their ranges.
pub fn files(settings: &SampleSettings) -> Vec<(String, Vec<u8>)> {
    let images = settings.images.clamp(1, 10_000);
    let size = settings.size.clamp(64, 1024) as usize;
    let mut files = Vec::with_capacity(2 * images + 3);
    let mut labels = String::from("image,labels\n");
    let mut boxes = String::from("image,class,x0,y0,x1,y1\n");
    for (number, pattern) in patterns(images, settings.seed).into_iter().enumerate() {
        let field = Field::paint(size, pattern, &mut generator(settings.seed, 11, number as u64, 0));
        let present: Vec<&str> = (0u8..)
            .zip(CLASSES)
            .filter(|(c, _)| field.mask.labels.contains(&(c + 1)))
            .map(|(_, name)| name)
            .collect();
        // Writing to a string does not fail.
        let _ = writeln!(labels, "field_{number:03}.png,{}", present.join(" "));
        for found in &field.boxes {
            let [x0, y0, x1, y1] = found.edges;
            let _ = writeln!(boxes, "field_{number:03}.png,{},{x0},{y0},{x1},{y1}", CLASSES[found.class]);
        }
        let mut image = Cursor::new(Vec::new());
        let written = field.image.write_to(&mut image, ImageFormat::Png).is_ok();
        if let (true, Ok(mask)) = (written, palette_png::encode(&field.mask)) {
            files.push((format!("images/field_{number:03}.png"), image.into_inner()));
            files.push((format!("masks/field_{number:03}.png"), mask));
        }
    }
    files.push(("labels.csv".to_owned(), labels.into_bytes()));
    files.push(("boxes.csv".to_owned(), boxes.into_bytes()));
    files.push(("classes.txt".to_owned(), format!("background\n{}\n", CLASSES.join("\n")).into_bytes()));
    files.sort();
    files
}

/// Which classes each field has, as bits: all eight combinations in turn, in a shuffled order.
fn patterns(images: usize, seed: u64) -> Vec<u8> {
    let mut patterns: Vec<u8> = (0..images).map(|image| (image % 8) as u8).collect();
    patterns.shuffle(&mut generator(seed, 12, 0, 0));
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Layout, decode, read};
    use crate::files::FileSet;

    #[test]
    fn the_sample_set_reads_without_a_problem() {
        let settings = SampleSettings { images: 24, ..SampleSettings::default() };
        let set = FileSet::memory(files(&settings));
        let dataset = read(&set, &mut |_, _| {}).unwrap();
        assert_eq!(dataset.problems, []);
        assert_eq!(dataset.layout, Layout::LabelsTable);
        assert_eq!(dataset.classes, CLASSES);
        let summary = dataset.summary();
        assert_eq!(summary.images_per_class, [12, 12, 12]);
        assert_eq!((summary.without_class, summary.several_classes, summary.with_mask), (3, 12, 24));
        // Every class of every image is in a box, and no box was refused.
        assert!(summary.boxes >= 36, "{}", summary.boxes);
        for item in &dataset.items {
            assert_eq!((item.width, item.height), (128, 128));
            let mask = item.mask.as_ref().unwrap().decode(&item.path).unwrap();
            let shares = mask.shares(3);
            for (class, share) in (0u16..).zip(shares) {
                assert_eq!(share > 0.0, item.labels.contains(&class), "{}", item.path);
                assert!(share == 0.0 || share > 0.01, "{}: {share} of class {class}", item.path);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_files_and_another_does_not() {
        let settings = SampleSettings { images: 3, size: 96, seed: 5 };
        assert_eq!(files(&settings), files(&settings));
        assert_ne!(files(&settings), files(&SampleSettings { seed: 6, ..settings }));
    }

    #[test]
    fn boxes_hold_their_class() {
        let all = files(&SampleSettings { images: 8, ..SampleSettings::default() });
        let set = FileSet::memory(all);
        let table = set.get("boxes.csv").unwrap();
        let text = String::from_utf8(table.blob.read_at(0, usize::MAX).unwrap()).unwrap();
        let mut count = 0;
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let class = CLASSES.iter().position(|name| *name == cells[1]).unwrap() as u8 + 1;
            let [x0, y0, x1, y1] = [2, 3, 4, 5].map(|at| cells[at].parse::<usize>().unwrap());
            assert!(x0 < x1 && y0 < y1 && x1 <= 128 && y1 <= 128, "{line}");
            let path = format!("masks/{}", cells[0]);
            let mask = decode::mask(set.get(&path).unwrap().blob.as_ref(), &path).unwrap();
            let inside = |x: usize, y: usize| mask.labels[y * 128 + x] == class;
            assert!((y0..y1).any(|y| inside(x0, y)) && (y0..y1).any(|y| inside(x1 - 1, y)), "{line}");
            assert!((x0..x1).any(|x| inside(x, y0)) && (x0..x1).any(|x| inside(x, y1 - 1)), "{line}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }
}
