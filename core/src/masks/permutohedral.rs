//! Gaussian filtering of scattered points in a few dimensions on the permutohedral lattice: Adams, Baek
//! and Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", Eurographics 2010.
//!
//! Each point spreads its values over the `D + 1` corners of the simplex that it lies in (splat), the
//! values at the lattice's vertices are blurred along each of its `D + 1` directions (blur), and each
//! point collects from its corners (slice). Memory and time grow with the number of points, not with
//! the volume they lie in: only vertices near a point exist.

use super::parallel::for_each_piece;
use crate::error::{Error, Result};

mod embed;

/// One corner of a simplex: the other end (a vertex, or a point) and the share of it.
#[derive(Debug, Clone, Copy, Default)]
struct Corner {
    other: u32,
    weight: f32,
}

/// The lattice around a fixed set of points: built once, then used for any number of values.
#[derive(Debug)]
pub struct Lattice {
    points: usize,
    corners: usize,
    /// Vertices and the row of zeros before them, which stands for every neighbour that does not exist.
    rows: usize,
    /// `[points, corners]`: from which vertices a point collects.
    slice: Vec<Corner>,
    /// For each row, where its part of `splat` starts; one more than rows.
    splat_start: Vec<u32>,
    /// By vertex: from which points it collects, in their order, so that sums are the same on any number
    /// of threads.
    splat: Vec<Corner>,
    /// `[corners, rows]`: the rows on both sides, along each direction.
    neighbors: Vec<[u32; 2]>,
}

/// Values at the vertices, kept between calls of [`Lattice::filter_add`].
#[derive(Debug, Default)]
pub struct Scratch {
    current: Vec<f32>,
    blurred: Vec<f32>,
}

/// Items that one thread takes at a time.
const PIECE: usize = 1 << 12;

impl Lattice {
    /// The lattice around `features`: positions in units of the Gaussian's standard deviation.
    ///
    /// # Errors
    /// [`Error::Setting`] when the points are too many, or too far apart to be numbered (a standard
    /// deviation that is next to nothing).
    pub fn new<const D: usize>(features: &[[f32; D]]) -> Result<Self> {
        let corners = D + 1;
        if features.len().saturating_mul(corners) >= u32::MAX as usize {
            return Err(refuse(format!("{} points are too many", features.len())));
        }
        let (slice, vertices, neighbors) = embed::embed(features)?;
        let rows = vertices + 1;

        // The same corners by vertex: a counting sort, which keeps the order of the points.
        let mut splat_start = vec![0u32; rows + 1];
        for corner in &slice {
            splat_start[corner.other as usize + 1] += 1;
        }
        for row in 0..rows {
            splat_start[row + 1] += splat_start[row];
        }
        let mut next = splat_start.clone();
        let mut splat = vec![Corner::default(); slice.len()];
        for (index, corner) in slice.iter().enumerate() {
            let at = &mut next[corner.other as usize];
            splat[*at as usize] = Corner { other: (index / corners) as u32, weight: corner.weight };
            *at += 1;
        }

        // Blurring by (½, 1, ½) in every direction at once adds up to more than one.
        let gain = 1.0 / (1.0 + 0.5f32.powi(D as i32));
        let slice =
            slice.into_iter().map(|corner| Corner { weight: corner.weight * gain, ..corner }).collect();
        Ok(Self { points: features.len(), corners, rows, slice, splat_start, splat, neighbors })
    }

    /// Number of points that values belong to.
    pub fn points(&self) -> usize {
        self.points
    }

    /// Turns the filter `K` into `N^-½ K N^-½`, where `N` holds the sums of K's rows (the symmetric
    /// normalisation of Krähenbühl and Koltun).
    pub fn normalize_symmetric(&mut self) {
        let mut sums = vec![0.0; self.points];
        self.filter_add(&vec![1.0; self.points], &mut sums, 1, 1.0, &mut Scratch::default());
        let factors: Vec<f32> = sums.into_iter().map(|sum| 1.0 / (sum + 1e-20).sqrt()).collect();
        for (corners, factor) in self.slice.chunks_mut(self.corners).zip(&factors) {
            corners.iter_mut().for_each(|corner| corner.weight *= factor);
        }
        for corner in &mut self.splat {
            corner.weight *= factors[corner.other as usize];
        }
    }

