//! A folder of masks: a palette PNG for each image under the image's stem, and `classes.txt`.

use std::path::{Path, PathBuf};

use super::{atomic, classes_txt, palette_png};
use crate::error::Result;
use crate::masks::LabelMap;

/// Where the mask of an image stands.
pub fn path(folder: &Path, stem: &str) -> PathBuf {
    folder.join(format!("{stem}.png"))
}

/// Writes the mask of an image.
///
/// # Errors
/// As [`palette_png::encode`] and [`atomic::write`].
pub fn write(folder: &Path, stem: &str, labels: &LabelMap) -> Result<()> {
    atomic::write(path(folder, stem), &palette_png::encode(labels)?)
}

/// Writes the names of the classes.
///
/// # Errors
/// As [`atomic::write`].
pub fn write_classes(folder: &Path, classes: &[String]) -> Result<()> {
    atomic::write(folder.join(classes_txt::NAME), &classes_txt::encode(classes))
}
