//! Fresh parameters from a seed.

use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Source, Start, id_of};
use crate::error::Result;

/// Initialises each tensor from the seed and its own name: the order of construction does not matter.
pub struct RandomSource {
    seed: u64,
}

impl RandomSource {
    /// A source for this run's seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl Source for RandomSource {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        let count = shape.iter().product();
        let receptive: usize = shape.iter().skip(2).product();
        let fan_out = (shape.first().copied().unwrap_or(1) * receptive) as f32;
        let fan_in = (shape.get(1).copied().unwrap_or(1) * receptive) as f32;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ id_of(name).val());
        Ok(match start {
            Start::Constant(value) => vec![value; count],
            Start::XavierUniform => {
                let bound = (6.0 / (fan_in + fan_out)).sqrt();
                (0..count).map(|_| (random.random::<f32>() * 2.0 - 1.0) * bound).collect()
            }
            Start::KaimingNormal => {
                let deviation = (2.0 / fan_out).sqrt();
                (0..count).map(|_| normal(&mut random) * deviation).collect()
            }
        })
    }
}

/// One draw from the standard normal distribution (Box & Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - random.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * random.random::<f32>()).cos()
}
