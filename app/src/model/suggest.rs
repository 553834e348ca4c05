//! Settings to start from, from the data and the device.

use tag2mask_core::dataset::Summary;
use tag2mask_core::run::Settings;
use tag2mask_core::run::event::DeviceInfo;
use tag2mask_core::run::settings::BackboneName;

use super::device;

/// Images of the sample set, by device: a slow one should show something within a minute or two.
pub fn sample_images(device: Option<&DeviceInfo>) -> usize {
    if device.is_none_or(device::is_slow) { 60 } else { 160 }
}

/// Side of the sample set's images, pixels.
pub const SAMPLE_SIDE: usize = 128;

/// Optimiser steps of the first round that a network learns something in.
fn first_round_steps(backbone: BackboneName, slow: bool) -> usize {
    match (backbone.trains_from_scratch(), slow) {
        (true, false) => 600,
        (true, true) => 240,
        (false, false) => 200,
        (false, true) => 100,
    }
}

/// Sane settings for this data on this device and with this network.
pub fn settings(summary: &Summary, device: Option<&DeviceInfo>, backbone: BackboneName) -> Settings {
    let slow = device.is_none_or(device::is_slow);
    let mut settings = Settings { backbone, ..Settings::default() };
    let images = summary.images.len().max(1);
    settings.batch = settings.batch.min(images);
    settings.size = size(summary, backbone, slow);
    let steps_per_pass = images.div_ceil(settings.batch);
    let passes = |steps: usize, least: usize, most: usize| steps.div_ceil(steps_per_pass).clamp(least, most);
    let first = first_round_steps(backbone, slow);
    settings.cam.epochs = passes(first, 2, 40);
    settings.spatial_bce.epochs = passes(first, 2, 20);
    if slow {
        settings.spatial_bce.rounds = 1;
        settings.masks.scales = vec![1.0, 0.5];
    }
    settings
}

/// The typical photo's longer side, in steps of 32, within what network and device bear.
fn size(summary: &Summary, backbone: BackboneName, slow: bool) -> usize {
    let mut sides: Vec<u32> = summary.images.iter().map(|image| image.width.max(image.height)).collect();
    sides.sort_unstable();
    let typical = sides.get(sides.len() / 2).copied().unwrap_or(224) as usize;
    let most = match (backbone.trains_from_scratch(), slow) {
        (true, true) => 96,
        (true, false) => 160,
        (false, true) => 160,
        (false, false) => 224,
    };
    (typical / 32 * 32).clamp(64, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::summary;

    fn gpu() -> DeviceInfo {
        DeviceInfo { backend: "webgpu".into(), hardware: true, ..DeviceInfo::default() }
    }

    #[test]
    fn suggestions_pass_the_check_everywhere() {
        for images in [0, 1, 7, 60, 5000] {
            for device in [None, Some(&gpu()), Some(&DeviceInfo::default())] {
                for backbone in BackboneName::ALL {
                    let settings = settings(&summary(images), device, backbone);
                    settings.check().unwrap();
                    assert_eq!(settings.backbone, backbone);
                    assert_eq!(settings.size % 32, 0);
                }
            }
        }
    }

    #[test]
    fn slow_devices_and_many_photos_get_fewer_passes() {
        let fast = settings(&summary(100), Some(&gpu()), BackboneName::Tiny);
        let slow = settings(&summary(100), None, BackboneName::Tiny);
        assert!(slow.cam.epochs < fast.cam.epochs && slow.size < fast.size);
        let many = settings(&summary(5000), Some(&gpu()), BackboneName::Tiny);
        assert!(many.cam.epochs < fast.cam.epochs);
    }
}
