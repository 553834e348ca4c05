//! What stands on the features, three times: a few light convolutions, at twice the features' size.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::architecture::ConvShape;
use crate::backbone::conv::Conv;
use crate::backbone::weights::{Source, Start, parameter};
use crate::error::Result;
use crate::tensor::resize;

/// 1×1 to few channels, enlarged twofold, 3×3, 1×1 with a bias. Ours: of the paper's decoders it is only
/// known that there are three.
#[derive(Module, Debug)]
pub struct Decoder {
    reduce: Conv,
    refine: Conv,
    output: Conv,
    bias: Param<Tensor<1>>,
}

impl Decoder {
    /// Takes `{name}.{reduce,refine,output}.weight` and `{name}.bias` from the source: from `channels`
    /// through `width` to `outputs`.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(
        source: &mut dyn Source,
        name: &str,
        [channels, width, outputs]: [usize; 3],
        device: &Device,
    ) -> Result<Self> {
        let part = |part: &str| format!("{name}.{part}");
        let reduce = ConvShape::new(channels, width, 1);
        let refine = ConvShape::new(width, width, 3);
        let output = ConvShape::new(width, outputs, 1);
        Ok(Self {
            reduce: Conv::load(source, &part("reduce"), reduce, true, device)?,
            refine: Conv::load(source, &part("refine"), refine, true, device)?,
            output: Conv::load_from(source, &part("output"), output, Start::XavierUniform, true, device)?,
            bias: parameter(source, &part("bias"), [outputs], Start::Constant(0.0), true, device)?,
        })
    }

    /// Features `[N, K, h, w]` to `[N, outputs, 2h, 2w]`.
    pub fn forward(&self, features: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = features.dims();
        let hidden = resize(relu(self.reduce.forward(features)), 2 * height, 2 * width);
        let outputs = self.bias.dims()[0];
        let hidden = relu(self.refine.forward(hidden));
        self.output.forward(hidden) + self.bias.val().reshape([1, outputs, 1, 1])
    }
}
