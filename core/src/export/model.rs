//! The trained segmentation network as two files that another program can load: `model.safetensors` and
//! `model.json`, its card, which the weights carry as metadata too.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::classes_txt::BACKGROUND;
use crate::backbone::weights::{Named, TensorFile, encode};
use crate::dataset::batch::{DEVIATION, MEAN};
use crate::error::{Error, Result};
use crate::method::pyramid::PYRAMID;
use crate::run::settings::Settings;
use crate::run::store::RunStore;

const WEIGHTS: &str = "model.safetensors";
const CARD: &str = "model.json";

/// What a program must know to run the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Layout of this card.
    pub version: u32,
    /// What the network does.
    pub task: String,
    /// The program that wrote it.
    pub program: String,
    /// Names by output channel, `background` first.
    pub classes: Vec<String>,
    /// The feature network; tensors have torchvision's names (ResNet-38: its authors').
    pub backbone: String,
    /// Input pixels per output pixel.
    pub output_stride: usize,
    /// Side of the square that images are resized to, bilinearly, pixels.
    pub size: usize,
    /// Subtracted from red, green and blue, each of 1.
    pub mean: [f32; 3],
    /// What they are divided by then.
    pub deviation: [f32; 3],
    /// Dilations of the head's 3×3 convolutions, `segmenter.pyramid.<i>.weight`; the logits `[N, classes, h,
    /// w]` are the sum of their outputs and `segmenter.bias`.
    pub rates: [usize; 4],
}

impl ModelCard {
    /// The card of a network trained with these settings.
    pub fn new(settings: &Settings, classes: &[String], rates: [usize; 4]) -> Self {
        let background = std::iter::once(BACKGROUND.to_owned());
        Self {
            version: 1,
            task: "semantic-segmentation".into(),
            program: concat!("tag2mask ", env!("CARGO_PKG_VERSION")).into(),
            classes: background.chain(classes.iter().cloned()).collect(),
            backbone: settings.backbone.id().into(),
            output_stride: settings.output_stride,
            size: settings.size,
            mean: MEAN,
            deviation: DEVIATION,
            rates,
        }
    }
}

/// Writes both files; the factor `scale` goes onto the head's weights.
///
/// # Errors
/// As [`RunStore::write`].
pub fn save(store: &mut impl RunStore, card: &ModelCard, weights: &TensorFile, scale: f32) -> Result<()> {
    let named = |name: &str| -> Result<Named> {
        let (shape, values) = weights.get(name)?;
        let scale = if name.starts_with(PYRAMID) { scale } else { 1.0 };
        let values = values.iter().map(|value| value * scale).collect();
        Ok(Named { name: name.to_owned(), shape: shape.to_vec(), values })
    };
    let tensors = weights.names().into_iter().map(named).collect::<Result<Vec<_>>>()?;
    write(store, card, &tensors)
}

fn write(store: &mut impl RunStore, card: &ModelCard, tensors: &[Named]) -> Result<()> {
    let failed = |error: serde_json::Error| Error::Format {
        path: CARD.into(),
        reason: format!("cannot be encoded ({error})"),
    };
    let text = serde_json::to_string_pretty(card).map_err(failed)?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned()), ("card".to_owned(), text.clone())]);
    store.write(WEIGHTS, &encode(tensors, metadata)?)?;
    store.write(CARD, text.as_bytes())
}

/// Writes both files of a store anew with other names of the classes, in the same order; nothing where there are none.
///
/// # Errors
/// [`Error::Format`] for a damaged file, and as [`RunStore::write`].
pub fn rename_classes(store: &mut impl RunStore, classes: &[String]) -> Result<()> {
    let (Some(weights), Some(card)) = (store.read(WEIGHTS)?, store.read(CARD)?) else { return Ok(()) };
    let damaged = |error: serde_json::Error| Error::Format {
        path: store.describe(CARD),
        reason: format!("not readable ({error})"),
    };
    let mut card: ModelCard = serde_json::from_slice(&card).map_err(damaged)?;
    card.classes.truncate(1);
    card.classes.extend_from_slice(classes);
    let weights = TensorFile::parse(&store.describe(WEIGHTS), &weights)?;
    let named = |name: &str| -> Result<Named> {
        let (shape, values) = weights.get(name)?;
        Ok(Named { name: name.to_owned(), shape: shape.to_vec(), values: values.to_vec() })
    };
    let tensors = weights.names().into_iter().map(named).collect::<Result<Vec<_>>>()?;
    write(store, &card, &tensors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::store::MemoryStore;

    #[test]
    fn the_head_s_factor_is_in_the_model_s_weights() {
        let named = |name: &str| Named { name: name.into(), shape: vec![2], values: vec![3.0, -1.0] };
        let head = format!("{PYRAMID}0.weight");
        let weights =
            TensorFile::of("run", vec![named(&head), named("segmenter.bias"), named("conv1.weight")]);
        let card = ModelCard::new(&Settings::default(), &["cow".to_owned()], [6, 12, 18, 24]);
        let mut store = MemoryStore::default();
        save(&mut store, &card, &weights, 0.5).unwrap();
        let model = TensorFile::parse(WEIGHTS, &store.files[WEIGHTS]).unwrap();
        assert_eq!(model.get(&head).unwrap().1, [1.5, -0.5]);
        assert_eq!(model.get("segmenter.bias").unwrap().1, [3.0, -1.0]);
        assert_eq!(model.get("conv1.weight").unwrap().1, [3.0, -1.0]);
        assert_eq!(serde_json::from_str::<ModelCard>(&model.metadata["card"]).unwrap(), card);
        assert_eq!(card.classes, ["background", "cow"]);
    }
}
