//! Pairs of pixels: how alike their embeddings are is held to how alike their labels are.
//!
//! `Σ_{i,j} (b_i·b_j − y_i·y_j)²` over all pairs is `‖B Bᵀ‖² − 2 ‖B Yᵀ‖² + ‖Y Yᵀ‖²` (Frobenius norms), where
//! the columns of `B` and `Y` are the pixels: three small matrices instead of one of all pairs.

use burn::tensor::Tensor;

use crate::tensor::nearest;

/// Added to squared lengths: an embedding of length 0 is like no other.
const SMALLEST_LENGTH: f32 = 1e-12;

/// `L_A = mean_{i,j} (cos(β_i, β_j) − y_i·y_j)²` over all pairs of pixels of an image, a mean over images;
/// on a grid of at most `grid` pixels.
///
/// # Shapes
/// - `embeddings`: `β`, `[N, D, h, w]`, of any length
/// - `probabilities`: `y`, `[N, C + 1, h, w]`
/// - result: `[1]`
pub fn affinity(embeddings: Tensor<4>, probabilities: Tensor<4>, grid: usize) -> Tensor<1> {
    let [count, _, height, width] = probabilities.dims();
    let (rows, columns) = grid_of(height, width, grid);
    let embeddings = flat(unit(nearest(embeddings, rows, columns)));
    let probabilities = flat(nearest(probabilities, rows, columns));
    let pairs = (rows * columns) as f32;
    gaps(embeddings, probabilities).sum().div_scalar(count.max(1) as f32).div_scalar(pairs).div_scalar(pairs)
}

/// What embeddings learn before the rest: those of pixels with one GrabCut label become alike, those of
/// different ones unlike; `Σ_{i,j} w_i w_j (cos(β_i, β_j) − [label_i = label_j])²` over pairs of labelled
/// pixels, where each label of an image shares its weight, one over their number, among its pixels.
/// Ours: pulling equal ones together, which is all that is known of the paper's, ends with all embeddings the
/// same; and so, nearly, does a plain mean over pairs, most of which are background and background.
///
/// # Shapes
/// - `embeddings`: as of [`affinity`]
/// - `masks`: 1 at each pixel's label, `[N, C + 1, h, w]`
/// - result: `[1]`
pub fn pretraining(embeddings: Tensor<4>, masks: Tensor<4>, grid: usize) -> Tensor<1> {
    let [count, _, height, width] = embeddings.dims();
    let (rows, columns) = grid_of(height, width, grid);
    let masks = flat(nearest(masks, rows, columns));
    let of_labels = masks.clone().sum_dim(2);
    let labels = of_labels.clone().clamp_max(1.0).sum_dim(1).clamp_min(1.0);
    let weights = (masks.clone() / of_labels.clamp_min(1.0)).sum_dim(1) / labels;
    // Both products of a pair have a factor of each of its pixels, and are squared.
    let factors = weights.sqrt();
    let embeddings = flat(unit(nearest(embeddings, rows, columns))) * factors.clone();
    gaps(embeddings, masks * factors).sum().div_scalar(count.max(1) as f32)
}

/// Rows and columns of the finest grid with the proportions of an image that has at most `limit` pixels.
fn grid_of(height: usize, width: usize, limit: usize) -> (usize, usize) {
    let limit = limit.max(1);
    if height * width <= limit {
        return (height, width);
    }
    let rows = (height * limit / width.max(1)).isqrt().clamp(1, height.min(limit));
    let columns = (width * limit / height.max(1)).isqrt().min(limit / rows).clamp(1, width);
    (rows, columns)
}

/// `[N, D, h, w]` to vectors of length 1 over `D`.
fn unit(embeddings: Tensor<4>) -> Tensor<4> {
    let length = (embeddings.clone().square().sum_dim(1) + SMALLEST_LENGTH).sqrt();
    embeddings / length
}

/// `[N, D, h, w]` to `[N, D, h·w]`.
fn flat(tensor: Tensor<4>) -> Tensor<3> {
    let [count, channels, height, width] = tensor.dims();
    tensor.reshape([count, channels, height * width])
}

