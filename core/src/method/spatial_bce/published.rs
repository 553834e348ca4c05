//! The tensors of the head under the names that the authors' checkpoints have (METHODS §1). Their score
//! branch holds one matrix of a row per class, and neither the factor on the features nor the bias, which
//! are ours.

use super::HIDDEN;
use super::head::{DOWNSAMPLE, FEATURE_SCALE, SCORE, SCORE_BIAS, TEMPERATURE, THRESHOLD};
use crate::backbone::weights::{Source, Start, TensorFile};
use crate::error::Result;

/// Gives our head the tensors of a source in the authors' names; other names are passed on.
pub struct PublishedNames<'a> {
    source: &'a mut dyn Source,
}

impl<'a> PublishedNames<'a> {
    /// Asks `source` by the authors' names.
    pub fn new(source: &'a mut dyn Source) -> Self {
        Self { source }
    }
}

impl Source for PublishedNames<'_> {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        match name {
            FEATURE_SCALE => Ok(vec![1.0; shape.iter().product()]),
            SCORE_BIAS => Ok(vec![0.0; shape.iter().product()]),
            SCORE => {
                let (classes, width) = (shape[0], shape[1]);
                let mut rows = Vec::with_capacity(classes * width);
                for class in 0..classes {
                    let name = format!("fc_list.{class}.weight");
                    rows.extend(self.source.take(&name, &[1, width, 1, 1], start)?);
                }
                Ok(rows)
            }
            DOWNSAMPLE | THRESHOLD => {
                let theirs = if name == DOWNSAMPLE { "mask_layer_downsample" } else { "threshold" };
                self.source.take(&format!("{theirs}.weight"), &[shape[0], shape[1], 1, 1], start)
            }
            TEMPERATURE => self.source.take("temperature", shape, start),
            _ => self.source.take(name, shape, start),
        }
    }
}

/// Foreground classes of a checkpoint of the authors' program; `None` for any other file, and for one with
/// more classes than their hidden layer has rows, which ours could not hold.
pub fn published_classes(file: &TensorFile) -> Option<usize> {
    let (shape, _) = file.get("temperature").ok()?;
    let classes = shape.iter().product();
    let has_head = file.get("threshold.weight").is_ok() && file.get("mask_layer_downsample.weight").is_ok();
    (has_head && (1..=HIDDEN).contains(&classes)).then_some(classes)
}
