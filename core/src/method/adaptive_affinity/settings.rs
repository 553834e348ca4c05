//! What a run of this method can choose.

use serde::{Deserialize, Serialize};

/// Adaptive affinity and label reassign (METHODS §3; Zhang, Peng et al., ACM MM 2021).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdaptiveAffinitySettings {
    /// Passes over the data. Ours.
    pub epochs: usize,
    /// Learning rate of the backbone. Ours: at twice this rate the classification branch comes to call all
    /// background, and the labels follow.
    pub learning_rate: f64,
    /// Passes over the data in which the classification branch learns alone (paper: 5); 0 = none.
    pub warm_up: usize,
    /// Weight of the adaptive affinity loss beside the cross-entropy; 0 = without it. Ours: its terms are ten times
    /// the balanced cross-entropy; at 0.2, with a reassign weight of 0.1, masks of photos lost more than a third of
    /// their score.
    pub affinity_weight: f64,
    /// Weight of the label reassign loss beside the cross-entropy; 0 = without it. Ours.
    pub reassign_weight: f64,
    /// How much nearer, in cosines, the centre of another class must be for a pixel to be reassigned. Ours.
    pub reassign_margin: f64,
    /// Times that masks flow to pixels of like colour before labels are cut from them (published: 10).
    pub refine_iterations: usize,
    /// How much of the classes' centres stays in each step, 0 to 0.999. Ours.
    pub centre_momentum: f64,
}

impl Default for AdaptiveAffinitySettings {
    fn default() -> Self {
        Self {
            epochs: 10,
            learning_rate: 0.003,
            warm_up: 5,
            affinity_weight: 0.05,
            reassign_weight: 0.02,
            reassign_margin: 0.2,
            refine_iterations: 10,
            centre_momentum: 0.9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_json() {
        let settings = AdaptiveAffinitySettings::default();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<AdaptiveAffinitySettings>(&text).unwrap(), settings);
        assert_eq!(serde_json::from_str::<AdaptiveAffinitySettings>("{}").unwrap(), settings);
    }
}