    /// Adds `weight` times the filtered `input` to `output`. Both are `[points, lanes]`; lanes are
    /// filtered independently.
    ///
    /// # Panics
    /// When a length is not points × lanes.
    pub fn filter_add(
        &self,
        input: &[f32],
        output: &mut [f32],
        lanes: usize,
        weight: f32,
        scratch: &mut Scratch,
    ) {
        assert!(input.len() == self.points * lanes && output.len() == input.len(), "points × lanes");
        let mut first = 0;
        while first < lanes {
            // Few widths, each compiled for itself: the inner loops are then vectors, not loops.
            let width = (lanes - first).min(4);
            match width {
                1 => self.filter_lanes::<1>(input, output, lanes, first, weight, scratch),
                2 => self.filter_lanes::<2>(input, output, lanes, first, weight, scratch),
                3 => self.filter_lanes::<3>(input, output, lanes, first, weight, scratch),
                _ => self.filter_lanes::<4>(input, output, lanes, first, weight, scratch),
            }
            first += width;
        }
    }

    fn filter_lanes<const W: usize>(
        &self,
        input: &[f32],
        output: &mut [f32],
        lanes: usize,
        first: usize,
        weight: f32,
        scratch: &mut Scratch,
    ) {
        for buffer in [&mut scratch.current, &mut scratch.blurred] {
            buffer.clear();
            buffer.resize(self.rows * W, 0.0);
        }
        let (mut current, _) = scratch.current.as_chunks_mut::<W>();
        let (mut blurred, _) = scratch.blurred.as_chunks_mut::<W>();

        for_each_piece(current, PIECE, |start, part| {
            for (row, value) in (start..).zip(part) {
                let range = self.splat_start[row] as usize..self.splat_start[row + 1] as usize;
                let mut sum = [0.0; W];
                for corner in &self.splat[range] {
                    let from = &input[corner.other as usize * lanes + first..][..W];
                    for lane in 0..W {
                        sum[lane] += corner.weight * from[lane];
                    }
                }
                *value = sum;
            }
        });

        for neighbors in self.neighbors.chunks_exact(self.rows) {
            let source = &*current;
            for_each_piece(blurred, PIECE, |start, part| {
                for ((row, value), &[before, after]) in (start..).zip(part).zip(&neighbors[start..]) {
                    let (before, after) = (&source[before as usize], &source[after as usize]);
                    for lane in 0..W {
                        value[lane] = source[row][lane] + 0.5 * (before[lane] + after[lane]);
                    }
                }
            });
            std::mem::swap(&mut current, &mut blurred);
        }

        let source = &*current;
        for_each_piece(output, PIECE * lanes, |start, part| {
            let corners = self.slice[start / lanes * self.corners..].chunks_exact(self.corners);
            for (value, corners) in part.chunks_exact_mut(lanes).zip(corners) {
                let mut sum = [0.0; W];
                for corner in corners {
                    let from = &source[corner.other as usize];
                    for lane in 0..W {
                        sum[lane] += corner.weight * from[lane];
                    }
                }
                for (value, sum) in value[first..first + W].iter_mut().zip(sum) {
                    *value += weight * sum;
                }
            }
        });
    }
}

