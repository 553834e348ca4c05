//! One class index per pixel.

/// Label of pixels that count neither for nor against.
pub const IGNORE: u8 = 255;

/// Labels of one image, row-major: 0 background, `c + 1` for class `c`, [`IGNORE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMap {
    /// Columns, pixels.
    pub width: usize,
    /// Rows, pixels.
    pub height: usize,
    /// `height · width` labels.
    pub labels: Vec<u8>,
}

impl LabelMap {
    /// Everything background.
    pub fn background(width: usize, height: usize) -> Self {
        Self { width, height, labels: vec![0; width * height] }
    }

    /// Share of pixels that carry each of the foreground classes `0..classes`, 0 to 1.
    pub fn shares(&self, classes: usize) -> Vec<f32> {
        let mut counts = vec![0usize; classes];
        for &label in &self.labels {
            if let Some(count) = usize::from(label).checked_sub(1).and_then(|class| counts.get_mut(class)) {
                *count += 1;
            }
        }
        counts.iter().map(|&count| count as f32 / self.labels.len().max(1) as f32).collect()
    }
    /// Left and upper edge, width and height of the pixels of a label; without any, width and height are 0.
    pub fn extent(&self, label: u8) -> [usize; 4] {
        let (mut left, mut right, mut top, mut bottom) = (self.width, 0, self.height, 0);
        for (y, row) in self.labels.chunks_exact(self.width.max(1)).enumerate() {
            let first = row.iter().position(|&pixel| pixel == label);
            let last = row.iter().rposition(|&pixel| pixel == label);
            if let (Some(first), Some(last)) = (first, last) {
                (left, right) = (left.min(first), right.max(last + 1));
                (top, bottom) = (top.min(y), y + 1);
            }
        }
        [left, top, right.saturating_sub(left), bottom.saturating_sub(top)]
    }
}
