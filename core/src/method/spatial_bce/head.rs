//! Score branch and threshold branch on the same features.

use std::collections::HashMap;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::backbone::weights::{Named, RandomSource, Source, Start, parameter};
use crate::error::Result;
use crate::method::cam::{CLASSIFIER, project};

/// Width of the score branch's hidden layer (METHODS §1).
pub const HIDDEN: usize = 128;

const FEATURE_SCALE: &str = "head.feature_scale";
const DOWNSAMPLE: &str = "head.mask_layer_downsample.weight";
const SCORE: &str = "head.fc.weight";
const THRESHOLD: &str = "head.threshold.weight";
/// Name of the log-temperatures.
pub(super) const TEMPERATURE: &str = "head.temperature";

/// `u = W₂ W₁ s F` and `v = W₃ s F`, where `F` are the features and `s` is a constant of the run that
/// brings any backbone's features to the range that the paper's temperature expects. `s` is ours: with
/// features 30 times larger than the paper's, `σ(10 u)` starts saturated and the network collapses.
#[derive(Module, Debug)]
pub struct Head {
    feature_scale: Param<Tensor<1>>,
    downsample: Param<Tensor<2>>,
    score: Param<Tensor<2>>,
    threshold: Param<Tensor<2>>,
    temperature: Param<Tensor<1>>,
}

impl Head {
    pub(super) fn load(source: &mut dyn Source, classes: usize, channels: usize, device: &Device) -> Result<Self> {
        let xavier = Start::XavierUniform;
        let hidden = hidden(classes);
        Ok(Self {
            feature_scale: parameter(source, FEATURE_SCALE, [1], Start::Constant(1.0), false, device)?,
            downsample: parameter(source, DOWNSAMPLE, [hidden, channels], xavier, true, device)?,
            score: parameter(source, SCORE, [classes, hidden], xavier, true, device)?,
            threshold: parameter(source, THRESHOLD, [classes, channels], xavier, true, device)?,
            temperature: parameter(source, TEMPERATURE, [classes], Start::Constant(10f32.ln()), true, device)?,
        })
    }

    /// Scores `u` and threshold logits `v` of features `[N, K, h, w]`, both `[N, C, h, w]`.
    pub fn forward(&self, features: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let scale = self.feature_scale.val().reshape([1, 1]);
        let hidden = project(features.clone(), self.downsample.val() * scale.clone());
        (project(hidden, self.score.val()), project(features, self.threshold.val() * scale))
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

/// The head's first tensors, from the classifier of round 0, so that the score maps start as its
/// activation maps: its rows are the first rows of the hidden layer, with the identity above them.
///
/// `classifier` is `[C, K]`; `feature_scale` see [`Head`].
pub fn from_classifier(classifier: &[f32], classes: usize, feature_scale: f32, seed: u64) -> Result<Vec<Named>> {
    let channels = classifier.len() / classes.max(1);
    let hidden = hidden(classes);
    let mut downsample = RandomSource::new(seed).take(DOWNSAMPLE, &[hidden, channels], Start::XavierUniform)?;
    downsample[..classifier.len()].copy_from_slice(classifier);
    let mut score = vec![0.0; classes * hidden];
    for class in 0..classes {
        score[class * hidden + class] = 1.0;
    }
    let named = |name: &str, shape: Vec<usize>, values| Named { name: name.to_owned(), shape, values };
    Ok(vec![
        named(FEATURE_SCALE, vec![1], vec![feature_scale]),
        named(DOWNSAMPLE, vec![hidden, channels], downsample),
        named(SCORE, vec![classes, hidden], score),
    ])
}

/// Gives the tensors of a trained plain classifier to a Spatial-BCE network: the backbone as it is, the
/// head by [`from_classifier`], the rest at random.
pub struct FromCam {
    tensors: HashMap<String, Vec<f32>>,
    rest: RandomSource,
}

impl FromCam {
    /// `trained` are all tensors of the classifier's network.
    ///
    /// # Errors
    /// None in practice.
    pub fn new(trained: Vec<Named>, classes: usize, feature_scale: f32, seed: u64) -> Result<Self> {
        let mut tensors: HashMap<_, _> =
            trained.into_iter().map(|tensor| (tensor.name, tensor.values)).collect();
        if let Some(classifier) = tensors.remove(CLASSIFIER) {
            let head = from_classifier(&classifier, classes, feature_scale, seed)?;
            tensors.extend(head.into_iter().map(|tensor| (tensor.name, tensor.values)));
        }
        Ok(Self { tensors, rest: RandomSource::new(seed) })
    }
}

impl Source for FromCam {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        match self.tensors.remove(name) {
            Some(values) => Ok(values),
            None => self.rest.take(name, shape, start),
        }
    }
}
