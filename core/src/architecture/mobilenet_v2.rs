//! MobileNetV2's inverted residuals.

use super::{ConvShape, StridePlan};

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

/// A MobileNetV2 1.0.
#[derive(Debug, Clone, Copy)]
pub struct MobileNetV2Shape {
    /// Input pixels per feature pixel: 32, 16 or 8.
    pub output_stride: usize,
}

/// Expand by a 1×1, filter each channel by a 3×3, project by a 1×1.
#[derive(Debug, Clone, Copy)]
pub struct BlockShape {
    /// Missing where nothing is expanded.
    pub expand: Option<ConvShape>,
    /// The 3×3.
    pub depthwise: ConvShape,
    /// The last 1×1.
    pub project: ConvShape,
    /// Whether it learns.
    pub trainable: bool,
}

impl BlockShape {
    /// Whether the input is added to the output.
    pub fn residual(&self) -> bool {
        let input = self.expand.map_or(self.depthwise.input, |expand| expand.input);
        self.depthwise.stride == 1 && input == self.project.output
    }
}

impl MobileNetV2Shape {
    /// Channels of the features.
    pub const CHANNELS: usize = 1280;

    /// The frozen first convolution.
    pub fn stem(self) -> ConvShape {
        let (stride, ..) = StridePlan::new(self.output_stride).stage(2);
        ConvShape::new(3, 32, 3).spaced(stride, 1)
    }

    /// In their order; the frozen ones come first.
    pub fn blocks(self) -> Vec<BlockShape> {
        let mut plan = StridePlan::new(self.output_stride);
        plan.stage(2);
        let mut blocks = Vec::new();
        let mut input = self.stem().output;
        for (stage, (expansion, output, count, stride)) in STAGES.into_iter().enumerate() {
            let (stride, first_dilation, dilation) = plan.stage(stride);
            for index in 0..count {
                let (stride, dilation) = if index == 0 { (stride, first_dilation) } else { (1, dilation) };
                let hidden = input * expansion;
                blocks.push(BlockShape {
                    expand: (expansion != 1).then(|| ConvShape::new(input, hidden, 1)),
                    depthwise: ConvShape::new(hidden, hidden, 3).spaced(stride, dilation).depthwise(),
                    project: ConvShape::new(hidden, output, 1),
                    trainable: stage >= FROZEN_STAGES,
                });
                input = output;
            }
        }
        blocks
    }

    /// The last convolution.
    pub fn last(self) -> ConvShape {
        ConvShape::new(STAGES[6].1, Self::CHANNELS, 1)
    }
}