/// `Σ_{i,j} (b_i·b_j − y_i·y_j)²` of each image: `[N, D, P]` and `[N, L, P]` to `[N, 1, 1]`.
fn gaps(b: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
    let product = |left: &Tensor<3>, right: &Tensor<3>| {
        left.clone().matmul(right.clone().swap_dims(1, 2)).square().sum_dims(&[1, 2])
    };
    product(&b, &b) - product(&b, &y).mul_scalar(2.0) + product(&y, &y)
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::softmax;
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::tensor::finite_difference;

    const EMBEDDINGS: [usize; 4] = [2, 3, 2, 3];
    const LABELS: [usize; 4] = [2, 2, 2, 3];
    const ALL: usize = 1024;

    fn values(shape: [usize; 4]) -> Vec<f32> {
        let count: usize = shape.iter().product();
        (0..count).map(|index| ((index * 29 % 41) as f32 - 20.0) * 0.1 + 0.05).collect()
    }

    fn tensor(shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values(shape), shape), &Device::flex().autodiff())
    }

    /// Labels 0 and 1 in turns; the last pixel of the first image and all of the second are without.
    fn masks() -> Tensor<4> {
        let one = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
        let data = TensorData::new([one, [0.0; 12]].concat(), LABELS);
        Tensor::from_data(data, &Device::flex().autodiff())
    }

    #[test]
    fn it_is_the_mean_over_all_pairs() {
        let (b, y) = (values(EMBEDDINGS), softmax(tensor(LABELS), 1));
        let found = affinity(tensor(EMBEDDINGS), y.clone(), ALL).into_scalar::<f32>();
        let y: Vec<f32> = y.inner().into_data().try_to_vec().unwrap();
        let at = |values: &[f32], channels: usize, image: usize, pixel: usize| -> Vec<f64> {
            (0..channels).map(|c| f64::from(values[(image * channels + c) * 6 + pixel])).collect()
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut expected = 0.0;
        for place in 0..2 * 36 {
            let (image, i, j) = (place / 36, place / 6 % 6, place % 6);
            let (bi, bj) = (at(&b, 3, image, i), at(&b, 3, image, j));
            let cos = dot(&bi, &bj) / (dot(&bi, &bi) * dot(&bj, &bj)).sqrt();
            expected += (cos - dot(&at(&y, 2, image, i), &at(&y, 2, image, j))).powi(2) / 72.0;
        }
        assert!((f64::from(found) - expected).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn both_have_the_gradient_of_finite_differences() {
        for grid in [ALL, 3] {
            finite_difference::check(&values(EMBEDDINGS), EMBEDDINGS, 1e-2, 2e-2, &[], |embeddings| {
                affinity(embeddings, softmax(tensor(LABELS), 1), grid)
            });
            finite_difference::check(&values(LABELS), LABELS, 1e-2, 2e-2, &[], |logits| {
                affinity(tensor(EMBEDDINGS), softmax(logits, 1), grid)
            });
        }
        finite_difference::check(&values(EMBEDDINGS), EMBEDDINGS, 1e-2, 2e-2, &[], |embeddings| {
            pretraining(embeddings, masks(), ALL)
        });
    }

    #[test]
    fn embeddings_that_follow_the_labels_cost_nothing() {
        let cost = |embeddings| pretraining(embeddings, masks(), ALL).into_scalar::<f32>();
        assert!(cost(masks() * 3.0).abs() < 1e-6);
        // All the same: half of all pairs of labels are wrong, which a pull alone would call perfect.
        let same = cost(Tensor::ones(LABELS, &Device::flex().autodiff()));
        assert!((same - 0.25).abs() < 1e-5, "{same}");
        assert!(cost(Tensor::zeros(LABELS, &Device::flex().autodiff())).is_finite());
    }

    #[test]
    fn a_small_object_outweighs_one_embedding_for_all() {
        // One pixel of a hundred: 2 in 100 pairs are of different labels.
        let device = Device::flex().autodiff();
        let mut values = [[1.0; 100], [0.0; 100]];
        (values[0][37], values[1][37]) = (0.0, 1.0);
        let masks = Tensor::from_data(TensorData::new(values.concat(), [1, 2, 10, 10]), &device);
        let same = pretraining(Tensor::ones([1, 3, 10, 10], &device), masks, ALL).into_scalar::<f32>();
        assert!((same - 0.5).abs() < 1e-4, "{same}");
    }

    #[test]
    fn grids_keep_proportions_and_limits() {
        assert_eq!(grid_of(56, 56, 1024), (32, 32));
        assert_eq!(grid_of(28, 28, 1024), (28, 28));
        assert_eq!(grid_of(40, 90, 900), (20, 45));
        for (height, width, limit) in [(1, 5000, 1024), (3000, 2, 64), (7, 7, 1), (100, 33, 50)] {
            let (rows, columns) = grid_of(height, width, limit);
            let fits = rows * columns <= limit && rows >= 1 && columns >= 1;
            assert!(fits && rows <= height && columns <= width, "{height} {width} {limit}");
        }
    }
}
