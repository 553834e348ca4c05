//! ResNet-38 (Wu et al., "Wider or Deeper", Pattern Recognition 2019), the network of the Spatial-BCE
//! paper, in the names of its published checkpoints (METHODS §1). Norms stand before convolutions
//! ("pre-activation"); its strides are fixed, 8 in all.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::conv::{Conv, ConvNorm, ConvShape, Norm};
use super::dropout::{Dropout, drop_channels};
use super::weights::Source;
use crate::error::Result;

/// Shape of the network. There is but one.
#[derive(Debug, Clone, Copy)]
pub struct ResNet38Config;

impl ResNet38Config {
    /// Channels of the features.
    pub const CHANNELS: usize = 4096;
    /// Input pixels per feature pixel.
    pub const OUTPUT_STRIDE: usize = 8;

    /// Builds it. `conv1a` and the blocks `b2` stay frozen, as the authors' do.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn init(&self, source: &mut dyn Source, device: &Device) -> Result<ResNet38> {
        let stem = Conv::load(source, "conv1a", ConvShape::new(3, 64, 3), false, device)?;
        let mut blocks = Vec::new();
        let mut input = 64;
        for stage in &STAGES {
            for index in 0..stage.blocks {
                let name = match index {
                    0 => stage.name.to_owned(),
                    _ => format!("{}_{index}", stage.name),
                };
                blocks.push(Block::load(source, &name, input, stage, index == 0, device)?);
                input = stage.output();
            }
        }
        Ok(ResNet38 { stem, blocks, norm: Norm::load(source, "bn7", input, device)? })
    }
}

/// Blocks of one width.
struct StageShape {
    name: &'static str,
    blocks: usize,
    /// Channels between the convolutions of a block, and at its end.
    channels: &'static [usize],
    /// Of the first block.
    stride: usize,
    first_dilation: usize,
    dilation: usize,
    /// Probability of a channel's loss in training.
    dropout: f64,
    trainable: bool,
}

impl StageShape {
    const fn new(name: &'static str, blocks: usize, channels: &'static [usize], stride: usize) -> Self {
        Self { name, blocks, channels, stride, first_dilation: 1, dilation: 1, dropout: 0.0, trainable: true }
    }

    fn output(&self) -> usize {
        self.channels.last().copied().unwrap_or(0)
    }
}

const STAGES: [StageShape; 6] = [
    StageShape { trainable: false, ..StageShape::new("b2", 3, &[128, 128], 2) },
    StageShape::new("b3", 3, &[256, 256], 2),
    StageShape::new("b4", 6, &[512, 512], 2),
    StageShape { dilation: 2, ..StageShape::new("b5", 3, &[512, 1024], 1) },
    StageShape { first_dilation: 4, dropout: 0.3, ..StageShape::new("b6", 1, &[512, 1024, 2048], 1) },
    StageShape { first_dilation: 4, dropout: 0.5, ..StageShape::new("b7", 1, &[1024, 2048, 4096], 1) },
];

/// ResNet-38 without its classifier.
#[derive(Module, Debug)]
pub struct ResNet38 {
    stem: Conv,
    blocks: Vec<Block>,
    norm: Norm,
}

impl ResNet38 {
    /// `[N, 3, H, W]` to `[N, 4096, ⌈H/8⌉, ⌈W/8⌉]`. Channels are dropped only where `dropout` says so.
    pub fn forward(&self, images: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<4> {
        let x = self.stem.forward(images);
        let blocks = self.blocks.iter().enumerate();
        relu(self.norm.forward(blocks.fold(x, |x, (place, block)| block.forward(x, place, dropout))))
    }
}

/// A residual block: norm, then two 3×3 convolutions, or 1×1, 3×3, 1×1, with norms between.
#[derive(Module, Debug)]
struct Block {
    norm: Norm,
    convs: Vec<ConvNorm>,
    last: Conv,
    shortcut: Option<Conv>,
    dropout: f64,
}

impl Block {
    fn load(
        source: &mut dyn Source,
        name: &str,
        input: usize,
        stage: &StageShape,
        is_first: bool,
        device: &Device,
    ) -> Result<Self> {
        let output = stage.output();
        let stride = if is_first { stage.stride } else { 1 };
        let first_dilation = if is_first { stage.first_dilation } else { stage.dilation };
        let kernels: &[usize] = if stage.channels.len() == 3 { &[1, 3, 1] } else { &[3, 3] };
        // Convolution and the norm behind it; the last has none.
        let parts = [("2a", "2b1"), ("2b1", "2b2"), ("2b2", "")];
        let mut convs = Vec::new();
        let mut last = None;
        let mut channels = input;
        for (index, (&width, &kernel)) in stage.channels.iter().zip(kernels).enumerate() {
            let dilation = match (kernels.len(), index) {
                (2, 0) | (3, 1) => first_dilation,
                (2, _) => stage.dilation,
                _ => 1,
            };
            let shape =
                ConvShape::new(channels, width, kernel).spaced(if index == 0 { stride } else { 1 }, dilation);
            let (conv, norm) = parts[index];
            let conv = format!("{name}.conv_branch{conv}");
            if index + 1 < kernels.len() {
                let norm = format!("{name}.bn_branch{norm}");
                convs.push(ConvNorm::load(source, &conv, &norm, shape, stage.trainable, device)?);
            } else {
                last = Some(Conv::load(source, &conv, shape, stage.trainable, device)?);
            }
            channels = width;
        }
        let shortcut = if stride != 1 || input != output {
            let shape = ConvShape::new(input, output, 1).spaced(stride, 1);
            Some(Conv::load(source, &format!("{name}.conv_branch1"), shape, stage.trainable, device)?)
        } else {
            None
        };
        let norm = Norm::load(source, &format!("{name}.bn_branch2a"), input, device)?;
        let last = last.expect("every stage has channels");
        Ok(Self { norm, convs, last, shortcut, dropout: stage.dropout })
    }

    fn forward(&self, x: Tensor<4>, place: usize, dropout: Option<&Dropout>) -> Tensor<4> {
        // The shortcut of a block that changes shape starts behind the norm.
        let branch = relu(self.norm.forward(x.clone()));
        let shortcut = match &self.shortcut {
            Some(conv) => conv.forward(branch.clone()),
            None => x,
        };
        let branch = self.convs.iter().enumerate().fold(branch, |branch, (index, conv)| {
            let branch = relu(conv.forward(branch));
            drop_channels(branch, self.dropout, dropout, place * 2 + index)
        });
        shortcut + self.last.forward(branch)
    }
}
