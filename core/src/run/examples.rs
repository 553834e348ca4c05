//! Photos to watch and to show: a few of every class, and how a mask is drawn over one.

use image::RgbImage;

use crate::dataset::Dataset;
use crate::export::palette_png::voc_color;
use crate::masks::LabelMap;
use crate::masks::rescale::resize_labels;

/// Items to show: in turns the next of each class by path, until there are `most`.
pub fn examples(dataset: &Dataset, most: usize) -> Vec<usize> {
    let of_class = |class: usize| {
        let has = move |&item: &usize| dataset.items[item].labels.iter().any(|&l| usize::from(l) == class);
        (0..dataset.items.len()).filter(has).collect::<Vec<_>>()
    };
    let mut waiting: Vec<_> = (0..dataset.classes.len()).map(|class| of_class(class).into_iter()).collect();
    // Those without a class come last.
    waiting.push((0..dataset.items.len()).collect::<Vec<_>>().into_iter());
    let mut chosen = Vec::new();
    while chosen.len() < most.min(dataset.items.len()) {
        let classes = waiting.len() - 1;
        for class in 0..waiting.len() {
            let is_rest = class == classes;
            if chosen.len() >= most || is_rest && waiting[..classes].iter().any(|items| items.len() > 0) {
                break;
            }
            if let Some(item) = waiting[class].find(|item| !chosen.contains(item)) {
                chosen.push(item);
            }
        }
    }
    chosen.sort_unstable();
    chosen
}

/// The photo, with what is labelled under half of its label's colour.
pub fn overlay(photo: &RgbImage, labels: &LabelMap) -> RgbImage {
    let labels = resize_labels(labels, (photo.width() as usize, photo.height() as usize));
    let mut picture = photo.clone();
    for (pixel, &label) in picture.pixels_mut().zip(&labels.labels) {
        if label != 0 {
            let color = voc_color(label);
            for (channel, color) in pixel.0.iter_mut().zip(color) {
                *channel =
                    (4 * u16::from(*channel)).saturating_add(6 * u16::from(color)).div_euclid(10) as u8;
            }
        }
    }
    picture
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dataset::{Item, Layout};
    use crate::files::MemoryBlob;

    /// Photos a0, a1, … of these labels, without bytes.
    pub fn dataset(classes: &[&str], labels: &[&[u16]]) -> Dataset {
        let item = |(index, labels): (usize, &&[u16])| Item {
            path: format!("images/a{index:02}.png"),
            stem: format!("a{index:02}"),
            width: 4,
            height: 3,
            labels: labels.to_vec(),
            image: Arc::new(MemoryBlob::new(Vec::new())),
            boxes: Vec::new(),
            mask: None,
        };
        Dataset {
            layout: Layout::LabelsTable,
            finding: String::new(),
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
            items: labels.iter().enumerate().map(item).collect(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn examples_are_of_every_class_in_turns() {
        // Four of the first class, one of the second, one of both, one of none.
        let all = dataset(&["cow", "dog"], &[&[0], &[0], &[0], &[0], &[], &[1], &[0, 1]]);
        assert_eq!(examples(&all, 2), [0, 5]);
        assert_eq!(examples(&all, 4), [0, 1, 5, 6]);
        assert_eq!(examples(&all, 6), [0, 1, 2, 3, 5, 6]);
        assert_eq!(examples(&all, 9), [0, 1, 2, 3, 4, 5, 6]);
        assert!(examples(&dataset(&["cow"], &[]), 3).is_empty());
    }
}
