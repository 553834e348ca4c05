//! The residual blocks of ResNet-18, -50 and -101.

use super::{ConvShape, StridePlan};

/// A ResNet of torchvision's.
#[derive(Debug, Clone, Copy)]
pub struct ResNetShape {
    blocks: [usize; 4],
    bottleneck: bool,
    /// Input pixels per feature pixel: 32, 16 or 8.
    pub output_stride: usize,
}

/// Two 3×3 convolutions, or 1×1, 3×3, 1×1, beside a shortcut.
#[derive(Debug, Clone)]
pub struct BlockShape {
    /// What its tensors' names begin with.
    pub name: String,
    /// The branch.
    pub convs: Vec<ConvShape>,
    /// The shortcut, where it is not the input itself.
    pub downsample: Option<ConvShape>,
    /// Whether it learns.
    pub trainable: bool,
}

impl ResNetShape {
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
    pub fn channels(self) -> usize {
        512 * self.expansion()
    }

    fn expansion(self) -> usize {
        if self.bottleneck { 4 } else { 1 }
    }

    /// The frozen first convolution. A maximum of 3×3 pixels at a stride of 2 follows it.
    pub fn stem(self) -> ConvShape {
        ConvShape::new(3, 64, 7).spaced(2, 1)
    }

    /// In their order. The first stage is frozen, as the paper's is.
    pub fn blocks(self) -> Vec<BlockShape> {
        let mut plan = StridePlan::new(self.output_stride);
        let (stride, ..) = plan.stage(4);
        debug_assert_eq!(stride, 4, "the stem's convolution and pooling stride by 2 each");
        let mut blocks = Vec::new();
        let mut input = 64;
        for (stage, &count) in self.blocks.iter().enumerate() {
            let width = 64 << stage;
            let output = width * self.expansion();
            let (stride, first_dilation, dilation) = plan.stage(if stage == 0 { 1 } else { 2 });
            for index in 0..count {
                let (stride, dilation) = if index == 0 { (stride, first_dilation) } else { (1, dilation) };
                let changes = stride != 1 || input != output;
                blocks.push(BlockShape {
                    name: format!("layer{}.{index}", stage + 1),
                    convs: self.convs(input, width, output, (stride, dilation)),
                    downsample: changes.then(|| ConvShape::new(input, output, 1).spaced(stride, 1)),
                    trainable: stage > 0,
                });
                input = output;
            }
        }
        blocks
    }

    fn convs(
        self,
        input: usize,
        width: usize,
        output: usize,
        (stride, dilation): (usize, usize),
    ) -> Vec<ConvShape> {
        if self.bottleneck {
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
        }
    }
}
