//! Bilinear resizing that can be learned through on every device: two small matrix products, since burn's
//! own has no backward pass on GPUs.

use burn::tensor::{Device, Tensor, TensorData};

/// `[N, C, h, w]` to `[N, C, height, width]`, pixel centres at half-integers (PyTorch's `align_corners =
/// false`).
pub fn resize(x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
    let [count, channels, from_height, from_width] = x.dims();
    if (from_height, from_width) == (height, width) {
        return x;
    }
    let device = x.device();
    let columns = matrix(from_width, width, &device).transpose();
    let rows = matrix(from_height, height, &device);
    // Columns first, on all rows at once.
    let wide = x.reshape([count * channels * from_height, from_width]).matmul(columns);
    let planes = wide.reshape([count * channels, from_height, width]);
    rows.unsqueeze::<3>().matmul(planes).reshape([count, channels, height, width])
}

/// `[to, from]`: how much of each source pixel a target pixel takes.
fn matrix(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0f32; from * to];
    for (target, row) in values.chunks_exact_mut(from.max(1)).enumerate() {
        let at = ((target as f32 + 0.5) * from as f32 / to as f32 - 0.5).clamp(0.0, (from - 1) as f32);
        let first = at as usize;
        let second = (first + 1).min(from - 1);
        row[first] += 1.0 - (at - first as f32);
        row[second] += at - first as f32;
    }
    Tensor::from_data(TensorData::new(values, [to, from]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masks::ScoreMaps;
    use crate::tensor::finite_difference;

    #[test]
    fn it_resizes_as_masks_are_resized() {
        let values: Vec<f32> = (0..2 * 3 * 5).map(|index| ((index * 7) % 13) as f32).collect();
        for (height, width) in [(3, 5), (7, 4), (12, 20), (1, 1)] {
            let mut expected = ScoreMaps::zeros(2, width, height);
            for class in 0..2 {
                expected.add_resized(class, &values[class * 15..][..15], 5, 3, 1.0);
            }
            let x = Tensor::from_data(TensorData::new(values.clone(), [1, 2, 3, 5]), &Device::flex());
            let found: Vec<f32> = resize(x, height, width).into_data().try_to_vec().unwrap();
            for (found, expected) in found.iter().zip(&expected.values) {
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }

    #[test]
    fn it_can_be_learned_through() {
        let values: Vec<f32> = (0..6).map(|index| index as f32 * 0.3).collect();
        finite_difference::check(&values, [1, 1, 2, 3], 1e-2, 1e-2, &[], |x| resize(x, 5, 4).square().sum());
    }
}
