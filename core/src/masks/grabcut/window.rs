//! The part of a photo that one box is cut in: the box, and what lies around it as background.

use std::ops::Range;

use image::RgbImage;

use super::clusters::Color;
use crate::dataset::ObjectBox;
use crate::masks::{ScoreMaps, rescale};

/// Odds beyond this count no more: a network that has learned for long is surer than it should be.
const SUREST: f32 = 4.0;

/// A part of a photo, at the size that it is cut at.
pub struct Window {
    /// Columns, pixels.
    pub width: usize,
    /// Rows, pixels.
    pub height: usize,
    /// Columns and rows of the box.
    pub inside: (Range<usize>, Range<usize>),
    /// `[height, width]`.
    colors: Vec<Color>,
    /// Columns and rows of the photo that it shows.
    pub shown: (Range<usize>, Range<usize>),
}

impl Window {
    /// The box with `margin` times its sides on each side of it, as far as the photo goes; made smaller where
    /// it is longer than `longest_side` pixels.
    pub fn around(object: &ObjectBox, image: &RgbImage, margin: f32, longest_side: usize) -> Self {
        let size = (image.width() as usize, image.height() as usize);
        let (columns, rows) = object.cells(image.dimensions(), size);
        let shown = (enlarged(&columns, margin, size.0), enlarged(&rows, margin, size.1));
        let mut bytes = Vec::with_capacity(3 * shown.0.len() * shown.1.len());
        for y in shown.1.clone() {
            let line = 3 * y * size.0;
            bytes.extend_from_slice(&image.as_raw()[line + 3 * shown.0.start..line + 3 * shown.0.end]);
        }
        let full = (shown.0.len(), shown.1.len());
        let (width, height) = reduced(full, longest_side);
        if (width, height) != full {
            bytes = rescale::shrink_rgb(&bytes, full, (width, height));
        }
        let (left, top) = (shown.0.start as f32, shown.1.start as f32);
        let here = ObjectBox {
            class: object.class,
            x0: object.x0 - left,
            y0: object.y0 - top,
            x1: object.x1 - left,
            y1: object.y1 - top,
        };
        let inside = here.cells((full.0 as u32, full.1 as u32), (width, height));
        Self { width, height, inside, colors: bytes.as_chunks::<3>().0.to_vec(), shown }
    }

    /// The colour of a pixel of the window.
    pub fn color(&self, x: usize, y: usize) -> Color {
        self.colors[y * self.width + x]
    }

    /// Of each pixel in the box, row by row, how much larger the logit of `label` is than the background's, at
    /// most [`SUREST`] either way. `logits` are of the whole photo, of `image` pixels; 0 where they know no such label.
    pub fn odds(&self, logits: &ScoreMaps, label: usize, image: (u32, u32)) -> Vec<f32> {
        let (columns, rows) = &self.inside;
        let mut odds = vec![0.0; columns.len() * rows.len()];
        if label >= logits.classes {
            return odds;
        }
        let (of_label, of_background) = (logits.class(label), logits.class(0));
        // The middle of a pixel of the window, in the photo's pixels and then in those of the logits.
        let place = |at: usize, count: usize, shown: &Range<usize>, full: u32, side: usize| {
            let middle = shown.start as f64 + (at as f64 + 0.5) * shown.len() as f64 / count.max(1) as f64;
            ((middle * side as f64 / f64::from(full.max(1))) as usize).min(side.saturating_sub(1))
        };
        let (mut values, places) = (odds.iter_mut(), rows.clone());
        for y in places {
            let line = place(y, self.height, &self.shown.1, image.1, logits.height) * logits.width;
            for (value, x) in values.by_ref().zip(columns.clone()) {
                let at = line + place(x, self.width, &self.shown.0, image.0, logits.width);
                let difference = of_label[at] - of_background[at];
                // What is no number says nothing.
                *value = if difference.is_nan() { 0.0 } else { difference.clamp(-SUREST, SUREST) };
            }
        }
        odds
    }

    /// The colours in the box, row by row, and those around it.
    pub fn split(&self) -> (Vec<Color>, Vec<Color>) {
        let (columns, rows) = &self.inside;
        let mut inside = Vec::with_capacity(columns.len() * rows.len());
        let mut around = Vec::with_capacity(self.colors.len() - columns.len() * rows.len());
        for (y, line) in self.colors.chunks_exact(self.width).enumerate() {
            if rows.contains(&y) {
                around.extend_from_slice(&line[..columns.start]);
                inside.extend_from_slice(&line[columns.clone()]);
                around.extend_from_slice(&line[columns.end..]);
            } else {
                around.extend_from_slice(line);
            }
        }
        (inside, around)
    }
}

/// A range with `margin` times its length, and at least one more, on both sides, within `0..end`.
fn enlarged(range: &Range<usize>, margin: f32, end: usize) -> Range<usize> {
    // What is no number becomes 0, and what is too large the largest.
    let more = ((range.len() as f32 * margin) as usize).max(1);
    range.start.saturating_sub(more)..range.end.saturating_add(more).min(end)
}

/// The size of the same proportions whose longest side is at most `longest_side`, where that is not 0.
fn reduced((width, height): (usize, usize), longest_side: usize) -> (usize, usize) {
    let longest = width.max(height);
    if longest_side == 0 || longest <= longest_side {
        return (width, height);
    }
    let side = |length: usize| (length * longest_side / longest).max(1);
    (side(width), side(height))
}
