//! Class maps of images over scales and mirroring (METHODS §1, inference).

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;

use super::settings::{MaskSettings, ViewSize};
use crate::dataset::{batch, decode};
use crate::error::Result;
use crate::masks::ScoreMaps;
use crate::method::Network;
use crate::tensor::read_all;

/// The maps of one image at one scale, mirrored views averaged in.
pub struct View {
    height: usize,
    width: usize,
    /// `[C, height, width]`.
    scores: Vec<f32>,
}

/// What the network says about one image.
pub struct ImageMaps {
    views: Vec<View>,
    /// Mean of the threshold branch over views and pixels, `[C]`; `None` for methods without one.
    pub threshold: Option<Vec<f32>>,
}

/// Sides that the scales stand for: the training side itself at scale 1, else multiples of 32, so that
/// every stage's size is whole.
pub fn sides(side: usize, scales: &[f64]) -> Vec<usize> {
    let of_scale = |&scale: &f64| match scale {
        1.0 => side,
        _ => (((side as f64 * scale) / 32.0).round() as usize).max(1) * 32,
    };
    scales.iter().map(of_scale).collect()
}

/// Columns and rows of the views of an image, none of more than `most_pixels`.
fn view_sizes(
    image: &RgbImage,
    side: usize,
    settings: &MaskSettings,
    most_pixels: usize,
) -> Vec<(usize, usize)> {
    let sizes = wanted_sizes(image, side, settings);
    sizes.into_iter().map(|size| reduced(size, most_pixels)).collect()
}

/// Whether a view of the image is smaller than the settings ask for.
pub fn is_reduced(image: &RgbImage, side: usize, settings: &MaskSettings, most_pixels: usize) -> bool {
    wanted_sizes(image, side, settings).into_iter().any(|size| reduced(size, most_pixels) != size)
}

/// The same proportions in at most `most` pixels.
fn reduced((width, height): (usize, usize), most: usize) -> (usize, usize) {
    if width.saturating_mul(height) <= most {
        return (width, height);
    }
    let factor = (most as f64 / (width as f64 * height as f64)).sqrt();
    let scaled = |length: usize| ((length as f64 * factor) as usize).max(1);
    (scaled(width), scaled(height))
}

fn wanted_sizes(image: &RgbImage, side: usize, settings: &MaskSettings) -> Vec<(usize, usize)> {
    match settings.views {
        ViewSize::Square => sides(side, &settings.scales).into_iter().map(|side| (side, side)).collect(),
        ViewSize::Photo => {
            let scaled = |length: u32, scale: f64| ((f64::from(length) * scale).round() as usize).max(1);
            let of_scale = |&scale: &f64| (scaled(image.width(), scale), scaled(image.height(), scale));
            settings.scales.iter().map(of_scale).collect()
        }
    }
}

/// The image as the network sees it, normalised, `[3, height, width]`.
fn view(image: &RgbImage, (width, height): (usize, usize), settings: &MaskSettings) -> Vec<f32> {
    let (width, height) = (width as u32, height as u32);
    batch::normalise(&match settings.views {
        ViewSize::Square => decode::resized(image, width, height),
        ViewSize::Photo => decode::resized_cubic(image, width, height),
    })
}

