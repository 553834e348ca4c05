//! Masks that somebody has accepted or drawn, beside the labels that a method learns from. Ours: the papers know
//! labels only.

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;

use super::Batch;
use crate::tensor::resize;

/// The binary cross-entropy of each class's logit with the given masks, at the masks' resolution. In an image that has
/// the class, pixels inside and outside weigh half each, however small it is: else the least loss would be to give a
/// thin class up. Mean over `N×C` of the whole batch, where images without a mask count as 0. `None` where no image of
/// the batch has a mask. Parts of a batch add up.
///
/// # Shapes
/// - `logits`: `[N, C, h, w]`
/// - result: `[1]`
pub fn mask_loss(logits: &Tensor<4>, batch: &Batch) -> Option<Tensor<1>> {
    let targets = batch.targets.clone()?;
    if batch.whole.pixels == 0 {
        return None;
    }
    let [_, labels, height, width] = targets.dims();
    let logits = resize(logits.clone(), height, width);
    let known = targets.clone().sum_dim(1);
    let inside = targets.narrow(1, 1, labels - 1);
    let outside = known - inside.clone();
    let count = |pixels: &Tensor<4>| pixels.clone().sum_dim(3).sum_dim(2);
    let (inner, outer) = (count(&inside), count(&outside));
    let sides = (inner.clone().clamp_max(1.0) + outer.clone().clamp_max(1.0)).clamp_min(1.0);
    let weigh = |pixels: Tensor<4>, count: Tensor<4>| pixels / (count.clamp_min(1.0) * sides.clone());
    let loss = log_sigmoid(logits.clone()) * weigh(inside, inner)
        + log_sigmoid(logits.neg()) * weigh(outside, outer);
    let [count, classes, ..] = loss.dims();
    Some(loss.sum().mul_scalar(-batch.weight() / (count * classes) as f32))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::masks::label_map::IGNORE;
    use crate::method::Whole;
    use crate::tensor::finite_difference;

    /// Two images of 2 by 2 and two classes; one pixel has no label.
    const VALUES: [u8; 8] = [0, 1, 2, IGNORE, 2, 2, 0, 0];

    fn batch(values: &[u8], images: usize, device: &Device) -> Batch {
        let count = values.len() / 4;
        let pixels = values.iter().filter(|&&value| value != IGNORE).count();
        let whole = Whole { images, present: 1, pixels, tally: None };
        let labels = vec![1.0; count * 2];
        Batch::new(vec![0.0; count * 3 * 4], labels, Vec::new(), 2, 2, whole, device)
            .with_targets(values, 2, 3)
    }

    fn logits() -> Vec<f32> {
        (0..16).map(|index| ((index * 7 % 11) as f32 - 5.0) * 0.4).collect()
    }

    fn loss(logits: &[f32], batch: &Batch) -> f32 {
        let count = logits.len() / 8;
        let logits = Tensor::from_data(TensorData::new(logits.to_vec(), [count, 2, 2, 2]), &Device::flex());
        mask_loss(&logits, batch).unwrap().into_scalar()
    }

    #[test]
    fn both_sides_of_a_class_weigh_the_same() {
        let logits = logits();
        let mut expected = 0.0;
        for image in 0..2 {
            for class in 0..2 {
                let mut sides = [(0.0, 0.0f64); 2];
                for pixel in 0..4 {
                    let value = VALUES[image * 4 + pixel];
                    let x = f64::from(logits[(image * 2 + class) * 4 + pixel]);
                    let inside = value == class as u8 + 1;
                    if value != IGNORE {
                        let side = &mut sides[usize::from(inside)];
                        *side = (side.0 + (if inside { -x } else { x }).exp().ln_1p(), side.1 + 1.0);
                    }
                }
                let there = sides.iter().filter(|side| side.1 > 0.0);
                expected +=
                    there.clone().map(|side| side.0 / side.1).sum::<f64>() / there.count() as f64 / 4.0;
            }
        }
        let found = loss(&logits, &batch(&VALUES, 2, &Device::flex()));
        assert!((f64::from(found) - expected).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn parts_of_a_batch_add_up() {
        let device = Device::flex();
        let whole = loss(&logits(), &batch(&VALUES, 2, &device));
        let part = |half: usize| {
            let mut batch = batch(&VALUES[half * 4..half * 4 + 4], 2, &device);
            batch.whole.pixels = 7;
            loss(&logits()[half * 8..half * 8 + 8], &batch)
        };
        assert!((part(0) + part(1) - whole).abs() < 1e-6);
    }

    #[test]
    fn its_gradient_is_that_of_finite_differences() {
        let device = Device::flex().autodiff();
        finite_difference::check(&logits(), [2, 2, 2, 2], 1e-2, 2e-3, &[], |logits| {
            mask_loss(&logits, &batch(&VALUES, 2, &device)).unwrap()
        });
    }

    #[test]
    fn without_a_mask_it_teaches_nothing() {
        let device = Device::flex();
        let logits = Tensor::<4>::zeros([1, 2, 2, 2], &device);
        assert!(mask_loss(&logits, &batch(&[IGNORE; 4], 1, &device)).is_none());
        assert!(mask_loss(&logits, &Batch { targets: None, ..batch(&VALUES[..4], 1, &device) }).is_none());
    }
}
