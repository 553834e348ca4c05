//! Normalised global weighted pooling (Araslanov & Roth, CVPR 2020; METHODS §3 [code]): a class's score is
//! its logit, averaged over the pixels that the class itself claims, and a penalty on how few they are.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

/// The background's logit, everywhere.
pub(super) const BACKGROUND_LOGIT: f32 = 1.0;
/// Added to the share of the image, so that a class that claims nothing is not infinitely bad.
const SHARE_FLOOR: f32 = 0.01;

/// What a pixel is, background included: softmax over the classes and a background of fixed logit.
///
/// # Shapes
/// - `class_logits`: `[N, C, h, w]`
/// - result: `[N, C + 1, h, w]`, background first; sums to 1 over the second axis
pub fn probabilities(class_logits: Tensor<4>) -> Tensor<4> {
    let background = class_logits.clone().narrow(1, 0, 1).detach().full_like(BACKGROUND_LOGIT);
    softmax(Tensor::cat(vec![background, class_logits], 1), 1)
}

/// `Σ m s/(1 + Σ m) + (1 − m̄)³ ln(0.01 + m̄)` of each class, where `s` are its logits, `m` its
/// [`probabilities`], sums over pixels, and `m̄` the mean of `m`.
///
/// # Shapes
/// - `class_logits`: `[N, C, h, w]`, C at least 1
/// - result: `[N, C]`
pub fn score(class_logits: Tensor<4>) -> Tensor<2> {
    let [count, classes, height, width] = class_logits.dims();
    let claimed = probabilities(class_logits.clone()).narrow(1, 1, classes);
    let over_pixels = |x: Tensor<4>| x.sum_dims(&[2, 3]).reshape([count, classes]);
    let area: Tensor<2> = over_pixels(claimed.clone());
    let mean = over_pixels(claimed * class_logits) / (area.clone() + 1.0);
    let share = area.div_scalar((height * width) as f32);
    let rest = share.clone().neg() + 1.0;
    mean + rest.clone() * rest.clone() * rest * (share + SHARE_FLOOR).log()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::tensor::finite_difference;

    const SHAPE: [usize; 4] = [2, 2, 3, 4];

    #[test]
    fn the_score_has_the_gradient_of_finite_differences() {
        let values: Vec<f32> = (0..48).map(|index| ((index * 7 % 11) as f32 - 5.0) * 0.4).collect();
        finite_difference::check(&values, SHAPE, 1e-2, 5e-3, &[], |logits| {
            // Of different weights, so that errors of two scores do not cancel.
            let weights = TensorData::new(vec![1.0f32, -2.0, 0.5, 3.0], [2, 2]);
            let weights = Tensor::<2>::from_data(weights, &logits.device());
            (score(logits) * weights).sum()
        });
    }

    #[test]
    fn a_class_that_is_seen_scores_higher_and_extremes_are_numbers() {
        let scores = |logit: f32| {
            let logits = Tensor::<4>::full([1, 1, 4, 4], logit, &Device::flex());
            score(logits).into_scalar::<f32>()
        };
        let found = [-300.0, -3.0, 0.0, 3.0, 300.0].map(scores);
        assert!(found.iter().all(|score| score.is_finite()), "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
        // Nothing claimed: the penalty alone, ln 0.01.
        assert!((found[0] - 0.01f32.ln()).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn the_background_stands_where_no_class_is_louder() {
        let logits = TensorData::new(vec![0.5f32, 1.5], [1, 1, 1, 2]);
        let p = probabilities(Tensor::from_data(logits, &Device::flex()));
        let p: Vec<f32> = p.into_data().try_to_vec().unwrap();
        assert!(p[0] > p[2] && p[1] < p[3], "{p:?}");
        assert!((p[0] + p[2] - 1.0).abs() < 1e-6 && (p[1] + p[3] - 1.0).abs() < 1e-6, "{p:?}");
    }
}
