//! A small network that learns from random weights within minutes: the sample set, slow devices.
//!
//! Group norm instead of batch norm: nothing is learned about a batch, so micro-batches and single
//! images see the same network.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::{Device, Tensor};

use super::StridePlan;
use super::conv::ConvShape;
use super::weights::{Source, Start, parameter};
use crate::error::Result;

/// Channels per normalisation group.
const GROUP: usize = 8;

/// Channels and stride of each layer.
const LAYERS: [(usize, usize); 7] = [(16, 2), (32, 2), (48, 1), (64, 2), (64, 1), (96, 2), (96, 1)];

/// Shape of the network.
#[derive(Debug, Clone, Copy)]
pub struct TinyConfig {
    output_stride: usize,
}

impl Default for TinyConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl TinyConfig {
    /// Channels of the features.
    pub const CHANNELS: usize = 96;

    /// Stride 16.
    pub fn new() -> Self {
        Self { output_stride: 16 }
    }

    /// Input pixels per feature pixel: 16 or 8.
    pub fn with_output_stride(self, output_stride: usize) -> Self {
        Self { output_stride }
    }

    /// Builds it.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn init(&self, source: &mut dyn Source, device: &Device) -> Result<Tiny> {
        let mut plan = StridePlan::new(self.output_stride);
        let mut layers = Vec::new();
        let mut input = 3;
        for (index, (output, stride)) in LAYERS.into_iter().enumerate() {
            let (stride, first_dilation, dilation) = plan.stage(stride);
            let dilation = if stride > 1 { first_dilation } else { dilation };
            let shape = ConvShape::new(input, output, 3).spaced(stride, dilation);
            layers.push(Layer::load(source, &format!("layers.{index}"), shape, device)?);
            input = output;
        }
        Ok(Tiny { layers })
    }
}

/// Seven 3×3 convolutions with group norm and ReLU; residual where the shape stays.
#[derive(Module, Debug)]
pub struct Tiny {
    layers: Vec<Layer>,
}

impl Tiny {
    /// `[N, 3, H, W]` to `[N, 96, H/stride, W/stride]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(images, |x, layer| layer.forward(x))
    }
}

#[derive(Module, Debug)]
struct Layer {
    weight: Param<Tensor<4>>,
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    stride: usize,
    dilation: usize,
}

impl Layer {
    fn load(source: &mut dyn Source, name: &str, shape: ConvShape, device: &Device) -> Result<Self> {
        let channels = [shape.output];
        let weight = format!("{name}.conv.weight");
        Ok(Self {
            weight: parameter(source, &weight, shape.weight(), Start::KaimingNormal, true, device)?,
            gamma: parameter(source, &format!("{name}.norm.weight"), channels, Start::Constant(1.0), true, device)?,
            beta: parameter(source, &format!("{name}.norm.bias"), channels, Start::Constant(0.0), true, device)?,
            stride: shape.stride,
            dilation: shape.dilation,
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let [output, input, kernel, _] = weight.dims();
        let shape = ConvShape::new(input, output, kernel).spaced(self.stride, self.dilation);
        let residual = (self.stride == 1 && input == output).then(|| x.clone());
        let y = group_norm(conv2d(x, weight, None, shape.options()), self.gamma.val(), self.beta.val());
        let y = relu(y);
        match residual {
            Some(x) => x + y,
            None => y,
        }
    }
}

/// Group normalisation (Wu & He, ECCV 2018) over `[N, C, H, W]`.
fn group_norm(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<4> {
    let [count, channels, height, width] = x.dims();
    let groups = x.reshape([count, channels / GROUP, GROUP * height * width]);
    let centred = groups.clone() - groups.mean_dim(2);
    let variance = centred.clone().square().mean_dim(2);
    let normal = (centred / (variance + 1e-5).sqrt()).reshape([count, channels, height, width]);
    normal * gamma.reshape([1, channels, 1, 1]) + beta.reshape([1, channels, 1, 1])
}
