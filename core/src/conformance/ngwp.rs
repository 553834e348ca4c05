//! Scores of the normalised global weighted pooling and their gradient.

use burn::tensor::Device;

use super::{Measured, read, relative, tensor};
use crate::backbone::weights::TensorFile;
use crate::error::Result;
use crate::method::adaptive_affinity::pooling::score;

const TOLERANCE: f64 = 1e-4;

pub(super) async fn check(name: &str, file: &TensorFile, device: &Device) -> Result<Vec<Measured>> {
    let logits = tensor::<4>(name, file, "class_logits", &device.clone().autodiff())?.require_grad();
    let score = score(logits.clone());
    let gradients = score.clone().sum().backward();
    let gradient = logits.grad(&gradients).unwrap_or_else(|| logits.clone().inner().zeros_like());
    let mut measured = Vec::new();
    for (what, found) in
        [("score", read(score.inner()).await?), ("grad_sum_score_class_logits", read(gradient).await?)]
    {
        let error = relative(&found, file.get(what)?.1);
        measured.push(Measured { file: name.to_owned(), what: what.into(), error, tolerance: TOLERANCE });
    }
    Ok(measured)
}
