//! What a pixel shows, said by parallel atrous convolutions on the features (Chen et al., "DeepLab", TPAMI
//! 2018, §3.2): the head of the segmentation network, and the segmentation branch of methods that have one.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::architecture::ConvShape;
use crate::backbone::BackboneConfig;
use crate::backbone::conv::Conv;
use crate::backbone::weights::{Source, Start, edited, parameter};
use crate::error::Result;

/// What all of a pyramid's tensors are called.
pub const HEAD: &str = "segmenter.";
/// What its convolutions are called.
pub const PYRAMID: &str = "segmenter.pyramid.";

/// Tap distances of the convolutions, in feature pixels: 6, 12, 18 and 24 at a stride of 8 (DeepLab's), so
/// that they see as much of the image at any stride.
pub fn rates(backbone: &BackboneConfig) -> [usize; 4] {
    [6, 12, 18, 24].map(|rate| (rate * 8 / backbone.output_stride).max(1))
}

/// The constant factor on the weights: `1/√(4 K)` on pretrained features. Ours: a logit sums the products of
/// nine taps in four convolutions over K channels, so that without it a learning rate that suits the features
/// throws logits to and fro by tens. A network from scratch has small features and shortened gradients, and
/// would only be slowed down.
pub fn scale(backbone: &BackboneConfig) -> f32 {
    match backbone.name.trains_from_scratch() {
        true => 1.0,
        false => ((4 * backbone.channels()) as f32).sqrt().recip(),
    }
}

/// Logits of a pixel are the sum of what the parallel convolutions say, and a bias.
#[derive(Module, Debug)]
pub struct Pyramid {
    convs: Vec<Conv>,
    bias: Param<Tensor<1>>,
    scale: f64,
}

impl Pyramid {
    /// Takes `segmenter.pyramid.{0..4}.weight` and `segmenter.bias` from the source; `labels` with the
    /// background.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn load(
        source: &mut dyn Source,
        backbone: &BackboneConfig,
        labels: usize,
        device: &Device,
    ) -> Result<Self> {
        let mut convs = Vec::new();
        for (index, rate) in rates(backbone).into_iter().enumerate() {
            let shape = ConvShape::new(backbone.channels(), labels, 3).spaced(1, rate);
            let name = format!("{PYRAMID}{index}");
            convs.push(Conv::load_from(source, &name, shape, Start::XavierUniform, true, device)?);
        }
        let bias = parameter(source, &format!("{HEAD}bias"), [labels], Start::Constant(0.0), true, device)?;
        Ok(Self { convs, bias, scale: f64::from(scale(backbone)) })
    }

    /// One that says what a classifier does: `classifier`, `[C, K]`, for the classes, and a fixed logit for the
    /// background. What it has learned is lost.
    #[must_use]
    pub fn with_classifier(self, classifier: Tensor<2>, background: f32) -> Self {
        let [classes, channels] = classifier.dims();
        let device = classifier.device();
        let none = Tensor::zeros([1, channels], &device);
        // The factor on the features is taken back.
        let tap = Tensor::cat(vec![none, classifier.inner()], 0).div_scalar(self.scale);
        let last = self.convs.len().saturating_sub(1);
        let convs = self.convs.into_iter().enumerate();
        let convs = convs.map(|(index, conv)| conv.with_centre_alone((index == last).then(|| tap.clone())));
        let convs = convs.collect();
        let bias = edited(self.bias, |bias| {
            let mut fixed = vec![0.0f32; classes + 1];
            fixed[0] = background;
            Tensor::from_data(TensorData::new(fixed, bias.dims()), &bias.device())
        });
        Self { convs, bias, scale: self.scale }
    }

    /// Features `[N, K, h, w]` to `[N, C + 1, h, w]`, background first.
    pub fn logits(&self, features: Tensor<4>) -> Tensor<4> {
        // On the features it costs less than on each convolution's output, and says the same.
        let features = features.mul_scalar(self.scale);
        let labels = self.bias.dims()[0];
        let bias = self.bias.val().reshape([1, labels, 1, 1]);
        let mut sum: Option<Tensor<4>> = None;
        for conv in &self.convs {
            let logits = conv.forward(features.clone());
            sum = Some(match sum {
                Some(sum) => sum + logits,
                None => logits + bias.clone(),
            });
        }
        sum.unwrap_or(bias)
    }
}
