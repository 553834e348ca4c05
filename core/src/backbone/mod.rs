//! Networks that turn an image into features. Each has a `Config` that says its shape and names its
//! tensors, and a module that runs.

pub mod conv;
pub mod dropout;
pub mod mobilenet_v2;
pub mod resnet;
pub mod resnet38;
pub mod tiny;
pub mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use self::dropout::Dropout;
use self::mobilenet_v2::{MobileNetV2, MobileNetV2Config};
use self::resnet::{ResNet, ResNetConfig};
use self::resnet38::{ResNet38, ResNet38Config};
use self::tiny::{Tiny, TinyConfig};
use self::weights::Source;
use crate::error::Result;
use crate::run::settings::BackboneName;

/// Any of the backbones.
// There is one of it in a run, and burn's derive wants the module itself in a variant.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum Backbone {
    /// See [`tiny`].
    Tiny(Tiny),
    /// See [`mobilenet_v2`].
    MobileNetV2(MobileNetV2),
    /// See [`resnet`].
    ResNet(ResNet),
    /// See [`resnet38`].
    ResNet38(ResNet38),
}

/// Which backbone, and how finely it sees.
#[derive(Debug, Clone, Copy)]
pub struct BackboneConfig {
    /// The network.
    pub name: BackboneName,
    /// Input pixels per feature pixel: 32, 16 or 8.
    pub output_stride: usize,
}

impl BackboneConfig {
    /// The network at this output stride.
    pub fn new(name: BackboneName, output_stride: usize) -> Self {
        Self { name, output_stride }
    }

    /// Channels of the features.
    pub fn channels(&self) -> usize {
        match self.name {
            BackboneName::Tiny => TinyConfig::CHANNELS,
            BackboneName::MobilenetV2 => MobileNetV2Config::CHANNELS,
            BackboneName::Resnet18 => ResNetConfig::resnet18().channels(),
            BackboneName::Resnet50 => ResNetConfig::resnet50().channels(),
            BackboneName::Resnet101 => ResNetConfig::resnet101().channels(),
            BackboneName::Resnet38 => ResNet38Config::CHANNELS,
        }
    }

    /// Builds it with the source's tensors.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn init(&self, source: &mut dyn Source, device: &Device) -> Result<Backbone> {
        let stride = self.output_stride;
        Ok(match self.name {
            BackboneName::Tiny => {
                Backbone::Tiny(TinyConfig::new().with_output_stride(stride).init(source, device)?)
            }
            BackboneName::MobilenetV2 => Backbone::MobileNetV2(
                MobileNetV2Config::new().with_output_stride(stride).init(source, device)?,
            ),
            BackboneName::Resnet18 => {
                Backbone::ResNet(ResNetConfig::resnet18().with_output_stride(stride).init(source, device)?)
            }
            BackboneName::Resnet50 => {
                Backbone::ResNet(ResNetConfig::resnet50().with_output_stride(stride).init(source, device)?)
            }
            BackboneName::Resnet101 => {
                Backbone::ResNet(ResNetConfig::resnet101().with_output_stride(stride).init(source, device)?)
            }
            BackboneName::Resnet38 => Backbone::ResNet38(ResNet38Config.init(source, device)?),
        })
    }
}

impl Backbone {
    /// Features of normalised images: `[N, 3, H, W]` to `[N, K, ⌈H/stride⌉, ⌈W/stride⌉]`, not negative.
    /// `dropout` is for training, and for networks that have any.
    pub fn forward(&self, images: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<4> {
        match self {
            Self::Tiny(network) => network.forward(images),
            Self::MobileNetV2(network) => network.forward(images),
            Self::ResNet(network) => network.forward(images),
            Self::ResNet38(network) => network.forward(images, dropout),
        }
    }
}

/// Spreads a network's strides: stages keep their stride until `output_stride` is reached, and from
/// there on dilate by what they would have stridden.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StridePlan {
    remaining: usize,
    dilation: usize,
}

impl StridePlan {
    pub(crate) fn new(output_stride: usize) -> Self {
        Self { remaining: output_stride, dilation: 1 }
    }

    /// Stride and dilation of the first block of a stage that wants `stride`, and the dilation of its
    /// other blocks. The first block keeps the dilation of the stage before (as torchvision's does).
    pub(crate) fn stage(&mut self, stride: usize) -> (usize, usize, usize) {
        let before = self.dilation;
        if stride <= self.remaining {
            self.remaining /= stride;
            (stride, before, before)
        } else {
            self.dilation *= stride;
            (1, before, self.dilation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StridePlan;

    #[test]
    fn strides_become_dilations_beyond_the_output_stride() {
        let mut plan = StridePlan::new(8);
        let stages: Vec<_> = [4, 1, 2, 2, 2].map(|stride| plan.stage(stride)).into();
        assert_eq!(stages, [(4, 1, 1), (1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)]);
    }
}
