//! How a network's maps come from its features, as data: which tensors stand on them, and in what sum. What
//! builds the network elsewhere (`export::onnx`) needs no more.

use super::pyramid;
use crate::backbone::BackboneConfig;

/// What stands on features `F`, `[N, K, h, w]`; tensors are told by their names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MapHead {
    /// Parallel atrous convolutions: logits, background first.
    Pyramid(PortableHead),
    /// A linear classifier: maps are `W F`, and their means and the bias the logits of a whole image.
    Classifier {
        /// `W`, `[C, K]`.
        weight: &'static str,
        /// `[C]`.
        bias: &'static str,
    },
    /// Scores with a threshold that was learned for them: maps are `W₂ W₁ s F + b`, and their threshold comes from
    /// the mean of `W₃ s F` and the log-temperature.
    Branches {
        /// `s`, `[1]`.
        feature_scale: &'static str,
        /// `W₁`, `[hidden, K]`.
        downsample: &'static str,
        /// `W₂`, `[C, hidden]`.
        score: &'static str,
        /// `b`, `[C]`.
        bias: &'static str,
        /// `W₃`, `[C, K]`.
        threshold: &'static str,
        /// `τ`, `[C]`.
        log_temperature: &'static str,
        /// Rows of `W₁`.
        hidden: usize,
    },
}

impl MapHead {
    /// The pyramid on a feature network.
    pub fn pyramid(backbone: &BackboneConfig) -> Self {
        Self::Pyramid(PortableHead { rates: pyramid::rates(backbone), scale: pyramid::scale(backbone) })
    }
}

/// What other programs must know of a head of parallel atrous convolutions ([`Pyramid`](pyramid::Pyramid)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PortableHead {
    /// Tap distances, feature pixels.
    pub rates: [usize; 4],
    /// The constant factor on its weights.
    pub scale: f32,
}
