//! Whole sets of settings by name: what suits the data and the device, or the paper's.

use serde::{Deserialize, Serialize};

use super::settings::{
    AugmentSettings, BackboneName, MaskSettings, MethodName, OptimizerSettings, Settings, Threshold, ViewSize,
};
use super::suggest;
use crate::dataset::Summary;
use crate::error::{Error, Result};

/// Which set of settings to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// What suits the data, the network and the device: minutes to an hour.
    #[default]
    Quick,
    /// The paper's hyper-parameters (METHODS §1): ResNet-38 at 369 pixels, three rounds of 20 epochs, batches
    /// of 12. Days on anything but a large card.
    Paper,
}

impl std::str::FromStr for Preset {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "quick" => Ok(Self::Quick),
            "paper" => Ok(Self::Paper),
            _ => Err(Error::Setting {
                name: "preset",
                reason: format!("\"{text}\" is not known; choose one of quick, paper"),
            }),
        }
    }
}

impl Preset {
    /// Its settings for a method and a network; the network that it stands for where none is named.
    pub fn settings(
        self,
        method: MethodName,
        backbone: Option<BackboneName>,
        summary: &Summary,
        slow: bool,
    ) -> Settings {
        match self {
            Self::Quick => suggest::settings(method, backbone.unwrap_or_default(), summary, slow),
            Self::Paper => paper(method, backbone.unwrap_or(BackboneName::Resnet38)),
        }
    }
}

/// The papers' settings: of the optimiser, sizes and masks Spatial-BCE's, of each method its own. What they do
/// not say, or have from an unpublished file, is ours and stays as it is: round 0, and where the heads start.
fn paper(method: MethodName, backbone: BackboneName) -> Settings {
    let mut settings = Settings {
        method,
        backbone,
        output_stride: 8,
        size: 369,
        batch: 12,
        optimizer: OptimizerSettings {
            momentum: 0.9,
            weight_decay: 5e-4,
            power: 0.9,
            head_factor: 10.0,
            max_gradient_norm: 0.0,
        },
        // The paper's RandAugment is not in; these changes are the nearest that are.
        augment: AugmentSettings { flip: true, scales: vec![1.0], color: 0.2 },
        masks: MaskSettings {
            scales: vec![1.0, 0.5, 1.5, 2.0],
            views: ViewSize::Photo,
            flip: true,
            threshold: Threshold::Published,
            ..MaskSettings::default()
        },
        ..Settings::default()
    };
    MethodName::ALL.iter().for_each(|name| name.method().publish(&mut settings));
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_s_settings_pass_the_check_for_every_network() {
        for backbone in BackboneName::ALL {
            for method in MethodName::ALL {
                let settings = paper(method, backbone);
                settings.check().unwrap();
                assert_eq!((settings.size, settings.batch, settings.backbone), (369, 12, backbone));
            }
        }
        assert_eq!("paper".parse::<Preset>().unwrap(), Preset::Paper);
        assert!("fast".parse::<Preset>().unwrap_err().to_string().contains("quick, paper"));
    }
}