fn refuse(reason: String) -> Error {
    Error::Setting { name: "crf", reason }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn filter<const D: usize>(features: &[[f32; D]], input: &[f32], lanes: usize) -> Vec<f32> {
        let mut output = vec![0.0; input.len()];
        Lattice::new(features).unwrap().filter_add(input, &mut output, lanes, 1.0, &mut Scratch::default());
        output
    }

    /// Σ_j exp(−½‖f_i − f_j‖²) v_j, and the same for v = 1.
    fn brute_force<const D: usize>(features: &[[f32; D]], values: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let sums = features.iter().map(|a| {
            let weights = features.iter().map(|b| {
                let square: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                f64::from(-0.5 * square).exp()
            });
            let weights: Vec<f64> = weights.collect();
            let sum =
                weights.iter().zip(values).map(|(weight, &value)| weight * f64::from(value)).sum::<f64>();
            (sum, weights.iter().sum::<f64>())
        });
        sums.unzip()
    }

    fn grid(side: usize, sigma: f32) -> Vec<[f32; 2]> {
        (0..side * side).map(|i| [(i % side) as f32 / sigma, (i / side) as f32 / sigma]).collect()
    }

    #[test]
    fn agrees_with_a_brute_force_gaussian_on_an_image() {
        let features = grid(24, 3.0);
        let values: Vec<f32> = (0..24 * 24).map(|i| if (i % 24) < 10 { 1.0 } else { 0.2 }).collect();
        let (expected, weight) = brute_force(&features, &values);
        let found = filter(&features, &values, 1);
        let found_weight = filter(&features, &vec![1.0; values.len()], 1);
        for i in 0..values.len() {
            let (mean, exact) = (f64::from(found[i] / found_weight[i]), expected[i] / weight[i]);
            assert!((mean - exact).abs() < 0.04, "{i}: {mean} for {exact}");
        }
        let error = |a: &[f32], b: &[f64]| {
            let scale = a.iter().map(|&a| f64::from(a)).sum::<f64>() / b.iter().sum::<f64>();
            let difference: f64 = a.iter().zip(b).map(|(&a, b)| (f64::from(a) / scale - b).powi(2)).sum();
            (difference / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
        };
        assert!(error(&found, &expected) < 0.04, "{}", error(&found, &expected));
    }

    #[test]
    fn agrees_with_a_brute_force_gaussian_in_five_dimensions() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let features: Vec<[f32; 5]> =
            (0..600).map(|_| std::array::from_fn(|_| random.random_range(0.0..3.0))).collect();
        let values: Vec<f32> = features.iter().map(|f| (f[0] + f[3]) / 6.0).collect();
        let (expected, weight) = brute_force(&features, &values);
        let found = filter(&features, &values, 1);
        let found_weight = filter(&features, &vec![1.0; values.len()], 1);
        let mean_error = (0..values.len())
            .map(|i| (f64::from(found[i] / found_weight[i]) - expected[i] / weight[i]).abs())
            .sum::<f64>()
            / values.len() as f64;
        assert!(mean_error < 0.03, "{mean_error}");
    }

    #[test]
    fn lanes_are_filtered_independently() {
        let features = grid(20, 2.5);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for lanes in 1..=9 {
            let values: Vec<f32> = (0..400 * lanes).map(|_| random.random_range(-1.0..1.0)).collect();
            let together = filter(&features, &values, lanes);
            for lane in 0..lanes {
                let alone: Vec<f32> = values.iter().skip(lane).step_by(lanes).copied().collect();
                let expected: Vec<f32> = together.iter().skip(lane).step_by(lanes).copied().collect();
                assert_eq!(filter(&features, &alone, 1), expected);
            }
        }
    }

    #[test]
    fn the_filter_is_symmetric_after_normalisation() {
        let features = grid(12, 2.0);
        let mut lattice = Lattice::new(&features).unwrap();
        lattice.normalize_symmetric();
        let response = |at: usize| {
            let mut input = vec![0.0; features.len()];
            input[at] = 1.0;
            let mut output = vec![0.0; features.len()];
            lattice.filter_add(&input, &mut output, 1, 1.0, &mut Scratch::default());
            output
        };
        // The blur runs through the directions in one order, so symmetry is near, not exact, at the rim.
        let (a, b) = (response(40), response(53));
        assert!((a[53] - b[40]).abs() < 0.1 * a[53], "{} {}", a[53], b[40]);
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let features: Vec<[f32; 5]> =
            (0..30_000).map(|_| std::array::from_fn(|_| random.random_range(0.0..6.0))).collect();
        let values: Vec<f32> = (0..90_000).map(|_| random.random_range(0.0..1.0)).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| filter(&features, &values, 3))
        };
        assert_eq!(on(1), on(4));
    }

    #[test]
    fn points_too_far_apart_or_no_numbers_are_refused() {
        let far = Lattice::new(&[[0.0f32; 5], [1e9, 1e9, 1e9, 1e9, 1e9]]).unwrap_err();
        assert!(far.to_string().contains("crf"), "{far}");
        assert!(Lattice::new(&[[f32::NAN, 0.0]]).is_err());
        assert!(Lattice::new(&[[f32::INFINITY, 0.0]]).is_err());
        assert_eq!(Lattice::new::<2>(&[]).unwrap().points(), 0);
    }
}