/// Maps of several images, all views sent to the device before the first is read back.
///
/// `most_pixels` is what the device can take of one view: larger ones are reduced to it.
///
/// `network` must be without autodiff. Where views have the image's own
/// size, the images must have one size.
///
/// # Errors
/// [`crate::Error::Device`] when the device was lost.
pub async fn image_maps(
    network: &dyn Network,
    images: &[&RgbImage],
    side: usize,
    settings: &MaskSettings,
    most_pixels: usize,
    device: &Device,
) -> Result<Vec<ImageMaps>> {
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let device = device.clone().inner();
    let mut scores = Vec::new();
    let mut thresholds = Vec::new();
    let mut shapes = Vec::new();
    for size in view_sizes(images[0], side, settings, most_pixels) {
        let pixels: Vec<f32> = images.iter().flat_map(|image| view(image, size, settings)).collect();
        let (width, height) = size;
        let input = TensorData::new(pixels, [images.len(), 3, height, width]);
        let input = Tensor::<4>::from_data(input, &device);
        let mut views = vec![network.maps(input.clone())];
        if settings.flip {
            let mut mirrored = network.maps(input.flip([3]));
            mirrored.scores = mirrored.scores.flip([3]);
            views.push(mirrored);
        }
        let count = views.len() as f32;
        let [_, _, height, width] = views[0].scores.dims();
        shapes.push((height, width));
        let mut sum: Option<Tensor<4>> = None;
        for view in views {
            sum = Some(match sum {
                Some(sum) => sum + view.scores,
                None => view.scores,
            });
            thresholds.extend(view.threshold);
        }
        scores.extend(sum.map(|sum| flat(sum.div_scalar(count))));
    }
    let has_threshold = !thresholds.is_empty();
    if has_threshold {
        let count = thresholds.len() as f32;
        let mean = thresholds.into_iter().reduce(|sum, each| sum + each);
        scores.extend(mean.map(|sum| flat(sum.div_scalar(count))));
    }
    let mut read = read_all(scores).await?;
    let threshold = if has_threshold { read.pop() } else { None };
    let part = |values: &[f32], index: usize| {
        let length = values.len() / images.len();
        values[index * length..(index + 1) * length].to_vec()
    };
    Ok((0..images.len())
        .map(|index| ImageMaps {
            views: shapes
                .iter()
                .zip(&read)
                .map(|(&(height, width), values)| View { height, width, scores: part(values, index) })
                .collect(),
            threshold: threshold.as_ref().map(|values| part(values, index)),
        })
        .collect())
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

impl ImageMaps {
    /// Channels of the maps: the classes, and the background where the network has a channel for it.
    pub fn channels(&self) -> usize {
        self.views.first().map_or(0, |view| view.scores.len() / (view.height * view.width).max(1))
    }

    /// Score maps of some classes at `width × height`: each view enlarged, then averaged.
    pub fn score_maps(&self, classes: &[u16], width: usize, height: usize) -> ScoreMaps {
        let mut maps = ScoreMaps::zeros(classes.len(), width, height);
        let weight = 1.0 / self.views.len().max(1) as f32;
        for view in &self.views {
            let pixels = view.height * view.width;
            for (index, &class) in classes.iter().enumerate() {
                let start = usize::from(class) * pixels;
                maps.add_resized(index, &view.scores[start..start + pixels], view.width, view.height, weight);
            }
        }
        maps
    }

    /// Maps that were looked at once, `width × height`, `[C, height, width]`.
    #[cfg(test)]
    pub(super) fn of_one_view((width, height): (usize, usize), scores: Vec<f32>) -> Self {
        Self { views: vec![View { height, width, scores }], threshold: None }
    }

    /// The largest view as it is, without enlarging: for previews.
    pub fn coarse(&self, classes: &[u16]) -> ScoreMaps {
        let size = self.views.iter().map(|view| (view.width, view.height)).max().unwrap_or((1, 1));
        self.score_maps(classes, size.0, size.1)
    }
}

#[cfg(test)]
mod tests {
    use super::{reduced, sides};

    #[test]
    fn views_that_are_too_large_keep_their_proportions() {
        assert_eq!(reduced((2048, 1024), usize::MAX), (2048, 1024));
        assert_eq!(reduced((2048, 1024), 2048 * 1024 / 4), (1024, 512));
        assert_eq!(reduced((3000, 2), 10), (122, 1));
        assert_eq!(reduced((5, 5), 0), (1, 1));
    }

    #[test]
    fn sides_are_multiples_of_32_and_at_least_that() {
        assert_eq!(sides(224, &[1.0, 0.5, 1.5, 2.0, 0.01]), [224, 128, 352, 448, 32]);
        // The paper's side is no multiple, and stays.
        assert_eq!(sides(369, &[1.0, 0.5]), [369, 192]);
    }
}
