//! Score branch and threshold branch on the same features.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::HIDDEN;
use crate::backbone::weights::{Source, Start, parameter};
use crate::error::Result;
use crate::method::MapHead;
use crate::method::cam::project;

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

/// The head as data.
pub(super) fn described(classes: usize) -> MapHead {
    MapHead::Branches {
        feature_scale: FEATURE_SCALE,
        downsample: DOWNSAMPLE,
        score: SCORE,
        bias: SCORE_BIAS,
        threshold: THRESHOLD,
        log_temperature: TEMPERATURE,
        hidden: hidden(classes),
    }
}

/// Rows of the hidden layer: the paper's 128, or more where there are more classes, since each class
/// starts from a row of its own.
pub(super) fn hidden(classes: usize) -> usize {
    HIDDEN.max(classes)
}
