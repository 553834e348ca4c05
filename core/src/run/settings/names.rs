//! Methods and networks by name: on the command line, in `run.json`, in the form.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::method::MethodName;

/// The network that turns an image into features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum BackboneName {
    /// Trained from scratch, under 0.3 M parameters: the sample set, slow devices.
    #[default]
    Tiny,
    /// MobileNetV2 1.0, torchvision's layout.
    MobilenetV2,
    /// ResNet-18, torchvision's layout.
    #[serde(rename = "resnet-18")]
    Resnet18,
    /// ResNet-50, torchvision's layout.
    #[serde(rename = "resnet-50")]
    Resnet50,
    /// ResNet-101, torchvision's layout.
    #[serde(rename = "resnet-101")]
    Resnet101,
    /// ResNet-38, the paper's network: wide, and at a stride of 8.
    #[serde(rename = "resnet-38")]
    Resnet38,
}

impl BackboneName {
    /// All backbones, smallest first.
    pub const ALL: [Self; 6] =
        [Self::Tiny, Self::MobilenetV2, Self::Resnet18, Self::Resnet50, Self::Resnet101, Self::Resnet38];

    /// The name on the command line and in `run.json`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::MobilenetV2 => "mobilenet-v2",
            Self::Resnet18 => "resnet-18",
            Self::Resnet50 => "resnet-50",
            Self::Resnet101 => "resnet-101",
            Self::Resnet38 => "resnet-38",
        }
    }

    /// The output strides that it has.
    pub fn output_strides(self) -> &'static [usize] {
        if self == Self::Resnet38 { &[8] } else { &[16, 8] }
    }

    /// Whether it learns from random weights in reasonable time; the others want a weights file.
    pub fn trains_from_scratch(self) -> bool {
        self == Self::Tiny
    }
}

impl std::str::FromStr for MethodName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        by_id("method", text, &Self::ALL, Self::id)
    }
}

impl std::str::FromStr for BackboneName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        by_id("backbone", text, &Self::ALL, Self::id)
    }
}

fn by_id<T: Copy>(name: &'static str, text: &str, all: &[T], id: fn(T) -> &'static str) -> Result<T> {
    all.iter().copied().find(|&each| id(each) == text).ok_or_else(|| Error::Setting {
        name,
        reason: format!(
            "\"{text}\" is not known; choose one of {}",
            all.iter().map(|&each| id(each)).collect::<Vec<_>>().join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_from_their_ids() {
        for name in BackboneName::ALL {
            assert_eq!(name.id().parse::<BackboneName>().unwrap(), name);
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{}\"", name.id()));
        }
        for name in MethodName::ALL {
            assert_eq!(name.id().parse::<MethodName>().unwrap(), name);
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{}\"", name.id()));
        }
        assert!("vgg".parse::<BackboneName>().unwrap_err().to_string().contains("resnet-18"));
    }
}
