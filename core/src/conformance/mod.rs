//! Whether a device computes what the references say: the same checks run natively, in the page's
//! worker on WebGPU, and by anyone who doubts their driver.
//!
//! A reference is a `.safetensors` file whose name says which computation it is of; shapes come from
//! the file.

mod adaptive_affinity;
mod adversarial_erasing;
mod box2seg;
mod dense_crf;
mod forward;
mod ngwp;
mod pamr;
mod spatial_bce;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use crate::backbone::weights::TensorFile;
use crate::error::{Error, Result};
use crate::tensor::read_all;

/// One computation's distance from its reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The reference file.
    pub file: String,
    /// What was computed.
    pub what: String,
    /// Relative error, or share of differing pixels.
    pub error: f64,
    /// The largest error that passes.
    pub tolerance: f64,
}

impl Measured {
    /// Whether the error is a number within the tolerance.
    pub fn passes(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// Computes what the reference file `name` is of, on `device` (without autodiff).
///
/// # Errors
/// [`Error::Format`] for a file whose name says nothing known, and those of the computation.
pub async fn check(name: &str, bytes: &[u8], device: &Device) -> Result<Vec<Measured>> {
    let file = TensorFile::parse(name, bytes)?;
    if name.starts_with("spatial_bce_") {
        spatial_bce::check(name, &file, device).await
    } else if name.starts_with("adaptive_affinity_") {
        adaptive_affinity::check(name, &file, device).await
    } else if name.starts_with("ngwp_") {
        ngwp::check(name, &file, device).await
    } else if name.starts_with("pamr_") {
        pamr::check(name, &file, device).await
    } else if name.starts_with("dense_crf_") {
        dense_crf::check(name, &file)
    } else if name.starts_with("adversarial_erasing_") {
        adversarial_erasing::check(name, &file, device).await
    } else if name.starts_with("box2seg_") {
        box2seg::check(name, &file, device).await
    } else if let Some(network) =
        name.strip_suffix(".safetensors").and_then(|name| name.strip_suffix("_forward"))
    {
        forward::check(name, network, &file, device).await
    } else {
        Err(Error::Format { path: name.to_owned(), reason: "not the name of a known reference".into() })
    }
}

/// `‖found − expected‖ / ‖expected‖`; absolute where the reference is zero.
fn relative(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let difference = norm(&mut found.iter().zip(expected).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let size = norm(&mut expected.iter().map(|&value| f64::from(value)));
    if size == 0.0 { difference } else { difference / size }
}

/// A tensor of the file on the device; `path` is what errors name.
fn tensor<const D: usize>(path: &str, file: &TensorFile, name: &str, device: &Device) -> Result<Tensor<D>> {
    let (shape, values) = file.get(name)?;
    let shape: [usize; D] = shape.try_into().map_err(|_| Error::Format {
        path: path.to_owned(),
        reason: format!("tensor {name} has {} dimensions, expected {D}", shape.len()),
    })?;
    Ok(Tensor::from_data(TensorData::new(values.to_vec(), shape), device))
}

/// The values of one tensor.
async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    Ok(read_all(vec![tensor]).await?.pop().unwrap_or_default())
}
