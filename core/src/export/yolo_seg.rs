//! YOLO's text files for segmentation, as Ultralytics reads them: `labels/train/<stem>.txt`, a line a
//! region, and `data.yaml`. Photos belong in `images/train`.

use super::formats::{Masks, Plan};
use super::mask_set::{MaskSet, MaskedPhoto};
use crate::error::Result;
use crate::masks::LabelMap;
use crate::masks::polygon::polygons;

/// A line is the class, numbered from 0, then the points of the region as shares of the image's sides. As a
/// line has one polygon without holes, it goes to each hole, around it and back the same way. A photo without
/// any class has an empty file.
pub(super) fn plan(set: &MaskSet) -> Plan<'_> {
    Plan {
        photos: Some("images/train/"),
        files: vec![("data.yaml".into(), data_yaml(&set.classes).into_bytes())],
        masks: Masks::Files(Box::new(|photo, mask| {
            Ok(vec![(format!("labels/train/{}.txt", photo.stem), lines(photo, mask)?.into_bytes())])
        })),
    }
}

fn lines(photo: &MaskedPhoto, mask: &LabelMap) -> Result<String> {
    let mut text = String::new();
    for polygon in polygons(mask, &photo.mask_path)? {
        text.push_str(&(polygon.label - 1).to_string());
        for [x, y] in polygon.joined() {
            text.push_str(&format!(" {:.6} {:.6}", x / mask.width as f64, y / mask.height as f64));
        }
        text.push('\n');
    }
    Ok(text)
}

fn data_yaml(classes: &[String]) -> String {
    let mut text = String::from(
        "# Put photos into images/train, where they are not there yet. Move some, with their labels, to\n\
         # images/val and labels/val before you trust a score.\n\
         path: .\ntrain: images/train\nval: images/train\nnames:\n",
    );
    for (number, name) in classes.iter().enumerate() {
        text.push_str(&format!("  {number}: {}\n", quoted(name)));
    }
    text
}

/// A name as a string of YAML in double quotes, whatever is in it.
fn quoted(name: &str) -> String {
    let mut text = String::from("\"");
    for letter in name.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            // YAML takes these for the end of a line, or for no text at all.
            letter if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{FEFF}') => {
                text.push_str(&format!("\\u{:04X}", letter as u32));
            }
            letter => text.push(letter),
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Layout, read};
    use crate::export::Format;
    use crate::export::test_set::{files, iou, set};
    use crate::files::FileSet;
    use crate::masks::Outline;

    #[test]
    fn lines_are_classes_and_shares_of_the_sides() {
        let files = files(&set(), &[Format::YoloSeg], false);
        let text = |path: &str| String::from_utf8(files[&format!("yolo-seg/{path}")].clone()).unwrap();
        assert!(text("data.yaml").ends_with("\nnames:\n  0: \"cow\"\n  1: \"red fox\"\n"));
        let of_b = text("labels/train/b.txt");
        assert_eq!(
            of_b.lines().next().unwrap(),
            "0 0.142857 0.000000 0.142857 0.200000 0.000000 0.200000 0.000000 0.000000"
        );
        assert_eq!(text("labels/train/c.txt"), "");
    }

    #[test]
    fn painted_lines_are_the_mask() {
        let set = set();
        let files = files(&set, &[Format::YoloSeg], false);
        for photo in &set.photos {
            let mask = set.mask(photo).unwrap();
            let text =
                std::str::from_utf8(&files[&format!("yolo-seg/labels/train/{}.txt", photo.stem)]).unwrap();
            let mut back = LabelMap::background(mask.width, mask.height);
            for line in text.lines() {
                let (class, points) = line.split_once(' ').unwrap();
                let sides = [mask.width, mask.height].map(|side| side as f32).into_iter().cycle();
                let points = points.split(' ').zip(sides).map(|(at, side)| at.parse::<f32>().unwrap() * side);
                let outline = Outline::polygons(&[points.collect()]).unwrap();
                let label = class.parse::<u8>().unwrap() + 1;
                outline.fill(mask.width, mask.height, |pixels| back.labels[pixels].fill(label));
            }
            for label in [1, 2] {
                assert!(iou(&mask, &back, label) >= 0.99, "{} {label}", photo.path);
            }
        }
    }

    #[test]
    fn this_program_reads_classes_and_labels_back() {
        let set = set();
        let all = files(&set, &[Format::YoloSeg], true);
        let back = read(&FileSet::memory(all.into_iter().collect()), &mut |_, _| ()).unwrap();
        assert_eq!((back.layout, &back.classes), (Layout::Yolo, &set.classes));
        let labels: Vec<_> = back.items.iter().map(|item| item.labels.as_slice()).collect();
        assert_eq!(labels, [&[0, 1][..], &[0], &[]]);
    }

    #[test]
    fn names_are_strings_of_yaml() {
        assert_eq!(quoted("a: \"b\" \\ # 'c'"), r##""a: \"b\" \\ # 'c'""##);
        assert_eq!(quoted("\u{85}\u{2028}\u{7f}ä"), "\"\\u0085\\u2028\\u007Fä\"");
    }
}
