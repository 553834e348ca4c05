//! The three terms of Spatial-BCE (METHODS §1).

use burn::tensor::activation::sigmoid;
use burn::tensor::{Tensor, TensorData};

use crate::tensor::{rank_of_share, value_at_rank};

/// Thresholds keep this distance from 0 (the authors' clamp) and, ours, from 1.
const THRESHOLD_MARGIN: f32 = 1e-4;

/// `(1 − ((t−p)/t)², 1 − ((p−t)/(1−t))²)`: the loss of a pixel with activation `p` below and above the
/// threshold `t`. Zero at `p = 0` and `p = 1`, 1 at `p = t`.
fn below_and_above(p: Tensor<4>, t: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let t = t.clamp(THRESHOLD_MARGIN, 1.0 - THRESHOLD_MARGIN);
    let below = ((t.clone() - p.clone()) / t.clone()).square();
    let above = ((p - t.clone()) / (t.neg() + 1.0)).square();
    (below.neg() + 1.0, above.neg() + 1.0)
}

/// A `[N, C]` tensor of host values beside `like`.
fn host(values: Vec<f32>, like: &Tensor<2>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, like.dims()), &like.device())
}

/// The network step: pixels of present classes are pushed away from the activation that ranks at the
/// class's foreground share; pixels of absent classes towards 0. Mean over `N×C×h×w`.
///
/// # Shapes
/// - `logits`: `z`, `[N, C, h, w]`
/// - `labels`: `[N, C]`, 0 or 1
/// - `shares`: `f`, `[N, C]` row-major, 0 to 1
/// - result: `[1]`
pub fn network_loss(logits: Tensor<4>, labels: Tensor<2>, shares: &[f32]) -> Tensor<1> {
    let [count, classes, height, width] = logits.dims();
    let pixels = height * width;
    let ranks: Vec<usize> = shares.iter().map(|&share| rank_of_share(share, pixels)).collect();
    // Ranks are the same before and after the logistic function, and logits do not saturate.
    let rows = logits.clone().detach().inner().reshape([count * classes, pixels]);
    let threshold = sigmoid(value_at_rank(rows, &ranks)).reshape([count, classes, 1, 1]);
    let threshold = Tensor::from_inner(threshold);

    let p = sigmoid(logits);
    let is_below = p.clone().lower_equal(threshold.clone().expand([count, classes, height, width]));
    let (below, above) = below_and_above(p.clone(), threshold);
    let present = above.mask_where(is_below, below);
    let absent = (p.neg() + 1.0).clamp_min(1e-8).log().neg();
    let labels = labels.reshape([count, classes, 1, 1]);
    (present * labels.clone() + absent * (labels.neg() + 1.0)).mean()
}

/// The threshold step: `t = σ(mean v)` moves to where it separates the activations best; activations
/// are held. Means over the pixels below and above, of present classes of the whole batch; an empty
/// side contributes 0.
///
/// # Shapes
/// - `logits`: `z`, and `threshold_logits`: `v`, `[N, C, h, w]`
/// - `labels`: `[N, C]`, 0 or 1
/// - `counts`: [`sides`] of the whole batch, where this is a part of it
/// - result: `[1]`
pub fn threshold_loss(
    logits: Tensor<4>,
    threshold_logits: Tensor<4>,
    labels: Tensor<2>,
    counts: Option<Tensor<1>>,
) -> Tensor<1> {
    let (p, threshold) = activations_and_threshold(logits, threshold_logits);
    let [on_below, on_above] = split(&p, &threshold, labels);
    let (count_below, count_above) = match counts {
        Some(counts) => {
            let counts = Tensor::from_inner(counts);
            (counts.clone().narrow(0, 0, 1), counts.narrow(0, 1, 1))
        }
        None => (on_below.clone().sum(), on_above.clone().sum()),
    };
    let (below, above) = below_and_above(p, threshold);
    let mean = |loss: Tensor<4>, on: Tensor<4>, count: Tensor<1>| (loss * on).sum() / count.clamp_min(1.0);
    mean(below, on_below, count_below) + mean(above, on_above, count_above)
}

/// Pixels below and above the threshold, of present classes, `[2]`: what [`threshold_loss`] divides by,
/// and what adds up over the parts of a batch. Shapes as there.
pub fn sides(logits: Tensor<4>, threshold_logits: Tensor<4>, labels: Tensor<2>) -> Tensor<1> {
    let (p, threshold) = activations_and_threshold(logits, threshold_logits);
    let [below, above] = split(&p, &threshold, labels);
    Tensor::cat(vec![below.sum(), above.sum()], 0)
}

/// `p`, held, `[N, C, h, w]`, and `t`, `[N, C, 1, 1]`.
fn activations_and_threshold(logits: Tensor<4>, threshold_logits: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let [count, classes, ..] = logits.dims();
    let threshold = sigmoid(threshold_logits.mean_dims(&[2, 3])).reshape([count, classes, 1, 1]);
    (sigmoid(logits.detach()), threshold)
}

/// 1 where a pixel of a present class lies below its threshold, and where one lies above; `[N, C, h, w]`.
fn split(p: &Tensor<4>, threshold: &Tensor<4>, labels: Tensor<2>) -> [Tensor<4>; 2] {
    let [count, classes, height, width] = p.dims();
    let held = threshold.clone().detach().clamp_min(THRESHOLD_MARGIN);
    let labels = labels.reshape([count, classes, 1, 1]);
    let is_below = p.clone().lower_equal(held.expand([count, classes, height, width])).float();
    [is_below.clone() * labels.clone(), (is_below.neg() + 1.0) * labels]
}

