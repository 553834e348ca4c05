//! How much a mask is to be doubted, told without any ground truth.

use super::label_map::LabelMap;
use super::threshold::Activation;

/// What [`doubt`] says, for those who read it.
pub const DEFINITION: &str = "Each pixel's strength is read as the probability that its class is there: one half where \
    the mask is cut. The doubt is one minus the overlap (IoU) of the finished mask with these probabilities, mean over \
    the background and the photo's classes.";

/// How far a finished mask is from what the network has said, 0 (they agree) to 1.
///
/// Each pixel's strength is read as the probability that its class is there. For every class the expected
/// overlap is the sum of its probabilities inside the mask, over the mask's pixels and the probabilities
/// outside of it; the doubt is one minus its mean over the background, the classes of the mask and those in
/// `present`, which the image is known to have. It is the IoU's form of the soft Dice confidence of Borges et
/// al., 2024 ("Soft Dice Confidence: A Near-Optimal Confidence Estimator for Selective Prediction in Semantic
/// Segmentation").
///
/// `thresholds` are those that the strengths of `present` were cut at, in their order; empty where strengths
/// are probabilities already. `labels` has the activation's size; pixels that are ignored count nowhere.
pub fn doubt(labels: &LabelMap, activation: &Activation, present: &[u16], thresholds: &[f32]) -> f32 {
    let mut cuts = [None; 256];
    for (&class, &threshold) in present.iter().zip(thresholds) {
        if let Some(cut) = cuts.get_mut(usize::from(class) + 1) {
            *cut = Some(threshold);
        }
    }
    // By label: pixels of the mask, probability of the label inside its mask, and outside.
    let (mut pixels, mut inside, mut outside) = ([0usize; 256], [0.0f64; 256], [0.0f64; 256]);
    let mut counts = |label: u8, own: u8, probability: f64| {
        let sum = if own == label { &mut inside } else { &mut outside };
        sum[usize::from(label)] += probability;
    };
    for ((&own, &strongest), &strength) in
        labels.labels.iter().zip(&activation.strongest).zip(&activation.strength)
    {
        if own == super::IGNORE {
            continue;
        }
        pixels[usize::from(own)] += 1;
        let probability = match (strongest, cuts[usize::from(strongest)]) {
            (0, _) => 0.0,
            (_, None) => f64::from(strength),
            (_, Some(cut)) => probability(f64::from(strength), f64::from(cut)),
        };
        let probability = if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 };
        counts(0, own, 1.0 - probability);
        if strongest > 0 {
            counts(strongest, own, probability);
        }
    }
    let is_present = |label: usize| present.iter().any(|&class| usize::from(class) + 1 == label);
    let overlaps: Vec<f64> = (0..usize::from(super::IGNORE))
        .filter(|&label| label == 0 || pixels[label] > 0 || is_present(label))
        .filter_map(|label| {
            let union = pixels[label] as f64 + outside[label];
            // Nothing of it is in the mask, and none was expected; a class that must be there has failed.
            match union > 0.0 {
                true => Some(inside[label] / union),
                false => (label > 0).then_some(0.0),
            }
        })
        .collect();
    let mean = overlaps.iter().sum::<f64>() / overlaps.len().max(1) as f64;
    (1.0 - mean).clamp(0.0, 1.0) as f32
}

/// A strength as a probability: 0 at 0, one half at the threshold, 1 at 1, straight between.
fn probability(strength: f64, threshold: f64) -> f64 {
    if strength <= threshold {
        if threshold > 0.0 { 0.5 * strength / threshold } else { 0.5 }
    } else {
        // Above a threshold of at most 1.
        0.5 + 0.5 * (strength - threshold) / (1.0 - threshold).max(f64::EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activation(strongest: &[u8], strength: &[f32]) -> Activation {
        let (strongest, strength) = (strongest.to_vec(), strength.to_vec());
        Activation { classes: 3, width: strongest.len(), height: 1, strongest, strength }
    }

    fn mask(labels: &[u8]) -> LabelMap {
        LabelMap { width: labels.len(), height: 1, labels: labels.to_vec() }
    }

    #[test]
    fn a_mask_of_what_is_certain_is_not_doubted() {
        let certain = activation(&[1, 1, 1, 1], &[1.0, 1.0, 0.0, 0.0]);
        assert_eq!(doubt(&mask(&[1, 1, 0, 0]), &certain, &[0], &[0.4]), 0.0);
        assert_eq!(doubt(&mask(&[1, 1, 0, 0]), &certain, &[0], &[]), 0.0);
        assert_eq!(doubt(&mask(&[0, 0, 1, 1]), &certain, &[0], &[0.4]), 1.0, "the opposite");
        // Half of what is certain was lost: 1/2 of the class; of the background 2 of 3.
        let half = doubt(&mask(&[1, 0, 0, 0]), &certain, &[0], &[0.4]);
        assert!((half - (1.0 - (0.5 + 2.0 / 3.0) / 2.0)).abs() < 1e-6, "{half}");
    }

    #[test]
    fn the_threshold_is_one_half_and_doubt_rises_towards_it() {
        for threshold in [0.2, 0.5, 0.9] {
            assert_eq!(probability(threshold, threshold), 0.5);
            assert_eq!((probability(0.0, threshold), probability(1.0, threshold)), (0.0, 1.0));
        }
        let of = |strength: f32| {
            let activation = activation(&[2, 2, 2], &[strength, strength, 0.0]);
            doubt(&mask(&[2, 2, 0]), &activation, &[1], &[0.3])
        };
        assert!(of(0.95) < of(0.6) && of(0.6) < of(0.35), "{} {} {}", of(0.95), of(0.6), of(0.35));
    }

    #[test]
    fn a_class_that_is_known_and_missing_is_doubted() {
        let activation = activation(&[1, 1, 0, 0], &[1.0, 1.0, 0.0, 0.0]);
        let both = doubt(&mask(&[1, 1, 0, 0]), &activation, &[0, 2], &[0.5, 0.5]);
        assert!((both - 1.0 / 3.0).abs() < 1e-6, "{both}");
    }

    #[test]
    fn what_is_no_number_or_ignored_or_empty_stays_in_range() {
        let odd = activation(&[1, 1, 2, 3], &[f32::NAN, f32::INFINITY, -3.0, 0.5]);
        for thresholds in [&[f32::NAN, 0.0, 1.0][..], &[][..]] {
            let doubt = doubt(&mask(&[1, 255, 2, 0]), &odd, &[0, 1, 2], thresholds);
            assert!((0.0..=1.0).contains(&doubt), "{doubt}");
        }
        assert!((0.0..=1.0).contains(&doubt(&mask(&[]), &activation(&[], &[]), &[], &[])));
    }
}
