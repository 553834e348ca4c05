//! Every setting of a run in one structure: `run.json`, the CLI's flags and the page's form are three
//! views of it. Defaults are what runs out of the box; published values stand beside their source.

mod names;

pub use names::BackboneName;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::masks::grabcut::GrabCutSettings;
use crate::method::Round;
pub use crate::method::{MethodName, MethodSettings};

/// The version of the settings' layout, written to `run.json`.
pub const VERSION: u32 = 1;

/// All settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Layout of this structure; see [`VERSION`].
    pub version: u32,
    /// How maps are learned.
    pub method: MethodName,
    /// The feature network.
    pub backbone: BackboneName,
    /// Input pixels per feature pixel: 16 or 8.
    pub output_stride: usize,
    /// Side of the square that images are resized to for training, in pixels; 32 to 1024.
    pub size: usize,
    /// Images per optimiser step; 1 to 256.
    pub batch: usize,
    /// Memory that training may take, in GiB, up to 1024: batches are worked through in as many parts as
    /// that calls for. 0 = what the device is known to have, and 4 where that is unknown.
    pub memory: f64,
    /// Seed of initialisation, order and augmentation.
    pub seed: u64,
    /// The optimiser, common to all rounds.
    pub optimizer: OptimizerSettings,
    /// Random changes to training images.
    pub augment: AugmentSettings,
    /// Of each method, by its name.
    #[serde(flatten)]
    pub methods: MethodSettings,
    /// From score maps to masks.
    pub masks: MaskSettings,
}

/// Stochastic gradient descent with momentum and polynomial decay (paper: momentum 0.9, weight decay
/// 5e-4, power 0.9, ×10 for new layers).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OptimizerSettings {
    /// Momentum, 0 to 1.
    pub momentum: f64,
    /// L2 penalty on weights.
    pub weight_decay: f64,
    /// Learning rate falls as `(1 − step/steps)^power`.
    pub power: f64,
    /// Learning rate of new layers over that of the backbone.
    pub head_factor: f64,
    /// Gradients are scaled down to this L2 norm when they exceed it; 0 = never.
    pub max_gradient_norm: f64,
}

/// Random changes to training images. None of them moves an object out of the picture: the share of
/// the image that a class covers, which Spatial-BCE learns from, stays what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AugmentSettings {
    /// Mirror left-right with probability ½.
    pub flip: bool,
    /// Training sizes relative to [`Settings::size`], one drawn per batch.
    pub scales: Vec<f64>,
    /// Largest relative change of brightness, contrast and saturation; 0 = none.
    pub color: f64,
}

/// Which pixels become foreground.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Threshold {
    /// Learned per image and class, and raised with the map's maximum; looks at no ground truth.
    #[default]
    Adaptive,
    /// Learned per image and class, as published; looks at no ground truth.
    Published,
    /// One background score for all, 0 to 1, on maps normalised to 1.
    Fixed(f64),
}

/// How label maps are made to follow edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Refine {
    /// Not at all.
    None,
    /// Dense conditional random field over the labels that pixels were given.
    #[default]
    Crf,
    /// The same over the probabilities that a segmentation network gives the pixels, as DeepLab has it; over
    /// labels where there is no such network. With the kernels' usual weights it erases what the network
    /// doubts: on photos of ours, worse than labels.
    CrfProbabilities,
    /// Of photos with boxes, where the network learned from boxes: what two of three agree on, the boxes'
    /// GrabCut, [`Crf`](Self::Crf), and a GrabCut that weighs what the network says. As [`Crf`](Self::Crf) for
    /// others. Ours.
    #[serde(rename = "grabcut")]
    GrabCut,
}

/// What the views of an image are sized by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum ViewSize {
    /// The square of the training side: several images go through the network at once.
    #[default]
    Square,
    /// The image's own size and proportions, resized bicubically, as published.
    Photo,
}

/// From score maps to masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaskSettings {
    /// Image sizes, relative to [`Self::views`], whose maps are averaged (paper: 1, 0.5, 1.5, 2).
    pub scales: Vec<f64>,
    /// What scale 1 is.
    pub views: ViewSize,
    /// Also the mirrored image.
    pub flip: bool,
    /// Which pixels become foreground.
    pub threshold: Threshold,
    /// Edge refinement.
    pub refine: Refine,
    /// Maps and random field are computed at most this large (longest side, pixels); labels of larger
    /// images are enlarged to their size. 0 = no limit.
    pub longest_side: usize,
    /// The random field's settings.
    pub crf: CrfSettings,
    /// GrabCut's, where it refines.
    pub cut: GrabCutSettings,
}

