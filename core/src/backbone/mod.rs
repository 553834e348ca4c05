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
use self::mobilenet_v2::MobileNetV2;
use self::resnet::ResNet;
use self::resnet38::ResNet38;
use self::tiny::Tiny;
use self::weights::Source;
use crate::architecture::Architecture;
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
        Architecture::of(self.name, self.output_stride).channels()
    }

    /// Builds it with the source's tensors.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn init(&self, source: &mut dyn Source, device: &Device) -> Result<Backbone> {
        Ok(match Architecture::of(self.name, self.output_stride) {
            Architecture::Tiny(shape) => Backbone::Tiny(Tiny::load(shape, source, device)?),
            Architecture::MobileNetV2(shape) => {
                Backbone::MobileNetV2(MobileNetV2::load(shape, source, device)?)
            }
            Architecture::ResNet(shape) => Backbone::ResNet(ResNet::load(shape, source, device)?),
            Architecture::ResNet38(shape) => Backbone::ResNet38(ResNet38::load(shape, source, device)?),
        })
    }
}

impl Backbone {
    /// Features of normalised images: `[N, 3, H, W]` to `[N, K, ⌈H/stride⌉, ⌈W/stride⌉]`, not negative.
    /// `dropout` is for training, and for networks that have any.
    pub fn forward(&self, images: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<4> {
        (0..self.segments()).fold(images, |x, index| self.segment(index, x, dropout))
    }

    /// Parts that the network falls into, one behind the other.
    pub fn segments(&self) -> usize {
        match self {
            Self::Tiny(network) => network.segments(),
            Self::MobileNetV2(network) => network.segments(),
            Self::ResNet(network) => network.segments(),
            Self::ResNet38(network) => network.segments(),
        }
    }

    /// The first of them that learns.
    pub fn first_trainable(&self) -> usize {
        usize::from(!matches!(self, Self::Tiny(_)))
    }

    /// One of them, on the output of the one before; the first takes the images.
    pub fn segment(&self, index: usize, x: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<4> {
        match self {
            Self::Tiny(network) => network.segment(index, x),
            Self::MobileNetV2(network) => network.segment(index, x),
            Self::ResNet(network) => network.segment(index, x),
            Self::ResNet38(network) => network.segment(index, x, dropout),
        }
    }
}
