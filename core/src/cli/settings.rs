//! The flags that settings come from, which `train`, `compare` and `reproduce` share.

use std::path::PathBuf;

use serde_json::Value;
use tag2mask_core::backbone::weights::TensorFile;
use tag2mask_core::dataset::Summary;
use tag2mask_core::device::DeviceChoice;
use tag2mask_core::run::preset::Preset;
use tag2mask_core::run::settings::{BackboneName, MethodName, Settings};
use tag2mask_core::{Error, Result};

use super::output::Report;
use super::weights;

#[derive(Debug, clap::Args)]
pub struct SettingsArgs {
    /// Settings to start from: quick (what suits the data; usual for train), or paper (the paper's, with
    /// resnet-38; usual for reproduce)
    #[arg(long)]
    pub preset: Option<Preset>,
    /// tiny, mobilenet-v2, resnet-18, resnet-50, resnet-101 or resnet-38
    #[arg(long)]
    pub backbone: Option<BackboneName>,
    /// Pretrained weights of the backbone: a .safetensors or .pth file, or where `tag2mask weights fetch`
    /// had them from: torchvision or timm
    #[arg(long, value_name = "FILE|SOURCE")]
    pub weights: Option<PathBuf>,
    /// auto, cpu, vulkan, cuda or cuda:N; cuda:0,1,… shares each batch among several cards
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Passes over the data in each round
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Rounds of Spatial-BCE after the plain classifier
    #[arg(long, value_name = "N")]
    pub rounds: Option<usize>,
    /// Images per step
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Side that images are resized to, in pixels
    #[arg(long, value_name = "PX")]
    pub size: Option<usize>,
    /// Another seed gives another run
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Any setting by its name in run.json
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

impl SettingsArgs {
    /// What the preset says, or `usual` where none is named, then what the command line says.
    pub fn settings(&self, method: MethodName, usual: Preset, summary: &Summary) -> Result<Settings> {
        self.settings_within(method, usual, summary, |settings| {
            if let Some(epochs) = self.epochs {
                method.method().set_epochs(settings, epochs);
            }
            if let Some(rounds) = self.rounds {
                settings.methods.spatial_bce.rounds = rounds;
            }
        })
    }

    /// As [`settings`](Self::settings), for as long as `set_length` says instead of `--epochs` and
    /// `--rounds`.
    pub fn settings_within(
        &self,
        method: MethodName,
        usual: Preset,
        summary: &Summary,
        set_length: impl FnOnce(&mut Settings),
    ) -> Result<Settings> {
        let preset = self.preset.unwrap_or(usual);
        let mut settings = preset.settings(method, self.backbone, summary, false);
        set_length(&mut settings);
        settings.batch = self.batch.unwrap_or(settings.batch);
        settings.size = self.size.unwrap_or(settings.size);
        settings.seed = self.seed.unwrap_or(settings.seed);
        for assignment in &self.set {
            settings = assign(&settings, assignment)?;
        }
        settings.check()?;
        Ok(settings)
    }

    /// The weights of the backbone, where some were named.
    pub fn weights(&self, backbone: BackboneName) -> Result<Option<TensorFile>> {
        self.weights.as_deref().map(|named| weights::read(named, backbone)).transpose()
    }
}

/// Says what to expect without weights, of a network that wants them.
pub fn warn_of_random_weights(backbone: BackboneName, report: &mut Report) {
    if !backbone.trains_from_scratch() {
        report.warning(format!(
            "{} starts from random weights: expect little, or give `--weights` (`tag2mask weights` lists some)",
            backbone.id()
        ));
    }
}

/// Sets the value that a path of names leads to in the settings' own JSON.
fn assign(settings: &Settings, assignment: &str) -> Result<Settings> {
    let refused = |reason: String| Error::Setting { name: "set", reason };
    let (path, text) =
        assignment.split_once('=').ok_or_else(|| refused(format!("\"{assignment}\" is not NAME=VALUE")))?;
    let mut all = serde_json::to_value(settings).map_err(|error| refused(error.to_string()))?;
    let mut place = &mut all;
    for name in path.split('.') {
        place = place
            .as_object_mut()
            .and_then(|object| object.get_mut(name))
            .ok_or_else(|| refused(format!("there is no setting \"{path}\"; run.json has them all")))?;
    }
    *place = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    serde_json::from_value(all).map_err(|error| refused(format!("\"{assignment}\": {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tag2mask_core::run::settings::Threshold;

    #[test]
    fn any_setting_can_be_set_by_its_name() {
        let settings = Settings::default();
        let changed = assign(&settings, "spatial_bce.learning_rate=0.01").unwrap();
        assert_eq!(changed.methods.spatial_bce.learning_rate, 0.01);
        let changed = assign(&settings, r#"masks.threshold={"fixed":0.4}"#).unwrap();
        assert_eq!(changed.masks.threshold, Threshold::Fixed(0.4));
        assert_eq!(assign(&settings, "method=cam").unwrap().method, MethodName::Cam);
        for wrong in ["spatial_bce.learning=1", "size", "size=big", "size.x=1"] {
            assert!(assign(&settings, wrong).is_err(), "{wrong}");
        }
    }
}
