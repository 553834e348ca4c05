//! The five terms of Box2Seg and the gradients of their sum, against its formulas in float64.

use burn::tensor::Device;
use burn::tensor::activation::{log_softmax, sigmoid, softmax};

use super::{Measured, read, relative, tensor};
use crate::backbone::weights::TensorFile;
use crate::error::Result;
use crate::method::box2seg::{Box2SegSettings, affinity, background, filling_rate, foreground, grabcut};

const TOLERANCE: f64 = 1e-4;

pub(super) async fn check(name: &str, file: &TensorFile, device: &Device) -> Result<Vec<Measured>> {
    let device = device.clone().autodiff();
    let gamma = Box2SegSettings::default().gamma;
    let input = |what: &str| Ok(tensor::<4>(name, file, what, &device)?.require_grad());
    let inputs = [input("seg_logits")?, input("attention_logits")?, input("embeddings")?];
    let [logits, attention, embeddings] = inputs.clone();
    let boxes = tensor::<4>(name, file, "boxes", &device)?;
    let masks = tensor::<4>(name, file, "grabcut", &device)?;
    let y = log_softmax(logits.clone(), 1);
    let attention = sigmoid(attention);
    let terms = [
        ("grabcut_loss", grabcut(y.clone(), masks.clone())),
        ("foreground_loss", foreground(y.clone(), attention.clone(), boxes.clone())),
        ("background_loss", background(y, boxes.clone())),
        ("filling_rate_loss", filling_rate(attention, boxes, masks, gamma)),
        ("affinity_loss", affinity(embeddings, softmax(logits, 1), usize::MAX)),
    ];
    let sum = terms.iter().skip(1).fold(terms[0].1.clone(), |sum, (_, term)| sum + term.clone());
    let gradients = sum.backward();
    let mut found = Vec::new();
    for (what, term) in terms {
        found.push((what, read(term.inner()).await?));
    }
    for (what, input) in ["grad_seg_logits", "grad_attention_logits", "grad_embeddings"].iter().zip(inputs) {
        let gradient = input.grad(&gradients).unwrap_or_else(|| input.clone().inner().zeros_like());
        found.push((what, read(gradient).await?));
    }
    found
        .into_iter()
        .map(|(what, found)| {
            let error = relative(&found, file.get(what)?.1);
            Ok(Measured { file: name.to_owned(), what: what.to_owned(), error, tolerance: TOLERANCE })
        })
        .collect()
}
