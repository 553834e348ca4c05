//! What stands on the features, and what the graph gives.

use super::graph::{Attribute, Graph, Side, Value};
use super::layers::Layers;
use crate::architecture::ConvShape;
use crate::error::Result;
use crate::method::pyramid::{HEAD, PYRAMID};
use crate::method::{MapHead, PortableHead};

use Attribute::{Int, Ints, Word};
use Side::{Any, Fixed};

/// Sides of what has a value per image and pixel of the features.
fn of_features(channels: usize) -> [Side<'static>; 4] {
    [Any("batch"), Fixed(channels), Any("map_height"), Any("map_width")]
}

/// Adds the results of a head on `features`, which have `channels`; `images` are what the graph was given.
pub fn results(
    layers: &mut Layers<'_>,
    head: MapHead,
    classes: usize,
    (features, channels): (&Value, usize),
    images: &Value,
) -> Result<()> {
    match head {
        MapHead::Pyramid(head) => pyramid(layers, head, classes + 1, (features, channels), images),
        MapHead::Classifier { weight, bias } => {
            let maps = project(layers, features, weight, [classes, channels], 1.0)?;
            let about = "Class activation maps; a class stands out where its map is near its largest value.";
            layers.graph.result("maps", &of_features(classes), about, ("Identity", &[&maps]), &[]);
            let bias_values = layers.take(bias, &[classes])?;
            let bias = layers.graph.weights(bias, &[classes], &bias_values);
            let mean = mean_of_pixels(layers, &maps);
            let about = "Logits of the classes in the whole image.";
            layers.graph.result("logits", &of_images(classes), about, ("Add", &[&mean, &bias]), &[]);
            Ok(())
        }
        MapHead::Branches { feature_scale, downsample, score, bias, threshold, log_temperature, hidden } => {
            let factor = layers.take(feature_scale, &[1])?.first().copied().unwrap_or(1.0);
            let narrow = project(layers, features, downsample, [hidden, channels], factor)?;
            let scores = project(layers, &narrow, score, [classes, hidden], 1.0)?;
            let bias_values = layers.take(bias, &[classes])?;
            let bias = layers.graph.weights(bias, &[1, classes, 1, 1], &bias_values);
            let about = "Scores u; a class covers the pixels where sigmoid(u), over its largest value in the image, \
                         exceeds the class's threshold.";
            layers.graph.result("maps", &of_features(classes), about, ("Add", &[&scores, &bias]), &[]);
            // t = σ(v̄ / exp τ), v̄ the mean over the pixels.
            let branch = project(layers, features, threshold, [classes, channels], factor)?;
            let mean = mean_of_pixels(layers, &branch);
            let log_temperatures = layers.take(log_temperature, &[classes])?;
            let temperatures: Vec<f32> = log_temperatures.iter().map(|value| value.exp()).collect();
            let temperatures = layers.graph.weights("head.exp_temperature", &[classes], &temperatures);
            let scaled = layers.apply("Div", &[&mean, &temperatures]);
            let about = "Learned thresholds of the classes, 0 to 1, for this image.";
            layers.graph.result("thresholds", &of_images(classes), about, ("Sigmoid", &[&scaled]), &[]);
            Ok(())
        }
    }
}

fn of_images(channels: usize) -> [Side<'static>; 2] {
    [Any("batch"), Fixed(channels)]
}

/// The sum of parallel convolutions and a bias, and the probabilities at the image's size.
fn pyramid(
    layers: &mut Layers<'_>,
    head: PortableHead,
    labels: usize,
    (features, channels): (&Value, usize),
    images: &Value,
) -> Result<()> {
    let bias_name = format!("{HEAD}bias");
    let bias = layers.take(&bias_name, &[labels])?;
    let mut sums = Vec::new();
    for (index, rate) in head.rates.into_iter().enumerate() {
        let shape = ConvShape::new(channels, labels, 3).spaced(1, rate);
        let name = format!("{PYRAMID}{index}.weight");
        let mut weight = layers.take(&name, &shape.weight())?;
        weight.iter_mut().for_each(|weight| *weight *= head.scale);
        let bias = (index == 0).then_some((bias_name.as_str(), bias.as_slice()));
        sums.push(layers.convolve(features, &name, &weight, bias, shape));
    }
    let about = "Logits of each pixel's label, background first, at the features' size. Enlarge them bilinearly \
                 (half-pixel centres); the largest is the label.";
    let sums: Vec<&Value> = sums.iter().collect();
    let logits = layers.graph.result("logits", &of_features(labels), about, ("Sum", &sums), &[]);
    let size = size_of(layers, &logits, images);
    let none = Graph::none();
    let attributes = [("mode", Word("linear")), ("coordinate_transformation_mode", Word("half_pixel"))];
    let large = layers.graph.node("Resize", &[&logits, &none, &none, &size], &attributes);
    let sides = [Any("batch"), Fixed(labels), Any("height"), Any("width")];
    let about = "Probabilities of each pixel's label, background first, at the image's size.";
    layers.graph.result("probabilities", &sides, about, ("Softmax", &[&large]), &[("axis", Int(1))]);
    Ok(())
}

/// Batch and channels of one tensor, height and width of another.
fn size_of(layers: &mut Layers<'_>, channels: &Value, pixels: &Value) -> Value {
    let graph = &mut layers.graph;
    let first = graph.node("Shape", &[channels], &[("start", Int(0)), ("end", Int(2))]);
    let last = graph.node("Shape", &[pixels], &[("start", Int(2)), ("end", Int(4))]);
    graph.node("Concat", &[&first, &last], &[("axis", Int(0))])
}

/// A 1×1 convolution by the tensor `name`, `[rows, columns]`, times `factor`.
fn project(
    layers: &mut Layers<'_>,
    x: &Value,
    name: &str,
    [rows, columns]: [usize; 2],
    factor: f32,
) -> Result<Value> {
    let mut weight = layers.take(name, &[rows, columns])?;
    weight.iter_mut().for_each(|weight| *weight *= factor);
    Ok(layers.convolve(x, name, &weight, None, ConvShape::new(columns, rows, 1)))
}

/// `[N, C, h, w]` to `[N, C]`.
fn mean_of_pixels(layers: &mut Layers<'_>, maps: &Value) -> Value {
    layers.graph.node("ReduceMean", &[maps], &[("axes", Ints(&[2, 3])), ("keepdims", Int(0))])
}
