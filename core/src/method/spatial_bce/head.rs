//! Score branch and threshold branch on the same features.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::backbone::weights::{Named, RandomSource, Source, Start, parameter};
use crate::error::Result;
use crate::method::cam::{CLASSIFIER, project};

/// Width of the score branch's hidden layer (METHODS §1).
pub const HIDDEN: usize = 128;

pub(super) const FEATURE_SCALE: &str = "head.feature_scale";
pub(super) const DOWNSAMPLE: &str = "head.mask_layer_downsample.weight";
pub(super) const SCORE: &str = "head.fc.weight";
pub(super) const SCORE_BIAS: &str = "head.fc.bias";
pub(super) const THRESHOLD: &str = "head.threshold.weight";
pub(super) const TEMPERATURE: &str = "head.temperature";

/// Whether weight decay applies to the parameter: not to temperatures (METHODS §1).
pub(super) fn decays(name: &str) -> bool {
    name != TEMPERATURE
}

/// `u = W₂ W₁ s F + b` and `v = W₃ s F`, where `F` are the features.
///
/// `s` and `b` are ours. `s` is a constant of the run that brings any backbone's features to the range
/// that the loss expects: with features 30 times larger than the paper's, `σ(10 u)` starts saturated and
/// the network collapses. `b` puts the start where activation and foreground share agree; it is held,
/// since most pixels are background, and together they would pull it, and every object with it, down.
#[derive(Module, Debug)]
pub struct Head {
    feature_scale: Param<Tensor<1>>,
    downsample: Param<Tensor<2>>,
    score: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    threshold: Param<Tensor<2>>,
    temperature: Param<Tensor<1>>,
}

impl Head {
    pub(super) fn load(
        source: &mut dyn Source,
        classes: usize,
        channels: usize,
        device: &Device,
    ) -> Result<Self> {
        let xavier = Start::XavierUniform;
        let hidden = hidden(classes);
        Ok(Self {
            feature_scale: parameter(source, FEATURE_SCALE, [1], Start::Constant(1.0), false, device)?,
            downsample: parameter(source, DOWNSAMPLE, [hidden, channels], xavier, true, device)?,
            score: parameter(source, SCORE, [classes, hidden], xavier, true, device)?,
            bias: parameter(source, SCORE_BIAS, [classes], Start::Constant(0.0), false, device)?,
            threshold: parameter(source, THRESHOLD, [classes, channels], xavier, true, device)?,
            temperature: parameter(
                source,
                TEMPERATURE,
                [classes],
                Start::Constant(10f32.ln()),
                true,
                device,
            )?,
        })
    }

    /// Scores `u` and threshold logits `v` of features `[N, K, h, w]`, both `[N, C, h, w]`.
    pub fn forward(&self, features: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let scale = self.feature_scale.val().reshape([1, 1]);
        let hidden = project(features.clone(), self.downsample.val() * scale.clone());
        let classes = self.bias.dims()[0];
        let scores = project(hidden, self.score.val()) + self.bias.val().reshape([1, classes, 1, 1]);
        (scores, project(features, self.threshold.val() * scale))
    }

    /// Logits `z = exp(τ) u`, `[N, C, h, w]`.
    pub fn scale(&self, scores: Tensor<4>) -> Tensor<4> {
        let classes = scores.dims()[1];
        scores * self.temperature.val().exp().reshape([1, classes, 1, 1])
    }

    /// Log-temperatures `τ`, `[C]`, untracked.
    pub fn log_temperature(&self) -> Tensor<1> {
        self.temperature.val().inner()
    }
}

/// Rows of the hidden layer: the paper's 128, or more where there are more classes, since each class
/// starts from a row of its own.
fn hidden(classes: usize) -> usize {
    HIDDEN.max(classes)
}

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

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

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
