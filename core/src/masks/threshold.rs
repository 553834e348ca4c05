//! From score maps to labels: which pixels are foreground (METHODS §1 "Inference" and §5).

use super::label_map::LabelMap;
use super::score_maps::ScoreMaps;

/// What is left of the score maps once each pixel keeps only its strongest class. Everything that turns
/// maps into labels looks at this alone, so the other classes need not be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// Foreground classes of the data set.
    pub classes: usize,
    /// Columns, pixels.
    pub width: usize,
    /// Rows, pixels.
    pub height: usize,
    /// The strongest of the classes that are in the image, per pixel, row-major: `c + 1`, or 0 where no
    /// class has any strength.
    pub strongest: Vec<u8>,
    /// Strength of that class, over the largest that the class has in this image: 0 to 1.
    pub strength: Vec<f32>,
}

/// A learned threshold is never raised above this by [`over_maximum`].
const HIGHEST_RAISED: f32 = 0.62;

/// Foreground shares come from masks that are larger than the objects (0.39 of the image instead of 0.28 on
/// the photos that this was tried on), and so do the regions that thresholds are learned on.
const OVER_LEARNED: f32 = 1.1;

/// What a strength has to exceed for its pixel to be foreground. A threshold that is no number is
/// exceeded by none.
#[derive(Debug, Clone, PartialEq)]
pub enum Background {
    /// One threshold for all classes, 0 to 1.
    Fixed(f32),
    /// One for each foreground class, as [`adaptive_threshold`] makes them.
    PerClass(Vec<f32>),
}

/// Spatial-BCE: σ of the unscaled scores; each pixel keeps its largest class among `present`, and is
/// divided by the largest value that this class has kept in the image.
///
/// Indices in `present` that are no class are left out. Scores that are no number count as −∞.
pub fn activation_spatial_bce(maps: &ScoreMaps, present: &[u16]) -> Activation {
    // σ rises strictly but rounds to 1 from 17 on, so the raw scores are what tells the largest.
    let (strongest, scores) = strongest_of(maps, present, |_, score| score);
    let strength = scores.into_iter().map(logistic).collect();
    let mut activation = Activation::of(maps, strongest, strength);
    activation.divide_by_maxima();
    activation
}

/// Plain class activation maps: positive scores over the largest of their class in the image; each
/// pixel keeps its largest class among `present`.
///
/// Indices in `present` that are no class are left out. Scores that are no number count as 0.
pub fn activation_cam(maps: &ScoreMaps, present: &[u16]) -> Activation {
    let maxima: Vec<f32> =
        (0..maps.classes).map(|class| maps.class(class).iter().copied().fold(0.0, f32::max)).collect();
    let (mut strongest, mut strength) = strongest_of(maps, present, |class, score| {
        // A class without a positive score has no maximum to divide by.
        if maxima[class] > 0.0 { (score / maxima[class]).max(0.0) } else { 0.0 }
    });
    for (label, value) in strongest.iter_mut().zip(&mut strength) {
        if *value <= 0.0 {
            (*label, *value) = (0, 0.0);
        }
    }
    Activation::of(maps, strongest, strength)
}

/// The strength that a class has to exceed, learned and per image: `σ(logit(t) / exp τ)` with
/// `t = σ(v̄)`, which is `σ(v̄ / exp τ)`.
///
/// `mean_v` is the threshold branch's output for the class, averaged over pixels and views;
/// `log_temperature` is the class's τ.
pub fn adaptive_threshold(mean_v: f32, log_temperature: f32) -> f32 {
    logistic(mean_v * (-log_temperature).exp())
}

/// An adaptive threshold `t` on the scale of the strengths, which are divided by the largest value `m` of
/// their map: `1.1 · t / m`, raised to 0.62 at most. Both constants were chosen on MSRC-v2 objects.
///
/// Ours; the paper divides the map and not the threshold, which cuts a map that peaks at 0.75 as if the
/// threshold were 0.37 instead of 0.5. The limit keeps a labelled class in its image where its map nowhere
/// reaches the threshold.
///
/// `maximum` is the largest score `u` of the class in the image.
pub fn over_maximum(threshold: f32, maximum: f32) -> f32 {
    if threshold.is_nan() {
        return threshold;
    }
    (OVER_LEARNED * threshold / logistic(maximum)).min(HIGHEST_RAISED).max(threshold)
}

