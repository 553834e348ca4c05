//! A figure over several seeds.

use crate::run::duration::duration;

/// Mean and spread of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation over seeds, with n − 1 below; `None` of one seed.
    pub deviation: Option<f64>,
    /// Seeds that have the figure.
    pub count: usize,
}

impl Spread {
    /// `None` of no values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        if values.is_empty() {
            return None;
        }
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Some(Self { mean, deviation, count })
    }

    /// Seconds as text: `9.4 ± 0.3 s`, `2 min 10 s ± 4 s`.
    pub fn time(&self) -> String {
        if self.mean < 60.0 {
            return self.text(1) + " s";
        }
        let deviation = self.deviation.map(|seconds| format!(" ± {}", duration(seconds)));
        duration(self.mean) + &deviation.unwrap_or_default()
    }

    /// As text, with so many digits behind the point: `41.3 ± 0.5`.
    pub fn text(&self, digits: usize) -> String {
        let mean = format!("{:.digits$}", self.mean);
        self.deviation.map_or(mean.clone(), |deviation| format!("{mean} ± {deviation:.digits$}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_the_deviation_with_n_less_1() {
        let spread = Spread::of([40.0, 42.0, 44.0]).unwrap();
        assert_eq!(spread, Spread { mean: 42.0, deviation: Some(2.0), count: 3 });
        assert_eq!(spread.text(1), "42.0 ± 2.0");
        let one = Spread::of([40.25]).unwrap();
        assert_eq!((one.deviation, one.text(1).as_str()), (None, "40.2"));
        assert_eq!(one.time(), "40.2 s");
        assert_eq!(Spread::of([128.0, 132.0]).unwrap().time(), "2 min 10 s ± 3 s");
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0, 3.0]).unwrap().deviation, Some(0.0));
    }
}