/// The self-supervised term: the mean activation of a present class is held to its foreground share by
/// a Kullback-Leibler divergence, averaged over the present classes of the whole batch.
///
/// # Shapes
/// - `logits`: `z`, `[N, C, h, w]`
/// - `labels`: `[N, C]`, 0 or 1
/// - `shares`: `f`, `[N, C]` row-major, 0 to 1
/// - `present_in_batch`: number of labels that are 1 in the batch that this is (a part of)
/// - result: `[1]`
pub fn share_loss(
    logits: Tensor<4>,
    labels: Tensor<2>,
    shares: &[f32],
    present_in_batch: usize,
) -> Tensor<1> {
    let [count, classes, ..] = logits.dims();
    let mean: Tensor<2> = sigmoid(logits).mean_dims(&[2, 3]).reshape([count, classes]);
    let guarded = |share: f64| (share.clamp(0.0, 1.0) + 1e-10).recip() as f32;
    let over_share = host(shares.iter().map(|&share| guarded(f64::from(share))).collect(), &labels);
    let over_rest = host(shares.iter().map(|&share| guarded(1.0 - f64::from(share))).collect(), &labels);
    let rest = mean.clone().neg() + 1.0;
    let term = |p: Tensor<2>, over: Tensor<2>| p.clone() * (p * over).clamp_min(1e-8).log();
    let divergence = term(mean, over_share) + term(rest, over_rest);
    (divergence * labels).sum().div_scalar(present_in_batch.max(1) as f32)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::tensor::finite_difference;

    const SHAPE: [usize; 4] = [2, 2, 3, 4];
    const LABELS: [f32; 4] = [1.0, 0.0, 1.0, 1.0];
    const SHARES: [f32; 4] = [0.25, 0.0, 0.5, 0.9];

    fn logits() -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        (0..SHAPE.iter().product()).map(|_| (random.random::<f32>() - 0.5) * 6.0).collect()
    }

    fn device() -> Device {
        Device::flex().autodiff()
    }

    fn labels(values: &[f32]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [2, 2]), &device())
    }

    fn tensor(values: &[f32]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), SHAPE), &device())
    }

    #[test]
    fn the_network_step_has_the_gradient_of_finite_differences() {
        let logits = logits();
        // The pixel at the rank is the threshold itself: moving it moves what is held constant.
        let pixels = SHAPE[2] * SHAPE[3];
        let at_rank = |map: usize| {
            let row = &logits[map * pixels..(map + 1) * pixels];
            let mut order: Vec<usize> = (0..pixels).collect();
            order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
            map * pixels + order[rank_of_share(SHARES[map], pixels)]
        };
        let except: Vec<usize> = (0..4).map(at_rank).collect();
        finite_difference::check(&logits, SHAPE, 5e-3, 5e-3, &except, |logits| {
            network_loss(logits, labels(&LABELS), &SHARES)
        });
    }

    #[test]
    fn the_threshold_step_has_the_gradient_of_finite_differences() {
        let activations = logits();
        let threshold: Vec<f32> = logits().iter().map(|value| 0.3 - value / 3.0).collect();
        finite_difference::check(&threshold, SHAPE, 5e-3, 5e-3, &[], |threshold| {
            threshold_loss(tensor(&activations), threshold, labels(&LABELS), None)
        });
    }

    #[test]
    fn the_share_term_has_the_gradient_of_finite_differences() {
        finite_difference::check(&logits(), SHAPE, 1e-2, 5e-3, &[], |logits| {
            share_loss(logits, labels(&LABELS), &SHARES, 3)
        });
    }

    #[test]
    fn a_pixel_pays_most_at_the_threshold_and_nothing_at_the_ends() {
        let p = [0.0f32, 0.2, 0.4, 0.6, 0.8, 1.0];
        let p = Tensor::<4>::from_data(TensorData::new(p.to_vec(), [1, 1, 1, 6]), &Device::flex());
        let t = p.full_like(0.4);
        let (below, above) = below_and_above(p, t);
        let values = |tensor: Tensor<4>| tensor.into_data().try_to_vec::<f32>().unwrap();
        let (below, above) = (values(below), values(above));
        let expected_below = [0.0, 0.75, 1.0];
        let expected_above = [1.0, 1.0 - 1.0 / 9.0, 1.0 - 4.0 / 9.0, 0.0];
        assert!(below.iter().zip(expected_below).all(|(a, b)| (a - b).abs() < 1e-6), "{below:?}");
        assert!(above[2..].iter().zip(expected_above).all(|(a, b)| (a - b).abs() < 1e-6), "{above:?}");
    }

    #[test]
    fn extreme_activations_and_empty_sides_give_numbers() {
        let scalar = |loss: Tensor<1>| loss.into_scalar::<f32>();
        for extreme in [-200.0, 0.0, 200.0] {
            let all = tensor(&[extreme; 48]);
            for present in [[0.0; 4], [1.0; 4]] {
                for share in [0.0, 1.0] {
                    let shares = [share; 4];
                    assert!(scalar(network_loss(all.clone(), labels(&present), &shares)).is_finite());
                    assert!(scalar(share_loss(all.clone(), labels(&present), &shares, 4)).is_finite());
                }
                assert!(scalar(threshold_loss(all.clone(), all.clone(), labels(&present), None)).is_finite());
            }
        }
    }
}
