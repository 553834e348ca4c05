//! Settings of Box2Seg.

use serde::{Deserialize, Serialize};

use crate::masks::grabcut::GrabCutSettings;

/// Box2Seg (METHODS §4; Kulharia et al., ECCV 2020). No program was published: the weights of the terms, and
/// all that no paper is named for, are ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Box2SegSettings {
    /// Passes over the data, those of the embeddings with them.
    pub epochs: usize,
    /// Learning rate of the backbone.
    pub learning_rate: f64,
    /// First passes, in which embeddings learn which pixels are alike (the paper names such a phase), and the
    /// segmentation learns GrabCut's masks as they are.
    pub pretraining_epochs: usize,
    /// Weight of the cross-entropy with GrabCut's masks.
    pub grabcut_weight: f64,
    /// Weight of the attended cross-entropy inside boxes.
    pub foreground_weight: f64,
    /// Weight of the cross-entropy outside all boxes.
    pub background_weight: f64,
    /// Weight of the filling rate. Attention is held up where it weighs more than
    /// [`foreground_weight`](Self::foreground_weight) times `−ln y`, and collapses otherwise: of 16 labels that a
    /// network cannot tell yet, three quarters background, `−ln y` is 4, and 6 where it is surer. In the
    /// first 27 steps on photos 15 held it up and 5 did not.
    pub filling_rate_weight: f64,
    /// Weight of the affinity of embeddings and probabilities. Small: after 3 passes over 281 photos masks
    /// scored 53 % with a weight of 1 and 58 % without it (one seed).
    pub affinity_weight: f64,
    /// Share of a mask's filling rate that attention must reach, 0 to 1.
    pub gamma: f64,
    /// Pixels whose pairs are compared in an image, at most.
    pub grid: usize,
    /// How masks are cut out of boxes.
    pub cut: GrabCutSettings,
}

impl Default for Box2SegSettings {
    fn default() -> Self {
        Self {
            epochs: 12,
            learning_rate: 0.008,
            pretraining_epochs: 1,
            grabcut_weight: 1.0,
            foreground_weight: 1.0,
            background_weight: 1.0,
            filling_rate_weight: 15.0,
            affinity_weight: 0.1,
            gamma: 0.7,
            grid: 1024,
            cut: GrabCutSettings::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_json() {
        let settings = Box2SegSettings::default();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Box2SegSettings>(&text).unwrap(), settings);
    }
}
