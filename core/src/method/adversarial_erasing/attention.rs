//! Where the localizer looks for a class: its class activation map, enlarged to the image and stretched to
//! 0 to 1. Learning flows through the features and through the smallest and largest value.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::settings::Attention;
use crate::tensor::resize;

/// A map that spans less than this says nothing, and becomes 0 everywhere.
const SMALLEST_SPAN: f32 = 1e-12;

/// `Σ_k w_k F_k` of each item.
///
/// Grad-CAM's weights are the spatial means of the derivatives of the class's logit. Behind global average
/// pooling and a linear classifier those are the classifier's row over `hw`, so that no second backward pass
/// is needed; and as maps are divided by their maximum, that constant factor may be left out.
///
/// # Shapes
/// - `features`: `[P, K, h, w]`
/// - `weights`: `[P, K]`
/// - result: `[P, 1, h, w]`
pub fn class_maps(features: Tensor<4>, weights: Tensor<2>) -> Tensor<4> {
    let [items, channels] = weights.dims();
    (features * weights.reshape([items, channels, 1, 1])).sum_dim(1)
}

/// Attention `a`, 0 to 1: the map enlarged bilinearly, minus its minimum, over its maximum. Grad-CAM's maps
/// are cut off at 0 first.
///
/// # Shapes
/// - `maps`: `[P, 1, h, w]`, one of an item
/// - result: `[P, 1, height, width]`
pub fn attention(maps: Tensor<4>, kind: Attention, height: usize, width: usize) -> Tensor<4> {
    let maps = match kind {
        Attention::GradCam => relu(maps),
        Attention::Cam => maps,
    };
    let items = maps.dims()[0];
    let values: Tensor<2> = resize(maps, height, width).reshape([items, height * width]);
    let held = values.clone().inner();
    let low = at(&values, held.clone().min_dim(1));
    let span = at(&values, held.max_dim(1)) - low.clone();
    // A constant map: 0 over 1, not over 0.
    let is_flat = span.clone().inner().lower_equal_elem(SMALLEST_SPAN).float();
    ((values - low) / (span + is_flat)).reshape([items, 1, height, width])
}

/// The value of each row that `extreme` has found, tracked: `[P, Q]` and `[P, 1]` to `[P, 1]`. Where several
/// pixels share it, each has its part of the gradient. Comparing and summing runs on every device, where a
/// maximum that can be learned through would scatter its gradient.
fn at(values: &Tensor<2>, extreme: Tensor<2>) -> Tensor<2> {
    let held = values.clone().inner();
    let here = held.clone().equal(extreme.clone().expand(held.dims())).float();
    let here = here.clone() / here.sum_dim(1).clamp_min(1.0);
    // The sum's value is the extreme but for rounding: the value is taken from one, the slope from the other.
    let sum = (values.clone() * here).sum_dim(1);
    let rounding = extreme - sum.clone().inner();
    sum + rounding
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::method::adversarial_erasing::erase::{erase, mask};
    use crate::tensor::finite_difference;

    const SHAPE: [usize; 4] = [2, 3, 3, 4];

    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff())
    }

    fn features() -> Vec<f32> {
        (0..72).map(|index| ((index * 29 % 67) as f32 - 20.0) * 0.05).collect()
    }

    fn maps(features: Tensor<4>) -> Tensor<4> {
        class_maps(features, tensor(vec![1.0, -0.4, 0.7, 0.3, 0.9, -0.8], [2, 3]))
    }

    #[test]
    fn it_spans_0_to_1_and_nothing_where_there_is_nothing() {
        let values = |maps: Tensor<4>, kind| -> Vec<f32> {
            attention(maps, kind, 7, 9).inner().into_data().try_to_vec().unwrap()
        };
        for kind in [Attention::GradCam, Attention::Cam] {
            for item in values(maps(tensor(features(), SHAPE)), kind).chunks_exact(63) {
                let low = item.iter().copied().fold(f32::INFINITY, f32::min);
                let high = item.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert!(low.abs() < 1e-6 && (high - 1.0).abs() < 1e-6, "{low} {high}");
            }
            for constant in [0.0, -2.0, 3.0] {
                let flat = Tensor::full([1, 1, 3, 4], constant, &Device::flex().autodiff());
                assert!(values(flat, kind).iter().all(|value| value.abs() < 1e-5), "{constant}");
            }
        }
    }

    #[test]
    fn erasing_through_attention_has_the_gradient_of_finite_differences() {
        let images: Vec<f32> =
            (0..2 * 3 * 6 * 8).map(|index| ((index * 13 % 31) as f32 - 15.0) * 0.1).collect();
        for kind in [Attention::GradCam, Attention::Cam] {
            // A gentle slope: at 100 a difference would step over the mask's edge.
            finite_difference::check(&features(), SHAPE, 1e-3, 1e-2, &[], |features| {
                let attention = attention(maps(features), kind, 6, 8);
                let erased = erase(tensor(images.clone(), [2, 3, 6, 8]), mask(attention, 3.0));
                let weights: Vec<f32> = (0..288).map(|index| ((index * 7 % 17) as f32 - 8.0) * 0.1).collect();
                (erased * tensor(weights, [2, 3, 6, 8])).sum()
            });
        }
    }

    #[test]
    fn a_map_of_nothing_has_no_gradient_that_is_no_number() {
        let features = Tensor::<4>::zeros(SHAPE, &Device::flex().autodiff()).require_grad();
        let loss = attention(maps(features.clone()), Attention::Cam, 6, 8).sum();
        let gradient: Vec<f32> = features.grad(&loss.backward()).unwrap().into_data().try_to_vec().unwrap();
        assert!(gradient.iter().all(|value| value.is_finite()), "{gradient:?}");
    }
}
