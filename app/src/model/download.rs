//! What can be downloaded of masks: a format that says where each class is, or what the masks were cut from.

use tag2mask_core::dataset::Summary;
use tag2mask_core::export::Format;
use tag2mask_core::run::Settings;

use super::text;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Download {
    /// Masks in a format.
    Masks(Format),
    /// What the network says of every class at every pixel.
    ScoreMaps,
}

impl Download {
    /// All of them, in the order that the list shows them in.
    pub fn all() -> impl Iterator<Item = Self> {
        Format::ALL.into_iter().map(Self::Masks).chain([Self::ScoreMaps])
    }

    /// Its value in the list.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Masks(format) => format.id(),
            Self::ScoreMaps => "score-maps",
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Masks(format) => format.name(),
            Self::ScoreMaps => "Score maps (NumPy)",
        }
    }

    /// What is in it and what it is for.
    pub fn help(self) -> String {
        match self {
            Self::Masks(format) => text::sentence(format.summary()),
            Self::ScoreMaps => "What the network says of every class at every pixel, before thresholds and \
                                refinement: an .npy a photo, float32, for programs of your own. The photos are \
                                looked at once more."
                .to_string(),
        }
    }

    /// What it is called in a sentence.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Masks(_) => "masks",
            Self::ScoreMaps => "score maps",
        }
    }

    /// Whether photos can come along.
    pub const fn has_photos(self) -> bool {
        match self {
            Self::Masks(format) => format.has_photos(),
            Self::ScoreMaps => false,
        }
    }

    /// That of an [`id`](Self::id).
    pub fn by_id(id: &str) -> Option<Self> {
        Self::all().find(|each| each.id() == id)
    }
}

/// How large the score maps of a data set will be: there may be thousands of times as many bytes as in its masks.
pub fn size_of_score_maps(summary: &Summary, settings: &Settings) -> String {
    let has_background = !settings.method.method().reading(settings).has_threshold();
    let pixels = |size: (u32, u32)| u64::from(size.0) * u64::from(size.1);
    let all = summary.images.iter().map(|image| pixels((image.width, image.height))).sum();
    size_of_maps(all, summary.classes.len() + usize::from(has_background))
}

/// How large so many maps of so many pixels are.
pub fn size_of_maps(pixels: u64, maps: usize) -> String {
    text::file_size(pixels.saturating_mul((maps * size_of::<f32>()) as u64))
}

#[cfg(test)]
mod tests {
    use tag2mask_core::method::MethodName;

    use super::*;
    use crate::model::tests::summary;

    #[test]
    fn every_kind_is_found_by_its_id() {
        for each in Download::all() {
            assert_eq!(Download::by_id(each.id()), Some(each));
        }
        assert_eq!(Download::all().count(), Format::ALL.len() + 1);
        assert_eq!(Download::by_id("magic"), None);
    }

    #[test]
    fn score_maps_have_a_map_a_class_and_of_a_segmenter_one_of_the_background() {
        // Ten photos of 320 × 240, three classes.
        let of = |method| size_of_score_maps(&summary(10), &Settings { method, ..Settings::default() });
        assert_eq!(of(MethodName::SpatialBce), "9.2 MB");
        assert_eq!(of(MethodName::Deeplab), "12 MB");
    }
}
