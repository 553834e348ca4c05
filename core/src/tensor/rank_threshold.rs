//! The value at a given rank of each map, found on the device.
//!
//! A sort reads back to the host in some backends and panics in a browser. Counting how many values
//! exceed a candidate needs only comparisons and sums: each pass tests [`WAYS`] candidates at once and
//! narrows the interval `WAYS + 1` fold.

use burn::tensor::{Int, Tensor, TensorData};

/// Candidates tested at once. More ways mean fewer passes (kernel launches) and more comparisons.
const WAYS: usize = 15;

/// 16⁷ = 2²⁸ parts: finer than the 24 bits of a `f32` significand.
const PASSES: usize = 7;

/// The 0-based rank, in descending order, of the last pixel inside a share of `pixels` pixels:
/// ⌊share · pixels⌋, and at most the last pixel (METHODS §1; a share of 1 must not point past the end).
pub fn rank_of_share(share: f32, pixels: usize) -> usize {
    // In `f32`, as the authors' program: a share of 26 % of 100 pixels is 26 of them.
    let rank = (share.clamp(0.0, 1.0) * pixels as f32).floor() as usize;
    rank.min(pixels.saturating_sub(1))
}

/// The value at a rank of each row, ranks counted from 0 in descending order.
///
/// Exact: the result is one of the row's own values, and ties count as different ranks.
///
/// # Shapes
/// - `values`: `[R, P]`, finite, not tracked by autodiff (detach first)
/// - `ranks`: `[R]`, each below `P`
/// - result: `[R]`
pub fn value_at_rank(values: Tensor<2>, ranks: &[usize]) -> Tensor<1> {
    let [rows, pixels] = values.dims();
    let device = values.device();
    let rank = ranks.iter().map(|&rank| rank.min(pixels - 1) as f32).collect::<Vec<_>>();
    let rank = Tensor::<2>::from_data(TensorData::new(rank, [rows, 1]), &device);
    let steps = Tensor::<1, Int>::arange(1..WAYS as i64 + 1, &device)
        .float()
        .div_scalar((WAYS + 1) as f32)
        .reshape([1, WAYS]);

    // Invariant: fewer than or exactly `rank` values lie above `high`, more than `rank` above `low`.
    let mut high = values.clone().max_dim(1);
    let lowest = values.clone().min_dim(1);
    let mut low = lowest.clone() - (lowest.abs() + 1.0) * 1e-3;
    let cube = values.clone().reshape([rows, 1, pixels]);
    for _ in 0..PASSES {
        let width = (high.clone() - low.clone()).div_scalar((WAYS + 1) as f32);
        let candidates = low.clone() + (high.clone() - low.clone()) * steps.clone();
        let above = cube.clone().greater(candidates.reshape([rows, WAYS, 1])).float().sum_dim(2);
        let above: Tensor<2> = above.reshape([rows, WAYS]);
        // Candidates ascend, so those with more than `rank` values above them come first.
        let below_target = above.greater(rank.clone()).float().sum_dim(1);
        low = low + below_target * width.clone();
        high = (low.clone() + width).min_pair(high);
    }
    // Rounding may have put `high` a hair below the target: allow that much, then snap to a value.
    let limit = high.clone() + (high.abs() + 1e-30) * 1e-6;
    let inside = values.clone().lower_equal(limit).float();
    let snapped = values * inside.clone() + (inside - 1.0) * f32::MAX;
    snapped.max_dim(1).reshape([rows])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Sorted on the host: what the device has to find.
    fn expected(row: &[f32], rank: usize) -> f32 {
        let mut sorted = row.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted[rank]
    }

    fn found(rows: &[Vec<f32>], ranks: &[usize]) -> Vec<f32> {
        let shape = [rows.len(), rows[0].len()];
        let values = TensorData::new(rows.concat(), shape);
        value_at_rank(Tensor::from_data(values, &Device::flex()), ranks).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn every_rank_is_exact() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for spread in [1e-3, 1.0, 300.0] {
            let row: Vec<f32> = (0..97).map(|_| (random.random::<f32>() - 0.5) * spread).collect();
            let rows = vec![row.clone(); row.len()];
            let ranks: Vec<usize> = (0..row.len()).collect();
            for (rank, found) in found(&rows, &ranks).into_iter().enumerate() {
                assert_eq!(found, expected(&row, rank), "rank {rank} of spread {spread}");
            }
        }
    }

    #[test]
    fn ties_and_constant_rows_are_found() {
        let rows = [vec![2.0, 2.0, 1.0, 1.0, -3.0], vec![5.0; 5], vec![-1e30, 0.0, 0.0, 0.0, 1e30]];
        for rank in 0..5 {
            let expected: Vec<f32> = rows.iter().map(|row| expected(row, rank)).collect();
            assert_eq!(found(&rows, &[rank; 3]), expected, "rank {rank}");
        }
    }

    #[test]
    fn shares_become_ranks_inside_the_map() {
        let ranks = [-1.0, 0.0, 0.26, 0.999, 1.0, 7.0].map(|share| rank_of_share(share, 100));
        assert_eq!(ranks, [0, 0, 26, 99, 99, 99]);
        assert_eq!(rank_of_share(0.5, 0), 0);
    }
}
