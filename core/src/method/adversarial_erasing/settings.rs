//! Settings of adversarial erasing.

use serde::{Deserialize, Serialize};

use crate::run::settings::BackboneName;

/// What says where the localizer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Attention {
    /// Grad-CAM (Selvaraju et al., ICCV 2017): the classifier's weights are held, what speaks against the
    /// class counts as nothing (paper).
    #[default]
    GradCam,
    /// The class activation map itself: the classifier learns through it, and nothing is cut off.
    Cam,
}

/// Adversarial erasing (METHODS §2; Stammes et al., ICDIP 2021).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdversarialErasingSettings {
    /// Passes over the data (paper: 10).
    pub epochs: usize,
    /// Learning rate of both backbones (paper: 0.01 for all layers). Ours: new layers learn ten times faster
    /// than backbones here, and with small batches.
    pub learning_rate: f64,
    /// Steps of each alternation that train the localizer (paper: 200). Ours: a short run needs several
    /// alternations, or the adversary never learns.
    pub localizer_steps: usize,
    /// Steps of each alternation that train the adversary (paper: 200).
    pub adversary_steps: usize,
    /// Weight of the erasing term: what the adversary still sees of the erased class (paper: 0.05).
    pub alpha: f64,
    /// Weight of the mean attention (paper: 1e-5).
    pub beta: f64,
    /// Slope of the erasing mask at its edge, where attention is one half (paper: 100).
    pub slope: f64,
    /// Background threshold on maps normalised to 1 that masks are cut at (paper: 0.3). Ours: as the plain
    /// classifier's, whose maps these are.
    pub threshold: f64,
    /// What says where the localizer looks.
    pub attention: Attention,
    /// The adversary's network; `None` = the localizer's. Ours: the paper takes ResNet-18, whose weights need
    /// not be at hand, while the localizer's can start both.
    pub adversary: Option<BackboneName>,
}

impl Default for AdversarialErasingSettings {
    fn default() -> Self {
        Self {
            learning_rate: 0.003,
            localizer_steps: 20,
            adversary_steps: 20,
            threshold: 0.5,
            ..Self::published()
        }
    }
}

impl AdversarialErasingSettings {
    /// The paper's values, but for the adversary's network.
    pub fn published() -> Self {
        Self {
            epochs: 10,
            learning_rate: 0.01,
            localizer_steps: 200,
            adversary_steps: 200,
            alpha: 0.05,
            beta: 1e-5,
            slope: 100.0,
            threshold: 0.3,
            attention: Attention::default(),
            adversary: None,
        }
    }

    /// Whether step `step` of a round trains the adversary.
    pub fn is_adversary_step(&self, step: usize) -> bool {
        step % (self.localizer_steps + self.adversary_steps).max(1) >= self.localizer_steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_json() {
        for settings in [AdversarialErasingSettings::default(), AdversarialErasingSettings::published()] {
            let text = serde_json::to_string(&settings).unwrap();
            assert_eq!(serde_json::from_str::<AdversarialErasingSettings>(&text).unwrap(), settings);
        }
    }

    #[test]
    fn the_opponents_take_turns() {
        let settings =
            AdversarialErasingSettings { localizer_steps: 2, adversary_steps: 1, ..Default::default() };
        let turns: Vec<bool> = (0..6).map(|step| settings.is_adversary_step(step)).collect();
        assert_eq!(turns, [false, false, true, false, false, true]);
        let alone = AdversarialErasingSettings { adversary_steps: 0, ..settings };
        assert!((0..6).all(|step| !alone.is_adversary_step(step)));
    }
}
