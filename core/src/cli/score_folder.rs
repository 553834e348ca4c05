//! A folder of score maps: an `.npy` for each image under the image's stem, and the names of the maps.

use std::path::Path;

use tag2mask_core::Result;
use tag2mask_core::export::atomic;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::score_file::{CHANNELS, ScoreFile, channels};

/// Writes the maps of an image.
///
/// # Errors
/// As [`atomic::write`].
pub fn write(folder: &Path, stem: &str, scores: &ScoreFile) -> Result<()> {
    let mut pending = atomic::Pending::new(folder.join(format!("{stem}.npy")))?;
    scores.parts().try_for_each(|part| pending.write(&part))?;
    pending.finish()
}

/// Writes the names of a network's maps.
///
/// # Errors
/// As [`atomic::write`].
pub fn write_channels(folder: &Path, trained: &Trained) -> Result<()> {
    atomic::write(folder.join(CHANNELS), &channels(trained))
}
