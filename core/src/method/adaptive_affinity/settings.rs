//! What a run of this method can choose.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Adaptive affinity and label reassign (METHODS §3; Zhang, Peng et al., ACM MM 2021).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdaptiveAffinitySettings {
    /// Passes over the data. Ours.
    pub epochs: usize,
    /// Learning rate of the backbone. Ours.
    pub learning_rate: f64,
    /// Passes over the data in which the classification branch learns alone (paper: 5); 0 = none.
    pub warm_up: usize,
    /// Weight of the adaptive affinity loss beside the cross-entropy; 0 = without it. Ours.
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
            affinity_weight: 0.2,
            reassign_weight: 0.1,
            reassign_margin: 0.2,
            refine_iterations: 10,
            centre_momentum: 0.9,
        }
    }
}

impl AdaptiveAffinitySettings {
    /// Refuses what cannot run, naming the setting.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first value out of its range.
    pub fn check(&self) -> Result<()> {
        let within = |name, value: f64, low: f64, high: f64| {
            if value.is_finite() && (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::Setting { name, reason: format!("{value} is not between {low} and {high}") })
        };
        within("epochs", self.epochs as f64, 1.0, 10_000.0)?;
        within("learning-rate", self.learning_rate, 0.0, 10.0)?;
        // All of them as warm-up would leave the branch that makes the masks as it started.
        within("warm-up", self.warm_up as f64, 0.0, (self.epochs - 1) as f64)?;
        within("affinity-weight", self.affinity_weight, 0.0, 100.0)?;
        within("reassign-weight", self.reassign_weight, 0.0, 100.0)?;
        within("reassign-margin", self.reassign_margin, 0.0, 2.0)?;
        within("refine-iterations", self.refine_iterations as f64, 0.0, 100.0)?;
        within("centre-momentum", self.centre_momentum, 0.0, 0.999)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_their_own_check_and_survive_json() {
        let settings = AdaptiveAffinitySettings::default();
        settings.check().unwrap();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<AdaptiveAffinitySettings>(&text).unwrap(), settings);
        assert_eq!(serde_json::from_str::<AdaptiveAffinitySettings>("{}").unwrap(), settings);
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let default = AdaptiveAffinitySettings::default;
        let message = |settings: AdaptiveAffinitySettings| settings.check().unwrap_err().to_string();
        assert_eq!(
            message(AdaptiveAffinitySettings { warm_up: 10, ..default() }),
            "setting warm-up: 10 is not between 0 and 9"
        );
        assert_eq!(
            message(AdaptiveAffinitySettings { reassign_margin: f64::NAN, ..default() }),
            "setting reassign-margin: NaN is not between 0 and 2"
        );
        assert_eq!(
            message(AdaptiveAffinitySettings { epochs: 0, ..default() }),
            "setting epochs: 0 is not between 1 and 10000"
        );
    }
}
