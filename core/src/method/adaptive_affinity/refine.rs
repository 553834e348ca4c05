//! Pixel-adaptive mask refinement (Araslanov & Roth, CVPR 2020; METHODS §3 [code]): masks flow, again and
//! again, to those of a pixel's neighbours that have its colour. Nothing is learned here, nor through here.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Distances of the neighbours, in pixels of the mask.
const DILATIONS: [usize; 6] = [1, 2, 4, 8, 12, 24];
/// Values that a pixel's deviation is of: nine for each distance, itself among each nine.
const VALUES: usize = 9 * DILATIONS.len();
/// What colours' distances are divided by, in deviations, and what is added to that.
const SPREAD: f32 = 0.1;
const FLOOR: f32 = 1e-8;

/// The 3×3 pixels at one distance around each pixel; beyond the border, the pixel at the border.
struct Window {
    rows: Tensor<1, Int>,
    columns: Tensor<1, Int>,
}

impl Window {
    fn new(dilation: usize, height: usize, width: usize, device: &Device) -> Self {
        let places = |length: usize| {
            let before = (0..length).map(|at| at.saturating_sub(dilation));
            let after = (0..length).map(|at| (at + dilation).min(length - 1));
            let places: Vec<i32> = before.chain(0..length).chain(after).map(|at| at as i32).collect();
            Tensor::from_data(TensorData::new(places, [3 * length]), device)
        };
        Self { rows: places(height), columns: places(width) }
    }

    /// `[N, C, h, w]` to `[N, C, 3, h, 3, w]`: rows above, own and below, then columns to the left, own and
    /// to the right.
    fn of(&self, x: Tensor<4>) -> Tensor<6> {
        let [count, channels, height, width] = x.dims();
        let wide = x.select(2, self.rows.clone()).select(3, self.columns.clone());
        wide.reshape([count, channels, 3, height, 3, width])
    }

    /// The same, less the pixel itself.
    fn differences(&self, x: Tensor<4>) -> Tensor<6> {
        let [count, channels, height, width] = x.dims();
        self.of(x.clone()) - x.reshape([count, channels, 1, height, 1, width])
    }
}

/// Refines masks by the image that they are of: `iterations` times, each pixel takes the average of its 48
/// neighbours, weighted by how alike their colours are, in terms of how much colours differ around there. The
/// weights sum to 1, and so do masks that did.
///
/// Works distance by distance: it holds 54 numbers for each pixel and, for a moment, 18 for each pixel and
/// channel of the masks.
///
/// # Shapes
/// - `images`: `[N, 3, h, w]`, 0 to 1, untracked
/// - `masks`: `[N, M, h, w]`, untracked
/// - result: as `masks`
pub fn refine(images: Tensor<4>, masks: Tensor<4>, iterations: usize) -> Tensor<4> {
    let [count, channels, height, width] = masks.dims();
    let device = masks.device();
    let windows = DILATIONS.map(|dilation| Window::new(dilation, height, width, &device));
    let kernels = kernels(&windows, images);
    let mut masks = masks;
    for _ in 0..iterations {
        let mut sum: Option<Tensor<4>> = None;
        for (window, kernel) in windows.iter().zip(&kernels) {
            let flow = (window.of(masks.clone()) * kernel.clone()).sum_dims(&[2, 4]);
            let flow = flow.reshape([count, channels, height, width]);
            sum = Some(match sum.take() {
                Some(sum) => sum + flow,
                None => flow,
            });
        }
        masks = sum.unwrap_or(masks);
    }
    masks
}

