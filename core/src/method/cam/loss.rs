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
