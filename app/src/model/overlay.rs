//! Labels as colours over a picture.

use std::cell::RefCell;

use tag2mask_core::export::palette_png::voc_color;
use tag2mask_core::masks::IGNORE;

use super::mask_editor::Area;

/// Colours of which the first ten are told apart whatever one's colour vision: those of Okabe and Ito, 2008 ("Color Universal
/// Design") without their black, then those of Paul Tol's "muted" scheme (SRON/EPS/TN/09-002, 2021), the most
/// different ones first. The mask files have PASCAL VOC's colours, as other programs expect.
const COLORS: [[u8; 3]; 14] = [
    [230, 159, 0],
    [0, 114, 178],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
    [213, 94, 0],
    [240, 228, 66],
    [51, 34, 136],
    [136, 34, 85],
    [153, 153, 51],
    [221, 204, 119],
    [68, 170, 153],
    [204, 102, 119],
    [17, 119, 51],
];

thread_local! {
    /// The colour's place for each class; for classes beyond its end their own.
    static PLACES: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// From now on class `c` has the colour at `places[c]`, so that classes keep theirs when others go.
pub fn keep_colors(places: &[u16]) {
    PLACES.with_borrow_mut(|kept| *kept = places.to_vec());
}

/// The colour of foreground class `class`; beyond those of [`COLORS`], the one in the mask files of that place.
pub fn class_color(class: usize) -> [u8; 3] {
    let place = PLACES.with_borrow(|places| places.get(class).map_or(class, |&place| usize::from(place)));
    let of_files = || voc_color(u8::try_from(place + 1).unwrap_or(IGNORE));
    COLORS.get(place).copied().unwrap_or_else(of_files)
}

/// The colour of a label that is not background.
fn label_color(label: u8) -> [u8; 3] {
    class_color(usize::from(label).saturating_sub(1))
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
            pixel[..3].copy_from_slice(&label_color(label));
            pixel[3] = strength;
        }
    }
    rgba
}

/// How a mask is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Leaves out the other classes.
    pub only: Option<usize>,
    /// Draws its outline alone.
    pub outline: bool,
}

impl Look {
    /// How many pixels around a pixel decide on its colour, in a mask of this size.
    pub fn reach(self, width: usize, height: usize) -> usize {
        if self.outline { (width.max(height) / 160).max(2) } else { 1 }
    }
}

/// A finished mask: opaque colours with a light edge, so that dark colours show on dark photos; or the edge
/// alone. RGBA, row-major.
pub fn mask(width: usize, height: usize, labels: &[u8], look: Look) -> Vec<u8> {
    mask_part(width, height, labels, look, Area { x0: 0, y0: 0, x1: width, y1: height })
}

/// A part of the same.
pub fn mask_part(width: usize, height: usize, labels: &[u8], look: Look, area: Area) -> Vec<u8> {
    let only = look.only;
    let wanted = only.map(|class| u8::try_from(class + 1).unwrap_or(IGNORE));
    let label_at = |x: usize, y: usize| {
        let label = labels.get(y * width + x).copied().unwrap_or(0);
        if wanted.is_none_or(|wanted| wanted == label) { label } else { 0 }
    };
    let is_edge = |x: usize, y: usize, label: u8, by: usize| {
        (x >= by && label_at(x - by, y) != label)
            || (y >= by && label_at(x, y - by) != label)
            || (x + by < width && label_at(x + by, y) != label)
            || (y + by < height && label_at(x, y + by) != label)
    };
    let reach = look.reach(width, height);
    let mut rgba = vec![0; (area.x1 - area.x0) * (area.y1 - area.y0) * 4];
    let mut pixels = rgba.chunks_exact_mut(4);
    for y in area.y0..area.y1 {
        for x in area.x0..area.x1 {
            let Some(pixel) = pixels.next() else { return rgba };
            let label = label_at(x, y);
            if label == 0 || label == IGNORE {
                continue;
            }
            let edge = is_edge(x, y, label, 1);
            if look.outline && !edge && !(2..=reach).any(|by| is_edge(x, y, label, by)) {
                continue;
            }
            let color = label_color(label).map(|c| if edge { 255 - (255 - c) / 3 } else { c });
            pixel[..3].copy_from_slice(&color);
            pixel[3] = 255;
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
        assert_eq!(rgba[4..8], [230, 159, 0, 100]);
        assert_eq!(rgba[8..12], [0, 114, 178, 255]);
        assert_eq!(heat(2, &[1], &[]), vec![0; 8]);
    }

    #[test]
    fn classes_keep_their_colours_when_others_go() {
        keep_colors(&[0, 2, 7]);
        assert_eq!([0, 1, 2].map(class_color), [COLORS[0], COLORS[2], COLORS[7]]);
        keep_colors(&[]);
        assert_eq!(class_color(1), COLORS[1]);
    }

    #[test]
    fn masks_have_edges_and_can_be_filtered() {
        let mut labels = vec![1u8; 25];
        labels[0] = 0;
        let rgba = mask(5, 5, &labels, Look::default());
        assert_eq!(rgba[3], 0);
        assert_ne!(rgba[4..7], [230, 159, 0], "next to the background");
        assert_eq!(rgba[12 * 4..12 * 4 + 4], [230, 159, 0, 255], "inside");
        assert!(mask(5, 5, &labels, Look { only: Some(1), outline: false }).iter().all(|&byte| byte == 0));
    }

    #[test]
    fn an_outline_is_an_edge_alone_and_a_part_is_like_the_whole() {
        let labels: Vec<u8> = (0..40 * 30).map(|at| u8::from((10..30).contains(&(at % 40)))).collect();
        let look = Look { only: None, outline: true };
        let whole = mask(40, 30, &labels, look);
        let opaque = |x: usize| whole[(15 * 40 + x) * 4 + 3] > 0;
        assert!(opaque(10) && opaque(11) && opaque(29) && !opaque(9) && !opaque(20));
        let area = Area { x0: 7, y0: 3, x1: 13, y1: 9 };
        for look in [look, Look::default()] {
            let (whole, part) = (mask(40, 30, &labels, look), mask_part(40, 30, &labels, look, area));
            let rows = part.chunks_exact(6 * 4).zip(area.y0..area.y1);
            rows.for_each(|(row, y)| assert_eq!(row, &whole[(y * 40 + area.x0) * 4..][..6 * 4]));
        }
    }

    /// What someone without red (0), green (1) or blue (2) cones sees, by the matrices of Machado et al., 2009,
    /// for the full deficiency; in linear light.
    fn seen(kind: usize, color: [u8; 3]) -> [f64; 3] {
        let matrices = [
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        ];
        let linear = color.map(|c| (f64::from(c) / 255.0).powf(2.2));
        matrices[kind]
            .map(|row| (0..3).map(|i| row[i] * linear[i]).sum::<f64>().clamp(0.0, 1.0).powf(1.0 / 2.2))
    }

    #[test]
    fn the_first_ten_classes_differ_for_every_colour_vision() {
        let distance = |a: [f64; 3], b: [f64; 3]| (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt();
        let least = |colors: &[[u8; 3]], kind| {
            let pairs = (0..colors.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
            pairs.map(|(a, b)| distance(seen(kind, colors[a]), seen(kind, colors[b]))).fold(9.0, f64::min)
        };
        let of_files: Vec<[u8; 3]> = (1..11).map(voc_color).collect();
        for kind in 0..3 {
            assert!(least(&COLORS[..10], kind) > 0.11, "{kind}: {}", least(&COLORS[..10], kind));
        }
        assert!(least(&of_files, 1) < 0.05, "those of the files do not");
    }
}
