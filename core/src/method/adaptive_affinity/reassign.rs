//! Label reassign loss. Ours, METHODS §3: of the published one it is known that the embeddings of labelled
//! pixels are reassigned, so that the network does not learn wrong pseudo-labels by heart; its formula could
//! not be recovered. Here a pixel whose embedding lies clearly nearer to the centre of another class of its
//! image is taken to be of that class, and embeddings are drawn to the centre of what they are taken to be.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use crate::method::cam::project;

/// Temperature of the similarities. Ours.
const TEMPERATURE: f32 = 0.1;
/// Added to an embedding's square, so that one of length 0 has a gradient of a bearable size.
const FLOOR: f32 = 1e-4;
/// What takes a class out of the question: further than any two directions are apart.
const OUT: f32 = 100.0;

/// Embeddings at length 1, `[N, D, h, w]`.
pub fn unit(embeddings: Tensor<4>) -> Tensor<4> {
    let length = (embeddings.clone().square().sum_dim(1) + FLOOR).sqrt();
    embeddings / length
}

/// What a batch adds to the classes' centres: of each class the sum of the embeddings of its labelled pixels,
/// weighted by confidence, and the sum of the weights. It adds up over the parts of a batch.
///
/// # Shapes
/// - `embeddings`: [`unit`], `[N, D, h, w]`, untracked
/// - `targets`: `[N, C + 1, h, w]`, untracked; 1 at each pixel's label, all 0 where it has none
/// - `confidence`: `[N, 1, h, w]`, untracked
/// - result: `[(C + 1) · (D + 1)]`, a row for each class, its weight last
pub fn centre_sums(embeddings: Tensor<4>, targets: Tensor<4>, confidence: Tensor<4>) -> Tensor<1> {
    let [count, width, rows, columns] = embeddings.dims();
    let labels = targets.dims()[1];
    let flat = |x: Tensor<4>, channels: usize| x.reshape([count, channels, rows * columns]);
    let weights: Tensor<3> = flat(targets * confidence, labels);
    let sums = weights.clone().matmul(flat(embeddings, width).swap_dims(1, 2));
    let rows = Tensor::cat(vec![sums, weights.sum_dim(2)], 2);
    rows.sum_dim(0).reshape([labels * (width + 1)])
}

/// The centres after a batch: each moves to the batch's mean by `1 − momentum`. A class that has no centre
/// yet (a row of zeros) takes the batch's mean, one without confident pixels stays where it is.
///
/// # Shapes
/// - `centres`: `[C + 1, D]`
/// - `sums`: [`centre_sums`] of the whole batch
pub fn moved(centres: Tensor<2>, sums: Tensor<1>, momentum: f64) -> Tensor<2> {
    let [labels, width] = centres.dims();
    let rows: Tensor<2> = sums.reshape([labels, width + 1]);
    let weights = rows.clone().narrow(1, width, 1);
    let seen = weights.clone().greater_elem(0.0f32).float();
    let means = rows.narrow(1, 0, width) / weights.clamp_min(1e-6);
    let rate = seen * (known(&centres).mul_scalar(momentum).neg() + 1.0);
    centres.clone() + (means - centres) * rate
}

/// 1 for classes that have a centre, `[C + 1, 1]`.
fn known(centres: &Tensor<2>) -> Tensor<2> {
    centres.clone().square().sum_dim(1).greater_elem(0.0f32).float()
}

/// Labelled pixels whose class has a centre, `[1]`: what [`reassign_loss`] divides by, and what adds up over
/// the parts of a batch. Shapes as there.
pub fn learnable(targets: Tensor<4>, centres: Tensor<2>) -> Tensor<1> {
    (targets * per_label(known(&centres))).sum()
}

/// `[C + 1, 1]` to `[1, C + 1, 1, 1]`.
fn per_label(values: Tensor<2>) -> Tensor<4> {
    let labels = values.dims()[0];
    values.reshape([1, labels, 1, 1])
}

