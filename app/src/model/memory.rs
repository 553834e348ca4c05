//! What a run will take of the device's memory, in words.

use tag2mask_core::dataset::Summary;
use tag2mask_core::memory::{Advice, advice, gigabytes};
use tag2mask_core::run::Settings;
use tag2mask_core::run::event::DeviceInfo;

use super::{device, text};

/// What stands beside the settings: the expectation, and what speaks against the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// "This will take about 1.9 GB of the GPU's memory."
    pub line: String,
    /// Why it may fail, and what would fit.
    pub warning: Option<String>,
}

/// What training with these settings on this data will take on this device.
pub fn expectation(settings: &Settings, summary: &Summary, device: &DeviceInfo) -> Expectation {
    let Advice { fit, warning } = advice(settings, summary.classes.len(), summary.images.len(), device);
    let whose = if device::is_cpu(device) { "the browser's" } else { "the GPU's" };
    let parts = match fit.split.micro_batch {
        all if all >= settings.batch => String::new(),
        1 => ", one photo at a time".into(),
        some => format!(", {some} photos at a time"),
    };
    let line = format!("This will take about {} of {whose} memory{parts}.", gigabytes(fit.bytes));
    Expectation { line, warning: warning.map(|warning| text::sentence(&warning)) }
}

#[cfg(test)]
mod tests {
    use tag2mask_core::run::settings::BackboneName;

    use super::*;
    use crate::model::tests::summary;

    fn gpu() -> DeviceInfo {
        DeviceInfo { backend: "webgpu".into(), hardware: true, ..DeviceInfo::default() }
    }

    #[test]
    fn it_follows_the_form() {
        let settings = Settings { backbone: BackboneName::Resnet38, output_stride: 8, ..Settings::default() };
        let small = expectation(&Settings::default(), &summary(60), &gpu());
        assert!(small.line.contains(" MB of the GPU's memory.") && small.warning.is_none(), "{small:?}");
        let paper = Settings { size: 369, batch: 12, ..settings.clone() };
        let paper = expectation(&paper, &summary(60), &gpu());
        assert!(paper.line.contains(" GB ") && paper.line.contains("at a time."), "{paper:?}");
        assert_eq!(paper.warning, None);
        let large = expectation(&Settings { size: 1024, ..settings }, &summary(60), &gpu());
        let warning = large.warning.unwrap();
        assert!(warning.starts_with("Resnet-38 at 1024 pixels needs about"), "{warning}");
        assert!(warning.contains("a size of ") && warning.ends_with(" would fit."), "{warning}");
    }

    #[test]
    fn the_processor_in_a_browser_has_what_its_addresses_reach() {
        let device = DeviceInfo {
            backend: "cpu".into(),
            memory: Some(1 << 32),
            threads: Some(1),
            ..DeviceInfo::default()
        };
        let settings = Settings {
            backbone: BackboneName::Resnet38,
            output_stride: 8,
            size: 369,
            batch: 12,
            ..Settings::default()
        };
        let found = expectation(&settings, &summary(60), &device);
        assert!(found.line.contains("the browser's memory"), "{found:?}");
    }
}
