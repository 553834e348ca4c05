//! Layers of the networks as ONNX's operators, with tensors from a source by their names.

use super::graph::{Attribute, Graph, Value};
use crate::architecture::ConvShape;
use crate::backbone::conv::folded_norm;
use crate::backbone::tiny::NORM_FLOOR;
use crate::backbone::weights::{Source, Start};
use crate::error::Result;

use Attribute::{Int, Ints};

/// A graph, and where its tensors come from.
pub struct Layers<'a> {
    /// The graph so far.
    pub graph: Graph,
    source: &'a mut dyn Source,
}

impl<'a> Layers<'a> {
    /// An empty graph.
    pub fn new(source: &'a mut dyn Source) -> Self {
        Self { graph: Graph::default(), source }
    }

    /// The values of tensor `name`, row-major.
    ///
    /// # Errors
    /// As [`Source::take`].
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.source.take(name, shape, Start::Constant(0.0))
    }

    /// A convolution by `{name}.weight`, without bias.
    pub fn conv(&mut self, x: &Value, name: &str, shape: ConvShape) -> Result<Value> {
        let name = format!("{name}.weight");
        let weight = self.take(&name, &shape.weight())?;
        Ok(self.convolve(x, &name, &weight, None, shape))
    }

    /// A convolution and the frozen norm behind it, in one.
    pub fn conv_norm(&mut self, x: &Value, conv: &str, norm: &str, shape: ConvShape) -> Result<Value> {
        let name = format!("{conv}.weight");
        let mut weight = self.take(&name, &shape.weight())?;
        let (scale, shift) = folded_norm(self.source, norm, shape.output)?;
        let of_channel = weight.len() / shape.output.max(1);
        for (weight, scale) in weight.chunks_exact_mut(of_channel.max(1)).zip(scale) {
            weight.iter_mut().for_each(|weight| *weight *= scale);
        }
        Ok(self.convolve(x, &name, &weight, Some((&format!("{norm}.bias"), &shift)), shape))
    }

    /// A convolution by the weights and bias that are given with their names.
    pub fn convolve(
        &mut self,
        x: &Value,
        name: &str,
        weight: &[f32],
        bias: Option<(&str, &[f32])>,
        shape: ConvShape,
    ) -> Value {
        let weight = self.graph.weights(name, &shape.weight(), weight);
        let bias = bias.map(|(name, values)| self.graph.weights(name, &[values.len()], values));
        let [kernel, stride, dilation, padding] =
            [shape.kernel, shape.stride, shape.dilation, shape.padding()].map(|side| side as i64);
        let attributes = [
            ("kernel_shape", Ints(&[kernel; 2])),
            ("strides", Ints(&[stride; 2])),
            ("dilations", Ints(&[dilation; 2])),
            ("pads", Ints(&[padding; 4])),
            ("group", Int(shape.groups as i64)),
        ];
        let inputs: Vec<&Value> = [x, &weight].into_iter().chain(&bias).collect();
        self.graph.node("Conv", &inputs, &attributes)
    }

    /// A frozen norm by itself.
    pub fn norm(&mut self, x: &Value, name: &str, channels: usize) -> Result<Value> {
        let (scale, shift) = folded_norm(self.source, name, channels)?;
        Ok(self.scaled(x, (&format!("{name}.weight"), &scale), (&format!("{name}.bias"), &shift)))
    }

    /// The small network's norm over the channels of each pixel.
    pub fn channel_norm(&mut self, x: &Value, name: &str, channels: usize) -> Result<Value> {
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let (gamma, beta) = (self.take(&weight, &[channels])?, self.take(&bias, &[channels])?);
        let floor = self.graph.constant(&[], &[NORM_FLOOR]);
        let over_channels = [("axes", Ints(&[1])), ("keepdims", Int(1))];
        let mean = self.graph.node("ReduceMean", &[x], &over_channels);
        let centred = self.apply("Sub", &[x, &mean]);
        let square = self.apply("Mul", &[&centred, &centred]);
        let variance = self.graph.node("ReduceMean", &[&square], &over_channels);
        let variance = self.apply("Add", &[&variance, &floor]);
        let deviation = self.apply("Sqrt", &[&variance]);
        let normal = self.apply("Div", &[&centred, &deviation]);
        Ok(self.scaled(&normal, (&weight, &gamma), (&bias, &beta)))
    }

    /// Each channel times a number, plus another, given with their names.
    fn scaled(&mut self, x: &Value, scale: (&str, &[f32]), shift: (&str, &[f32])) -> Value {
        let mut of_channels =
            |(name, values): (&str, &[f32])| self.graph.weights(name, &[1, values.len(), 1, 1], values);
        let (scale, shift) = (of_channels(scale), of_channels(shift));
        let x = self.apply("Mul", &[x, &scale]);
        self.apply("Add", &[&x, &shift])
    }

    /// Nothing below 0.
    pub fn relu(&mut self, x: &Value) -> Value {
        self.apply("Relu", &[x])
    }

    /// The same, and nothing above 6.
    pub fn relu6(&mut self, x: &Value) -> Value {
        let ends = [0.0, 6.0].map(|end| self.graph.constant(&[], &[end]));
        self.apply("Clip", &[x, &ends[0], &ends[1]])
    }

    /// An operator without attributes.
    pub fn apply(&mut self, operator: &str, inputs: &[&Value]) -> Value {
        self.graph.node(operator, inputs, &[])
    }
}