/// Each pixel's strongest class where it exceeds the background's threshold, else background.
pub fn label(activation: &Activation, background: &Background) -> LabelMap {
    let threshold = |label: u8| match background {
        Background::Fixed(threshold) => *threshold,
        Background::PerClass(thresholds) => usize::from(label)
            .checked_sub(1)
            .and_then(|class| thresholds.get(class))
            .copied()
            .unwrap_or(f32::NAN),
    };
    let by_label: [f32; 256] = std::array::from_fn(|label| threshold(label as u8));
    let labels = activation
        .strongest
        .iter()
        .zip(&activation.strength)
        .map(|(&label, &strength)| if strength > by_label[usize::from(label)] { label } else { 0 })
        .collect();
    LabelMap { width: activation.width, height: activation.height, labels }
}

impl Activation {
    fn of(maps: &ScoreMaps, strongest: Vec<u8>, strength: Vec<f32>) -> Self {
        Self { classes: maps.classes, width: maps.width, height: maps.height, strongest, strength }
    }

    /// Divides each class by its own largest strength in the image.
    fn divide_by_maxima(&mut self) {
        let mut maxima = [0.0f32; 256];
        for (&label, &value) in self.strongest.iter().zip(&self.strength) {
            let maximum = &mut maxima[usize::from(label)];
            *maximum = maximum.max(value);
        }
        for (label, value) in self.strongest.iter_mut().zip(&mut self.strength) {
            let maximum = maxima[usize::from(*label)];
            if *label > 0 && maximum > 0.0 {
                *value /= maximum;
            } else {
                (*label, *value) = (0, 0.0);
            }
        }
    }
}

/// Per pixel the label and the value of the present class whose `value(class, score)` is largest; the
/// lower class where two are equal, and label 0 with −∞ where none is a number.
fn strongest_of(maps: &ScoreMaps, present: &[u16], value: impl Fn(usize, f32) -> f32) -> (Vec<u8>, Vec<f32>) {
    let pixels = maps.width * maps.height;
    let mut strongest = vec![0u8; pixels];
    let mut values = vec![f32::NEG_INFINITY; pixels];
    let mut present: Vec<usize> = present.iter().map(|&class| usize::from(class)).collect();
    present.retain(|&class| class < maps.classes.min(crate::files::limits::CLASSES));
    present.sort_unstable();
    for class in present {
        for ((label, best), &score) in strongest.iter_mut().zip(&mut values).zip(maps.class(class)) {
            let value = value(class, score);
            if value > *best {
                (*label, *best) = (class as u8 + 1, value);
            }
        }
    }
    (strongest, values)
}

