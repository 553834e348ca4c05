//! Pixel-adaptive mask refinement, against its authors' program.

use burn::tensor::Device;

use super::{Measured, read, relative, tensor};
use crate::backbone::weights::TensorFile;
use crate::error::Result;
use crate::method::adaptive_affinity::refine::refine;

const TOLERANCE: f64 = 1e-4;
/// Iterations of the reference.
const ITERATIONS: usize = 10;

pub(super) async fn check(name: &str, file: &TensorFile, device: &Device) -> Result<Vec<Measured>> {
    let device = device.clone().inner();
    let image = tensor::<4>(name, file, "image", &device)?;
    let masks = tensor::<4>(name, file, "masks", &device)?;
    let refined = read(refine(image, masks, ITERATIONS)).await?;
    let error = relative(&refined, file.get("refined")?.1);
    Ok(vec![Measured { file: name.to_owned(), what: "refined".into(), error, tolerance: TOLERANCE }])
}