/// What each labelled pixel is taken to be: the class of its image whose centre is nearest by cosine, where
/// that is nearer than its label's by more than `margin`, else its label. All 0 where a pixel has no label, or
/// one without a centre; classes that are equally near share the pixel.
///
/// # Shapes
/// - `cosines`: to each centre, `[N, C + 1, h, w]`, untracked
/// - `present`: 1 where the image has the class, `[N, C + 1]`, 1 for the background; untracked
/// - `known`: 1 where a class has a centre, `[1, C + 1, 1, 1]`
/// - `targets`, result: `[N, C + 1, h, w]`
fn reassigned(
    cosines: Tensor<4>,
    targets: Tensor<4>,
    present: Tensor<2>,
    known: Tensor<4>,
    margin: f64,
) -> Tensor<4> {
    let [count, labels, height, width] = cosines.dims();
    let candidate = present.reshape([count, labels, 1, 1]) * known.clone();
    let own = (cosines.clone() * targets.clone()).sum_dim(1);
    let cosines = cosines + (candidate - 1.0).mul_scalar(OUT);
    let best = cosines.clone().max_dim(1);
    let moves = (best.clone() - own).greater_elem(margin).float();
    let nearest = cosines.greater_equal(best.expand([count, labels, height, width])).float();
    let nearest = nearest.clone() / nearest.sum_dim(1);
    let counted = (targets.clone() * known).sum_dim(1);
    (nearest * moves.clone() + targets * (moves.neg() + 1.0)) * counted
}

