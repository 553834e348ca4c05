//! The three terms of Spatial-BCE and their gradients, against the authors' program.

use burn::tensor::Device;

use super::{Measured, read, relative, tensor};
use crate::backbone::weights::TensorFile;
use crate::error::Result;
use crate::method::spatial_bce::{network_loss, share_loss, threshold_loss};

const TOLERANCE: f64 = 1e-4;

pub(super) async fn check(name: &str, file: &TensorFile, device: &Device) -> Result<Vec<Measured>> {
    let device = device.clone().autodiff();
    let shares = file.get("foreground")?.1;
    let labels = tensor::<2>(name, file, "labels", &device)?;
    let present = file.get("labels")?.1.iter().filter(|&&label| label > 0.5).count();
    let logits = tensor::<4>(name, file, "logits", &device)?.require_grad();
    let threshold = tensor::<4>(name, file, "threshold_logits", &device)?.require_grad();
    let terms = [
        ("network", "logits", network_loss(logits.clone(), labels.clone(), shares)),
        (
            "threshold",
            "threshold_logits",
            threshold_loss(logits.clone(), threshold.clone(), labels.clone(), None),
        ),
        ("kl", "logits", share_loss(logits.clone(), labels, shares, present)),
    ];
    let mut measured = Vec::new();
    for (term, input, loss) in terms {
        let of = if input == "logits" { &logits } else { &threshold };
        let gradient = of.grad(&loss.backward()).unwrap_or_else(|| of.clone().inner().zeros_like());
        for (what, found) in [
            (format!("{term}_loss"), read(loss.inner()).await?),
            (format!("{term}_grad_{input}"), read(gradient).await?),
        ] {
            let error = relative(&found, file.get(&what)?.1);
            measured.push(Measured { file: name.to_owned(), what, error, tolerance: TOLERANCE });
        }
    }
    Ok(measured)
}
