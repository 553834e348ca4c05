//! ResNet-38 (Wu et al., "Wider or Deeper", Pattern Recognition 2019), the network of the Spatial-BCE
//! paper, in the names of its published checkpoints (METHODS §1). Norms stand before convolutions
//! ("pre-activation"); its strides are fixed, 8 in all.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::conv::{Conv, ConvNorm, Norm};
use super::dropout::{Dropout, drop_channels};
use super::weights::Source;
use crate::architecture::{ResNet38Block, ResNet38Shape};
use crate::error::Result;

/// ResNet-38 without its classifier.
#[derive(Module, Debug)]
pub struct ResNet38 {
    stem: Conv,
    blocks: Vec<Block>,
    norm: Norm,
    frozen: usize,
}

impl ResNet38 {
    /// Builds it.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(shape: ResNet38Shape, source: &mut dyn Source, device: &Device) -> Result<Self> {
        let stem = Conv::load(source, "conv1a", shape.stem(), false, device)?;
        let shapes = shape.blocks();
        let frozen = shapes.iter().take_while(|shape| !shape.trainable).count();
        let mut blocks = Vec::new();
        for shape in &shapes {
            blocks.push(Block::load(source, shape, device)?);
        }
        let norm = Norm::load(source, "bn7", ResNet38Shape::CHANNELS, device)?;
        Ok(Self { stem, blocks, norm, frozen })
    }

    /// What is frozen, a block each, and the last norm.
    pub(super) fn segments(&self) -> usize {
        self.blocks.len() - self.frozen + 2
    }

    /// All of them: `[N, 3, H, W]` to `[N, 4096, ⌈H/8⌉, ⌈W/8⌉]`. Channels are dropped only where `dropout`
    /// says so.
    pub(super) fn segment(&self, index: usize, x: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<4> {
        let place = self.frozen + index - usize::from(index > 0);
        match (index, self.blocks.get(place)) {
            (0, _) => {
                let blocks = self.blocks[..self.frozen].iter().enumerate();
                blocks.fold(self.stem.forward(x), |x, (place, block)| block.forward(x, place, dropout))
            }
            (_, Some(block)) => block.forward(x, place, dropout),
            (_, None) => relu(self.norm.forward(x)),
        }
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
    fn load(source: &mut dyn Source, shape: &ResNet38Block, device: &Device) -> Result<Self> {
        let ResNet38Block { name, trainable, dropout, .. } = shape;
        // Convolution and the norm behind it; the last has none.
        let parts = [("2a", "2b1"), ("2b1", "2b2"), ("2b2", "")];
        let mut convs = Vec::new();
        let mut last = None;
        for (index, (&geometry, (conv, norm))) in shape.convs.iter().zip(parts).enumerate() {
            let conv = format!("{name}.conv_branch{conv}");
            if index + 1 < shape.convs.len() {
                let norm = format!("{name}.bn_branch{norm}");
                convs.push(ConvNorm::load(source, &conv, &norm, geometry, *trainable, device)?);
            } else {
                last = Some(Conv::load(source, &conv, geometry, *trainable, device)?);
            }
        }
        let shortcut = match shape.shortcut {
            Some(geometry) => {
                let name = format!("{name}.conv_branch1");
                Some(Conv::load(source, &name, geometry, *trainable, device)?)
            }
            None => None,
        };
        let input = shape.convs.first().map_or(0, |conv| conv.input);
        let norm = Norm::load(source, &format!("{name}.bn_branch2a"), input, device)?;
        let last = last.expect("every block has convolutions");
        Ok(Self { norm, convs, last, shortcut, dropout: *dropout })
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
