//! Unscaled class maps of one image, at image size.

/// Maps `u` of METHODS §1, averaged over scales and flips, without temperature and logistic function.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreMaps {
    /// Foreground classes.
    pub classes: usize,
    /// Columns, pixels.
    pub width: usize,
    /// Rows, pixels.
    pub height: usize,
    /// `[classes, height, width]`, row-major.
    pub values: Vec<f32>,
}

impl ScoreMaps {
    /// The map of one class, `[height, width]`.
    pub fn class(&self, class: usize) -> &[f32] {
        let pixels = self.width * self.height;
        &self.values[class * pixels..(class + 1) * pixels]
    }
}

impl ScoreMaps {
    /// Maps of zeros.
    pub fn zeros(classes: usize, width: usize, height: usize) -> Self {
        Self { classes, width, height, values: vec![0.0; classes * width * height] }
    }

    /// Adds `weight` times a map of another size, resized bilinearly with pixel centres at half-integers
    /// (PyTorch's `align_corners = false`).
    ///
    /// `map` is `[height, width]`, row-major.
    pub fn add_resized(&mut self, class: usize, map: &[f32], width: usize, height: usize, weight: f32) {
        let columns = taps(width, self.width);
        let rows = taps(height, self.height);
        let pixels = self.width * self.height;
        let out = &mut self.values[class * pixels..(class + 1) * pixels];
        for (row, line) in rows.iter().zip(out.chunks_exact_mut(self.width.max(1))) {
            let upper = &map[row.first * width..][..width];
            let lower = &map[row.second * width..][..width];
            for (column, value) in columns.iter().zip(line) {
                let mix = |line: &[f32]| {
                    line[column.first] + (line[column.second] - line[column.first]) * column.weight
                };
                let (above, below) = (mix(upper), mix(lower));
                *value += weight * (above + (below - above) * row.weight);
            }
        }
    }
}

impl ScoreMaps {
    /// The softmax over the maps at each pixel: probabilities, from logits.
    pub fn softmax(mut self) -> Self {
        let pixels = (self.width * self.height).max(1);
        let mut largest = vec![f32::NEG_INFINITY; pixels];
        for map in self.values.chunks_exact(pixels) {
            largest.iter_mut().zip(map).for_each(|(largest, &value)| *largest = largest.max(value));
        }
        let mut sums = vec![0.0f32; pixels];
        for map in self.values.chunks_exact_mut(pixels) {
            for ((value, sum), &largest) in map.iter_mut().zip(&mut sums).zip(&largest) {
                *value = (*value - largest).exp();
                *sum += *value;
            }
        }
        for map in self.values.chunks_exact_mut(pixels) {
            map.iter_mut().zip(&sums).for_each(|(value, &sum)| *value /= sum);
        }
        self
    }
}

/// The two source pixels of one target pixel, and the second's weight.
struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let ratio = from as f32 / to.max(1) as f32;
    (0..to)
        .map(|target| {
            let position = ((target as f32 + 0.5) * ratio - 0.5).max(0.0);
            let first = (position as usize).min(from - 1);
            Tap { first, second: (first + 1).min(from - 1), weight: position - first as f32 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::ScoreMaps;

    #[test]
    fn resizing_follows_pytorch() {
        // torch.nn.functional.interpolate([[0., 1.]], size=(1, 4), mode="bilinear")
        let mut maps = ScoreMaps::zeros(1, 4, 1);
        maps.add_resized(0, &[0.0, 1.0], 2, 1, 1.0);
        assert_eq!(maps.values, [0.0, 0.25, 0.75, 1.0]);
    }

    #[test]
    fn probabilities_add_up_to_one_however_large_the_logits() {
        let values = vec![1.0, 500.0, -300.0, 2.0, 0.0, -300.0, 3.0, 500.0, 0.0];
        let maps = ScoreMaps { classes: 3, width: 3, height: 1, values }.softmax();
        for pixel in 0..3 {
            let sum: f32 = (0..3).map(|class| maps.class(class)[pixel]).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
        let expected = 2.0f32.exp() / [1.0f32, 2.0, 3.0].map(f32::exp).iter().sum::<f32>();
        assert!((maps.class(1)[0] - expected).abs() < 1e-6);
        assert_eq!([maps.class(0)[1], maps.class(2)[1]], [0.5; 2]);
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let map = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut maps = ScoreMaps::zeros(1, 3, 2);
        maps.add_resized(0, &map, 3, 2, 0.5);
        assert_eq!(maps.values, map.map(|value| value * 0.5));
    }
}
