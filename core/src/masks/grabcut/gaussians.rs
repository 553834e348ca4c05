//! The colours of one side of the cut as a mixture of Gaussians with full covariances.

use super::clusters::Color;

/// Variance that is added to each channel, of 255²: a level is rounded (1/12), and colours of a JPEG are
/// uncertain by about one. It keeps components of a single colour from being infinitely sure. Ours.
const LEAST_VARIANCE: f64 = 1.0;

/// A weighted sum of Gaussians over red, green and blue, 0 to 255 each.
#[derive(Debug, Clone)]
pub struct Mixture {
    components: Vec<Gaussian>,
}

#[derive(Debug, Clone)]
struct Gaussian {
    mean: [f32; 3],
    /// The inverse of the covariance's Cholesky factor, row by row from the diagonal's first: a colour's
    /// distance to the mean, multiplied by it, has the length that the Gaussian falls with.
    whitening: [f32; 6],
    /// −ln of the weight, and half the logarithm of the covariance's determinant. ∞ for no weight.
    constant: f32,
}

impl Mixture {
    /// The mixture of `count` components that fits colours best which are already assigned to them. A
    /// component without a colour has no weight.
    pub fn learn(colors: impl Iterator<Item = (Color, u8)>, count: usize) -> Self {
        let mut moments = vec![Moments::default(); count];
        for (color, component) in colors {
            moments[usize::from(component)].add(color);
        }
        let total = moments.iter().map(|moments| moments.count).sum::<u64>();
        Self { components: moments.iter().map(|moments| moments.gaussian(total)).collect() }
    }

    /// The component that explains a colour best, the first of equals.
    pub fn nearest(&self, color: Color) -> Fit {
        let color = color.map(f32::from);
        let mut best = Fit { component: 0, cost: f32::INFINITY };
        for (component, gaussian) in (0u8..).zip(&self.components) {
            let cost = gaussian.cost(color);
            if cost < best.cost {
                best = Fit { component, cost };
            }
        }
        best
    }
}

/// How well a colour fits a mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The component that explains it best.
    pub component: u8,
    /// −ln of its weighted density, but for a constant that is the same for all mixtures: D of the paper
    /// (§3.2). ∞ where the mixture was learned from nothing.
    pub cost: f32,
}

impl Gaussian {
    fn cost(&self, color: [f32; 3]) -> f32 {
        let [x, y, z] = [0, 1, 2].map(|channel| color[channel] - self.mean[channel]);
        let [a, b, c, d, e, f] = self.whitening;
        let (u, v, w) = (a * x, b * x + c * y, d * x + e * y + f * z);
        self.constant + 0.5 * (u * u + v * v + w * w)
    }
}

/// Exact sums over the colours of a component.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: u64,
    sums: [u64; 3],
    /// Of the products of channels 0·0, 0·1, 1·1, 0·2, 1·2 and 2·2.
    products: [u64; 6],
}

impl Moments {
    fn add(&mut self, color: Color) {
        let [r, g, b] = color.map(u64::from);
        self.count += 1;
        self.sums.iter_mut().zip([r, g, b]).for_each(|(sum, value)| *sum += value);
        let products = [r * r, r * g, g * g, r * b, g * b, b * b];
        self.products.iter_mut().zip(products).for_each(|(sum, value)| *sum += value);
    }

