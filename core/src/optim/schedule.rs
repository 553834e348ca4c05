//! Learning rates over a round.

/// Polynomial decay: `rate · (1 − step/steps)^power` (METHODS §1: power 0.9), at step `step` of `steps`.
pub fn polynomial(rate: f64, step: usize, steps: usize, power: f64) -> f64 {
    let left = 1.0 - step as f64 / steps.max(1) as f64;
    rate * left.max(0.0).powf(power)
}

#[cfg(test)]
mod tests {
    use super::polynomial;

    #[test]
    fn it_starts_at_the_rate_and_ends_at_zero() {
        assert_eq!(polynomial(0.1, 0, 10, 0.9), 0.1);
        assert_eq!(polynomial(0.1, 10, 10, 0.9), 0.0);
        assert!((polynomial(0.1, 5, 10, 0.9) - 0.1 * 0.5f64.powf(0.9)).abs() < 1e-12);
    }
}
