//! The decoded images that fit in a stated number of bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use image::RgbImage;

use super::{Dataset, Item, Problem, ProblemKind, decode};
use crate::error::{Error, Result};

/// Bytes of decoded images that a cache may hold where nothing else is said: 256 MB natively, 96 MB in
/// a browser, where memory never shrinks.
pub const DEFAULT_BYTES: usize = if cfg!(target_arch = "wasm32") { 96 << 20 } else { 256 << 20 };

/// Decoded images, reduced to a longest side; the ones not used for longest go first. It serves one
/// data set: indices are those of its items.
pub struct ImageCache {
    limit: usize,
    side: u32,
    bytes: usize,
    clock: u64,
    images: BTreeMap<usize, (Arc<RgbImage>, u64)>,
    failures: BTreeMap<usize, String>,
}

impl ImageCache {
    /// An empty cache of at most `bytes` bytes of pixels, for images of at most `side` pixels along
    /// their longer side.
    pub fn new(bytes: usize, side: u32) -> Self {
        Self {
            limit: bytes,
            side: side.max(1),
            bytes: 0,
            clock: 0,
            images: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// Bytes of pixels that are held now.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The image of an item, decoded now or before. Images are never enlarged.
    ///
    /// # Errors
    /// [`Error::Image`] or [`Error::TooLarge`] if it cannot be decoded; it is not tried again.
    pub fn get(&mut self, dataset: &Dataset, item: usize) -> Result<Arc<RgbImage>> {
        if let Some(image) = self.held(item) {
            return Ok(image);
        }
        let wanted = self.item(dataset, item)?;
        let image = load(wanted, self.side);
        self.keep(item, image)
    }

    /// Decodes the images of several items, natively on all cores, ahead of [`Self::get`]. What fails
    /// for the first time is added to `problems`.
    pub fn prepare(&mut self, dataset: &Dataset, items: &[usize], problems: &mut Vec<Problem>) {
        let missing: Vec<(usize, &Item)> = items
            .iter()
            .filter(|item| !self.images.contains_key(item) && !self.failures.contains_key(item))
            .filter_map(|&item| Some((item, dataset.items.get(item)?)))
            .collect();
        let loaded = load_all(&missing, self.side);
        for ((item, wanted), image) in missing.into_iter().zip(loaded) {
            if self.keep(item, image).is_err() {
                problems.push(self.problem(wanted, item));
            }
        }
    }

    /// As [`Self::get`]; what fails for the first time is added to `problems`.
    pub fn get_or_report(
        &mut self,
        dataset: &Dataset,
        item: usize,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<RgbImage>> {
        let known = self.failures.contains_key(&item);
        let image = self.get(dataset, item).ok();
        if let (None, false, Some(wanted)) = (&image, known, dataset.items.get(item)) {
            problems.push(self.problem(wanted, item));
        }
        image
    }

    fn problem(&self, wanted: &Item, item: usize) -> Problem {
        let reason = self.failures.get(&item).map_or("", String::as_str);
        Problem {
            count: 1,
            path: wanted.path.clone(),
            kind: ProblemKind::UnreadableImage,
            reason: format!("It cannot be decoded ({reason}). Replaced by another image."),
        }
    }

    fn held(&mut self, item: usize) -> Option<Arc<RgbImage>> {
        self.clock += 1;
        let (image, used) = self.images.get_mut(&item)?;
        *used = self.clock;
        Some(image.clone())
    }

    fn item<'a>(&self, dataset: &'a Dataset, item: usize) -> Result<&'a Item> {
        let Some(wanted) = dataset.items.get(item) else {
            return Err(Error::NoData { reason: format!("there is no image number {item}") });
        };
        match self.failures.get(&item) {
            Some(reason) => Err(Error::Image { path: wanted.path.clone(), reason: reason.clone() }),
            None => Ok(wanted),
        }
    }

    fn keep(&mut self, item: usize, image: Result<RgbImage>) -> Result<Arc<RgbImage>> {
        let image = match image {
            Ok(image) => Arc::new(image),
            Err(error) => {
                let reason = match &error {
                    Error::Image { reason, .. } => reason.clone(),
                    other => other.to_string(),
                };
                self.failures.insert(item, reason);
                return Err(error);
            }
        };
        let bytes = image.as_raw().len();
        // An image larger than all of the cache is used once and not kept.
        if bytes <= self.limit {
            self.make_room(bytes);
            self.clock += 1;
            self.bytes += bytes;
            if let Some((old, _)) = self.images.insert(item, (image.clone(), self.clock)) {
                self.bytes -= old.as_raw().len();
            }
        }
        Ok(image)
    }

    fn make_room(&mut self, bytes: usize) {
        while self.bytes + bytes > self.limit {
            let Some(oldest) = self.images.iter().min_by_key(|(_, (_, used))| *used).map(|(&item, _)| item)
            else {
                return;
            };
            if let Some((image, _)) = self.images.remove(&oldest) {
                self.bytes -= image.as_raw().len();
            }
        }
    }
}

fn load(item: &Item, side: u32) -> Result<RgbImage> {
    Ok(decode::reduced(decode::rgb(item.image.as_ref(), &item.path)?, side))
}

#[cfg(not(target_arch = "wasm32"))]
fn load_all(items: &[(usize, &Item)], side: u32) -> Vec<Result<RgbImage>> {
    use rayon::prelude::*;
    items.par_iter().map(|&(_, item)| load(item, side)).collect()
}

#[cfg(target_arch = "wasm32")]
fn load_all(items: &[(usize, &Item)], side: u32) -> Vec<Result<RgbImage>> {
    items.iter().map(|&(_, item)| load(item, side)).collect()
}
