//! Image-level classification loss.

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;

/// Multilabel soft-margin loss: `mean over N×C of −y ln σ(x) − (1 − y) ln σ(−x)`.
///
/// # Shapes
/// - `logits`, `labels`: `[N, C]`
/// - result: `[1]`
pub fn multilabel_soft_margin(logits: Tensor<2>, labels: Tensor<2>) -> Tensor<1> {
    let positive = log_sigmoid(logits.clone()) * labels.clone();
    let negative = log_sigmoid(-logits) * (labels.neg() + 1.0);
    -(positive + negative).mean()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::tensor::finite_difference;

    #[test]
    fn its_gradient_is_that_of_finite_differences() {
        let logits = [-2.0, -0.5, 0.1, 0.7, 1.5, 3.0];
        let device = Device::flex().autodiff();
        finite_difference::check(&logits, [2, 3], 1e-2, 1e-3, &[], |logits| {
            let labels = TensorData::new(vec![1.0f32, 0.0, 1.0, 0.0, 0.0, 1.0], [2, 3]);
            multilabel_soft_margin(logits, Tensor::from_data(labels, &device))
        });
    }
}
