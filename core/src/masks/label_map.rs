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
}
