//! Light through a slide: what every object takes away, and smooth random fields.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Uniform in `low..high`.
pub fn between(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

/// A bell-shaped value: mean 0, variance 1, within ±3.5 (a sum of four uniform ones).
pub fn bell(rng: &mut ChaCha8Rng) -> f32 {
    let sum: f32 = (0..4).map(|_| rng.random::<f32>()).sum();
    (sum - 2.0) * 1.732_050_8
}

/// A direction, as a point on the unit circle.
pub fn direction(rng: &mut ChaCha8Rng) -> (f32, f32) {
    loop {
        let (x, y) = (between(rng, -1.0, 1.0), between(rng, -1.0, 1.0));
        let square = x * x + y * y;
        if (0.01..=1.0).contains(&square) {
            let length = square.sqrt();
            return (x / length, y / length);
        }
    }
}

/// 0 below `low`, 1 above `high`, smooth between.
pub fn smooth(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The share of light that passes an absorbance: `e^(−a)` for `a ≥ 0`, by the series of its inverse.
pub fn passes(absorbance: f32) -> f32 {
    let a = absorbance.max(0.0);
    1.0 / (1.0 + a * (1.0 + a / 2.0 * (1.0 + a / 3.0 * (1.0 + a / 4.0 * (1.0 + a / 5.0)))))
}

/// A smooth random field of the plane, about −1 to 1: random values on a grid, joined by curves.
pub struct Noise {
    values: Vec<f32>,
}

impl Noise {
    const SIDE: usize = 32;

    /// A new field.
    pub fn new(rng: &mut ChaCha8Rng) -> Self {
        Self { values: (0..Self::SIDE * Self::SIDE).map(|_| between(rng, -1.0, 1.0)).collect() }
    }

    /// The value at a point; the field has features of about one unit, and repeats after 32.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (u, v) = (smooth(0.0, 1.0, x - left), smooth(0.0, 1.0, y - top));
        let value = |dx: i64, dy: i64| {
            let wrap = |at: i64| at.rem_euclid(Self::SIDE as i64) as usize;
            self.values[wrap(top as i64 + dy) * Self::SIDE + wrap(left as i64 + dx)]
        };
        let upper = value(0, 0) * (1.0 - u) + value(1, 0) * u;
        let lower = value(0, 1) * (1.0 - u) + value(1, 1) * u;
        upper * (1.0 - v) + lower * v
    }

    /// Three octaves: large features with smaller ones on them.
    pub fn rich(&self, x: f32, y: f32) -> f32 {
        (self.at(x, y) * 4.0
            + self.at(x * 2.1 + 7.3, y * 2.1 + 3.1) * 2.0
            + self.at(x * 4.3 + 1.7, y * 4.3 + 9.2))
            / 7.0
    }
}
