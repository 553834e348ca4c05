//! Plain resizing of photos and labels on the host, for work at a bounded size.

use super::label_map::LabelMap;

/// The largest size of the same proportions with at most `pixels` pixels; the size itself where it has
/// no more.
pub fn bounded(width: usize, height: usize, pixels: usize) -> (usize, usize) {
    let area = width as f64 * height as f64;
    if area <= pixels as f64 {
        return (width, height);
    }
    let factor = (pixels as f64 / area).sqrt();
    let side = |length: usize| ((length as f64 * factor) as usize).clamp(1, pixels.max(1));
    (side(width), side(height))
}

/// An RGB image (height × width × 3) made smaller: every new pixel is the mean of those it covers.
pub fn shrink_rgb(
    rgb: &[u8],
    (width, height): (usize, usize),
    (to_width, to_height): (usize, usize),
) -> Vec<u8> {
    let mut small = Vec::with_capacity(to_width * to_height * 3);
    for row in 0..to_height {
        let rows = covered(row, height, to_height);
        for column in 0..to_width {
            let columns = covered(column, width, to_width);
            let mut sums = [0u64; 3];
            for y in rows.clone() {
                let line = &rgb[(y * width + columns.start) * 3..(y * width + columns.end) * 3];
                for pixel in line.as_chunks::<3>().0 {
                    (0..3).for_each(|channel| sums[channel] += u64::from(pixel[channel]));
                }
            }
            let count = (rows.len() * columns.len()) as u64;
            small.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
        }
    }
    small
}

/// Labels at another size: every new pixel takes the label at its centre.
pub fn resize_labels(labels: &LabelMap, (to_width, to_height): (usize, usize)) -> LabelMap {
    let centre = |index: usize, from: usize, to: usize| (2 * index + 1) * from / (2 * to);
    let mut resized = Vec::with_capacity(to_width * to_height);
    for row in 0..to_height {
        let line = &labels.labels[centre(row, labels.height, to_height) * labels.width..][..labels.width];
        resized.extend((0..to_width).map(|column| line[centre(column, labels.width, to_width)]));
    }
    LabelMap { width: to_width, height: to_height, labels: resized }
}

/// A mask with the corrections that were made to it at a smaller size: where `edited` differs from what `full`
/// is at that size, its label at that place; elsewhere the mask keeps its fine detail.
pub fn corrected(full: &LabelMap, edited: &LabelMap) -> LabelMap {
    let size = (full.width, full.height);
    let seen = resize_labels(&resize_labels(full, (edited.width, edited.height)), size);
    let wanted = resize_labels(edited, size);
    let pixels = full.labels.iter().zip(&seen.labels).zip(&wanted.labels);
    let labels = pixels.map(|((&own, &seen), &wanted)| if seen == wanted { own } else { wanted }).collect();
    LabelMap { labels, ..*full }
}

/// For every new position, the two old ones it lies between and the share of the second (pixel centres
/// at halves, edges repeated).
pub fn bilinear_positions(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    (0..to)
        .map(|index| {
            let at = ((index as f32 + 0.5) * from as f32 / to as f32 - 0.5).clamp(0.0, (from - 1) as f32);
            let low = at as usize;
            (low, (low + 1).min(from - 1), at - low as f32)
        })
        .collect()
}

fn covered(index: usize, from: usize, to: usize) -> std::ops::Range<usize> {
    index * from / to..((index + 1) * from).div_ceil(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_sizes_keep_proportions_and_fit() {
        assert_eq!(bounded(320, 213, 1 << 19), (320, 213));
        for (width, height) in [(4000, 3000), (100_000, 10), (1, 10_000_000), (723, 727)] {
            let (w, h) = bounded(width, height, 1 << 19);
            assert!(w * h <= 1 << 19 && w >= 1 && h >= 1, "{w} × {h}");
        }
        let (w, h) = bounded(4000, 3000, 480_000);
        assert_eq!((w, h), (800, 600));
    }

    #[test]
    fn a_constant_image_stays_constant_and_blocks_are_averaged() {
        let rgb = [7u8, 8, 9].repeat(13 * 11);
        assert_eq!(shrink_rgb(&rgb, (13, 11), (5, 3)), [7u8, 8, 9].repeat(15));
        let rgb: Vec<u8> = [0u8, 100, 50, 150].iter().flat_map(|&v| [v; 3]).collect();
        assert_eq!(shrink_rgb(&rgb, (2, 2), (1, 1)), [75; 3]);
    }

    #[test]
    fn labels_survive_going_down_and_up() {
        let labels =
            LabelMap { width: 8, height: 4, labels: (0..32).map(|i| u8::from(i % 8 >= 4)).collect() };
        let back = resize_labels(&resize_labels(&labels, (4, 2)), (8, 4));
        assert_eq!(back, labels);
    }

    #[test]
    fn a_correction_at_half_size_leaves_the_rest_as_fine_as_it_was() {
        let full = LabelMap { width: 4, height: 2, labels: vec![0, 1, 0, 0, 1, 0, 0, 2] };
        let mut edited = resize_labels(&full, (2, 1));
        assert_eq!(corrected(&full, &edited), full);
        edited.labels[0] = 3;
        assert_eq!(corrected(&full, &edited).labels, [3, 3, 0, 0, 3, 3, 0, 2]);
        let same_size = LabelMap { labels: vec![7; 8], ..full.clone() };
        assert_eq!(corrected(&full, &same_size), same_size);
    }

    #[test]
    fn bilinear_positions_stay_inside() {
        assert_eq!(bilinear_positions(1, 3), [(0, 0, 0.0); 3]);
        let twice = bilinear_positions(2, 4);
        assert_eq!(twice, [(0, 1, 0.0), (0, 1, 0.25), (0, 1, 0.75), (1, 1, 0.0)]);
    }
}
