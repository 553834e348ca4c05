//! Where networks start: what is measured on the data before the first step of a stage.

use super::Session;
use crate::backbone::tiny::INPUT_MEAN;
use crate::backbone::weights::Named;
use crate::dataset::batch;
use crate::error::Result;
use crate::method::cam::Cam;
use crate::method::spatial_bce::{HeadStart, within_margin};
use crate::run::host::Host;
use crate::run::maps::image_maps;
use crate::run::settings::{MaskSettings, SpatialBceSettings};
use crate::run::store::RunStore;
use crate::tensor::rank_of_share;

/// Images that are measured.
const SAMPLE: usize = 32;

impl<H: Host, S: RunStore> Session<'_, H, S> {
    /// The data set's mean colour, from a sample of its images: what a network that starts from nothing
    /// is centred on.
    pub(super) fn mean_color(&mut self) -> Named {
        let dataset = self.run.dataset;
        let step = (dataset.items.len() / SAMPLE).max(1);
        let mut sum = [0.0f64; 3];
        let mut count = 0usize;
        for item in (0..dataset.items.len()).step_by(step) {
            let Ok(image) = self.cache.get(dataset, item) else { continue };
            let values = batch::normalise(&image);
            let pixels = values.len() / 3;
            for (sum, plane) in sum.iter_mut().zip(values.chunks_exact(pixels.max(1))) {
                *sum += plane.iter().map(|&value| f64::from(value)).sum::<f64>() / pixels as f64;
            }
            count += 1;
        }
        let values = sum.map(|sum| (sum / count.max(1) as f64) as f32).to_vec();
        Named { name: INPUT_MEAN.to_owned(), shape: vec![3], values }
    }

    /// Where the head starts: per class, the score at the rank of the foreground share becomes 0, so
    /// that the mean activation starts near the share; and the logits of present classes get the root
    /// mean square that the settings ask for.
    pub(super) async fn head_start(&mut self, learner: &Cam, shares: &[Vec<f32>]) -> Result<HeadStart> {
        let dataset = self.run.dataset;
        let settings = MaskSettings { scales: vec![1.0], flip: false, ..MaskSettings::default() };
        let step = (dataset.items.len() / SAMPLE).max(1);
        let mut found: Vec<(usize, f32, Vec<f32>)> = Vec::new();
        for (item, shares) in shares.iter().enumerate().step_by(step) {
            let Ok(image) = self.cache.get(dataset, item) else { continue };
            let size = self.run.settings.size;
            let device = &self.run.compute.device;
            let maps = image_maps(learner, &[image.as_ref()], size, &settings, usize::MAX, device).await?;
            let labels = &dataset.items[item].labels;
            for maps in maps {
                let coarse = maps.coarse(labels);
                for (index, &class) in labels.iter().enumerate() {
                    let mut scores = coarse.class(index).to_vec();
                    scores.sort_by(|a, b| b.total_cmp(a));
                    let margin = self.run.settings.spatial_bce.share_margin;
                    let share = within_margin(shares[usize::from(class)], margin);
                    let rank = rank_of_share(share, scores.len());
                    found.push((usize::from(class), scores[rank], scores));
                }
            }
        }
        Ok(head_start(&found, self.classes(), &self.run.settings.spatial_bce))
    }
}

/// `found` are the class, the score at the share's rank, and all scores of present maps.
fn head_start(found: &[(usize, f32, Vec<f32>)], classes: usize, settings: &SpatialBceSettings) -> HeadStart {
    let mut sums = vec![(0.0f32, 0usize); classes];
    for &(class, score, _) in found {
        sums[class] = (sums[class].0 + score, sums[class].1 + 1);
    }
    let offsets: Vec<f32> = sums.iter().map(|&(sum, count)| sum / count.max(1) as f32).collect();
    let mut squares = (0.0f64, 0usize);
    for (class, _, scores) in found {
        squares.0 += scores.iter().map(|score| f64::from(score - offsets[*class]).powi(2)).sum::<f64>();
        squares.1 += scores.len();
    }
    let rms = (squares.0 / squares.1.max(1) as f64).sqrt().max(1e-6);
    let temperature = settings.start_temperature;
    HeadStart {
        feature_scale: (settings.start_rms / (temperature * rms)) as f32,
        offsets,
        temperature: temperature as f32,
    }
}
