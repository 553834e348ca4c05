//! Settings of the plain classifier.

use serde::{Deserialize, Serialize};

/// The plain classifier of round 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CamSettings {
    /// Passes over the data.
    pub epochs: usize,
    /// Learning rate of the backbone.
    pub learning_rate: f64,
    /// Background threshold on maps normalised to 1 that gives the first foreground shares. Ours: the
    /// usual 0.30 makes objects too large, and every later round learns them so.
    pub threshold: f64,
}

impl Default for CamSettings {
    fn default() -> Self {
        Self { epochs: 4, learning_rate: 0.003, threshold: 0.50 }
    }
}
