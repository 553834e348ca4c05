//! Convolutions and frozen batch norms: each by itself, and one followed by the other in one kernel.
//!
//! With statistics and affine parameters frozen (METHODS §1) the norm is a scale and a shift per
//! channel. Behind a convolution the scale multiplies the weights instead of the activations, which are
//! hundreds of times larger, and the shift is the convolution's bias.

use burn::module::{Module, Param};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::weights::{Source, Start, edited, from_values, parameter};
use crate::architecture::ConvShape;
use crate::error::Result;

/// torchvision's batch-norm epsilon.
pub const NORM_EPSILON: f32 = 1e-5;

/// A convolution's options in burn's terms.
fn options(shape: ConvShape) -> ConvOptions<2> {
    let ConvShape { stride, dilation, groups, .. } = shape;
    ConvOptions::new([stride; 2], [shape.padding(); 2], [dilation; 2], groups)
}

/// `[N, input, H, W]` to `[N, output, H/stride, W/stride]`.
pub(super) fn convolve(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    shape: ConvShape,
) -> Tensor<4> {
    conv2d(x, weight, bias, options(shape))
}

/// A convolution without bias.
#[derive(Module, Debug)]
pub struct Conv {
    weight: Param<Tensor<4>>,
    stride: usize,
    dilation: usize,
    groups: usize,
}

impl Conv {
    /// Takes `{name}.weight` from the source.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(
        source: &mut dyn Source,
        name: &str,
        shape: ConvShape,
        trainable: bool,
        device: &Device,
    ) -> Result<Self> {
        Self::load_from(source, name, shape, Start::KaimingNormal, trainable, device)
    }

    /// As [`load`](Self::load), with another start where nothing is loaded: heads are Xavier uniform.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load_from(
        source: &mut dyn Source,
        name: &str,
        shape: ConvShape,
        start: Start,
        trainable: bool,
        device: &Device,
    ) -> Result<Self> {
        let name = format!("{name}.weight");
        let weight = parameter(source, &name, shape.weight(), start, trainable, device)?;
        Ok(Self { weight, stride: shape.stride, dilation: shape.dilation, groups: shape.groups })
    }

    /// `[N, input, H, W]` to `[N, output, H/stride, W/stride]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.apply(x, self.weight.val(), None)
    }

    /// With nothing but `weight`, `[output, input]`, at the tap in the middle: a convolution of one tap, that can
    /// learn to be a larger one. With nothing at all where there is none.
    #[must_use]
    pub fn with_centre_alone(self, weight: Option<Tensor<2>>) -> Self {
        let weight = edited(self.weight, |old| {
            let none = old.zeros_like();
            let Some(tap) = weight else { return none };
            let [output, input, kernel, _] = old.dims();
            let (middle, after) = (kernel / 2, kernel / 2 + 1);
            let place = [0..output, 0..input, middle..after, middle..after];
            none.slice_assign(place, tap.inner().reshape([output, input, 1, 1]))
        });
        Self { weight, ..self }
    }

    fn apply(&self, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        let [output, input, kernel, _] = weight.dims();
        let shape = ConvShape {
            input: input * self.groups,
            output,
            kernel,
            stride: self.stride,
            dilation: self.dilation,
            groups: self.groups,
        };
        convolve(x, weight, bias, shape)
    }
}

/// Scale and shift of a frozen batch norm, `[channels]` each, from `{name}.{weight,bias,running_mean,
/// running_var}`.
///
/// # Errors
/// As [`Source::take`].
pub fn folded_norm(source: &mut dyn Source, name: &str, channels: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    let mut part =
        |part: &str, start| source.take(&format!("{name}.{part}"), &[channels], Start::Constant(start));
    let gamma = part("weight", 1.0)?;
    let beta = part("bias", 0.0)?;
    let mean = part("running_mean", 0.0)?;
    let variance = part("running_var", 1.0)?;
    let scale: Vec<f32> = gamma
        .iter()
        .zip(&variance)
        .map(|(gamma, variance)| gamma / (variance + NORM_EPSILON).sqrt())
        .collect();
    let shift: Vec<f32> =
        beta.iter().zip(&mean).zip(&scale).map(|((beta, mean), scale)| beta - mean * scale).collect();
    Ok((scale, shift))
}

/// A frozen batch norm: a scale and a shift per channel.
#[derive(Module, Debug)]
pub struct Norm {
    scale: Param<Tensor<1>>,
    shift: Param<Tensor<1>>,
}

impl Norm {
    /// Takes `{name}.{weight,bias,running_mean,running_var}` from the source and folds them.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(source: &mut dyn Source, name: &str, channels: usize, device: &Device) -> Result<Self> {
        let (scale, shift) = folded_norm(source, name, channels)?;
        let shape = [channels];
        Ok(Self {
            scale: from_values(&format!("{name}.weight"), scale, shape, false, device),
            shift: from_values(&format!("{name}.bias"), shift, shape, false, device),
        })
    }

    /// `[N, C, H, W]`, each channel scaled and shifted.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let channels = x.dims()[1];
        let shape = [1, channels, 1, 1];
        x * self.scale.val().reshape(shape) + self.shift.val().reshape(shape)
    }
}

/// Convolution and frozen batch norm, in one kernel.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv,
    norm: Norm,
}

impl ConvNorm {
    /// Takes the tensors of [`Conv`] under `conv` and those of [`Norm`] under `norm` from the source.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(
        source: &mut dyn Source,
        conv: &str,
        norm: &str,
        shape: ConvShape,
        trainable: bool,
        device: &Device,
    ) -> Result<Self> {
        Ok(Self {
            conv: Conv::load(source, conv, shape, trainable, device)?,
            norm: Norm::load(source, norm, shape.output, device)?,
        })
    }

    /// `[N, input, H, W]` to `[N, output, H/stride, W/stride]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.conv.weight.val();
        let channels = weight.dims()[0];
        let weight = weight * self.norm.scale.val().reshape([channels, 1, 1, 1]);
        self.conv.apply(x, weight, Some(self.norm.shift.val()))
    }
}
