//! MobileNetV2 1.0 (Sandler et al., CVPR 2018) in torchvision's layout and names.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::StridePlan;
use super::conv::{ConvNorm, ConvShape};
use super::weights::Source;
use crate::error::Result;

/// Expansion, channels, blocks and stride of each stage (Table 2 of the paper).
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// Stages that stay frozen: up to a stride of 4, the most pixels and the most general features.
const FROZEN_STAGES: usize = 2;

/// Shape of a MobileNetV2.
#[derive(Debug, Clone, Copy)]
pub struct MobileNetV2Config {
    output_stride: usize,
}

impl Default for MobileNetV2Config {
    fn default() -> Self {
        Self::new()
    }
}

impl MobileNetV2Config {
    /// Channels of the features.
    pub const CHANNELS: usize = 1280;

    /// The published network, stride 32.
    pub fn new() -> Self {
        Self { output_stride: 32 }
    }

    /// Input pixels per feature pixel: 32, 16 or 8.
    pub fn with_output_stride(self, output_stride: usize) -> Self {
        Self { output_stride }
    }

    /// Builds it.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn init(&self, source: &mut dyn Source, device: &Device) -> Result<MobileNetV2> {
        let mut plan = StridePlan::new(self.output_stride);
        let (stride, ..) = plan.stage(2);
        let stem = ConvShape::new(3, 32, 3).spaced(stride, 1);
        let stem = ConvNorm::load(source, "features.0.0", "features.0.1", stem, false, device)?;
        let mut blocks = Vec::new();
        let mut input = 32;
        for (stage, (expansion, output, count, stride)) in STAGES.into_iter().enumerate() {
            let (stride, first_dilation, dilation) = plan.stage(stride);
            for index in 0..count {
                let (stride, dilation) = if index == 0 { (stride, first_dilation) } else { (1, dilation) };
                let name = format!("features.{}.conv", blocks.len() + 1);
                let shape = (input, expansion, output);
                let trainable = stage >= FROZEN_STAGES;
                blocks.push(InvertedResidual::load(
                    source,
                    &name,
                    shape,
                    (stride, dilation),
                    trainable,
                    device,
                )?);
                input = output;
            }
        }
        let last = ConvShape::new(input, Self::CHANNELS, 1);
        let last = ConvNorm::load(source, "features.18.0", "features.18.1", last, true, device)?;
        Ok(MobileNetV2 { stem, blocks, last })
    }
}

/// A MobileNetV2 without its classifier.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    last: ConvNorm,
}

impl MobileNetV2 {
    /// `[N, 3, H, W]` to `[N, 1280, H/stride, W/stride]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let x = relu6(self.stem.forward(images));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        relu6(self.last.forward(x))
    }
}

/// Expand by a 1×1, filter each channel by a 3×3, project by a 1×1 without activation.
#[derive(Module, Debug)]
struct InvertedResidual {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    residual: bool,
}

impl InvertedResidual {
    fn load(
        source: &mut dyn Source,
        name: &str,
        (input, expansion, output): (usize, usize, usize),
        (stride, dilation): (usize, usize),
        trainable: bool,
        device: &Device,
    ) -> Result<Self> {
        let hidden = input * expansion;
        let mut conv = |conv: &str, norm: &str, shape| {
            ConvNorm::load(
                source,
                &format!("{name}.{conv}"),
                &format!("{name}.{norm}"),
                shape,
                trainable,
                device,
            )
        };
        // torchvision counts the parts of the block; without an expansion they move up by one.
        let expand =
            if expansion == 1 { None } else { Some(conv("0.0", "0.1", ConvShape::new(input, hidden, 1))?) };
        let first = usize::from(expand.is_some());
        let depthwise = ConvShape::new(hidden, hidden, 3).spaced(stride, dilation).depthwise();
        Ok(Self {
            expand,
            depthwise: conv(&format!("{first}.0"), &format!("{first}.1"), depthwise)?,
            project: conv(
                &format!("{}", first + 1),
                &format!("{}", first + 2),
                ConvShape::new(hidden, output, 1),
            )?,
            residual: stride == 1 && input == output,
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let hidden = match &self.expand {
            Some(expand) => relu6(expand.forward(x.clone())),
            None => x.clone(),
        };
        let out = self.project.forward(relu6(self.depthwise.forward(hidden)));
        if self.residual { out + x } else { out }
    }
}

fn relu6(x: Tensor<4>) -> Tensor<4> {
    x.clamp(0.0, 6.0)
}
