//! A fully connected conditional random field that makes labels follow the edges of the photo:
//! Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials",
//! NeurIPS 2011. Mean-field inference; the pairwise terms are two Gaussian filters (smoothness in
//! space, appearance in space and colour) with Potts compatibility and symmetric normalisation.
//!
//! What a pixel says for itself comes from a label and how certain it is, for masks that labels of images
//! were turned into (METHODS §1); or from the probabilities of a segmentation network, as DeepLab does it
//! (Chen et al., "DeepLab", TPAMI 2018, §3.3).

mod field;
mod unary;

use self::field::Field;
use super::label_map::{IGNORE, LabelMap};
use super::rescale;
use super::score_maps::ScoreMaps;
use crate::error::{Error, Result};
use crate::run::settings::CrfSettings;

/// Photos with more pixels are refined at this size and the probabilities enlarged again: the kernels
/// are given in pixels of ordinary photos, and the lattice takes a few hundred bytes a pixel.
pub const REFINED_PIXELS: usize = 1 << 19;

/// A label whose probability stays below this at every pixel takes no part in the field: what it receives
/// from its neighbours is some ten times its probability at most, which is nothing beside the label that it
/// would have to overtake.
const NEGLIGIBLE: f32 = 1e-3;

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
    check(image_rgb, (labels.width, labels.height), labels.labels.len(), settings)?;
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
        let field = Field::of_labels(image_rgb, labels, n_labels, settings)?;
        return Ok(field.strongest(size));
    }
    let image = rescale::shrink_rgb(image_rgb, size, small);
    let field = Field::of_labels(&image, &rescale::resize_labels(labels, small), n_labels, settings)?;
    Ok(field.strongest(size))
}

/// The size that the field of a photo is inferred at: its own, or a smaller one.
pub fn refined_size(width: usize, height: usize) -> (usize, usize) {
    rescale::bounded(width, height, REFINED_PIXELS)
}

/// Labels of `image_rgb` (height × width × 3 bytes) from the probabilities that a network gives its pixels,
/// made to follow the photo's edges.
///
/// `probabilities` are those of every label, the background first, 0 to 1, adding up to 1 at each pixel. They
/// may be of another size than the photo, usually [`refined_size`]: the field has theirs. Labels below 0.001
/// everywhere are left out.
///
/// # Errors
/// [`Error::Setting`] for kernels that cannot be used; [`Error::Format`] when sizes do not add up, or for
/// more labels than a mask can hold.
pub fn refine_probabilities(
    image_rgb: &[u8],
    size: (usize, usize),
    probabilities: &ScoreMaps,
    settings: &CrfSettings,
) -> Result<LabelMap> {
    check(image_rgb, size, image_rgb.len() / 3, settings)?;
    let small = (probabilities.width, probabilities.height);
    let pixels = small.0.checked_mul(small.1);
    if probabilities.classes > usize::from(IGNORE)
        || pixels.and_then(|pixels| pixels.checked_mul(probabilities.classes))
            != Some(probabilities.values.len())
        || (pixels == Some(0)) != image_rgb.is_empty()
        || small.0 > size.0
        || small.1 > size.1
    {
        return Err(refuse(format!(
            "{} probabilities of {} labels for {} × {} pixels of {} × {}",
            probabilities.values.len(),
            probabilities.classes,
            small.0,
            small.1,
            size.0,
            size.1
        )));
    }
    let matters = |&label: &u8| probabilities.class(usize::from(label)).iter().any(|&p| p >= NEGLIGIBLE);
    let groups: Vec<u8> = (0..probabilities.classes as u8).filter(matters).collect();
    let shrunk = (small != size).then(|| rescale::shrink_rgb(image_rgb, size, small));
    let image = shrunk.as_deref().unwrap_or(image_rgb);
    Ok(Field::of_probabilities(image, probabilities, groups, settings)?.strongest(size))
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
    check(image_rgb, (labels.width, labels.height), labels.labels.len(), settings)?;
    if let Some(label) =
        labels.labels.iter().find(|&&label| label != IGNORE && usize::from(label) >= n_labels)
    {
        return Err(refuse(format!("label {label} where there are {n_labels}")));
    }
    let field = Field::of_labels(image_rgb, labels, n_labels, settings)?;
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

fn check(
    image_rgb: &[u8],
    (width, height): (usize, usize),
    pixels: usize,
    settings: &CrfSettings,
) -> Result<()> {
    if width.checked_mul(height) != Some(pixels) || pixels.checked_mul(3) != Some(image_rgb.len()) {
        return Err(refuse(format!(
            "{} bytes of colour and {pixels} labels for {width} × {height} pixels",
            image_rgb.len(),
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
