//! MobileNetV2 1.0 (Sandler et al., CVPR 2018) in torchvision's layout and names.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::conv::ConvNorm;
use super::weights::Source;
use crate::architecture::{MobileNetV2Block, MobileNetV2Shape};
use crate::error::Result;

/// A MobileNetV2 without its classifier.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    last: ConvNorm,
    frozen: usize,
}

impl MobileNetV2 {
    /// Builds it.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(shape: MobileNetV2Shape, source: &mut dyn Source, device: &Device) -> Result<Self> {
        let stem = ConvNorm::load(source, "features.0.0", "features.0.1", shape.stem(), false, device)?;
        let shapes = shape.blocks();
        let frozen = shapes.iter().take_while(|shape| !shape.trainable).count();
        let mut blocks = Vec::new();
        for (index, shape) in shapes.iter().enumerate() {
            let name = format!("features.{}.conv", index + 1);
            blocks.push(InvertedResidual::load(source, &name, shape, device)?);
        }
        let last = ConvNorm::load(source, "features.18.0", "features.18.1", shape.last(), true, device)?;
        Ok(Self { stem, blocks, last, frozen })
    }

    /// What is frozen, a block each, and the last convolution.
    pub(super) fn segments(&self) -> usize {
        self.blocks.len() - self.frozen + 2
    }

    /// All of them: `[N, 3, H, W]` to `[N, 1280, H/stride, W/stride]`.
    pub(super) fn segment(&self, index: usize, x: Tensor<4>) -> Tensor<4> {
        match (index, self.blocks.get(self.frozen + index - usize::from(index > 0))) {
            (0, _) => {
                let x = relu6(self.stem.forward(x));
                self.blocks[..self.frozen].iter().fold(x, |x, block| block.forward(x))
            }
            (_, Some(block)) => block.forward(x),
            (_, None) => relu6(self.last.forward(x)),
        }
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
    fn load(source: &mut dyn Source, name: &str, shape: &MobileNetV2Block, device: &Device) -> Result<Self> {
        let mut conv = |conv: &str, norm: &str, geometry| {
            let (conv, norm) = (format!("{name}.{conv}"), format!("{name}.{norm}"));
            ConvNorm::load(source, &conv, &norm, geometry, shape.trainable, device)
        };
        // torchvision counts the parts of the block; without an expansion they move up by one.
        let expand = shape.expand.map(|expand| conv("0.0", "0.1", expand)).transpose()?;
        let first = usize::from(expand.is_some());
        Ok(Self {
            expand,
            depthwise: conv(&format!("{first}.0"), &format!("{first}.1"), shape.depthwise)?,
            project: conv(&format!("{}", first + 1), &format!("{}", first + 2), shape.project)?,
            residual: shape.residual(),
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
