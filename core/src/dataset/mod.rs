//! A labelled set of images: what is in each photo, not where.
//!
//! [`read`] finds the layout, the classes and the labels, checks every image's header, and lists what
//! it leaves out and why. [`relabel`] changes labels and classes afterwards. [`decode`] turns bytes into pixels, [`cache`] holds the last ones,
//! [`batch`] makes what a training step eats.

pub mod augment;
pub mod batch;
pub mod boxes;
pub mod cache;
pub mod decode;
mod duplicates;
pub mod header;
pub mod layouts;
pub mod problem;
pub mod relabel;
pub mod sample;
pub(crate) mod stems;
mod summary;
pub mod supplied;
pub mod targets;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::files::Blob;
pub use boxes::ObjectBox;
pub use layouts::{read, read_photos, read_split};
pub use problem::{Problem, ProblemKind};
pub use relabel::Relabel;
pub use supplied::SuppliedMask;

/// One usable image.
#[derive(Clone)]
pub struct Item {
    /// Path in the file set: unique, and what problems and lists show.
    pub path: String,
    /// Where its mask goes, without extension: the file's stem, with its folder where stems repeat.
    pub stem: String,
    /// Columns, after EXIF orientation, pixels.
    pub width: u32,
    /// Rows, after EXIF orientation, pixels.
    pub height: u32,
    /// Foreground classes that are in the image, ascending indices into [`Dataset::classes`].
    pub labels: Vec<u16>,
    /// The compressed image.
    pub image: Arc<dyn Blob>,
    /// Boxes around objects, where the data set has them or somebody has drawn them.
    pub boxes: Vec<ObjectBox>,
    /// The supplied mask, for scoring only.
    pub mask: Option<SuppliedMask>,
}

/// How labels were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// One folder per class.
    ClassFolders,
    /// Images and a table of labels, as `labels.csv`.
    LabelsTable,
    /// Images and a `boxes.csv`, which labels them.
    BoxesTable,
    /// PASCAL VOC's folders.
    Voc,
    /// COCO's annotations.
    Coco,
    /// YOLO's text files of boxes.
    Yolo,
    /// Label Studio's export as JSON.
    LabelStudio,
    /// CVAT's export as XML.
    Cvat,
    /// Annotations as PASCAL VOC's, one XML file an image, in folders of any name.
    VocXml,
    /// Photos without labels.
    Photos,
}

/// A labelled set, ready to train on.
#[derive(Clone)]
pub struct Dataset {
    /// How labels were given.
    pub layout: Layout,
    /// What labels were read from, in one line for a user to confirm: the form, the file, how many classes
    /// and boxes.
    pub finding: String,
    /// Names of the foreground classes; class `c` is value `c + 1` in masks.
    pub classes: Vec<String>,
    /// The usable images, by path.
    pub items: Vec<Item>,
    /// What was left out, and why.
    pub problems: Vec<Problem>,
}

/// What `inspect` prints and the page shows: no bytes, only facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How labels were given.
    pub layout: Layout,
    /// What labels were read from, in one line; empty in summaries that were kept before it was told.
    #[serde(default)]
    pub finding: String,
    /// Names of the foreground classes.
    pub classes: Vec<String>,
    /// Images per foreground class.
    pub images_per_class: Vec<usize>,
    /// Images without any of the classes.
    pub without_class: usize,
    /// Images with two or more classes.
    pub several_classes: usize,
    /// Images that came with a mask (for scoring only).
    pub with_mask: usize,
    /// Boxes around objects, in all images.
    #[serde(default)]
    pub boxes: usize,
    /// The usable images.
    pub images: Vec<ImageSummary>,
    /// What was left out, and why.
    pub problems: Vec<Problem>,
}

/// One usable image, without its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSummary {
    /// Path in the file set.
    pub path: String,
    /// Where its mask goes, without extension.
    pub stem: String,
    /// Columns, pixels.
    pub width: u32,
    /// Rows, pixels.
    pub height: u32,
    /// Ascending class indices.
    pub labels: Vec<u16>,
    /// Boxes around objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<ObjectBox>,
}
