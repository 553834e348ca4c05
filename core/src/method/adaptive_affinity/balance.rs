//! What pseudo-labels teach the segmentation branch (Araslanov & Roth, CVPR 2020, \[code\] of the same
//! program as the labels): classes of few pixels count as much as the background of many, and an image of which
//! a class has no pixel at all is passed over, since it would teach that the class is not there.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

/// `−ln p` of each pixel's label, weighted by the share of the image's labelled pixels that have another
/// label; mean over all pixels, labelled or not, then over images. 0 for images of which a class has no pixel.
///
/// # Shapes
/// - `logits`: `[N, C + 1, h, w]`, background first
/// - `targets`: the same, untracked; 1 at each pixel's label, all 0 where it has none
/// - `present`: 1 where the image has the class, `[N, C + 1]`, 1 for the background; untracked
/// - result: `[1]`
pub fn balanced_cross_entropy(logits: Tensor<4>, targets: Tensor<4>, present: Tensor<2>) -> Tensor<1> {
    let [count, labels, height, width] = logits.dims();
    let weights = weights(targets.clone(), present).reshape([count, labels, 1, 1]);
    (log_softmax(logits, 1) * (targets * weights))
        .sum()
        .neg()
        .div_scalar((count * height * width).max(1) as f32)
}

/// Weights of an image's labels, `[N, C + 1]`: the share of its labelled pixels that have another one; 0 where
/// a class of the image has no pixel.
fn weights(targets: Tensor<4>, present: Tensor<2>) -> Tensor<2> {
    let [count, labels, ..] = targets.dims();
    let pixels: Tensor<2> = targets.sum_dims(&[2, 3]).reshape([count, labels]);
    let total = pixels.clone().sum_dim(1);
    let shares = (total.clone() - pixels.clone()) / (total + 1.0);
    let classes = present.clone().sum_dim(1);
    let missing = present * pixels.equal_elem(0.0f32).float();
    let complete = missing.sum_dim(1).equal_elem(0.0f32).float();
    let bare = classes.equal_elem(1.0f32).float();
    shares * complete + bare
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::tensor::finite_difference;

    const SHAPE: [usize; 4] = [2, 3, 1, 4];

    fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
    }

    /// Of the first image two pixels background, one of class 1, one none; of the second all of class 2.
    fn targets(device: &Device) -> Tensor<4> {
        let first = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let second = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        tensor(&[first, second].concat(), SHAPE, device)
    }

    #[test]
    fn few_pixels_count_as_many_and_an_image_that_lacks_a_class_not_at_all() {
        let device = Device::flex();
        let of = |present: &[f32]| {
            let found = weights(targets(&device), tensor(present, [2, 3], &device));
            found.into_data().try_to_vec::<f32>().unwrap()
        };
        // The second has no pixel of background.
        assert_eq!(of(&[1.0, 1.0, 0.0, 1.0, 0.0, 1.0]), [0.25, 0.5, 0.75, 0.0, 0.0, 0.0]);
        assert_eq!(of(&[1.0, 1.0, 1.0, 1.0, 0.0, 1.0]), [0.0; 6], "a class without a pixel");
        let found = of(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
        assert_eq!(found[0], 1.25, "of no class");
    }

    #[test]
    fn it_has_the_gradient_of_finite_differences_and_none_without_labels() {
        let device = Device::flex().autodiff();
        let logits: Vec<f32> = (0..24).map(|index| ((index * 7 % 11) as f32 - 5.0) * 0.3).collect();
        let present = || tensor(&[1.0, 1.0, 0.0, 0.0, 0.0, 1.0], [2, 3], &device).inner();
        finite_difference::check(&logits, SHAPE, 1e-2, 1e-2, &[], |x| {
            balanced_cross_entropy(x, targets(&device).inner(), present())
        });
        let nothing = Tensor::<4>::zeros(SHAPE, &device).inner();
        let loss = balanced_cross_entropy(tensor(&logits, SHAPE, &device), nothing, present());
        assert_eq!(loss.into_scalar::<f32>(), 0.0);
    }
}
