//! What to start from on this device.

use tag2mask_core::dataset::Summary;
use tag2mask_core::method::deeplab::SCALES;
use tag2mask_core::run::event::DeviceInfo;
use tag2mask_core::run::settings::{AugmentSettings, BackboneName, MethodName, MethodSettings};
use tag2mask_core::run::{Settings, suggest};

use super::device;

/// Side of the sample set's images, pixels.
pub const SAMPLE_SIDE: usize = 128;

/// Images of the sample set: on a slow device something should show within a minute or two.
pub fn sample_images(device: Option<&DeviceInfo>) -> usize {
    if device.is_none_or(device::is_slow) { 60 } else { 160 }
}

/// Core's suggestion for this data and network, on this device; before one is known, for a slow one.
pub fn settings(
    summary: &Summary,
    device: Option<&DeviceInfo>,
    method: MethodName,
    backbone: BackboneName,
) -> Settings {
    suggest::settings(method, backbone, summary, device.is_none_or(device::is_slow))
}

/// Settings of a segmentation network that learns from the masks of `run`: its network and size; what the
/// form says of the rest. How masks are made is not learned, and no part of it.
pub fn segmenter(run: &Settings, form: &Settings) -> Settings {
    Settings {
        method: MethodName::Deeplab,
        augment: AugmentSettings { scales: SCALES.to_vec(), ..run.augment.clone() },
        methods: MethodSettings { deeplab: form.methods.deeplab.clone(), ..run.methods.clone() },
        ..run.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::summary;

    #[test]
    fn a_slow_device_gets_less_to_do() {
        let gpu = DeviceInfo { backend: "webgpu".into(), hardware: true, ..DeviceInfo::default() };
        assert!(sample_images(None) < sample_images(Some(&gpu)));
        let fast = settings(&summary(100), Some(&gpu), MethodName::SpatialBce, BackboneName::Tiny);
        let slow = settings(&summary(100), None, MethodName::SpatialBce, BackboneName::Tiny);
        assert!(slow.methods.cam.epochs < fast.methods.cam.epochs);
    }
}
