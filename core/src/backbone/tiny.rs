//! A small network that learns from random weights within minutes: the sample set, slow devices.
//!
//! Each pixel is normalised over its own channels. Unlike batch norm, nothing depends on the rest of the
//! batch, so micro-batches and single images see the same network; unlike group norm, nothing depends
//! on the rest of the image, so that an object's features do not grow where there is none.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::conv::convolve;
use super::weights::{Source, Start, parameter};
use crate::architecture::{ConvShape, TinyShape};
use crate::error::Result;

/// Name of the mean colour of the data set, in normalised units.
pub const INPUT_MEAN: &str = "input.mean";

/// Added to the variance of a pixel's channels: noise on an empty background stays small instead of
/// being blown up to the strength of an object.
pub const NORM_FLOOR: f32 = 0.05;

/// Seven convolutions with channel norm and ReLU; residual where the shape stays.
#[derive(Module, Debug)]
pub struct Tiny {
    mean: Param<Tensor<1>>,
    layers: Vec<Layer>,
}

impl Tiny {
    /// Builds it.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(shape: TinyShape, source: &mut dyn Source, device: &Device) -> Result<Self> {
        let mut layers = Vec::new();
        for (index, shape) in shape.layers().into_iter().enumerate() {
            layers.push(Layer::load(source, &format!("layers.{index}"), shape, device)?);
        }
        let mean = parameter(source, INPUT_MEAN, [3], Start::Constant(0.0), false, device)?;
        Ok(Self { mean, layers })
    }

    /// A layer each.
    pub(super) fn segments(&self) -> usize {
        self.layers.len()
    }

    /// All of them: `[N, 3, H, W]` to `[N, 96, H/stride, W/stride]`.
    pub(super) fn segment(&self, index: usize, x: Tensor<4>) -> Tensor<4> {
        // What every image shows would be most of every feature.
        let x = if index == 0 { x - self.mean.val().reshape([1, 3, 1, 1]) } else { x };
        self.layers[index].forward(x)
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
            gamma: parameter(
                source,
                &format!("{name}.norm.weight"),
                channels,
                Start::Constant(1.0),
                true,
                device,
            )?,
            beta: parameter(
                source,
                &format!("{name}.norm.bias"),
                channels,
                Start::Constant(0.0),
                true,
                device,
            )?,
            stride: shape.stride,
            dilation: shape.dilation,
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let [output, input, kernel, _] = weight.dims();
        let shape = ConvShape::new(input, output, kernel).spaced(self.stride, self.dilation);
        let residual = (self.stride == 1 && input == output).then(|| x.clone());
        let y = channel_norm(convolve(x, weight, None, shape), self.gamma.val(), self.beta.val());
        let y = relu(y);
        match residual {
            Some(x) => x + y,
            None => y,
        }
    }
}

/// Layer normalisation (Ba et al., 2016) over the channels of each pixel of `[N, C, H, W]`.
fn channel_norm(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<4> {
    let channels = x.dims()[1];
    let centred = x.clone() - x.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    let normal = centred / (variance + NORM_FLOOR).sqrt();
    normal * gamma.reshape([1, channels, 1, 1]) + beta.reshape([1, channels, 1, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::weights::{NameList, RandomSource};

    #[test]
    fn it_stays_small_and_keeps_its_stride() {
        let device = Device::flex();
        let mut names = NameList::default();
        Tiny::load(TinyShape { output_stride: 16 }, &mut names, &device).unwrap();
        let parameters: usize = names.entries.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        assert!(parameters < 300_000, "{parameters}");
        for output_stride in [8, 16] {
            let network =
                Tiny::load(TinyShape { output_stride }, &mut RandomSource::new(0), &device).unwrap();
            let mut x = Tensor::zeros([2, 3, 64, 96], &device);
            for index in 0..network.segments() {
                x = network.segment(index, x);
            }
            assert_eq!(x.dims(), [2, TinyShape::CHANNELS, 64 / output_stride, 96 / output_stride]);
        }
    }
}
