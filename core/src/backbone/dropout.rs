//! Dropping whole channels in training (Tompson et al., CVPR 2015), from a seed.

use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Where the random choices of one pass come from: a seed per image. An image loses the same channels
/// whatever part of its batch it goes through the network with, so that a batch in parts teaches what the
/// whole does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dropout {
    /// One per image; an image without a seed loses nothing.
    pub seeds: Vec<u64>,
}

/// Drops each channel of `[N, C, H, W]` with `probability` and scales the others so that the expected sum
/// stays. `place` tells the layers of a network apart. Without `dropout`, or at probability 0, nothing
/// happens.
pub(super) fn drop_channels(
    x: Tensor<4>,
    probability: f64,
    dropout: Option<&Dropout>,
    place: usize,
) -> Tensor<4> {
    let [count, channels, ..] = x.dims();
    let Some(dropout) = dropout.filter(|_| probability > 0.0) else { return x };
    let kept = (1.0 - probability).recip() as f32;
    let mut mask = Vec::with_capacity(count * channels);
    for image in 0..count {
        let Some(&seed) = dropout.seeds.get(image) else {
            mask.extend(std::iter::repeat_n(1.0, channels));
            continue;
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(place as u64);
        mask.extend((0..channels).map(|_| if random.random::<f64>() < probability { 0.0 } else { kept }));
    }
    let mask = Tensor::from_data(TensorData::new(mask, [count, channels, 1, 1]), &x.device());
    x * mask
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn channels_fall_out_by_image_and_layer_and_the_sum_stays() {
        let device = Device::flex();
        let ones = |count: usize| Tensor::<4>::ones([count, 2000, 1, 2], &device);
        let values = |tensor: Tensor<4>| tensor.into_data().try_to_vec::<f32>().unwrap();
        let all = Dropout { seeds: vec![7, 1, 4] };
        let dropped = values(drop_channels(ones(3), 0.3, Some(&all), 1));
        let mean = dropped.iter().sum::<f32>() / dropped.len() as f32;
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        assert!(dropped.chunks(2).all(|pair| pair[0] == pair[1]), "a channel falls out as a whole");
        // The last two images by themselves lose what they lose in the batch.
        let part = Dropout { seeds: vec![1, 4] };
        assert_eq!(values(drop_channels(ones(2), 0.3, Some(&part), 1)), dropped[4000..]);
        assert_ne!(values(drop_channels(ones(3), 0.3, Some(&all), 2)), dropped);
        assert_ne!(dropped[..4000], dropped[4000..8000]);
        assert_eq!(values(drop_channels(ones(1), 0.3, None, 1)), [1.0; 4000]);
        assert_eq!(values(drop_channels(ones(1), 0.0, Some(&all), 1)), [1.0; 4000]);
    }
}
