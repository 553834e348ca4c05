//! Erasing what the localizer looks at, softly, so that it learns from what is left.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

/// Soft mask `M = σ(slope · (a − 0.5))`: 1 where attention is above one half. Shapes stay.
pub fn mask(attention: Tensor<4>, slope: f64) -> Tensor<4> {
    sigmoid((attention - 0.5).mul_scalar(slope))
}

/// `x · (1 − M)`: normalised images, grey where they are erased.
///
/// # Shapes
/// - `images`: `[P, 3, H, W]`
/// - `mask`: `[P, 1, H, W]`
pub fn erase(images: Tensor<4>, mask: Tensor<4>) -> Tensor<4> {
    images * (mask.neg() + 1.0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn what_is_looked_at_turns_grey_and_the_rest_stays() {
        let device = Device::flex();
        let attention = TensorData::new(vec![0.0f32, 0.4, 0.5, 0.6, 1.0], [1, 1, 1, 5]);
        let images = Tensor::<4>::full([1, 3, 1, 5], 2.0, &device);
        let erased = erase(images, mask(Tensor::from_data(attention, &device), 100.0));
        let erased: Vec<f32> = erased.into_data().try_to_vec().unwrap();
        for channel in erased.chunks_exact(5) {
            let expected = [2.0, 2.0, 1.0, 0.0, 0.0];
            assert!(channel.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3), "{channel:?}");
        }
    }
}