/// `−ln` of the softmax, over the classes that have a centre, of an embedding's cosine to the centre of what
/// its pixel is taken to be, over a temperature of 0.1; mean over labelled pixels whose class has a
/// centre, 0 without any. Centres are held.
///
/// # Shapes
/// - `embeddings`: [`unit`], `[N, D, h, w]`
/// - `centres`: `[C + 1, D]`, untracked; a row of zeros where a class has none yet
/// - `targets`: `[N, C + 1, h, w]`, untracked; 1 at each pixel's label, all 0 where it has none
/// - `present`: 1 where the image has the class, `[N, C + 1]`, 1 for the background; untracked
/// - `margin`: of cosines, 0 to 2
/// - `counted`: [`learnable`] of the whole batch, where this is a part of it
/// - result: `[1]`
pub fn reassign_loss(
    embeddings: Tensor<4>,
    centres: Tensor<2>,
    targets: Tensor<4>,
    present: Tensor<2>,
    margin: f64,
    counted: Option<Tensor<1>>,
) -> Tensor<1> {
    let counted = counted.unwrap_or_else(|| learnable(targets.clone(), centres.clone()));
    let known = known(&centres);
    let length = centres.clone().square().sum_dim(1).sqrt();
    // A row of zeros stays one.
    let directions = centres / (length + (known.clone().neg() + 1.0));
    let known = per_label(known);
    let cosines = project(embeddings, directions);
    let targets = reassigned(cosines.clone().detach().inner(), targets, present, known.clone(), margin);
    let logits = (cosines + (known - 1.0).mul_scalar(OUT)).div_scalar(TEMPERATURE);
    (log_softmax(logits, 1) * targets).sum().neg() / counted.clamp_min(1.0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::tensor::finite_difference;

    /// Background, two classes; two dimensions; two images of two pixels.
    const LABELS: usize = 3;
    const SHAPE: [usize; 4] = [2, 2, 1, 2];

    fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
    }

    fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
        x.into_data().try_to_vec().unwrap()
    }

    fn centres() -> Tensor<2> {
        tensor(&[0.9, 0.1, -0.2, 0.7, -0.5, -0.5], [LABELS, 2])
    }

    /// The last pixel has no label.
    fn targets() -> Tensor<4> {
        tensor(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [2, LABELS, 1, 2])
    }

    fn all_present() -> Tensor<2> {
        tensor(&[1.0; 2 * LABELS], [2, LABELS])
    }

    #[test]
    fn it_has_the_gradient_of_finite_differences() {
        let embeddings = [0.8, -0.3, 0.4, 0.9, -0.6, 0.2, 0.3, -0.7];
        finite_difference::check(&embeddings, SHAPE, 1e-3, 1e-2, &[], |embeddings| {
            reassign_loss(unit(embeddings), centres(), targets(), all_present(), 0.1, None)
        });
    }

    #[test]
    fn a_pixel_goes_to_a_clearly_nearer_class_of_its_image_only() {
        let targets = tensor(&[1.0, 0.0, 0.0], [1, LABELS, 1, 1]);
        let known = tensor(&[1.0; LABELS], [1, LABELS, 1, 1]);
        let with = |cosines: [f32; 3], present: [f32; 3], margin: f64| {
            let cosines = tensor(&cosines, [1, LABELS, 1, 1]);
            let present = tensor(&present, [1, LABELS]);
            values(reassigned(cosines, targets.clone(), present, known.clone(), margin))
        };
        assert_eq!(with([0.1, 0.4, 0.9], [1.0, 1.0, 1.0], 0.2), [0.0, 0.0, 1.0]);
        assert_eq!(with([0.1, 0.4, 0.9], [1.0, 1.0, 0.0], 0.2), [0.0, 1.0, 0.0]);
        assert_eq!(with([0.1, 0.4, 0.9], [1.0, 1.0, 0.0], 0.4), [1.0, 0.0, 0.0]);
        assert_eq!(with([0.1, 0.9, 0.9], [1.0, 1.0, 1.0], 0.2), [0.0, 0.5, 0.5]);
        assert_eq!(with([0.9, 0.9, 0.1], [1.0, 1.0, 1.0], 0.0), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn classes_without_a_centre_teach_nothing() {
        let embeddings = unit(tensor(&[0.8, -0.3, 0.4, 0.9, -0.6, 0.2, 0.3, -0.7], SHAPE));
        let loss = |centres: Tensor<2>| {
            reassign_loss(embeddings.clone(), centres, targets(), all_present(), 0.1, None)
                .into_scalar::<f32>()
        };
        assert_eq!(loss(centres().zeros_like()), 0.0);
        assert_eq!(values(learnable(targets(), centres().zeros_like())), [0.0]);
        assert_eq!(values(learnable(targets(), centres())), [3.0]);
        // Without the background's centre one pixel is left.
        let rest = centres() * tensor(&[0.0, 1.0, 1.0], [LABELS, 1]);
        assert_eq!(values(learnable(targets(), rest.clone())), [1.0]);
        assert!(loss(rest) > 0.0);
        let nothing =
            reassign_loss(embeddings.clone(), centres(), targets().zeros_like(), all_present(), 0.1, None);
        assert_eq!(nothing.into_scalar::<f32>(), 0.0);
    }

    #[test]
    fn centres_are_weighted_means_that_add_up_over_parts() {
        let embeddings = tensor(&[1.0, 0.0, 0.0, 1.0, 0.6, 0.0, 0.8, 1.0], SHAPE);
        let confidence = tensor(&[0.5, 0.25, 1.0, 0.0], [2, 1, 1, 2]);
        let all = centre_sums(embeddings.clone(), targets(), confidence.clone());
        assert_eq!(values(all.clone()), [1.1, 0.8, 1.5, 0.0, 0.25, 0.25, 0.0, 0.0, 0.0]);
        let part = |image: usize| {
            let of = |x: Tensor<4>| x.narrow(0, image, 1);
            centre_sums(of(embeddings.clone()), of(targets()), of(confidence.clone()))
        };
        assert_eq!(values(part(0) + part(1)), values(all.clone()));

        // Unknown ones start at the mean, known ones move by a tenth, and without pixels they stay.
        let first = moved(centres().zeros_like(), all.clone(), 0.9);
        let expected = [1.1 / 1.5, 0.8 / 1.5, 0.0, 1.0, 0.0, 0.0];
        assert!(values(first).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
        let next = values(moved(centres(), all, 0.9));
        let expected = [0.81 + 0.11 / 1.5, 0.09 + 0.08 / 1.5, -0.18, 0.73, -0.5, -0.5];
        assert!(next.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{next:?}");
        let nothing = Tensor::zeros([LABELS * 3], &Device::flex());
        assert_eq!(values(moved(centres(), nothing, 0.9)), values(centres()));
    }

    #[test]
    fn parts_of_a_batch_add_up_to_it() {
        let embeddings = unit(tensor(&[0.8, -0.3, 0.4, 0.9, -0.6, 0.2, 0.3, -0.7], SHAPE));
        let loss = |images: std::ops::Range<usize>, counted: Option<Tensor<1>>| {
            let of = |x: Tensor<4>| x.narrow(0, images.start, images.len());
            let present = all_present().narrow(0, 0, images.len());
            reassign_loss(of(embeddings.clone()), centres(), of(targets()), present, 0.1, counted)
                .into_scalar::<f32>()
        };
        let counted = learnable(targets(), centres());
        let whole = loss(0..2, None);
        let parts = loss(0..1, Some(counted.clone())) + loss(1..2, Some(counted));
        assert!((parts - whole).abs() < 1e-5 * whole, "{parts} {whole}");
    }

    #[test]
    fn an_embedding_of_no_length_has_a_gradient() {
        let device = Device::flex().autodiff();
        let zero = Tensor::<4>::zeros(SHAPE, &device).require_grad();
        let loss = reassign_loss(unit(zero.clone()), centres(), targets(), all_present(), 0.1, None);
        let gradient = zero.grad(&loss.backward()).unwrap();
        assert!(values(gradient).iter().all(|value| value.is_finite()));
    }
}
