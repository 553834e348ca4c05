//! The formats that masks are exported to, what each is for, and what it is made by.

use super::mask_set::{MaskSet, MaskedPhoto};
use super::{coco, color_png, cut_outs, cvat, index_png, label_studio, labelme, voc, yolo_seg};
use crate::error::Result;
use crate::masks::LabelMap;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// One palette PNG a photo, whose pixels are class numbers.
    IndexPng,
    /// The same in red, green and blue.
    ColorPng,
    /// PASCAL VOC's folders.
    Voc,
    /// COCO's annotations, exact.
    CocoRle,
    /// COCO's annotations, as outlines.
    CocoPolygons,
    /// YOLO's text files of outlines.
    YoloSeg,
    /// CVAT's XML, as outlines.
    CvatPolygons,
    /// CVAT's XML, exact.
    CvatMasks,
    /// LabelMe's JSON.
    LabelMe,
    /// Label Studio's JSON, exact.
    LabelStudio,
    /// What is in the photos, without the rest.
    CutOuts,
}

impl Format {
    /// All of them, in the order that lists show them in.
    pub const ALL: [Self; 11] = [
        Self::IndexPng,
        Self::ColorPng,
        Self::Voc,
        Self::CocoRle,
        Self::CocoPolygons,
        Self::YoloSeg,
        Self::CvatPolygons,
        Self::CvatMasks,
        Self::LabelMe,
        Self::LabelStudio,
        Self::CutOuts,
    ];

    /// Its name on the command line, and of its folder.
    pub const fn id(self) -> &'static str {
        match self {
            Self::IndexPng => "index-png",
            Self::ColorPng => "color-png",
            Self::Voc => "voc",
            Self::CocoRle => "coco-rle",
            Self::CocoPolygons => "coco-polygons",
            Self::YoloSeg => "yolo-seg",
            Self::CvatPolygons => "cvat-polygons",
            Self::CvatMasks => "cvat-masks",
            Self::LabelMe => "labelme",
            Self::LabelStudio => "label-studio",
            Self::CutOuts => "cut-outs",
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IndexPng => "Index PNG",
            Self::ColorPng => "Colour PNG",
            Self::Voc => "PASCAL VOC",
            Self::CocoRle => "COCO, run lengths",
            Self::CocoPolygons => "COCO, polygons",
            Self::YoloSeg => "YOLO segmentation",
            Self::CvatPolygons => "CVAT, polygons",
            Self::CvatMasks => "CVAT, masks",
            Self::LabelMe => "LabelMe",
            Self::LabelStudio => "Label Studio",
            Self::CutOuts => "Cut-outs",
        }
    }

    /// What is in it and what it is for, in one line.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::IndexPng => "a palette PNG a photo, pixels are class numbers: for programs of your own",
            Self::ColorPng => {
                "a PNG a photo in the classes' colours: to look at, and for tools that want RGB"
            }
            Self::Voc => "PASCAL VOC's folders: for training code that reads VOC",
            Self::CocoRle => "COCO's JSON, a run-length mask per photo and class: exact, for pycocotools",
            Self::CocoPolygons => "COCO's JSON, a polygon per region: for training code that wants objects",
            Self::YoloSeg => "YOLO's text files, a polygon per region: for Ultralytics' segmentation",
            Self::CvatPolygons => "CVAT's XML for images 1.1, a polygon per region: to correct by points",
            Self::CvatMasks => "CVAT's XML for images 1.1, a mask per class: exact, to correct by brush",
            Self::LabelMe => "LabelMe's JSON beside each photo, a polygon per region: to correct by points",
            Self::LabelStudio => "Label Studio's tasks, a brush mask per class: exact, to correct by brush",
            Self::CutOuts => "a PNG per photo and class, transparent around the class: for pictures",
        }
    }

    /// Whether it has a place for the photos.
    pub const fn has_photos(self) -> bool {
        !matches!(self, Self::IndexPng | Self::ColorPng | Self::CutOuts)
    }

    /// The format of that [`id`](Self::id).
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.id() == id)
    }

    pub(super) fn plan(self, set: &MaskSet) -> Result<Plan<'_>> {
        match self {
            Self::IndexPng => Ok(index_png::plan(set)),
            Self::ColorPng => color_png::plan(set),
            Self::Voc => Ok(voc::plan(set)),
            Self::CocoRle => coco::plan(set, coco::Segmentation::RunLengths),
            Self::CocoPolygons => coco::plan(set, coco::Segmentation::Polygons),
            Self::YoloSeg => Ok(yolo_seg::plan(set)),
            Self::CvatPolygons => Ok(cvat::plan(set, cvat::Shapes::Polygons)),
            Self::CvatMasks => Ok(cvat::plan(set, cvat::Shapes::Masks)),
            Self::LabelMe => Ok(labelme::plan(set)),
            Self::LabelStudio => Ok(label_studio::plan(set)),
            Self::CutOuts => Ok(cut_outs::plan(set)),
        }
    }
}

/// A file: its path in the format's folder, and its bytes.
pub(super) type File = (String, Vec<u8>);

/// What a format writes.
pub(super) struct Plan<'a> {
    /// What photos' paths start with where the format has a place for them: a folder with its `/`.
    pub(super) photos: Option<&'static str>,
    /// Files that do not depend on any mask.
    pub(super) files: Vec<File>,
    /// What does.
    pub(super) masks: Masks<'a>,
}

/// The files of one photo.
pub(super) type FilesOfPhoto<'a> = dyn FnMut(&MaskedPhoto, &LabelMap) -> Result<Vec<File>> + 'a;
/// What the document says of one photo, the first of which is number 0.
pub(super) type PartOfPhoto<'a> = dyn FnMut(usize, &MaskedPhoto, &LabelMap) -> Result<Vec<u8>> + 'a;

/// How masks are written.
pub(super) enum Masks<'a> {
    /// Files of each photo's own.
    Files(Box<FilesOfPhoto<'a>>),
    /// All in one file.
    Document { path: &'static str, head: Vec<u8>, part: Box<PartOfPhoto<'a>>, tail: &'static str },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_names_that_are_paths_on_every_system() {
        for format in Format::ALL {
            assert_eq!(Format::by_id(format.id()), Some(format));
            assert!(format.id().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
            assert!(
                format.summary().contains(": ")
                    && !format.summary().contains('\n')
                    && !format.name().is_empty()
            );
        }
        assert_eq!(Format::by_id("magic"), None);
    }
}
