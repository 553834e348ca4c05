use image::Rgb;
use rand::RngExt;

use super::*;

/// A disc of one colour on ground of two others, both with noise; and its mask.
fn disc(width: u32, height: u32, (x, y, radius): (f32, f32, f32)) -> (RgbImage, Vec<bool>) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut mask = Vec::new();
    let image = RgbImage::from_fn(width, height, |column, row| {
        let inside = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y) < radius;
        mask.push(inside);
        let ground: [u8; 3] = if (column / 6 + row / 5) % 2 == 0 { [60, 130, 50] } else { [110, 150, 90] };
        let color = if inside { [170, 80, 60] } else { ground };
        Rgb(color.map(|value| value + random.random_range(0..50)))
    });
    (image, mask)
}

fn around((x, y, radius): (f32, f32, f32), class: u16) -> ObjectBox {
    ObjectBox { class, x0: x - radius, y0: y - radius, x1: x + radius, y1: y + radius }
}

fn overlap(labels: &LabelMap, label: u8, truth: &[bool]) -> f64 {
    let count = |wanted: fn(bool, bool) -> bool| {
        labels.labels.iter().zip(truth).filter(|&(&found, &is)| wanted(found == label, is)).count() as f64
    };
    count(|found, is| found && is) / count(|found, is| found || is)
}

#[test]
fn a_disc_is_cut_out_of_its_box() {
    let circle = (70.0, 50.0, 30.0);
    let (image, truth) = disc(160, 120, circle);
    let labels = masks(&image, &[around(circle, 4)], &GrabCutSettings::default(), None);
    assert_eq!((labels.width, labels.height), (160, 120));
    assert!(labels.labels.iter().all(|&label| label == 0 || label == 5));
    // The box itself has π/4.
    let found = overlap(&labels, 5, &truth);
    assert!(found > 0.95, "{found}");
}

#[test]
fn a_large_photo_is_cut_at_a_smaller_size() {
    let circle = (400.0, 300.0, 220.0);
    let (image, truth) = disc(700, 600, circle);
    let settings = GrabCutSettings { longest_side: 150, ..GrabCutSettings::default() };
    let found = overlap(&masks(&image, &[around(circle, 0)], &settings, None), 1, &truth);
    assert!(found > 0.9, "{found}");
}

#[test]
fn the_seed_decides_and_other_boxes_do_not() {
    let (image, _) = disc(90, 80, (40.0, 40.0, 25.0));
    let boxes = [around((40.0, 40.0, 26.0), 0), around((70.0, 20.0, 15.0), 1), around((30.0, 30.0, 9.0), 2)];
    let settings = GrabCutSettings::default();
    let together = masks(&image, &boxes, &settings, None);
    assert_eq!(masks(&image, &boxes, &settings, None), together);
    let [a, b, c] = boxes;
    assert_eq!(masks(&image, &[c, a, b], &settings, None), together);
    // Each alone, the smaller ones on top.
    let mut layered = LabelMap::background(90, 80);
    for object in [a, b, c] {
        let alone = masks(&image, &[object], &settings, None);
        for (label, alone) in layered.labels.iter_mut().zip(alone.labels).filter(|&(_, alone)| alone != 0) {
            *label = alone;
        }
    }
    assert_eq!(layered, together);
}

#[test]
fn what_cannot_be_cut_is_its_box() {
    let settings = GrabCutSettings::default();
    let object = |x0, y0, x1, y1| ObjectBox { class: 1, x0, y0, x1, y1 };
    let area = |image: &RgbImage, object| {
        masks(image, &[object], &settings, None).labels.iter().filter(|&&label| label == 2).count()
    };
    let (photo, _) = disc(40, 30, (20.0, 15.0, 10.0));
    // No background to learn from.
    assert_eq!(area(&photo, object(0.0, 0.0, 40.0, 30.0)), 1200);
    // No colour tells the object from the rest.
    for color in [[0; 3], [255; 3], [90, 1, 200]] {
        let plain = RgbImage::from_pixel(40, 30, Rgb(color));
        assert_eq!(area(&plain, object(5.0, 5.0, 25.0, 20.0)), 300);
        assert_eq!(area(&plain, object(5.2, 5.2, 5.6, 5.6)), 1);
    }
    assert_eq!(area(&RgbImage::new(1, 1), object(0.0, 0.0, 1.0, 1.0)), 1);
    assert_eq!(area(&photo, object(12.0, 12.0, 13.0, 13.0)), 1);
    assert!(masks(&RgbImage::new(0, 0), &[object(0.0, 0.0, 1.0, 1.0)], &settings, None).labels.is_empty());
}

#[test]
fn odd_boxes_and_settings_end_in_a_mask() {
    let (photo, _) = disc(40, 30, (20.0, 15.0, 10.0));
    let object = |class, x0, y0, x1, y1| ObjectBox { class, x0, y0, x1, y1 };
    let boxes = [
        object(0, 0.0, 0.0, 40.0, 1.0),
        object(1, 39.5, 0.0, 40.0, 30.0),
        object(2, f32::NAN, 3.0, f32::INFINITY, -3.0),
        object(3, 50.0, 60.0, 70.0, 90.0),
        object(254, 0.0, 0.0, 40.0, 30.0),
        object(253, 4.0, 4.0, 36.0, 26.0),
    ];
    let extreme = |number: f32, count: usize| GrabCutSettings {
        gaussians: count,
        iterations: count.min(7),
        gamma: number,
        margin: number,
        least_share: number,
        opinion_weight: number,
        longest_side: count,
        seed: u64::MAX,
    };
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -1e30, 7.0].repeat(3);
    let odd = ScoreMaps { classes: 3, width: 3, height: 2, values };
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 1e9] {
        for count in [0, 1, 2, usize::MAX] {
            for opinion in [None, Some(&odd)] {
                let labels = masks(&photo, &boxes, &extreme(number, count), opinion);
                assert!(labels.labels.iter().all(|&label| [0, 1, 2, 3, 4, 254].contains(&label)));
            }
        }
    }
}

#[test]
fn settings_survive_json_and_may_be_left_out() {
    let settings = GrabCutSettings::default();
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<GrabCutSettings>(&text).unwrap(), settings);
    assert_eq!(serde_json::from_str::<GrabCutSettings>("{}").unwrap(), settings);
}
