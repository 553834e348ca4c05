//! Settings to start from, for a data set and a backbone: what the page and the CLI offer.

use super::settings::{BackboneName, MethodName, Settings};
use crate::dataset::Summary;
use crate::method::Situation;

/// Sane settings for this data and backbone. On a `slow` device (a CPU in a browser, a software
/// rasteriser) fewer steps on smaller images show something within minutes.
pub fn settings(method: MethodName, backbone: BackboneName, summary: &Summary, slow: bool) -> Settings {
    let mut settings = Settings { method, backbone, ..Settings::default() };
    let images = summary.images.len().max(1);
    settings.batch = settings.batch.min(images);
    let situation = Situation {
        from_scratch: backbone.trains_from_scratch(),
        slow,
        steps_per_epoch: images.div_ceil(settings.batch),
    };
    // Small images of small things: half the stride sees them twice as finely at a bearable cost.
    settings.output_stride = if situation.from_scratch { 8 } else { backbone.output_strides()[0] };
    let largest_side = situation.by_start(160, 224);
    let largest_side = if slow { largest_side * 2 / 3 } else { largest_side };
    settings.size = typical_side(summary).clamp(64, largest_side / 32 * 32);
    // Of every method: a form may change it.
    MethodName::ALL.iter().for_each(|name| name.method().suggest(&mut settings, &situation));
    if situation.from_scratch {
        // All of it is new; and what is far from a minimum takes steps that are too long.
        settings.optimizer.head_factor = 5.0;
        settings.optimizer.max_gradient_norm = 1.0;
        // What it knows is how things look at the size that it saw them.
        settings.masks.scales = vec![1.0, 1.5];
    }
    if slow {
        settings.masks.scales = vec![1.0];
    }
    method.method().suit(&mut settings);
    settings
}

/// The median of the longer sides, down to a multiple of 32.
fn typical_side(summary: &Summary) -> usize {
    let mut sides: Vec<u32> = summary.images.iter().map(|image| image.width.max(image.height)).collect();
    sides.sort_unstable();
    sides.get(sides.len() / 2).copied().unwrap_or(224) as usize / 32 * 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ImageSummary, Layout};

    fn summary(images: usize, side: u32) -> Summary {
        let image = |index: usize| ImageSummary {
            path: format!("{index}.png"),
            stem: index.to_string(),
            width: side,
            height: side / 2,
            labels: vec![0],
            boxes: Vec::new(),
        };
        Summary {
            layout: Layout::LabelsTable,
            finding: String::new(),
            classes: vec!["a".into()],
            images_per_class: vec![images],
            without_class: 0,
            several_classes: 0,
            with_mask: 0,
            boxes: 0,
            images: (0..images).map(image).collect(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn suggestions_pass_the_check_everywhere() {
        for images in [0, 1, 7, 60, 5000] {
            for side in [16, 128, 4000] {
                for backbone in BackboneName::ALL {
                    for (method, slow) in MethodName::ALL.into_iter().flat_map(|m| [(m, false), (m, true)]) {
                        let settings = settings(method, backbone, &summary(images, side), slow);
                        settings.check().unwrap();
                        assert_eq!(settings.size % 32, 0);
                    }
                }
            }
        }
    }

    #[test]
    fn small_images_are_not_enlarged_and_large_sets_take_fewer_epochs() {
        assert_eq!(settings(MethodName::SpatialBce, BackboneName::Tiny, &summary(60, 100), false).size, 96);
        let few = settings(MethodName::SpatialBce, BackboneName::MobilenetV2, &summary(60, 300), false);
        let many = settings(MethodName::SpatialBce, BackboneName::MobilenetV2, &summary(5000, 300), false);
        assert!(many.methods.cam.epochs < few.methods.cam.epochs);
        assert_eq!(many.size, 224);
    }
}