/// σ without overflow on either side.
fn logistic(x: f32) -> f32 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn random_maps(seed: u64, classes: usize, low: f32, high: f32) -> ScoreMaps {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (width, height) = (13, 9);
        let values = (0..classes * width * height).map(|_| random.random_range(low..high)).collect();
        ScoreMaps { classes, width, height, values }
    }

    #[test]
    fn spatial_bce_follows_the_formula_on_two_pixels() {
        // Class 0 wins the first pixel, class 1 the second; class 2 is not in the image.
        let maps =
            ScoreMaps { classes: 3, width: 2, height: 1, values: vec![1.0, -2.0, 0.5, -1.0, 9.0, 9.0] };
        let activation = activation_spatial_bce(&maps, &[0, 1]);
        assert_eq!(activation.strongest, [1, 2]);
        assert_eq!(activation.strength, [1.0, 1.0]);
        let maps = ScoreMaps { classes: 1, width: 3, height: 1, values: vec![2.0, 0.0, -3.0] };
        let activation = activation_spatial_bce(&maps, &[0]);
        let sigma = |x: f64| 1.0 / (1.0 + (-x).exp());
        for (value, u) in activation.strength.iter().zip([2.0, 0.0, -3.0]) {
            assert!((f64::from(*value) - sigma(u) / sigma(2.0)).abs() < 1e-6);
        }
    }

    #[test]
    fn cam_divides_positive_scores_by_their_maximum() {
        let maps =
            ScoreMaps { classes: 2, width: 3, height: 1, values: vec![4.0, 1.0, -1.0, -2.0, 0.0, -5.0] };
        let activation = activation_cam(&maps, &[0, 1]);
        assert_eq!(activation.strongest, [1, 1, 0]);
        assert_eq!(activation.strength, [1.0, 0.25, 0.0]);
    }

    #[test]
    fn labels_are_what_arg_max_over_all_classes_gives() {
        // The straightforward reading of METHODS §1: full maps, background score 0, arg-max.
        for seed in 0..20 {
            let maps = random_maps(seed, 5, -4.0, 4.0);
            let present = [0u16, 2, 3];
            let thresholds: Vec<f32> = (0..5).map(|class| 0.1 + 0.15 * class as f32).collect();
            let pixels = maps.width * maps.height;
            let mut kept = vec![vec![0.0f32; pixels]; 5];
            #[allow(clippy::needless_range_loop)] // one pixel of several maps
            for pixel in 0..pixels {
                let best = *present
                    .iter()
                    .max_by(|&&a, &&b| maps.class(a.into())[pixel].total_cmp(&maps.class(b.into())[pixel]))
                    .unwrap();
                kept[usize::from(best)][pixel] = logistic(maps.class(best.into())[pixel]);
            }
            let labels =
                label(&activation_spatial_bce(&maps, &present), &Background::PerClass(thresholds.clone()));
            for pixel in 0..pixels {
                let mut best = (0u8, 0.0f32);
                for (class, map) in kept.iter().enumerate() {
                    let maximum = map.iter().copied().fold(0.0, f32::max);
                    let a = if maximum > 0.0 { map[pixel] / maximum } else { 0.0 };
                    let score = if a > thresholds[class] { a - thresholds[class] } else { -1.0 };
                    if score > best.1 {
                        best = (class as u8 + 1, score);
                    }
                }
                assert_eq!(labels.labels[pixel], best.0);
            }
        }
    }

    #[test]
    fn an_absent_class_is_never_labelled() {
        for seed in 0..10 {
            let maps = random_maps(seed, 4, -5.0, 5.0);
            for activation in [activation_spatial_bce(&maps, &[1, 3]), activation_cam(&maps, &[1, 3])] {
                let labels = label(&activation, &Background::Fixed(0.0)).labels;
                assert!(labels.iter().all(|label| [0, 2, 4].contains(label)));
            }
            let nothing = label(&activation_spatial_bce(&maps, &[]), &Background::Fixed(0.0));
            assert_eq!(nothing, LabelMap::background(maps.width, maps.height));
            assert_eq!(label(&activation_cam(&maps, &[7]), &Background::Fixed(0.0)), nothing);
        }
    }

    #[test]
    fn a_higher_fixed_threshold_never_adds_foreground() {
        let maps = random_maps(3, 3, -3.0, 3.0);
        for activation in [activation_spatial_bce(&maps, &[0, 1, 2]), activation_cam(&maps, &[0, 1, 2])] {
            let mut before = label(&activation, &Background::Fixed(0.0));
            for step in 1..=20 {
                let after = label(&activation, &Background::Fixed(step as f32 / 20.0));
                for (old, new) in before.labels.iter().zip(&after.labels) {
                    assert!(new == old || *new == 0);
                }
                before = after;
            }
            assert!(before.labels.iter().all(|&label| label == 0), "nothing exceeds 1");
        }
    }

    #[test]
    fn a_threshold_follows_its_map_s_maximum_within_limits() {
        let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-6, "{found}");
        // A map that peaks at σ(ln 4) = 0.8.
        close(over_maximum(0.4, 4f32.ln()), 0.55);
        close(over_maximum(0.5, 100.0), 0.55);
        // One that stays below its threshold keeps its strongest part.
        close(over_maximum(0.5, -1.0), HIGHEST_RAISED);
        close(over_maximum(0.5, f32::NEG_INFINITY), HIGHEST_RAISED);
        close(over_maximum(0.9, 0.0), 0.9);
        assert!(over_maximum(f32::NAN, 1.0).is_nan());
    }

    #[test]
    fn the_adaptive_threshold_is_guarded_at_its_ends() {
        let direct = |v: f64, tau: f64| {
            let t = 1.0 / (1.0 + (-v).exp());
            1.0 / (1.0 + (-((t / (1.0 - t)).ln() / tau.exp())).exp())
        };
        for v in [-3.0, -0.5, 0.0, 1.0, 4.0] {
            for tau in [0.0, 10f64.ln(), -1.0] {
                assert!((f64::from(adaptive_threshold(v as f32, tau as f32)) - direct(v, tau)).abs() < 1e-6);
            }
        }
        assert_eq!(adaptive_threshold(1e30, 0.0), 1.0);
        assert_eq!(adaptive_threshold(-1e30, 0.0), 0.0);
        assert!((0.0..=1.0).contains(&adaptive_threshold(-1e30, 100.0)));
        assert!(adaptive_threshold(f32::NAN, 0.0).is_nan());
    }

    #[test]
    fn scores_that_are_no_numbers_are_background() {
        let maps =
            ScoreMaps { classes: 2, width: 2, height: 1, values: vec![f32::NAN, 1.0, f32::NAN, f32::NAN] };
        for activation in [activation_spatial_bce(&maps, &[0, 1]), activation_cam(&maps, &[0, 1])] {
            assert_eq!(label(&activation, &Background::Fixed(0.2)).labels, [0, 1]);
            assert_eq!(label(&activation, &Background::PerClass(vec![f32::NAN, 0.0])).labels, [0, 0]);
            assert_eq!(label(&activation, &Background::PerClass(vec![])).labels, [0, 0]);
        }
    }
}
