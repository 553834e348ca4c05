//! Where networks start: what is measured on the data before the first step of a stage.

use super::Session;
use crate::backbone::tiny::INPUT_MEAN;
use crate::backbone::weights::{FileSource, Named};
use crate::dataset::batch;
use crate::error::Result;
use crate::method::{Seen, network};
use crate::run::checkpoint::Trained;
use crate::run::host::Host;
use crate::run::maps::image_maps;
use crate::run::settings::MaskSettings;
use crate::run::store::RunStore;

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

    /// What the network of the round before makes of the classes in some images.
    pub(super) async fn look(&mut self, before: &Trained, shares: &[Vec<f32>]) -> Result<Vec<Seen>> {
        let dataset = self.run.dataset;
        let device = &self.run.compute.device;
        let network = network(before.network, &self.setup(), &mut FileSource::all(&before.weights), device)?;
        let settings = MaskSettings { scales: vec![1.0], flip: false, ..MaskSettings::default() };
        let step = (dataset.items.len() / SAMPLE).max(1);
        let mut seen = Vec::new();
        for (item, shares) in shares.iter().enumerate().step_by(step) {
            let Ok(image) = self.cache.get(dataset, item) else { continue };
            let size = self.run.settings.size;
            let maps =
                image_maps(network.as_ref(), &[image.as_ref()], size, &settings, usize::MAX, device).await?;
            let labels = &dataset.items[item].labels;
            for maps in maps {
                let coarse = maps.coarse(labels);
                for (index, &class) in labels.iter().enumerate() {
                    let mut scores = coarse.class(index).to_vec();
                    scores.sort_by(|a, b| b.total_cmp(a));
                    let class = usize::from(class);
                    seen.push(Seen { class, share: shares[class], scores });
                }
            }
        }
        Ok(seen)
    }
}
