//! Masks cut out of boxes, before a method that learns from boxes starts.

use std::io::Cursor;
use std::sync::Arc;

use super::Session;
use crate::dataset::cache::{DEFAULT_BYTES, ImageCache};
use crate::dataset::targets::Targets;
use crate::error::Result;
use crate::export::zip::ZipPacker;
use crate::files::{FileSet, MemoryBlob};
use crate::masks::grabcut::{self, GrabCutSettings};
use crate::masks::rescale::resize_labels;
use crate::masks::{Confusion, LabelMap};
use crate::run::begun::{self, Begun, BegunMask};
use crate::run::checkpoint;
use crate::run::event::{Event, Phase};
use crate::run::host::{Control, Host};
use crate::run::pace::Pace;
use crate::run::store::RunStore;

/// Longest side of the photos that are cut, pixels: targets are smaller still.
const SIDE: u32 = 1024;
/// Photos between two looks at what the user wants.
const GROUP: usize = 8;

impl<H: Host, S: RunStore> Session<'_, H, S> {
    /// Masks of every image that has a box, from the store where they were cut before. `None` when the host
    /// stopped it.
    pub(super) async fn box_masks(&mut self, settings: &GrabCutSettings) -> Result<Option<Targets>> {
        let dataset = self.run.dataset;
        if let Some(bytes) = checkpoint::load_box_masks(self.journal.store)? {
            begun::end(self.journal.store)?;
            let files = FileSet::archive(checkpoint::BOX_MASKS, Arc::new(MemoryBlob::new(bytes)))?;
            return Targets::read(&files, dataset).map(Some);
        }
        let mut cache = ImageCache::new(DEFAULT_BYTES, SIDE);
        let mut packer = ZipPacker::new(Cursor::new(Vec::new()));
        let mut confusion = Confusion::new(dataset.classes.len());
        let mut targets: Vec<(usize, Arc<dyn crate::files::Blob>)> = Vec::new();
        let mut begun = Begun::take_up(self.journal.store, Phase::BoxMasks, 0, dataset)?;
        let mut count_truth = |item: usize, labels: &LabelMap| {
            let facts = &dataset.items[item];
            let Some(truth) = &facts.mask else { return Ok(()) };
            let truth = truth.decode(&facts.path)?;
            let full = resize_labels(labels, (truth.width, truth.height));
            confusion.accumulate(&full, &truth, &facts.path)
        };
        for mask in begun.masks(dataset) {
            if self.journal.host.breathe().await == Control::Stop {
                return Ok(None);
            }
            let BegunMask { item, png, labels, .. } = mask?;
            count_truth(item, &labels)?;
            packer.add(&format!("{}.png", dataset.items[item].stem), &png)?;
            targets.push((item, Arc::new(MemoryBlob::new(png))));
        }
        let total = self.items.len();
        let items: Vec<usize> = self.items.iter().copied().filter(|&item| item >= begun.next()).collect();
        let before = total - items.len();
        let mut pace = Pace::start();
        for (group, wanted) in items.chunks(GROUP).enumerate() {
            if self.journal.host.breathe().await == Control::Stop {
                begun.keep(dataset, self.journal.store)?;
                return Ok(None);
            }
            let mut images = Vec::new();
            for &item in wanted {
                match cache.get(dataset, item) {
                    Ok(image) => images.push((item, image)),
                    Err(error) => self.journal.tell(Event::Warning { message: error.to_string() })?,
                }
            }
            let count = images.len();
            let cut = |(item, image): (usize, Arc<image::RgbImage>)| {
                let boxes = dataset.items[item].boxes_on(image.dimensions());
                (item, grabcut::masks(&image, &boxes, settings, None))
            };
            #[cfg(not(target_arch = "wasm32"))]
            let masks: Vec<(usize, LabelMap)> = {
                use rayon::prelude::*;
                images.into_par_iter().map(cut).collect()
            };
            #[cfg(target_arch = "wasm32")]
            let masks: Vec<(usize, LabelMap)> = images.into_iter().map(cut).collect();
            for (item, labels) in masks {
                count_truth(item, &labels)?;
                let png = begun.add(dataset, item, &labels, &[])?;
                packer.add(&format!("{}.png", dataset.items[item].stem), &png)?;
                targets.push((item, Arc::new(MemoryBlob::new(png))));
            }
            if let Some(last) = wanted.last() {
                begun.reached(last + 1, dataset, self.journal.store)?;
            }
            pace.measure(count);
            let done = before + (group * GROUP + wanted.len()).min(items.len());
            let seconds_left = pace.seconds_left(total - done);
            self.journal.host.emit(Event::Progress { phase: Phase::BoxMasks, done, total, seconds_left });
        }
        checkpoint::save_box_masks(self.journal.store, &packer.finish()?.into_inner())?;
        begun::end(self.journal.store)?;
        let score = (confusion.images() > 0).then(|| confusion.score(&dataset.classes, false));
        self.journal.tell(Event::BoxMasksCut { images: targets.len(), score })?;
        Ok(Some(Targets::new(targets)))
    }
}
