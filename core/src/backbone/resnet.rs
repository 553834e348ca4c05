//! ResNet-18, -50 and -101 (He et al., CVPR 2016) in torchvision's layout and names.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::StridePlan;
use super::conv::{ConvNorm, ConvShape};
use super::weights::Source;
use crate::error::Result;

/// Shape of a ResNet.
#[derive(Debug, Clone, Copy)]
pub struct ResNetConfig {
    blocks: [usize; 4],
    bottleneck: bool,
    output_stride: usize,
}

impl ResNetConfig {
    /// 18 layers of basic blocks.
    pub fn resnet18() -> Self {
        Self { blocks: [2, 2, 2, 2], bottleneck: false, output_stride: 32 }
    }

    /// 50 layers of bottleneck blocks.
    pub fn resnet50() -> Self {
        Self { blocks: [3, 4, 6, 3], bottleneck: true, output_stride: 32 }
    }

    /// 101 layers of bottleneck blocks.
    pub fn resnet101() -> Self {
        Self { blocks: [3, 4, 23, 3], ..Self::resnet50() }
    }

    /// Input pixels per feature pixel: 32, 16 or 8.
    pub fn with_output_stride(self, output_stride: usize) -> Self {
        Self { output_stride, ..self }
    }

    /// Channels of the features.
    pub fn channels(&self) -> usize {
        512 * self.expansion()
    }

    fn expansion(&self) -> usize {
        if self.bottleneck { 4 } else { 1 }
    }

    /// Builds it. The stem and the first stage stay frozen, as the paper's do.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn init(&self, source: &mut dyn Source, device: &Device) -> Result<ResNet> {
        let mut plan = StridePlan::new(self.output_stride);
        let (stride, ..) = plan.stage(4);
        debug_assert_eq!(stride, 4, "the stem's convolution and pooling stride by 2 each");
        let stem = ConvShape::new(3, 64, 7).spaced(2, 1);
        let stem = ConvNorm::load(source, "conv1", "bn1", stem, false, device)?;
        let mut blocks = Vec::new();
        let mut input = 64;
        for (stage, &count) in self.blocks.iter().enumerate() {
            let width = 64 << stage;
            let (stride, first_dilation, dilation) = plan.stage(if stage == 0 { 1 } else { 2 });
            for index in 0..count {
                let shape = BlockShape {
                    input,
                    width,
                    output: width * self.expansion(),
                    stride: if index == 0 { stride } else { 1 },
                    dilation: if index == 0 { first_dilation } else { dilation },
                };
                let name = format!("layer{}.{index}", stage + 1);
                blocks.push(Block::load(source, &name, shape, self.bottleneck, stage > 0, device)?);
                input = shape.output;
            }
        }
        Ok(ResNet { stem, blocks })
    }
}

#[derive(Debug, Clone, Copy)]
struct BlockShape {
    input: usize,
    width: usize,
    output: usize,
    stride: usize,
    dilation: usize,
}

/// A ResNet without its classifier.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    blocks: Vec<Block>,
}

impl ResNet {
    /// `[N, 3, H, W]` to `[N, K, H/stride, W/stride]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let x = relu(self.stem.forward(images));
        let x = max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]));
        self.blocks.iter().fold(x, |x, block| block.forward(x))
    }
}

/// A residual block: two 3×3 convolutions, or 1×1, 3×3, 1×1.
#[derive(Module, Debug)]
struct Block {
    convs: Vec<ConvNorm>,
    downsample: Option<ConvNorm>,
}

impl Block {
    fn load(
        source: &mut dyn Source,
        name: &str,
        shape: BlockShape,
        bottleneck: bool,
        trainable: bool,
        device: &Device,
    ) -> Result<Self> {
        let BlockShape { input, width, output, stride, dilation } = shape;
        let shapes = if bottleneck {
            vec![
                ConvShape::new(input, width, 1),
                ConvShape::new(width, width, 3).spaced(stride, dilation),
                ConvShape::new(width, output, 1),
            ]
        } else {
            vec![
                ConvShape::new(input, width, 3).spaced(stride, dilation),
                ConvShape::new(width, output, 3).spaced(1, dilation),
            ]
        };
        let mut convs = Vec::new();
        for (index, shape) in shapes.into_iter().enumerate() {
            let (conv, norm) = (format!("{name}.conv{}", index + 1), format!("{name}.bn{}", index + 1));
            convs.push(ConvNorm::load(source, &conv, &norm, shape, trainable, device)?);
        }
        let downsample = if stride != 1 || input != output {
            let (conv, norm) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
            let shape = ConvShape::new(input, output, 1).spaced(stride, 1);
            Some(ConvNorm::load(source, &conv, &norm, shape, trainable, device)?)
        } else {
            None
        };
        Ok(Self { convs, downsample })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.downsample {
            Some(downsample) => downsample.forward(x.clone()),
            None => x.clone(),
        };
        let last = self.convs.len() - 1;
        let x = self.convs.iter().enumerate().fold(x, |x, (index, conv)| {
            let x = conv.forward(x);
            if index < last { relu(x) } else { x }
        });
        relu(x + shortcut)
    }
}
