//! A trained network in ONNX (onnx.ai), for runtimes that know nothing of it. The file is written without the
//! tensor library, from the networks' descriptions and the tensors by their names: frozen norms are folded into
//! the convolutions before them, normalisation stands in the graph, and what only helps to learn is left out.

mod backbones;
mod card;
mod graph;
mod heads;
mod layers;
mod proto;

pub use card::OnnxCard;

use crate::architecture::Architecture;
use crate::backbone::weights::{FileSource, Source};
use crate::dataset::batch::{DEVIATION, MEAN};
use crate::error::Result;
use crate::method::{MapHead, MethodName, Setup, map_head};
use crate::run::checkpoint::Trained;
use crate::run::settings::Settings;
use graph::Side::{Any, Fixed};
use layers::Layers;

/// The bytes of a `.onnx` file of a trained network, whatever its method.
///
/// # Errors
/// [`Error::Weights`](crate::Error::Weights) when the run does not fit its own settings.
pub fn encode(trained: &Trained) -> Result<Vec<u8>> {
    let card = &trained.card;
    model(trained.network, &card.settings, &card.classes, &mut FileSource::all(&trained.weights))
}

/// The network of a method, with the tensors of `source`.
fn model(
    network: MethodName,
    settings: &Settings,
    classes: &[String],
    source: &mut dyn Source,
) -> Result<Vec<u8>> {
    let head = map_head(network, &Setup { settings, classes: classes.len(), steps_per_epoch: 0 });
    let card = OnnxCard::new(network, settings, classes, matches!(head, MapHead::Pyramid(_)));
    let mut layers = Layers::new(source);
    let sides = [Any("batch"), Fixed(3), Any("height"), Any("width")];
    let about = "Red, green and blue of 0 to 1.";
    let images = layers.graph.input("image", &sides, about);
    let mean = layers.graph.constant(&[1, 3, 1, 1], &MEAN);
    let deviation = layers.graph.constant(&[1, 3, 1, 1], &DEVIATION);
    let centred = layers.apply("Sub", &[&images, &mean]);
    let normal = layers.apply("Div", &[&centred, &deviation]);
    let architecture = Architecture::of(settings.backbone, settings.output_stride);
    let features = backbones::features(&mut layers, architecture, &normal)?;
    heads::results(&mut layers, head, classes.len(), (&features, architecture.channels()), &images)?;
    Ok(layers.graph.into_model(network.id(), network.title(), &card.facts()?))
}

#[cfg(test)]
mod tests;
