//! Where the network starts: from the plain classifier, so that the first score maps are its activation maps.

use super::SpatialBceSettings;
use super::head::{DOWNSAMPLE, FEATURE_SCALE, SCORE, SCORE_BIAS, TEMPERATURE, hidden};
use super::network::within_margin;
use crate::backbone::weights::{Named, RandomSource, Source, Start};
use crate::error::Result;
use crate::method::Seen;
use crate::method::cam::CLASSIFIER;
use crate::tensor::rank_of_share;

/// Where the head starts, measured on the plain classifier's maps.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadStart {
    /// The factor `s` on the features.
    pub feature_scale: f32,
    /// Per class, the classifier's score that becomes `u = 0`.
    pub offsets: Vec<f32>,
    /// First temperature.
    pub temperature: f32,
}

/// All tensors of a Spatial-BCE network that a trained plain classifier determines: the backbone as it
/// is; in the head the classifier's rows are the first rows of the hidden layer, with the identity above
/// them, so that the score maps start as its activation maps. What is left, the threshold branch and the
/// hidden layer's other rows, starts at random.
///
/// # Errors
/// None in practice.
pub fn from_cam(trained: Vec<Named>, start: &HeadStart, seed: u64) -> Result<Vec<Named>> {
    let classes = start.offsets.len();
    let (classifier, mut tensors): (Vec<_>, Vec<_>) =
        trained.into_iter().partition(|tensor| tensor.name == CLASSIFIER);
    let hidden = hidden(classes);
    let mut score = vec![0.0; classes * hidden];
    for class in 0..classes {
        score[class * hidden + class] = 1.0;
    }
    let named = |name: &str, shape: Vec<usize>, values| Named { name: name.to_owned(), shape, values };
    for Named { values, .. } in classifier {
        let channels = values.len() / classes.max(1);
        let mut rows = RandomSource::new(seed).take(DOWNSAMPLE, &[hidden, channels], Start::XavierUniform)?;
        rows[..values.len()].copy_from_slice(&values);
        tensors.push(named(DOWNSAMPLE, vec![hidden, channels], rows));
    }
    let bias = start.offsets.iter().map(|offset| -offset * start.feature_scale).collect();
    tensors.extend([
        named(FEATURE_SCALE, vec![1], vec![start.feature_scale]),
        named(SCORE, vec![classes, hidden], score),
        named(SCORE_BIAS, vec![classes], bias),
        named(TEMPERATURE, vec![classes], vec![start.temperature.ln(); classes]),
    ]);
    Ok(tensors)
}

/// Where the head starts: per class, the score at the rank of the foreground share becomes 0, so that the
/// mean activation starts near the share; and the logits of present classes get the root mean square that
/// the settings ask for.
pub fn measure(seen: &[Seen], classes: usize, settings: &SpatialBceSettings) -> HeadStart {
    let mut sums = vec![(0.0f32, 0usize); classes];
    for Seen { class, share, scores } in seen.iter().filter(|seen| !seen.scores.is_empty()) {
        let rank = rank_of_share(within_margin(*share, settings.share_margin), scores.len());
        sums[*class] = (sums[*class].0 + scores[rank], sums[*class].1 + 1);
    }
    let offsets: Vec<f32> = sums.iter().map(|&(sum, count)| sum / count.max(1) as f32).collect();
    let mut squares = (0.0f64, 0usize);
    for Seen { class, scores, .. } in seen {
        squares.0 += scores.iter().map(|score| f64::from(score - offsets[*class]).powi(2)).sum::<f64>();
        squares.1 += scores.len();
    }
    let rms = (squares.0 / squares.1.max(1) as f64).sqrt().max(1e-6);
    let temperature = settings.start_temperature;
    HeadStart {
        feature_scale: (settings.start_rms / (temperature * rms)) as f32,
        offsets,
        temperature: temperature as f32,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::super::Head;
    use super::*;
    use crate::backbone::weights::Given;

    #[test]
    fn a_head_started_from_a_classifier_gives_its_maps() {
        let device = Device::flex();
        let classifier = Named {
            name: CLASSIFIER.into(),
            shape: vec![2, 3],
            values: vec![1.0, -1.0, 0.5, 0.0, 2.0, -3.0],
        };
        let start = HeadStart { feature_scale: 0.5, offsets: vec![1.0, -4.0], temperature: 2.0 };
        let known = from_cam(vec![classifier], &start, 1).unwrap();
        let head = Head::load(&mut Given::new(known, RandomSource::new(1)), 2, 3, &device).unwrap();
        let features = TensorData::new(vec![1.0f32, 2.0, 3.0], [1, 3, 1, 1]);
        let (scores, _) = head.forward(Tensor::from_data(features, &device));
        // u = s · (classifier · F − offset): 0.5 · (0.5 − 1) and 0.5 · (−5 + 4); z = 2 u.
        let logits: Vec<f32> = head.scale(scores).into_data().try_to_vec().unwrap();
        assert!((logits[0] + 0.5).abs() < 1e-6 && (logits[1] + 1.0).abs() < 1e-6, "{logits:?}");
    }
}
