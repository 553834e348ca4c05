//! Another size without mixing: each pixel is one of the source's.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// `[N, C, h, w]` to `[N, C, height, width]`: the source pixel that lies under each target pixel's centre.
/// Labels stay labels. Can be learned through.
pub fn nearest(x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
    let [_, _, from_height, from_width] = x.dims();
    let device = x.device();
    let x = match from_height == height {
        true => x,
        false => x.select(2, places(from_height, height, &device)),
    };
    match from_width == width {
        true => x,
        false => x.select(3, places(from_width, width, &device)),
    }
}

/// `[to]`: the source pixel of each target pixel.
fn places(from: usize, to: usize, device: &Device) -> Tensor<1, Int> {
    let place = |target: usize| ((2 * target + 1) * from / (2 * to)).min(from.saturating_sub(1)) as i32;
    Tensor::from_data(TensorData::new((0..to).map(place).collect(), [to]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::finite_difference;

    #[test]
    fn it_takes_the_pixel_under_each_centre() {
        let values: Vec<f32> = (0..2 * 3 * 4).map(|index| index as f32).collect();
        let found = |height: usize, width: usize| -> Vec<f32> {
            let x = Tensor::from_data(TensorData::new(values.clone(), [1, 2, 3, 4]), &Device::flex());
            nearest(x, height, width).into_data().try_to_vec().unwrap()
        };
        assert_eq!(found(3, 4), values);
        assert_eq!(found(1, 2), [5.0, 7.0, 17.0, 19.0]);
        assert_eq!(found(1, 8)[..8], [4.0, 4.0, 5.0, 5.0, 6.0, 6.0, 7.0, 7.0]);
    }

    #[test]
    fn it_can_be_learned_through() {
        let values: Vec<f32> = (0..6).map(|index| index as f32 * 0.3 + 0.1).collect();
        for (height, width) in [(1, 2), (4, 5)] {
            finite_difference::check(&values, [1, 1, 2, 3], 1e-2, 1e-2, &[], |x| {
                nearest(x, height, width).square().sum()
            });
        }
    }
}
