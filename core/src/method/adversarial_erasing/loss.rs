//! The terms of both opponents (METHODS §2): means over items, that is pairs of an image and a present
//! class. Parts of a batch add up once each is weighted by its share of the batch's items.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

use crate::method::cam::multilabel_soft_margin;

/// What the adversary still sees of the erased classes: the mean of `σ(A(erased))_c`.
///
/// # Shapes
/// - `logits`: the adversary's, `[P, C]`
/// - `erased`: 1 at each item's class, `[P, C]`
/// - result: `[1]`
pub fn attention_mining(logits: Tensor<2>, erased: Tensor<2>) -> Tensor<1> {
    let items = logits.dims()[0].max(1);
    (sigmoid(logits) * erased).sum().div_scalar(items as f32)
}

/// The mean of attention `[P, 1, H, W]`, which keeps the localizer from erasing whole images; `[1]`.
pub fn regularization(attention: Tensor<4>) -> Tensor<1> {
    attention.mean()
}

/// The localizer's binary cross-entropy on whole images, logits and labels `[N, C]`; `[1]`.
pub fn localizer(logits: Tensor<2>, labels: Tensor<2>) -> Tensor<1> {
    multilabel_soft_margin(logits, labels)
}

/// The adversary's binary cross-entropy on erased images: `labels` are all classes of each item's image, so
/// that it looks for what is left of the erased one. Both `[P, C]`; `[1]`.
pub fn adversary(logits: Tensor<2>, labels: Tensor<2>) -> Tensor<1> {
    multilabel_soft_margin(logits, labels)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::tensor::finite_difference;

    const LOGITS: [f32; 6] = [-2.0, 0.3, 1.1, 0.4, -0.6, 2.5];

    fn constant(values: [f32; 6]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [2, 3]), &Device::flex().autodiff())
    }

    #[test]
    fn every_term_has_the_gradient_of_finite_differences() {
        finite_difference::check(&LOGITS, [2, 3], 1e-2, 5e-3, &[], |logits| {
            attention_mining(logits, constant([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]))
        });
        for term in [localizer, adversary] {
            finite_difference::check(&LOGITS, [2, 3], 1e-2, 5e-3, &[], |logits| {
                term(logits, constant([1.0, 1.0, 0.0, 0.0, 0.0, 1.0]))
            });
        }
        finite_difference::check(&LOGITS, [1, 1, 2, 3], 1e-2, 5e-3, &[], regularization);
    }

    #[test]
    fn an_adversary_that_sees_nothing_costs_nothing() {
        let classes = constant([0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
        let cost = |logits| attention_mining(logits, classes.clone()).into_scalar::<f32>();
        assert!(cost(constant([9.0, -30.0, 9.0, -30.0, 9.0, 9.0])) < 1e-6);
        assert!((cost(constant([0.0; 6])) - 0.5).abs() < 1e-6);
    }
}
