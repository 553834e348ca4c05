//! Photos whose boxes are known, as a segmentation network that learned from boxes sees them. Ours: the paper (METHODS
//! §4) reads its network as it is.

use image::RgbImage;

use super::settings::MaskSettings;
use crate::dataset::Item;
use crate::error::Result;
use crate::masks::{LabelMap, ScoreMaps, dense_crf, grabcut};

/// Gives a class nothing outside its boxes, and inside all that is not background to the strongest class that has a
/// box there; the background stands first. Ours: which class it is, the box says, and what is left to ask of the
/// network is whether a pixel is of the object. (On 281 photos, of classes that it often confused, masks scored 70 %
/// before refinement, and 65 % where what it gave to other classes was dropped.)
pub fn tell(logits: &mut ScoreMaps, item: &Item) {
    let (width, height) = (logits.width, logits.height);
    let pixels = width * height;
    let image = (item.width, item.height);
    // The strongest class with a box there, and its logit.
    let mut told = vec![(0, f32::NEG_INFINITY); pixels];
    for object in &item.boxes {
        let class = usize::from(object.class) + 1;
        if class >= logits.classes {
            continue;
        }
        let values = logits.class(class);
        let (columns, rows) = object.cells(image, (width, height));
        for pixel in rows.flat_map(|row| columns.clone().map(move |column| row * width + column)) {
            if values[pixel] > told[pixel].1 {
                told[pixel] = (class, values[pixel]);
            }
        }
    }
    for (pixel, (class, _)) in told.into_iter().enumerate() {
        let (mut largest, mut sum) = (f32::NEG_INFINITY, 0.0);
        for of_class in logits.values.chunks_exact_mut(pixels).skip(1) {
            let value = std::mem::replace(&mut of_class[pixel], f32::NEG_INFINITY);
            if value > largest {
                sum *= (largest - value).exp();
                largest = value;
            }
            if value > f32::NEG_INFINITY {
                sum += (value - largest).exp();
            }
        }
        if class > 0 {
            logits.values[class * pixels + pixel] = largest + sum.ln();
        }
    }
}

/// What two of three agree on: the boxes' cut by colours alone; the network's `labels`, made to follow edges by the
/// random field; and a cut that weighs the network's `logits`, of every label, beside colours. Where all differ, it
/// is the last. On 281 photos the first two scored 79.0 and 77.1 %, and this 80.7.
///
/// # Errors
/// As [`dense_crf::refine`].
pub fn refine(
    image: &RgbImage,
    mut logits: ScoreMaps,
    labels: &LabelMap,
    item: &Item,
    settings: &MaskSettings,
) -> Result<LabelMap> {
    tell(&mut logits, item);
    let boxes = item.boxes_on(image.dimensions());
    let by_color = grabcut::masks(image, &boxes, &settings.cut, None);
    let by_network = dense_crf::refine(image.as_raw(), labels, &item.labels, &settings.crf)?;
    let both = grabcut::masks(image, &boxes, &settings.cut, Some(&logits));
    Ok(agreed(&by_color, &by_network, both))
}

/// The label that two of three give a pixel; the last one's where all differ.
fn agreed(a: &LabelMap, b: &LabelMap, mut last: LabelMap) -> LabelMap {
    for ((label, &a), &b) in last.labels.iter_mut().zip(&a.labels).zip(&b.labels) {
        if a == b {
            *label = a;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::super::interpret::segmented;
    use super::*;
    use crate::dataset::ObjectBox;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::files::FileSet;

    /// An item of 64 × 64 pixels.
    fn item(boxes: Vec<ObjectBox>) -> Item {
        let files = sample::files(&SampleSettings { images: 1, size: 64, seed: 2 });
        let item = crate::dataset::read(&FileSet::memory(files), &mut |_, _| {}).unwrap().items.remove(0);
        Item { labels: boxes.iter().map(|object| object.class).collect(), boxes, ..item }
    }

    #[test]
    fn nothing_of_a_class_is_left_outside_its_boxes() {
        let item = item(vec![ObjectBox { class: 1, x0: 0.0, y0: 32.0, x1: 32.0, y1: 64.0 }]);
        let values = [vec![0.0; 4], vec![5.0; 4], vec![1.0; 4]].concat();
        let mut logits = ScoreMaps { classes: 3, width: 2, height: 2, values };
        tell(&mut logits, &item);
        let (labels, activation) = segmented(&logits);
        assert_eq!(labels.labels, [0, 0, 2, 0]);
        assert!(activation.strength.iter().all(|strength| (0.0..=1.0).contains(strength)));
    }

    #[test]
    fn a_box_says_which_class_it_is_that_is_not_background() {
        let whole = |class| ObjectBox { class, x0: 0.0, y0: 0.0, x1: 64.0, y1: 64.0 };
        let item = item(vec![whole(1), whole(2)]);
        // Background, and three classes of which the first has no box.
        let values = vec![1.0, 1.0, 0.5, 0.9, -9.0, f32::NAN, 0.5, 0.0, 0.0, 0.4, -1.0, 0.0];
        let mut logits = ScoreMaps { classes: 4, width: 3, height: 1, values };
        tell(&mut logits, &item);
        let (labels, activation) = segmented(&logits);
        // 0.9, 0.5 and 0.4 are together more than 1.0; −9, 0 and −1 are less.
        assert_eq!(labels.labels[..2], [2, 0]);
        let (object, background) = (0.9f32.exp() + 0.5f32.exp() + 0.4f32.exp(), 1.0f32.exp());
        assert!((activation.strength[0] - object / (object + background)).abs() < 1e-6);
        assert_eq!(labels.labels[2], 2, "what is no number is passed over");
    }

    #[test]
    fn a_pixel_has_the_label_that_two_of_three_give_it() {
        let map = |labels: &[u8]| LabelMap { width: labels.len(), height: 1, labels: labels.to_vec() };
        let (a, b, c) = (map(&[1, 1, 0, 1, 2]), map(&[1, 0, 1, 1, 1]), map(&[1, 1, 1, 0, 0]));
        assert_eq!(agreed(&a, &b, c).labels, [1, 1, 1, 1, 0]);
    }

    #[test]
    fn nothing_is_drawn_outside_the_boxes() {
        let image = RgbImage::from_fn(64, 64, |x, y| {
            let is_red = (16..40).contains(&y) && ((16..32).contains(&x) || (44..60).contains(&x));
            Rgb(if is_red { [200, 30, 20] } else { [110, 115, 120] })
        });
        let item = item(vec![ObjectBox { class: 0, x0: 12.0, y0: 12.0, x1: 36.0, y1: 44.0 }]);
        let labels = LabelMap { width: 64, height: 64, labels: vec![1; 4096] };
        let values = [vec![0.0; 4096], vec![5.0; 4096]].concat();
        let logits = ScoreMaps { classes: 2, width: 64, height: 64, values };
        let drawn = refine(&image, logits, &labels, &item, &MaskSettings::default()).unwrap();
        assert_eq!(drawn.labels[24 * 64 + 24], 1);
        let outside = (0..4096).filter(|at| !(12..36).contains(&(at % 64)) || !(12..44).contains(&(at / 64)));
        assert!(outside.into_iter().all(|at| drawn.labels[at] == 0));
    }
}