/// The neighbours' weights, `[N, 1, 3, h, 3, w]` for each distance: softmax over all of them of the colours'
/// distance over the colours' deviation, averaged over red, green and blue. A pixel itself has none.
fn kernels(windows: &[Window; DILATIONS.len()], images: Tensor<4>) -> [Tensor<6>; DILATIONS.len()] {
    let [count, colors, height, width] = images.dims();
    let zero = || Tensor::<6>::zeros([count, colors, 1, height, 1, width], &images.device());
    let (mut sum, mut squares) = (zero(), zero());
    for window in windows {
        // The deviation of differences is that of the colours, and does not lose digits to their mean.
        let differences = window.differences(images.clone());
        sum = sum + differences.clone().sum_dims(&[2, 4]);
        squares = squares + differences.square().sum_dims(&[2, 4]);
    }
    let variance = (squares - sum.square().div_scalar(VALUES as f32)).div_scalar((VALUES - 1) as f32);
    let over = (variance.clamp_min(0.0).sqrt().mul_scalar(SPREAD) + FLOOR).recip();
    let around = vec![1.0f32, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0];
    let around = Tensor::<6>::from_data(TensorData::new(around, [1, 1, 3, 1, 3, 1]), &images.device());
    let mut total: Option<Tensor<6>> = None;
    // The mean of all exponents is at least −32: by the definition of a deviation over 54 values of which six
    // are the pixel's own. Their largest is no less, so the sum needs no shift to stay above 0.
    let weights = windows.each_ref().map(|window| {
        let distances = window.differences(images.clone()).abs() * over.clone();
        let weights = distances.mean_dim(1).neg().exp() * around.clone();
        let own = weights.clone().sum_dims(&[2, 4]);
        total = Some(match total.take() {
            Some(total) => total + own,
            None => own,
        });
        weights
    });
    match total {
        Some(total) => weights.map(|weights| weights / total.clone()),
        None => weights,
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn random(seed: u64, shape: [usize; 4]) -> Tensor<4> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| random.random::<f32>()).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn values(x: Tensor<4>) -> Vec<f32> {
        x.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn a_constant_mask_stays_and_probabilities_sum_to_1() {
        let images = random(1, [2, 3, 9, 13]);
        for (what, images) in [
            ("noise", images.clone()),
            ("one colour", images.full_like(0.3)),
            ("almost one colour", images.mul_scalar(1e-6) + 0.5),
        ] {
            let masks = burn::tensor::activation::softmax(random(2, [2, 3, 9, 13]).mul_scalar(5.0), 1);
            let refined = refine(images.clone(), masks.clone(), 10);
            assert!(values(refined.clone().sum_dim(1)).iter().all(|sum| (sum - 1.0).abs() < 1e-4), "{what}");
            assert!(values(refined).iter().all(|value| (0.0..=1.0).contains(value)), "{what}");
            let constant = values(refine(images, masks.full_like(0.25), 10));
            assert!(constant.iter().all(|value| (value - 0.25).abs() < 1e-5), "{what}");
        }
    }

    #[test]
    fn a_mask_flows_within_its_colour_and_not_beyond() {
        // The left half is dark, the right half bright; a mask knows one pixel of the left half.
        let (height, width) = (8, 16);
        let image: Vec<f32> =
            (0..3 * height * width).map(|at| if at % width < width / 2 { 0.1 } else { 0.9 }).collect();
        let image = TensorData::new(image, [1, 3, height, width]);
        let mut mask = vec![0.0f32; height * width];
        mask[4 * width + 3] = 1.0;
        let mask = TensorData::new(mask, [1, 1, height, width]);
        let device = Device::flex();
        let refined = values(refine(Tensor::from_data(image, &device), Tensor::from_data(mask, &device), 10));
        let half = |left: bool| -> f32 {
            let inside = |at: &usize| (at % width < width / 2) == left;
            (0..height * width).filter(inside).map(|at| refined[at]).sum()
        };
        assert!(half(true) > 100.0 * half(false), "{} {}", half(true), half(false));
        assert!(half(true) > 0.1, "{}", half(true));
    }

    #[test]
    fn masks_of_one_pixel_and_no_iterations_are_left_alone() {
        let one = values(refine(random(3, [1, 3, 1, 1]), random(4, [1, 2, 1, 1]), 3));
        for (found, expected) in one.iter().zip(values(random(4, [1, 2, 1, 1]))) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let masks = random(6, [1, 2, 4, 4]);
        assert_eq!(values(refine(random(5, [1, 3, 4, 4]), masks.clone(), 0)), values(masks));
    }
}
