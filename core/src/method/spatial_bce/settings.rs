//! Settings of Spatial-BCE.

use serde::{Deserialize, Serialize};

/// Spatial-BCE (METHODS §1; Wu et al., ECCV 2022).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpatialBceSettings {
    /// Rounds; the foreground shares are refreshed from masks between them (paper: 3).
    pub rounds: usize,
    /// Passes over the data per round (paper: 20).
    pub epochs: usize,
    /// Learning rate of the backbone (paper: 0.001, for ResNet-38).
    pub learning_rate: f64,
    /// Steps of one alternation (paper: 100). Ours: short rounds need several, or the threshold is learned
    /// once, for activations that then move on.
    pub cycle: usize,
    /// Steps of each alternation that train the network; the others train the threshold (paper: 80).
    pub network_steps: usize,
    /// Weight of the term that holds the mean activation to the foreground share (paper: 1). Ours: where
    /// objects are small, at 1 the main term pulls everything to the background before it can act.
    pub share_weight: f64,
    /// A present class covers at least this share of an image, and leaves as much. Ours: with a share of
    /// 0 the term kills the class, with one of 1 it costs 23 and throws the network off.
    #[serde(alias = "share_floor")]
    pub share_margin: f64,
    /// As [`MaskSettings::scales`](crate::run::settings::MaskSettings::scales), for the masks that the shares are measured on. Ours: one scale
    /// instead of the paper's four keeps the pause between rounds short.
    pub share_scales: Vec<f64>,
    /// Root mean square of the first logits, which sets the scale of the features. Ours.
    pub start_rms: f64,
    /// First temperature; 1 to 100 (paper: 10, with features some 30 times smaller). Masks are cut from
    /// logits over the temperature: one that is too high leaves them no contrast.
    pub start_temperature: f64,
}

impl Default for SpatialBceSettings {
    fn default() -> Self {
        Self {
            rounds: 2,
            epochs: 8,
            learning_rate: 5e-4,
            cycle: 20,
            network_steps: 16,
            share_weight: 5.0,
            share_margin: 0.02,
            share_scales: vec![1.0],
            start_rms: 2.0,
            start_temperature: 2.0,
        }
    }
}
