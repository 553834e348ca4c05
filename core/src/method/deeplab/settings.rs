//! Settings of the segmentation network.

use serde::{Deserialize, Serialize};

/// The segmentation network that learns from masks (METHODS §1, "Second stage").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeepLabSettings {
    /// Passes over the data.
    pub epochs: usize,
    /// Learning rate of the backbone.
    pub learning_rate: f64,
}

impl Default for DeepLabSettings {
    fn default() -> Self {
        Self { epochs: 12, learning_rate: 0.008 }
    }
}
