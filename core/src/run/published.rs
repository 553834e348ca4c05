//! A checkpoint of the authors' program as a trained run, so that masks can be made with it.

use super::checkpoint::{Position, RunCard, Trained};
use super::settings::{BackboneName, MaskSettings, MethodName, Settings, Threshold, ViewSize};
use crate::backbone::BackboneConfig;
use crate::backbone::weights::{FileSource, NameList, Named, Source, Start, TensorFile};
use crate::error::{Error, Result};
use crate::method::LearnerConfig;
use crate::method::spatial_bce::{PublishedNames, SpatialBceConfig, published_classes};

/// Side that the authors train at, pixels (METHODS §1).
const SIDE: usize = 369;

/// The run that a checkpoint of the authors' program stands for: ResNet-38, masks from views of the photo's
/// own size at four scales.
///
/// # Errors
/// [`Error::Weights`] when tensors are missing or do not fit, [`Error::NoData`] when the data set has
/// another number of classes, and [`Error::Format`] for a file that is no such checkpoint.
pub fn published(file: &TensorFile, classes: &[String], device: &burn::tensor::Device) -> Result<Trained> {
    let count = published_classes(file).ok_or_else(|| Error::Format {
        path: file.path().to_owned(),
        reason: "neither a run's folder nor a checkpoint of the Spatial-BCE program".into(),
    })?;
    if count != classes.len() {
        return Err(Error::NoData {
            reason: format!("the checkpoint knows {count} classes, the data set has {}", classes.len()),
        });
    }
    let settings = Settings {
        backbone: BackboneName::Resnet38,
        output_stride: 8,
        size: SIDE,
        masks: MaskSettings {
            views: ViewSize::Photo,
            threshold: Threshold::Published,
            ..MaskSettings::default()
        },
        ..Settings::default()
    };
    let backbone = BackboneConfig::new(settings.backbone, settings.output_stride);
    let config =
        SpatialBceConfig { backbone, classes: count, settings: settings.methods.spatial_bce.clone() };
    let NameList { entries } = config.names(device)?;
    let mut source = FileSource::all(file);
    let mut theirs = PublishedNames::new(&mut source);
    let taken = entries.into_iter().map(|(name, shape)| {
        // Everything is in the file, so that nothing starts from this.
        let values = theirs.take(&name, &shape, Start::Constant(0.0))?;
        Ok(Named { name, shape, values })
    });
    let weights = TensorFile::of(file.path(), taken.collect::<Result<Vec<_>>>()?);
    Ok(Trained {
        card: RunCard::new(&settings, classes, 0),
        network: MethodName::SpatialBce,
        position: Position { round: settings.methods.spatial_bce.rounds, step: 0 },
        weights,
    })
}
