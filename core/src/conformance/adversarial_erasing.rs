//! Attention, mask, erasing and the four terms of adversarial erasing, against its formulas in float64.

use burn::tensor::{Device, Tensor};

use super::{Measured, read, relative, tensor};
use crate::backbone::weights::TensorFile;
use crate::error::Result;
use crate::method::adversarial_erasing::{
    AdversarialErasingSettings, Attention, adversary_loss, attention, attention_mining, class_maps, erase,
    localizer_loss, mask, regularization,
};

const TOLERANCE: f64 = 1e-4;
/// The mask's slope multiplies what rounding leaves of attention.
const BEHIND_THE_MASK: f64 = 1e-3;

pub(super) async fn check(name: &str, file: &TensorFile, device: &Device) -> Result<Vec<Measured>> {
    let device = device.clone().autodiff();
    let slope = AdversarialErasingSettings::published().slope;
    let images = tensor::<4>(name, file, "image", &device)?;
    let [items, _, height, width] = images.dims();
    let features = tensor::<4>(name, file, "features", &device)?.require_grad();
    let weights = tensor::<2>(name, file, "channel_weights", &device)?;
    // Computed for each gradient: a backward pass takes the record with it.
    let attention =
        || attention(class_maps(features.clone(), weights.clone()), Attention::GradCam, height, width);
    let mask = mask(attention(), slope);
    let erased = erase(images, mask.clone());
    let labels = tensor::<2>(name, file, "labels", &device)?;
    let of_localizer = tensor::<2>(name, file, "localizer_logits", &device)?;
    let of_adversary = tensor::<2>(name, file, "adversary_logits", &device)?;
    let mut erased_classes = vec![0.0f32; labels.dims()[1] * items];
    let targets = file.get("target_class")?.1;
    for (row, &class) in erased_classes.chunks_exact_mut(labels.dims()[1].max(1)).zip(targets) {
        if let Some(value) = row.get_mut(class as usize) {
            *value = 1.0;
        }
    }
    let erased_classes = Tensor::<1>::from_data(erased_classes.as_slice(), &device).reshape(labels.dims());

    let gradient = |loss: Tensor<1>| {
        features.grad(&loss.backward()).unwrap_or_else(|| features.clone().inner().zeros_like())
    };
    let mean = regularization(attention());
    let cotangent = tensor::<4>(name, file, "cotangent_erased", &device)?;
    let found = [
        ("attention", TOLERANCE, read(attention().inner()).await?),
        ("mask", BEHIND_THE_MASK, read(mask.inner()).await?),
        ("erased", BEHIND_THE_MASK, read(erased.clone().inner()).await?),
        ("grad_erased_features", BEHIND_THE_MASK, read(gradient((erased * cotangent).sum())).await?),
        ("regularization_loss", TOLERANCE, read(mean.clone().inner()).await?),
        ("grad_regularization_features", TOLERANCE, read(gradient(mean)).await?),
        ("attention_mining_loss", TOLERANCE, {
            read(attention_mining(of_adversary.clone(), erased_classes).inner()).await?
        }),
        ("localizer_bce", TOLERANCE, read(localizer_loss(of_localizer, labels.clone()).inner()).await?),
        ("adversary_loss", TOLERANCE, read(adversary_loss(of_adversary, labels).inner()).await?),
    ];
    found
        .into_iter()
        .map(|(what, tolerance, found)| {
            let error = relative(&found, file.get(what)?.1);
            Ok(Measured { file: name.to_owned(), what: what.to_owned(), error, tolerance })
        })
        .collect()
}