    fn gaussian(&self, total: u64) -> Gaussian {
        if self.count == 0 {
            return Gaussian { mean: [0.0; 3], whitening: [0.0; 6], constant: f32::INFINITY };
        }
        let count = self.count as f64;
        let mean = self.sums.map(|sum| sum as f64 / count);
        let covariance = |product: usize, a: usize, b: usize| {
            let variance = if a == b { LEAST_VARIANCE } else { 0.0 };
            self.products[product] as f64 / count - mean[a] * mean[b] + variance
        };
        // Cholesky: as the least variance is added, no square root is of less than about 1.
        let root = |value: f64| value.max(0.5 * LEAST_VARIANCE).sqrt();
        let a = root(covariance(0, 0, 0));
        let b = covariance(1, 0, 1) / a;
        let c = root(covariance(2, 1, 1) - b * b);
        let d = covariance(3, 0, 2) / a;
        let e = (covariance(4, 1, 2) - d * b) / c;
        let f = root(covariance(5, 2, 2) - d * d - e * e);
        // The inverse of the lower triangle a; b c; d e f.
        let whitening =
            [1.0 / a, -b / (a * c), 1.0 / c, (b * e - c * d) / (a * c * f), -e / (c * f), 1.0 / f];
        let constant = -(count / total as f64).ln() + (a * c * f).ln();
        Gaussian {
            mean: mean.map(|mean| mean as f32),
            whitening: whitening.map(|value| value as f32),
            constant: constant as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// −ln of a Gaussian's density but for 3/2 ln 2π, with the inverse of its covariance by cofactors.
    fn direct(mean: [f64; 3], s: [[f64; 3]; 3], weight: f64, color: [f64; 3]) -> f64 {
        let cofactor = |row: usize, column: usize| {
            let at = |r: usize, c: usize| s[(row + r) % 3][(column + c) % 3];
            at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)
        };
        let determinant: f64 = (0..3).map(|column| s[0][column] * cofactor(0, column)).sum();
        let off = [0, 1, 2].map(|channel| color[channel] - mean[channel]);
        let length: f64 =
            (0..9).map(|at| off[at / 3] * off[at % 3] * cofactor(at % 3, at / 3) / determinant).sum();
        -weight.ln() + 0.5 * determinant.ln() + 0.5 * length
    }

    #[test]
    fn a_component_has_the_density_of_its_colours() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let colors: Vec<Color> = (0..500)
            .map(|_| {
                let light = random.random_range(0..120u8);
                [light, light / 2 + random.random_range(0..30), 200 - light + random.random_range(0..9)]
            })
            .collect();
        let other: Vec<Color> = (0..1500).map(|_| [random.random_range(0..9), 250, 3]).collect();
        let assigned = colors.iter().map(|&color| (color, 1)).chain(other.iter().map(|&color| (color, 2)));
        let mixture = Mixture::learn(assigned, 4);
        let mean = [0, 1, 2].map(|c| colors.iter().map(|color| f64::from(color[c])).sum::<f64>() / 500.0);
        let covariance = [0, 1, 2].map(|a| {
            [0, 1, 2].map(|b| {
                let products = colors
                    .iter()
                    .map(|color| (f64::from(color[a]) - mean[a]) * (f64::from(color[b]) - mean[b]));
                products.sum::<f64>() / 500.0 + if a == b { LEAST_VARIANCE } else { 0.0 }
            })
        });
        for &color in colors.iter().step_by(7) {
            let Fit { component, cost } = mixture.nearest(color);
            let expected = direct(mean, covariance, 0.25, color.map(f64::from));
            assert_eq!(component, 1);
            assert!((f64::from(cost) - expected).abs() < 1e-3, "{cost} {expected}");
        }
        assert!(other.iter().all(|&color| mixture.nearest(color).component == 2));
    }

    #[test]
    fn colours_without_any_spread_are_explained_by_numbers() {
        for colors in
            [vec![[255; 3]; 9], vec![[7, 0, 255]], vec![[0; 3], [255; 3]], vec![[0, 9, 0], [0, 200, 0]]]
        {
            let mixture = Mixture::learn(colors.iter().map(|&color| (color, 0)), 5);
            for color in [[0; 3], [255; 3], colors[0]] {
                assert!(mixture.nearest(color).cost.is_finite());
            }
        }
        let nothing = Mixture::learn(std::iter::empty(), 3);
        assert_eq!(nothing.nearest([1, 2, 3]), Fit { component: 0, cost: f32::INFINITY });
    }
}
