//! The networks as data: which layers each has, how wide they are, where they stride, and which of them
//! learn. `backbone` builds the networks from it, and [`crate::memory`] says from it what they will take,
//! also where there is no tensor library.

mod mobilenet_v2;
mod resnet;
mod resnet38;
mod tiny;

pub use mobilenet_v2::{BlockShape as MobileNetV2Block, MobileNetV2Shape};
pub use resnet::{BlockShape as ResNetBlock, ResNetShape};
pub use resnet38::{BlockShape as ResNet38Block, ResNet38Shape};
pub use tiny::TinyShape;

use crate::run::settings::BackboneName;

/// One of the networks, at one output stride.
#[derive(Debug, Clone, Copy)]
pub enum Architecture {
    /// The small network.
    Tiny(TinyShape),
    /// MobileNetV2.
    MobileNetV2(MobileNetV2Shape),
    /// ResNet-18, -50 and -101.
    ResNet(ResNetShape),
    /// ResNet-38.
    ResNet38(ResNet38Shape),
}

impl Architecture {
    /// The network of this name; `output_stride` are input pixels per feature pixel.
    pub fn of(name: BackboneName, output_stride: usize) -> Self {
        let resnet = |shape: ResNetShape| Self::ResNet(shape.with_output_stride(output_stride));
        match name {
            BackboneName::Tiny => Self::Tiny(TinyShape { output_stride }),
            BackboneName::MobilenetV2 => Self::MobileNetV2(MobileNetV2Shape { output_stride }),
            BackboneName::Resnet18 => resnet(ResNetShape::resnet18()),
            BackboneName::Resnet50 => resnet(ResNetShape::resnet50()),
            BackboneName::Resnet101 => resnet(ResNetShape::resnet101()),
            BackboneName::Resnet38 => Self::ResNet38(ResNet38Shape),
        }
    }

    /// Channels of the features.
    pub fn channels(self) -> usize {
        match self {
            Self::Tiny(_) => TinyShape::CHANNELS,
            Self::MobileNetV2(_) => MobileNetV2Shape::CHANNELS,
            Self::ResNet(shape) => shape.channels(),
            Self::ResNet38(_) => ResNet38Shape::CHANNELS,
        }
    }
}

/// Geometry of a convolution with a square kernel, padded so that it keeps the size at stride 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Input channels.
    pub input: usize,
    /// Output channels.
    pub output: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Output pixel distance.
    pub stride: usize,
    /// Tap distance.
    pub dilation: usize,
    /// Channel groups; `input` for a depthwise convolution.
    pub groups: usize,
}

impl ConvShape {
    /// A dense convolution, stride 1.
    pub fn new(input: usize, output: usize, kernel: usize) -> Self {
        Self { input, output, kernel, stride: 1, dilation: 1, groups: 1 }
    }

    /// With this stride and dilation.
    pub fn spaced(self, stride: usize, dilation: usize) -> Self {
        Self { stride, dilation, ..self }
    }

    /// Each channel by itself.
    pub fn depthwise(self) -> Self {
        Self { groups: self.input, ..self }
    }

    /// Pixels added at each side.
    pub fn padding(self) -> usize {
        self.dilation * (self.kernel - 1) / 2
    }

    /// Shape of the weights.
    pub fn weight(self) -> [usize; 4] {
        [self.output, self.input / self.groups, self.kernel, self.kernel]
    }

    /// Side of the output of an input of this side.
    pub fn output_side(self, side: usize) -> usize {
        let reach = self.dilation * (self.kernel - 1);
        (side + 2 * self.padding()).saturating_sub(reach + 1) / self.stride + 1
    }
}

/// Spreads a network's strides: stages keep their stride until `output_stride` is reached, and from
/// there on dilate by what they would have stridden.
#[derive(Debug, Clone, Copy)]
struct StridePlan {
    remaining: usize,
    dilation: usize,
}

impl StridePlan {
    fn new(output_stride: usize) -> Self {
        Self { remaining: output_stride, dilation: 1 }
    }

    /// Stride and dilation of the first block of a stage that wants `stride`, and the dilation of its
    /// other blocks. The first block keeps the dilation of the stage before (as torchvision's does).
    fn stage(&mut self, stride: usize) -> (usize, usize, usize) {
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
    use super::*;

    #[test]
    fn strides_become_dilations_beyond_the_output_stride() {
        let mut plan = StridePlan::new(8);
        let stages: Vec<_> = [4, 1, 2, 2, 2].map(|stride| plan.stage(stride)).into();
        assert_eq!(stages, [(4, 1, 1), (1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)]);
    }

    #[test]
    fn outputs_are_as_large_as_the_stride_says() {
        for (shape, side, expected) in [
            (ConvShape::new(3, 64, 7).spaced(2, 1), 369, 185),
            (ConvShape::new(64, 64, 3).spaced(1, 4), 47, 47),
            (ConvShape::new(64, 64, 1).spaced(2, 1), 93, 47),
            (ConvShape::new(64, 64, 3).spaced(2, 1), 1, 1),
        ] {
            assert_eq!(shape.output_side(side), expected);
        }
    }
}
