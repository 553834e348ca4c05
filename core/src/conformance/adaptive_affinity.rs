//! The adaptive affinity loss and its gradient, against the authors' program.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Measured, read, relative, tensor};
use crate::backbone::weights::TensorFile;
use crate::error::{Error, Result};
use crate::method::adaptive_affinity::affinity::affinity_loss;

const TOLERANCE: f64 = 1e-4;

pub(super) async fn check(name: &str, file: &TensorFile, device: &Device) -> Result<Vec<Measured>> {
    let held = device.clone().inner();
    let logits = tensor::<4>(name, file, "logits", &device.clone().autodiff())?.require_grad();
    let confidence = tensor::<3>(name, file, "confidence", &held)?;
    let targets = targets(name, file.get("labels")?.1, logits.dims(), &held)?;
    let [count, _, height, width] = logits.dims();
    if confidence.dims() != [count, height, width] {
        let reason = "confidence is not as large as the logits".into();
        return Err(Error::Format { path: name.to_owned(), reason });
    }
    let loss = affinity_loss(logits.clone(), targets, confidence.unsqueeze_dim(1), None);
    let gradient = logits.grad(&loss.backward()).unwrap_or_else(|| logits.clone().inner().zeros_like());
    let mut measured = Vec::new();
    for (what, found) in [("loss", read(loss.inner()).await?), ("grad_logits", read(gradient).await?)] {
        let error = relative(&found, file.get(what)?.1);
        measured.push(Measured { file: name.to_owned(), what: what.into(), error, tolerance: TOLERANCE });
    }
    Ok(measured)
}

/// 1 at each pixel's label, all 0 where it has none of these.
fn targets(name: &str, values: &[f32], shape: [usize; 4], device: &Device) -> Result<Tensor<4>> {
    let [count, labels, height, width] = shape;
    let pixels = height * width;
    if values.len() != count * pixels {
        let reason = "labels are not as large as the logits".into();
        return Err(Error::Format { path: name.to_owned(), reason });
    }
    let mut data = vec![0.0f32; count * labels * pixels];
    for (place, &value) in values.iter().enumerate() {
        // A number below 0 becomes 0, but the files have none.
        let label = value as usize;
        if label < labels {
            data[(place / pixels * labels + label) * pixels + place % pixels] = 1.0;
        }
    }
    Ok(Tensor::from_data(TensorData::new(data, shape), device))
}
