//! ResNet-18, -50 and -101 (He et al., CVPR 2016) in torchvision's layout and names.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::conv::ConvNorm;
use super::weights::Source;
use crate::architecture::{ResNetBlock, ResNetShape};
use crate::error::Result;

/// A ResNet without its classifier.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    blocks: Vec<Block>,
    frozen: usize,
}

impl ResNet {
    /// Builds it.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(shape: ResNetShape, source: &mut dyn Source, device: &Device) -> Result<Self> {
        let stem = ConvNorm::load(source, "conv1", "bn1", shape.stem(), false, device)?;
        let shapes = shape.blocks();
        let frozen = shapes.iter().take_while(|shape| !shape.trainable).count();
        let mut blocks = Vec::new();
        for shape in &shapes {
            blocks.push(Block::load(source, shape, device)?);
        }
        Ok(Self { stem, blocks, frozen })
    }

    /// What is frozen, and a block each.
    pub(super) fn segments(&self) -> usize {
        self.blocks.len() - self.frozen + 1
    }

    /// All of them: `[N, 3, H, W]` to `[N, K, H/stride, W/stride]`.
    pub(super) fn segment(&self, index: usize, x: Tensor<4>) -> Tensor<4> {
        if index > 0 {
            return self.blocks[self.frozen + index - 1].forward(x);
        }
        let x = relu(self.stem.forward(x));
        let x = max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]));
        self.blocks[..self.frozen].iter().fold(x, |x, block| block.forward(x))
    }
}

/// A residual block: two 3×3 convolutions, or 1×1, 3×3, 1×1.
#[derive(Module, Debug)]
struct Block {
    convs: Vec<ConvNorm>,
    downsample: Option<ConvNorm>,
}

impl Block {
    fn load(source: &mut dyn Source, shape: &ResNetBlock, device: &Device) -> Result<Self> {
        let name = &shape.name;
        let mut convs = Vec::new();
        for (index, &geometry) in shape.convs.iter().enumerate() {
            let (conv, norm) = (format!("{name}.conv{}", index + 1), format!("{name}.bn{}", index + 1));
            convs.push(ConvNorm::load(source, &conv, &norm, geometry, shape.trainable, device)?);
        }
        let downsample = match shape.downsample {
            Some(geometry) => {
                let (conv, norm) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
                Some(ConvNorm::load(source, &conv, &norm, geometry, shape.trainable, device)?)
            }
            None => None,
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
