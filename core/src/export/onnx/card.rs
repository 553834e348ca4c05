//! What the file says of itself: its metadata, by name.

use serde::Serialize;

use crate::dataset::batch::{DEVIATION, MEAN};
use crate::error::{Error, Result};
use crate::export::classes_txt::BACKGROUND;
use crate::method::MethodName;
use crate::run::settings::Settings;

/// What a program must know to use the network. In the file each is an entry of its metadata: text as it is,
/// everything else as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxCard {
    /// Layout of this card.
    pub version: u32,
    /// `semantic-segmentation`, or `class-activation-maps`, which want to know what is in an image.
    pub task: String,
    /// The program that wrote it.
    pub program: String,
    /// How it was trained.
    pub method: String,
    /// Names by output channel; of a segmentation network `background` first.
    pub classes: Vec<String>,
    /// The feature network.
    pub backbone: String,
    /// Input pixels per pixel of maps and logits.
    pub output_stride: usize,
    /// Side of the square that training images were resized to, bilinearly, pixels. Others may be given.
    pub size: usize,
    /// What the graph subtracts from red, green and blue of 0 to 1.
    pub mean: [f32; 3],
    /// What it divides them by then.
    pub deviation: [f32; 3],
}

impl OnnxCard {
    /// The card of a network; a segmenter has a channel for the background.
    pub fn new(network: MethodName, settings: &Settings, classes: &[String], is_segmenter: bool) -> Self {
        let background = is_segmenter.then(|| BACKGROUND.to_owned());
        Self {
            version: 1,
            task: if is_segmenter { "semantic-segmentation" } else { "class-activation-maps" }.into(),
            program: concat!("tag2mask ", env!("CARGO_PKG_VERSION")).into(),
            method: network.id().into(),
            classes: background.into_iter().chain(classes.iter().cloned()).collect(),
            backbone: settings.backbone.id().into(),
            output_stride: settings.output_stride,
            size: settings.size,
            mean: MEAN,
            deviation: DEVIATION,
        }
    }

    /// Names and values of its entries.
    ///
    /// # Errors
    /// None in practice.
    pub fn facts(&self) -> Result<Vec<(String, String)>> {
        let text = str::to_owned;
        let facts = [
            ("version", self.version.to_string()),
            ("task", text(&self.task)),
            ("program", text(&self.program)),
            ("method", text(&self.method)),
            ("classes", json(&self.classes)?),
            ("backbone", text(&self.backbone)),
            ("output_stride", self.output_stride.to_string()),
            ("size", self.size.to_string()),
            ("mean", json(&self.mean)?),
            ("deviation", json(&self.deviation)?),
        ];
        Ok(facts.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Format {
        path: "model.onnx".into(),
        reason: format!("cannot be encoded ({error})"),
    })
}
