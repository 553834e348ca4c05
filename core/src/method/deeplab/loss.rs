//! Pixel-wise cross-entropy that passes over pixels of no known label.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::masks::label_map::IGNORE;

/// `−ln p` of each pixel's label, over the labelled pixels of the whole batch. Parts of a batch add up.
///
/// # Shapes
/// - `logits`: `[N, L, H, W]`
/// - `targets`: as [`one_hot`], the same
/// - `labelled`: labelled pixels of the whole batch
/// - result: `[1]`
pub fn cross_entropy(logits: Tensor<4>, targets: Tensor<4>, labelled: usize) -> Tensor<1> {
    summed_cross_entropy(logits, targets).div_scalar(labelled.max(1) as f32)
}

/// `−ln p` of each pixel's label, added up. Shapes as in [`cross_entropy`].
pub fn summed_cross_entropy(logits: Tensor<4>, targets: Tensor<4>) -> Tensor<1> {
    (log_softmax(logits, 1) * targets).sum().neg()
}

/// 1 at each pixel's label, 0 elsewhere; all 0 where the label is [`IGNORE`] or none of `labels`.
///
/// # Shapes
/// - `values`: `[N, side, side]` row-major, 0 background, `c + 1` class `c`
/// - result: `[N, labels, side, side]`
pub fn one_hot(values: &[u8], side: usize, labels: usize, device: &Device) -> Tensor<4> {
    let pixels = (side * side).max(1);
    let count = values.len() / pixels;
    let mut data = vec![0.0f32; count * labels * pixels];
    for (image, values) in values.chunks_exact(pixels).enumerate() {
        for (pixel, &value) in values.iter().enumerate() {
            if value != IGNORE && usize::from(value) < labels {
                data[(image * labels + usize::from(value)) * pixels + pixel] = 1.0;
            }
        }
    }
    Tensor::from_data(TensorData::new(data, [count, labels, side, side]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::finite_difference;

    const VALUES: [u8; 8] = [0, 1, 2, IGNORE, 2, 2, IGNORE, 0];

    fn logits() -> Vec<f32> {
        (0..2 * 3 * 4).map(|index| ((index * 7 % 11) as f32 - 5.0) * 0.3).collect()
    }

    fn loss(logits: Tensor<4>) -> Tensor<1> {
        let targets = one_hot(&VALUES, 2, 3, &logits.device());
        cross_entropy(logits, targets, 6)
    }

    #[test]
    fn it_is_the_mean_over_labelled_pixels() {
        let values = logits();
        let mut expected = 0.0;
        for (place, &label) in VALUES.iter().enumerate().filter(|(_, label)| **label != IGNORE) {
            let (image, pixel) = (place / 4, place % 4);
            let of = |label: usize| f64::from(values[(image * 3 + label) * 4 + pixel]);
            let sum: f64 = (0..3).map(|label| of(label).exp()).sum();
            expected -= (of(label.into()).exp() / sum).ln() / 6.0;
        }
        let tensor = Tensor::from_data(TensorData::new(values, [2, 3, 2, 2]), &Device::flex());
        let found = f64::from(loss(tensor).into_scalar::<f32>());
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn it_has_the_gradient_of_finite_differences() {
        finite_difference::check(&logits(), [2, 3, 2, 2], 1e-2, 1e-2, &[], loss);
    }
}
