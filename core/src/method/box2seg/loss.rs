//! What boxes and their GrabCut masks teach (METHODS §4): means over images, so that the parts of a batch
//! add up once each is weighted by its share of the images. An image without a box, and a class without one,
//! add nothing.
//!
//! Shapes, of all of them: `log_probabilities`, `ln y`, and `boxes`, `B`, and `masks`, `M`, are
//! `[N, C + 1, h, w]`, background first; `attention`, `α`, is `[N, C, h, w]`; results are `[1]`.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

/// `L_GC = −(1/m) Σ_c Σ_i M ln y` over all `m` pixels: the masks as they are. Pixels without a label, where
/// `masks` is 0 throughout, add nothing.
pub fn grabcut(log_probabilities: Tensor<4>, masks: Tensor<4>) -> Tensor<1> {
    let [count, _, height, width] = masks.dims();
    (log_probabilities * masks).sum().neg().div_scalar((count * height * width).max(1) as f32)
}

/// `L_fg = −Σ_{c≥1} (1/Σ_i B_c) Σ_i α_c B_c ln y_c`: boxes are of their class where attention says so.
pub fn foreground(log_probabilities: Tensor<4>, attention: Tensor<4>, boxes: Tensor<4>) -> Tensor<1> {
    let count = boxes.dims()[0].max(1);
    let boxes = of_classes(boxes);
    let pixels = attention * of_classes(log_probabilities);
    mean_in(pixels, boxes).sum().neg().div_scalar(count as f32)
}

/// `L_bg = −(1/Σ_i B_0) Σ_i B_0 ln y_0`: what no box covers is background.
pub fn background(log_probabilities: Tensor<4>, boxes: Tensor<4>) -> Tensor<1> {
    let count = boxes.dims()[0].max(1);
    let of_background = log_probabilities.narrow(1, 0, 1);
    mean_in(of_background, boxes.narrow(1, 0, 1)).sum().neg().div_scalar(count as f32)
}

/// `L_fr = Σ_c max(0, γ η_c − η'_c)`: attention fills as much of a class's boxes, `η'`, as its masks do, `η`,
/// times `gamma`. Without it, attention that is 0 everywhere would make [`foreground`] 0.
pub fn filling_rate(attention: Tensor<4>, boxes: Tensor<4>, masks: Tensor<4>, gamma: f64) -> Tensor<1> {
    let count = boxes.dims()[0].max(1);
    let boxes = of_classes(boxes);
    let of_masks = mean_in(of_classes(masks), boxes.clone());
    let of_attention = mean_in(attention, boxes);
    relu(of_masks.mul_scalar(gamma) - of_attention).sum().div_scalar(count as f32)
}

/// Without the background's channel.
fn of_classes(tensor: Tensor<4>) -> Tensor<4> {
    let channels = tensor.dims()[1];
    tensor.narrow(1, 1, channels - 1)
}