/// Dense CRF (Krähenbühl & Koltun, NeurIPS 2011) with the settings of METHODS §1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrfSettings {
    /// Mean-field iterations.
    pub iterations: usize,
    /// Probability given to the label that a pixel comes with; a segmentation network says it itself.
    pub certainty: f32,
    /// Standard deviation of the smoothness kernel, pixels.
    pub gaussian_xy: f32,
    /// Weight of the smoothness kernel.
    pub gaussian_weight: f32,
    /// Standard deviation of the appearance kernel in space, pixels.
    pub bilateral_xy: f32,
    /// Standard deviation of the appearance kernel in colour, of 255.
    pub bilateral_rgb: f32,
    /// Weight of the appearance kernel.
    pub bilateral_weight: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            method: MethodName::default(),
            backbone: BackboneName::default(),
            output_stride: 16,
            size: 224,
            batch: 8,
            memory: 0.0,
            seed: 0,
            optimizer: OptimizerSettings::default(),
            augment: AugmentSettings::default(),
            methods: MethodSettings::default(),
            masks: MaskSettings::default(),
        }
    }
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        Self { momentum: 0.9, weight_decay: 5e-4, power: 0.9, head_factor: 10.0, max_gradient_norm: 0.0 }
    }
}

impl Default for AugmentSettings {
    fn default() -> Self {
        Self { flip: true, scales: vec![1.0], color: 0.2 }
    }
}

impl Default for MaskSettings {
    fn default() -> Self {
        Self {
            scales: vec![1.0, 0.5, 1.5, 2.0],
            views: ViewSize::default(),
            flip: true,
            threshold: Threshold::default(),
            refine: Refine::default(),
            longest_side: 1024,
            crf: CrfSettings::default(),
            cut: GrabCutSettings::default(),
        }
    }
}

impl Default for CrfSettings {
    fn default() -> Self {
        Self {
            iterations: 10,
            certainty: 0.7,
            gaussian_xy: 3.0,
            gaussian_weight: 3.0,
            bilateral_xy: 40.0,
            bilateral_rgb: 5.0,
            bilateral_weight: 10.0,
        }
    }
}

impl Settings {
    /// Refuses what cannot run, naming the setting.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first value out of its range.
    pub fn check(&self) -> Result<()> {
        if self.version > VERSION {
            return Err(Error::Setting {
                name: "version",
                reason: format!(
                    "{} was written by a newer tag2mask; this one reads up to {VERSION}",
                    self.version
                ),
            });
        }
        let strides = self.backbone.output_strides();
        if !strides.contains(&self.output_stride) {
            let strides = strides.iter().map(usize::to_string).collect::<Vec<_>>().join(" and ");
            return Err(Error::Setting {
                name: "output-stride",
                reason: format!("{} has {strides}, not {}", self.backbone.id(), self.output_stride),
            });
        }
        within("size", self.size as f64, 32.0, 1024.0)?;
        within("batch", self.batch as f64, 1.0, 256.0)?;
        within("memory", self.memory, 0.0, 1024.0)?;
        within("momentum", self.optimizer.momentum, 0.0, 0.999)?;
        within("weight-decay", self.optimizer.weight_decay, 0.0, 1.0)?;
        within("color", self.augment.color, 0.0, 1.0)?;
        within("iterations", self.masks.crf.iterations as f64, 1.0, 100.0)?;
        for (name, scales) in [("scales", &self.masks.scales), ("augment-scales", &self.augment.scales)] {
            if scales.is_empty() || scales.len() > 16 {
                return Err(Error::Setting { name, reason: "give 1 to 16 numbers".into() });
            }
            for &scale in scales {
                within(name, scale, 0.1, 4.0)?;
            }
        }
        if let Threshold::Fixed(value) = self.masks.threshold {
            within("threshold", value, 0.0, 1.0)?;
        }
        MethodName::ALL.iter().try_for_each(|name| name.method().check(self))
    }

    /// What is trained, round by round.
    pub fn rounds(&self) -> Vec<Round> {
        self.method.method().rounds(self)
    }

    /// The step of the whole run, of `total_steps`, that a round starts at: all rounds go over the same photos, so
    /// their steps are as their epochs. (A resumed run tells only of the rounds that are left.)
    pub fn first_step(&self, total_steps: usize, round: usize) -> usize {
        let rounds = self.rounds();
        let epochs = |count: usize| rounds.iter().take(count).map(|round| round.epochs).sum::<usize>();
        total_steps * epochs(round) / epochs(rounds.len()).max(1)
    }
}

/// Refuses a number outside its range.
///
/// # Errors
/// [`Error::Setting`], which names the setting.
pub fn within(name: &'static str, value: f64, low: f64, high: f64) -> Result<()> {
    if value.is_finite() && (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::Setting { name, reason: format!("{value} is not between {low} and {high}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_their_own_check_and_survive_json() {
        let settings = Settings::default();
        settings.check().unwrap();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let settings = Settings { size: 7, ..Settings::default() };
        assert_eq!(settings.check().unwrap_err().to_string(), "setting size: 7 is not between 32 and 1024");
    }
}
