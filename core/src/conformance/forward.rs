//! Forward passes, against torchvision's networks and the authors' with parameters that both sides fill by one rule.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::{Measured, read, relative};
use crate::backbone::BackboneConfig;
use crate::backbone::weights::{NameList, Source, Start, TensorFile};
use crate::error::{Error, Result};
use crate::method::LearnerConfig;
use crate::method::spatial_bce::SpatialBceSettings;
use crate::method::spatial_bce::{PublishedNames, SpatialBceConfig};
use crate::run::settings::BackboneName;

const TOLERANCE: f64 = 1e-3;

pub(super) async fn check(
    name: &str,
    network: &str,
    file: &TensorFile,
    device: &Device,
) -> Result<Vec<Measured>> {
    // The rule numbers all names, the classifier's included.
    let (backbone, classifier) = match network {
        "mobilenet_v2" => (BackboneName::MobilenetV2, "classifier.1"),
        "resnet18" => (BackboneName::Resnet18, "fc"),
        "resnet50" => (BackboneName::Resnet50, "fc"),
        "resnet101" => (BackboneName::Resnet101, "fc"),
        "resnet38" => return resnet38(name, file, device).await,
        _ => {
            let reason = format!("no network called {network}");
            return Err(Error::Format { path: name.to_owned(), reason });
        }
    };
    let device = device.clone().inner();
    let input = input(name, file, &device)?;
    let mut measured = Vec::new();
    for (what, stride) in [("features_stride32", 32), ("features_stride16", 16)] {
        let Ok((_, expected)) = file.get(what) else { continue };
        let config = BackboneConfig::new(backbone, stride);
        let mut names = NameList::default();
        config.init(&mut names, &device)?;
        let names = names.entries.into_iter().map(|(name, _)| name);
        let names = names.chain(["weight", "bias"].map(|part| format!("{classifier}.{part}")));
        let network = config.init(&mut RuleSource::new(names), &device)?.valid();
        let error = relative(&read(network.forward(input.clone(), None)).await?, expected);
        measured.push(Measured { file: name.to_owned(), what: what.into(), error, tolerance: TOLERANCE });
    }
    Ok(measured)
}

fn input(name: &str, file: &TensorFile, device: &Device) -> Result<Tensor<4>> {
    let (shape, values) = file.get("input")?;
    let shape: [usize; 4] = shape.try_into().map_err(|_| Error::Format {
        path: name.to_owned(),
        reason: "the input is not [N, 3, H, W]".into(),
    })?;
    Ok(Tensor::from_data(TensorData::new(values.to_vec(), shape), device))
}

/// The authors' whole network: `scores` are `u`, `threshold_logits` `v`.
async fn resnet38(name: &str, file: &TensorFile, device: &Device) -> Result<Vec<Measured>> {
    let device = device.clone().inner();
    let (shape, scores) = file.get("scores")?;
    let (_, threshold) = file.get("threshold_logits")?;
    let classes = shape.get(1).copied().unwrap_or(0);
    let backbone = BackboneConfig::new(BackboneName::Resnet38, 8);
    let config = SpatialBceConfig { backbone, classes, settings: SpatialBceSettings::default() };
    let mut names = NameList::default();
    config.init(&mut PublishedNames::new(&mut names), &device)?;
    let mut rule = RuleSource::new(names.entries.into_iter().map(|(name, _)| name));
    let learner = config.init(&mut PublishedNames::new(&mut rule), &device)?.valid();
    let features = learner.backbone.forward(input(name, file, &device)?, None);
    let found = learner.head.forward(features);
    let mut measured = Vec::new();
    for (what, found, expected) in [("scores", found.0, scores), ("threshold_logits", found.1, threshold)] {
        let error = relative(&read(found).await?, expected);
        measured.push(Measured { file: name.to_owned(), what: what.into(), error, tolerance: TOLERANCE });
    }
    Ok(measured)
}

/// Fills tensors by their place among the sorted names.
struct RuleSource {
    names: Vec<String>,
}

impl RuleSource {
    fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_unstable();
        Self { names }
    }
}

impl Source for RuleSource {
    fn take(&mut self, name: &str, shape: &[usize], _start: Start) -> Result<Vec<f32>> {
        let place = self.names.binary_search_by(|each| each.as_str().cmp(name)).unwrap_or(0) as u32;
        let count: usize = shape.iter().product();
        let fan_in = count / shape.first().copied().unwrap_or(1).max(1);
        let part = name.rsplit('.').next().unwrap_or(name);
        let value = |index: usize| {
            let s = hash(place, index as u32);
            match (part, shape.len()) {
                ("running_var", _) => 1.0 + 0.1 * s * s,
                ("temperature", _) => 10f64.ln() + 0.1 * s,
                ("weight", 1) => 1.0 + 0.1 * s,
                (_, 1) => 0.1 * s,
                _ => s * (3.0 / fan_in as f64).sqrt(),
            }
        };
        Ok((0..count).map(|index| value(index) as f32).collect())
    }
}

/// A number in −1..1 from the place of a tensor and of an element in it.
fn hash(place: u32, index: u32) -> f64 {
    let mut h = index
        .wrapping_add(1)
        .wrapping_mul(2_654_435_761)
        .wrapping_add(place.wrapping_add(1).wrapping_mul(40_503));
    for _ in 0..2 {
        h = (h ^ (h >> 16)).wrapping_mul(0x045d_9f3b);
    }
    h ^= h >> 16;
    f64::from(h) / f64::from(1u32 << 31) - 1.0
}