/// The mean of `values` where `on` is 1, per image and channel; 0 where it is 1 nowhere. `[N, L, h, w]` both,
/// to `[N, L, 1, 1]`.
fn mean_in(values: Tensor<4>, on: Tensor<4>) -> Tensor<4> {
    let pixels = on.clone().sum_dims(&[2, 3]).clamp_min(1.0);
    (values * on).sum_dims(&[2, 3]) / pixels
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::{log_softmax, sigmoid};
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::tensor::finite_difference;

    const SHAPE: [usize; 4] = [2, 3, 3, 4];
    const ATTENTION: [usize; 4] = [2, 2, 3, 4];
    const GAMMA: f64 = 0.7;

    fn device() -> Device {
        Device::flex().autodiff()
    }

    fn tensor(values: &[f32], shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &device())
    }

    fn logits(shape: [usize; 4]) -> Vec<f32> {
        let count: usize = shape.iter().product();
        (0..count).map(|index| ((index * 37 % 53) as f32 - 26.0) * 0.08).collect()
    }

    /// The first image has boxes of both classes, which overlap; the second has none.
    fn boxes() -> Tensor<4> {
        let mut values = vec![0.0; 72];
        for pixel in 0..12 {
            let (first, second) = ([0, 1, 4, 5].contains(&pixel), [1, 2, 5, 6, 9, 10].contains(&pixel));
            values[12 + pixel] = f32::from(u8::from(first));
            values[24 + pixel] = f32::from(u8::from(second));
            values[pixel] = f32::from(u8::from(!first && !second));
            values[36 + pixel] = 1.0;
        }
        tensor(&values, SHAPE)
    }

    /// Most of each box; one pixel without a label.
    fn masks() -> Tensor<4> {
        let mut values = vec![0.0; 72];
        let labels = [1, 1, 2, 0, 1, 2, 2, 0, 9, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (place, label) in labels.into_iter().enumerate().filter(|(_, label)| *label < 3) {
            values[(place / 12) * 36 + label * 12 + place % 12] = 1.0;
        }
        tensor(&values, SHAPE)
    }

    #[test]
    fn every_term_has_the_gradient_of_finite_differences() {
        let attention = || sigmoid(tensor(&logits(ATTENTION), ATTENTION));
        let of_logits: [&dyn Fn(Tensor<4>) -> Tensor<1>; 3] = [
            &|y| grabcut(log_softmax(y, 1), masks()),
            &|y| foreground(log_softmax(y, 1), attention(), boxes()),
            &|y| background(log_softmax(y, 1), boxes()),
        ];
        for loss in of_logits {
            finite_difference::check(&logits(SHAPE), SHAPE, 1e-2, 1e-2, &[], loss);
        }
        let y = || log_softmax(tensor(&logits(SHAPE), SHAPE), 1);
        let of_attention: [&dyn Fn(Tensor<4>) -> Tensor<1>; 2] =
            [&|attention| foreground(y(), sigmoid(attention), boxes()), &|attention| {
                filling_rate(sigmoid(attention - 2.0), boxes(), masks(), GAMMA)
            }];
        for loss in of_attention {
            finite_difference::check(&logits(ATTENTION), ATTENTION, 1e-2, 1e-2, &[], loss);
        }
    }

    #[test]
    fn images_without_boxes_and_extreme_logits_give_numbers() {
        let (none, unlabelled) = (Tensor::zeros(SHAPE, &device()), Tensor::zeros(SHAPE, &device()));
        for extreme in [-200.0, 0.0, 200.0] {
            let y = log_softmax(tensor(&[extreme; 72], SHAPE) * tensor(&logits(SHAPE), SHAPE), 1);
            let attention = sigmoid(tensor(&[extreme; 48], ATTENTION));
            for (boxes, is_empty) in [(boxes(), false), (Tensor::clone(&none), true)] {
                let terms = [
                    grabcut(y.clone(), unlabelled.clone()),
                    foreground(y.clone(), attention.clone(), boxes.clone()),
                    background(y.clone(), boxes.clone()),
                    filling_rate(attention.clone(), boxes, masks(), GAMMA),
                ];
                for (index, term) in terms.into_iter().enumerate() {
                    let term = term.into_scalar::<f32>();
                    assert!(term.is_finite(), "term {index} at {extreme}: {term}");
                    assert!(!is_empty || term == 0.0, "term {index} of no boxes: {term}");
                }
            }
        }
    }

    /// Share of the boxes that attention fills after some steps on it alone, of a network that has begun to
    /// tell classes apart.
    fn filled(with_filling_rate: bool) -> f32 {
        let y = log_softmax((masks() * 2.0).inner(), 1);
        let y = Tensor::from_inner(y);
        let mut logits = Tensor::<4>::zeros(ATTENTION, &Device::flex());
        for _ in 0..200 {
            let tracked = Tensor::from_inner(logits.clone()).require_grad();
            let attention = sigmoid(tracked.clone());
            let mut loss = foreground(y.clone(), attention.clone(), boxes());
            if with_filling_rate {
                loss = loss + filling_rate(attention, boxes(), masks(), GAMMA);
            }
            let gradient = tracked.grad(&loss.backward()).unwrap();
            logits = logits - gradient.mul_scalar(20.0);
        }
        let on = of_classes(boxes()).inner();
        ((sigmoid(logits) * on.clone()).sum() / on.sum()).into_scalar::<f32>()
    }

    #[test]
    fn attention_collapses_without_the_filling_rate() {
        let (without, with) = (filled(false), filled(true));
        assert!(without < 0.05, "{without}");
        assert!(with > 0.4, "{with}");
    }
}
