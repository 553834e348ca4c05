//! Masks for the screen: shrunk and run-length coded, so that thousands of them fit in a page. The
//! full ones stay with the trainer.

/// One label per pixel in runs of equal labels, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallMask {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    runs: Vec<(u8, u16)>,
}

impl SmallMask {
    /// Shrinks to at most `side` pixels by nearest neighbour. Labels that are missing count as 0.
    pub fn new(width: usize, height: usize, labels: &[u8], side: usize) -> Self {
        let longest = width.max(height).max(1);
        let shrink = |length: usize| if longest <= side { length } else { (length * side / longest).max(1) };
        let (columns, rows) = (shrink(width), shrink(height));
        let mut runs: Vec<(u8, u16)> = Vec::new();
        for y in 0..rows {
            let source_row = (2 * y + 1) * height / (2 * rows);
            for x in 0..columns {
                let source = source_row * width + (2 * x + 1) * width / (2 * columns);
                let label = labels.get(source).copied().unwrap_or(0);
                match runs.last_mut() {
                    Some((last, length)) if *last == label && *length < u16::MAX => *length += 1,
                    _ => runs.push((label, 1)),
                }
            }
        }
        runs.shrink_to_fit();
        Self { width: columns, height: rows, runs }
    }

    /// The labels, row-major.
    pub fn labels(&self) -> Vec<u8> {
        let mut labels = Vec::with_capacity(self.width * self.height);
        for &(label, length) in &self.runs {
            labels.resize(labels.len() + usize::from(length), label);
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_masks_come_back_unchanged() {
        let labels: Vec<u8> = (0..300 * 400).map(|i| (i / 7 % 3) as u8).collect();
        assert_eq!(SmallMask::new(400, 300, &labels, 400).labels(), labels);
        let plain = vec![2u8; 400 * 300];
        assert_eq!(SmallMask::new(400, 300, &plain, 400).labels(), plain);
    }

    #[test]
    fn large_masks_shrink_with_their_shape() {
        let labels: Vec<u8> = (0..800 * 400).map(|i| u8::from(i % 800 >= 400)).collect();
        let small = SmallMask::new(800, 400, &labels, 100);
        assert_eq!((small.width, small.height), (100, 50));
        let expected: Vec<u8> = (0..100 * 50).map(|i| u8::from(i % 100 >= 50)).collect();
        assert_eq!(small.labels(), expected);
        assert_eq!(SmallMask::new(5000, 2, &[], 100).height, 1);
    }
}
