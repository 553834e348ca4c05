//! A fully connected conditional random field that makes labels follow the edges of the photo:
//! Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials",
//! NeurIPS 2011. Mean-field inference; the pairwise terms are two Gaussian filters (smoothness in
//! space, appearance in space and colour) with Potts compatibility and symmetric normalisation.

mod field;
mod unary;

use self::field::Field;
use super::label_map::{IGNORE, LabelMap};
use super::rescale;
use crate::error::{Error, Result};
use crate::run::settings::CrfSettings;

/// Photos with more pixels are refined at this size and the probabilities enlarged again: the kernels
/// are given in pixels of ordinary photos, and the lattice takes a few hundred bytes a pixel.
pub const REFINED_PIXELS: usize = 1 << 19;

/// `labels` made to follow the edges of `image_rgb` (height × width × 3 bytes).
///
/// The field has a label for the background, for each of `present` (the foreground classes that the
/// image is known to have), and for every label that occurs. [`IGNORE`] pixels start without an opinion
/// and come out labelled. Only labels that occur can come out, so a map with a single label is returned
/// as it is.
///
/// # Errors
/// [`Error::Setting`] for kernels that cannot be used; [`Error::Format`] when image and labels differ in
/// size.
pub fn refine(
    image_rgb: &[u8],
    labels: &LabelMap,
    present: &[u16],
    settings: &CrfSettings,
) -> Result<LabelMap> {
    check(image_rgb, labels, settings)?;
    let mut used = [false; 256];
    labels.labels.iter().for_each(|&label| used[usize::from(label)] = true);
    let occurring = (0..IGNORE).filter(|&label| used[usize::from(label)]).count();
    if occurring == 0 || (occurring == 1 && !used[usize::from(IGNORE)]) {
        return Ok(labels.clone());
    }
    used[0] = true;
    for &class in present {
        if usize::from(class) < usize::from(IGNORE) - 1 {
            used[usize::from(class) + 1] = true;
        }
    }
    let n_labels = used[..usize::from(IGNORE)].iter().filter(|&&used| used).count();

    let size = (labels.width, labels.height);
    let small = rescale::bounded(labels.width, labels.height, REFINED_PIXELS);
    if small == size {
        let field = Field::infer(image_rgb, labels, n_labels, settings)?;
        return Ok(field.strongest(size));
    }
    let image = rescale::shrink_rgb(image_rgb, size, small);
    let field = Field::infer(&image, &rescale::resize_labels(labels, small), n_labels, settings)?;
    Ok(field.strongest(size))
}

/// Probabilities `[n_labels, height, width]` of the labels `0..n_labels`, at the photo's own size.
///
/// # Errors
/// As [`refine`]; [`Error::Format`] also for a label that is neither below `n_labels` nor [`IGNORE`].
pub fn mean_field(
    image_rgb: &[u8],
    labels: &LabelMap,
    n_labels: usize,
    settings: &CrfSettings,
) -> Result<Vec<f32>> {
    check(image_rgb, labels, settings)?;
    if let Some(label) =
        labels.labels.iter().find(|&&label| label != IGNORE && usize::from(label) >= n_labels)
    {
        return Err(refuse(format!("label {label} where there are {n_labels}")));
    }
    let field = Field::infer(image_rgb, labels, n_labels, settings)?;
    let pixels = labels.labels.len();
    let mut all = vec![0.0; n_labels * pixels];
    for (label, plane) in all.chunks_exact_mut(pixels.max(1)).enumerate() {
        let lane = field.groups.iter().position(|&group| usize::from(group) == label);
        for (q, value) in field.q.chunks_exact(field.lanes()).zip(plane) {
            *value = match lane {
                Some(lane) => q[lane],
                None => (1.0 - q.iter().sum::<f32>()).max(0.0) / field.absent as f32,
            };
        }
    }
    Ok(all)
}

fn check(image_rgb: &[u8], labels: &LabelMap, settings: &CrfSettings) -> Result<()> {
    let pixels = labels.labels.len();
    if labels.width.checked_mul(labels.height) != Some(pixels)
        || pixels.checked_mul(3) != Some(image_rgb.len())
    {
        return Err(refuse(format!(
            "{} bytes of colour and {pixels} labels for {} × {} pixels",
            image_rgb.len(),
            labels.width,
            labels.height
        )));
    }
    let setting = |name, reason: &str| Err(Error::Setting { name, reason: reason.into() });
    if !(settings.certainty > 0.0 && settings.certainty < 1.0) {
        return setting("crf.certainty", "is not between 0 and 1");
    }
    for (name, deviation) in [
        ("crf.gaussian_xy", settings.gaussian_xy),
        ("crf.bilateral_xy", settings.bilateral_xy),
        ("crf.bilateral_rgb", settings.bilateral_rgb),
    ] {
        if !(deviation > 0.0 && deviation.is_finite()) {
            return setting(name, "is not above 0");
        }
    }
    for (name, weight) in [
        ("crf.gaussian_weight", settings.gaussian_weight),
        ("crf.bilateral_weight", settings.bilateral_weight),
    ] {
        if !(weight >= 0.0 && weight.is_finite()) {
            return setting(name, "is below 0");
        }
    }
    Ok(())
}

fn refuse(reason: String) -> Error {
    Error::Format { path: "dense CRF".into(), reason }
}

#[cfg(test)]
mod tests;
