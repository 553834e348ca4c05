//! The blocks of ResNet-38 (METHODS §1). Its strides are fixed, 8 in all.

use super::ConvShape;

/// Blocks of one width.
struct Stage {
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

impl Stage {
    const fn new(name: &'static str, blocks: usize, channels: &'static [usize], stride: usize) -> Self {
        Self { name, blocks, channels, stride, first_dilation: 1, dilation: 1, dropout: 0.0, trainable: true }
    }
}

/// `conv1a` and the blocks `b2` stay frozen, as the authors' do.
const STAGES: [Stage; 6] = [
    Stage { trainable: false, ..Stage::new("b2", 3, &[128, 128], 2) },
    Stage::new("b3", 3, &[256, 256], 2),
    Stage::new("b4", 6, &[512, 512], 2),
    Stage { dilation: 2, ..Stage::new("b5", 3, &[512, 1024], 1) },
    Stage { first_dilation: 4, dropout: 0.3, ..Stage::new("b6", 1, &[512, 1024, 2048], 1) },
    Stage { first_dilation: 4, dropout: 0.5, ..Stage::new("b7", 1, &[1024, 2048, 4096], 1) },
];

/// The network. There is but one.
#[derive(Debug, Clone, Copy)]
pub struct ResNet38Shape;

/// Norm, then two 3×3 convolutions, or 1×1, 3×3, 1×1, with norms between; beside a shortcut.
#[derive(Debug, Clone)]
pub struct BlockShape {
    /// What its tensors' names begin with.
    pub name: String,
    /// The branch.
    pub convs: Vec<ConvShape>,
    /// The shortcut, where it is not the input itself. It starts behind the first norm.
    pub shortcut: Option<ConvShape>,
    /// Probability of a channel's loss in training, behind each convolution but the last.
    pub dropout: f64,
    /// Whether it learns.
    pub trainable: bool,
}

impl ResNet38Shape {
    /// Channels of the features.
    pub const CHANNELS: usize = 4096;

    /// The frozen first convolution.
    pub fn stem(self) -> ConvShape {
        ConvShape::new(3, 64, 3)
    }

    /// In their order; the frozen ones come first.
    pub fn blocks(self) -> Vec<BlockShape> {
        let mut blocks = Vec::new();
        let mut input = self.stem().output;
        for stage in &STAGES {
            for index in 0..stage.blocks {
                let block = block(stage, index, input);
                input = block.convs.last().map_or(input, |conv| conv.output);
                blocks.push(block);
            }
        }
        blocks
    }
}

fn block(stage: &Stage, index: usize, input: usize) -> BlockShape {
    let stride = if index == 0 { stage.stride } else { 1 };
    let first_dilation = if index == 0 { stage.first_dilation } else { stage.dilation };
    let kernels: &[usize] = if stage.channels.len() == 3 { &[1, 3, 1] } else { &[3, 3] };
    let mut convs = Vec::new();
    let mut channels = input;
    for (place, (&width, &kernel)) in stage.channels.iter().zip(kernels).enumerate() {
        let dilation = match (kernels.len(), place) {
            (2, 0) | (3, 1) => first_dilation,
            (2, _) => stage.dilation,
            _ => 1,
        };
        let stride = if place == 0 { stride } else { 1 };
        convs.push(ConvShape::new(channels, width, kernel).spaced(stride, dilation));
        channels = width;
    }
    BlockShape {
        name: if index == 0 { stage.name.to_owned() } else { format!("{}_{index}", stage.name) },
        convs,
        shortcut: (stride != 1 || input != channels)
            .then(|| ConvShape::new(input, channels, 1).spaced(stride, 1)),
        dropout: stage.dropout,
        trainable: stage.trainable,
    }
}
