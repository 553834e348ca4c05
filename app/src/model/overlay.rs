//! Labels as colours over a picture.

use tag2mask_core::export::palette_png::voc_color;
use tag2mask_core::masks::IGNORE;

/// The colour of foreground class `class`, the same as in the mask files.
pub fn class_color(class: usize) -> [u8; 3] {
    voc_color(u8::try_from(class + 1).unwrap_or(IGNORE))
}

/// The same as CSS.
pub fn class_css(class: usize) -> String {
    let [r, g, b] = class_color(class);
    format!("rgb({r} {g} {b})")
}

/// What the network sees now: the class's colour, as opaque as its strength. RGBA, row-major.
pub fn heat(pixels: usize, labels: &[u8], strength: &[u8]) -> Vec<u8> {
    let mut rgba = vec![0; pixels * 4];
    for ((pixel, &label), &strength) in rgba.chunks_exact_mut(4).zip(labels).zip(strength) {
        if label != 0 {
            pixel[..3].copy_from_slice(&voc_color(label));
            pixel[3] = strength;
        }
    }
    rgba
}

/// A finished mask: opaque colours with a light edge, so that dark colours show on dark photos.
/// `only` leaves out the other classes. RGBA, row-major.
pub fn mask(width: usize, height: usize, labels: &[u8], only: Option<usize>) -> Vec<u8> {
    let wanted = only.map(|class| u8::try_from(class + 1).unwrap_or(IGNORE));
    let label_at = |x: usize, y: usize| {
        let label = labels.get(y * width + x).copied().unwrap_or(0);
        if wanted.is_none_or(|wanted| wanted == label) { label } else { 0 }
    };
    let mut rgba = vec![0; width * height * 4];
    for y in 0..height {
        for x in 0..width {
            let label = label_at(x, y);
            if label == 0 || label == IGNORE {
                continue;
            }
            let edge = (x > 0 && label_at(x - 1, y) != label)
                || (y > 0 && label_at(x, y - 1) != label)
                || (x + 1 < width && label_at(x + 1, y) != label)
                || (y + 1 < height && label_at(x, y + 1) != label);
            let color = voc_color(label).map(|c| if edge { 255 - (255 - c) / 3 } else { c });
            let at = (y * width + x) * 4;
            rgba[at..at + 3].copy_from_slice(&color);
            rgba[at + 3] = 255;
        }
    }
    rgba
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn background_is_clear_and_strength_is_opacity() {
        let rgba = heat(3, &[0, 1, 2], &[200, 100, 255]);
        assert_eq!(rgba[3], 0);
        assert_eq!(rgba[4..8], [128, 0, 0, 100]);
        assert_eq!(rgba[8..12], [0, 128, 0, 255]);
        assert_eq!(heat(2, &[1], &[]), vec![0; 8]);
    }

    #[test]
    fn masks_have_edges_and_can_be_filtered() {
        let mut labels = vec![1u8; 25];
        labels[0] = 0;
        let rgba = mask(5, 5, &labels, None);
        assert_eq!(rgba[3], 0);
        assert_ne!(rgba[4..7], [128, 0, 0], "next to the background");
        assert_eq!(rgba[12 * 4..12 * 4 + 4], [128, 0, 0, 255], "inside");
        assert!(mask(5, 5, &labels, Some(1)).iter().all(|&byte| byte == 0));
    }
}
