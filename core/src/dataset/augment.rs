//! Random changes to training images, each a pure function of the image and a seed.
//!
//! Nothing is cropped or rotated: the share of the image that a class covers stays what it was.

use image::{RgbImage, imageops};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::run::settings::AugmentSettings;

/// A generator that depends on these numbers alone, not on what was drawn before or on which thread.
pub(super) fn generator(seed: u64, purpose: u64, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, number) in key.chunks_exact_mut(8).zip([seed, purpose, a, b]) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Mirrors and recolours an image as drawn for this seed, step and item.
pub fn apply(image: &mut RgbImage, settings: &AugmentSettings, seed: u64, step: usize, item: usize) {
    let mut rng = generator(seed, 1, step as u64, item as u64);
    // Always the same number of draws, so that one setting does not change what another draws.
    let mirror = rng.random::<u32>() & 1 == 1;
    let color = settings.color.clamp(0.0, 1.0) as f32;
    let [brightness, contrast, saturation] =
        [(); 3].map(|()| 1.0 + color * (rng.random::<f32>() * 2.0 - 1.0));
    if settings.flip && mirror {
        imageops::flip_horizontal_in_place(image);
    }
    if color > 0.0 {
        jitter(image, brightness, contrast, saturation);
    }
}

/// Whether [`apply`] mirrors the image for this seed, step and item: what belongs to its pixels must follow.
pub fn is_mirrored(settings: &AugmentSettings, seed: u64, step: usize, item: usize) -> bool {
    settings.flip && generator(seed, 1, step as u64, item as u64).random::<u32>() & 1 == 1
}

/// Multiplies brightness, then contrast about the image's mean grey, then saturation about each
/// pixel's grey; 1 leaves each as it is.
pub fn jitter(image: &mut RgbImage, brightness: f32, contrast: f32, saturation: f32) {
    let pixels = image.pixels().len().max(1) as u64;
    let sum: u64 = image.pixels().map(|pixel| u64::from(grey_thousandths(pixel.0))).sum();
    let mean = (sum as f64 / pixels as f64 / 1000.0) as f32 * brightness;
    for pixel in image.pixels_mut() {
        let grey = grey_thousandths(pixel.0) as f32 / 1000.0;
        pixel.0 = pixel.0.map(|value| {
            let saturated = grey + (f32::from(value) - grey) * saturation;
            let contrasted = mean + (saturated * brightness - mean) * contrast;
            (contrasted + 0.5).clamp(0.0, 255.0) as u8
        });
    }
}

/// ITU-R BT.601 luma, times 1000.
fn grey_thousandths([r, g, b]: [u8; 3]) -> u32 {
    299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> RgbImage {
        RgbImage::from_fn(5, 4, |x, y| image::Rgb([(x * 40) as u8, (y * 60) as u8, 90]))
    }

    #[test]
    fn changes_depend_on_seed_step_and_item_only() {
        let settings = AugmentSettings::default();
        let changed = |seed, step, item| {
            let mut image = image();
            apply(&mut image, &settings, seed, step, item);
            image
        };
        assert_eq!(changed(1, 2, 3), changed(1, 2, 3));
        assert!(changed(1, 2, 3) != changed(1, 2, 4) && changed(1, 2, 3) != changed(1, 3, 3));
        let off = AugmentSettings { flip: false, color: 0.0, ..settings };
        let mut same = image();
        apply(&mut same, &off, 1, 2, 3);
        assert_eq!(same, image());
    }

    #[test]
    fn flips_come_half_of_the_time() {
        let settings = AugmentSettings { flip: true, color: 0.0, scales: vec![1.0] };
        let flipped = (0..400)
            .filter(|&step| {
                let mut changed = image();
                apply(&mut changed, &settings, 7, step, 0);
                changed != image()
            })
            .count();
        assert!((150..250).contains(&flipped), "{flipped}");
    }

    #[test]
    fn jitter_does_what_it_says() {
        let mut same = image();
        jitter(&mut same, 1.0, 1.0, 1.0);
        assert_eq!(same, image());
        let mut grey = image();
        jitter(&mut grey, 1.0, 1.0, 0.0);
        assert!(grey.pixels().all(|p| p[0] == p[1] && p[1] == p[2]));
        let mut flat = image();
        jitter(&mut flat, 1.0, 0.0, 1.0);
        assert!(flat.pixels().all(|p| p == flat.get_pixel(0, 0)));
        let mut dark = image();
        jitter(&mut dark, 0.5, 1.0, 1.0);
        assert!(dark.pixels().zip(image().pixels()).all(|(d, i)| d[2].abs_diff(i[2] / 2) <= 1));
    }
}
