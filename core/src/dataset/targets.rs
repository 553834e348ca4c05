//! Masks to learn from: one per image, kept as they came and decoded when they are needed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Dataset, decode};
use crate::error::{Error, Result};
use crate::export::classes_txt;
use crate::files::{Blob, FileEntry, FileSet, extension, limits, name, stem};
use crate::masks::LabelMap;
use crate::masks::label_map::IGNORE;
use crate::masks::rescale::resize_labels;

/// Input pixels per target pixel: a network's own resolution is coarser still.
pub const STRIDE: usize = 4;

/// Masks of a data set's items in a folder as `masks` writes it, by item: a PNG per image under the image's
/// stem, and `classes.txt`, whose names and order must be the data set's.
///
/// # Errors
/// [`Error::Format`] for other classes, [`Error::Io`] when the list of them cannot be read.
pub fn masks_of_items(files: &FileSet, dataset: &Dataset) -> Result<BTreeMap<usize, Arc<dyn Blob>>> {
    // The folder's own name may stand in front.
    if let Some(listed) = files.entries().iter().find(|entry| name(&entry.path) == "classes.txt") {
        let failed = |source| Error::Io { action: "read", path: listed.path.clone(), source };
        let length = listed.blob.len().min(limits::TEXT_BYTES) as usize;
        let text = listed.blob.read_at(0, length).map_err(failed)?;
        let names = classes_txt::decode(&String::from_utf8_lossy(&text));
        if names != dataset.classes {
            return Err(Error::Format {
                path: listed.path.clone(),
                reason: format!(
                    "the masks have the classes {}, the data set has {}",
                    names.join(", "),
                    dataset.classes.join(", ")
                ),
            });
        }
    }
    let by_stem: BTreeMap<&str, usize> =
        dataset.items.iter().enumerate().map(|(index, item)| (item.stem.as_str(), index)).collect();
    let pngs = files.entries().iter().filter(|entry| extension(&entry.path) == "png");
    let item_of = |entry: &FileEntry| Some((*by_stem.get(name(stem(&entry.path)))?, entry.blob.clone()));
    Ok(pngs.filter_map(item_of).collect())
}

/// Masks by item of a data set.
#[derive(Clone, Default)]
pub struct Targets {
    masks: BTreeMap<usize, Arc<dyn Blob>>,
}

impl Targets {
    /// Masks by item index.
    pub fn new(masks: impl IntoIterator<Item = (usize, Arc<dyn Blob>)>) -> Self {
        Self { masks: masks.into_iter().collect() }
    }

    /// The folder that `masks` wrote: a PNG per image under the image's stem, and `classes.txt`, whose names
    /// and order must be the data set's. Images without a mask are left out of training.
    ///
    /// # Errors
    /// [`Error::Format`] for other classes, [`Error::NoData`] when no mask is of any image.
    pub fn read(files: &FileSet, dataset: &Dataset) -> Result<Self> {
        let targets = Self::new(masks_of_items(files, dataset)?);
        if targets.masks.is_empty() {
            return Err(Error::NoData {
                reason: "no mask has the name of an image; give the folder that `tag2mask masks` wrote"
                    .into(),
            });
        }
        Ok(targets)
    }

    /// Tells these masks from others: a run goes on only with those that it started with.
    ///
    /// # Errors
    /// [`Error::Io`] when one cannot be read.
    pub fn fingerprint(&self, dataset: &Dataset) -> Result<u64> {
        // FNV-1a, 64 bits.
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for (&item, blob) in &self.masks {
            let path = dataset.items[item].path.as_str();
            let failed = |source| Error::Io { action: "read", path: path.to_owned(), source };
            let length = usize::try_from(blob.len()).unwrap_or(usize::MAX);
            let bytes = blob.read_at(0, length).map_err(failed)?;
            for byte in path.bytes().chain([0]).chain(bytes) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        Ok(hash)
    }

    /// Items that have a mask, ascending.
    pub fn items(&self) -> Vec<usize> {
        self.masks.keys().copied().collect()
    }

    /// The mask of an item, reduced to `side` by `side`; all [`IGNORE`] where there is none.
    ///
    /// # Errors
    /// [`Error::Image`] or [`Error::Format`] for a mask that cannot be decoded.
    pub fn target(&self, dataset: &Dataset, item: usize, side: usize, mirrored: bool) -> Result<LabelMap> {
        let Some(blob) = self.masks.get(&item) else {
            return Ok(LabelMap { width: side, height: side, labels: vec![IGNORE; side * side] });
        };
        let path = &dataset.items[item].path;
        let mask = decode::mask(blob.as_ref(), path)?;
        let highest = mask.labels.iter().copied().filter(|&label| label != IGNORE).max().unwrap_or(0);
        if usize::from(highest) > dataset.classes.len() {
            return Err(Error::Format {
                path: path.clone(),
                reason: format!(
                    "the mask has the value {highest}, and there are {} classes",
                    dataset.classes.len()
                ),
            });
        }
        let mut reduced = resize_labels(&mask, (side, side));
        if mirrored {
            reduced.labels.chunks_exact_mut(side.max(1)).for_each(<[u8]>::reverse);
        }
        Ok(reduced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::export::palette_png;

    fn dataset() -> Dataset {
        let files = sample::files(&SampleSettings { images: 3, size: 64, seed: 1 });
        crate::dataset::read(&FileSet::memory(files), &mut |_, _| {}).unwrap()
    }

    fn folder(dataset: &Dataset, classes: &[String]) -> FileSet {
        let item = &dataset.items[1];
        let mut map = LabelMap::background(64, 64);
        map.labels[..32].fill(2);
        FileSet::memory(vec![
            ("classes.txt".into(), classes_txt::encode(classes)),
            (format!("{}.png", item.stem), palette_png::encode(&map).unwrap()),
            ("of-nothing.png".into(), palette_png::encode(&map).unwrap()),
        ])
    }

    #[test]
    fn masks_find_their_images_and_are_reduced_and_mirrored() {
        let dataset = dataset();
        let targets = Targets::read(&folder(&dataset, &dataset.classes), &dataset).unwrap();
        assert_eq!(targets.items(), [1]);
        let whole = targets.target(&dataset, 1, 64, false).unwrap();
        assert_eq!((whole.labels[0], whole.labels[63], whole.labels[64]), (2, 0, 0));
        let mirrored = targets.target(&dataset, 1, 64, true).unwrap();
        assert_eq!((mirrored.labels[0], mirrored.labels[63]), (0, 2));
        assert_eq!(targets.target(&dataset, 1, 16, false).unwrap().labels.len(), 256);
        assert!(targets.target(&dataset, 0, 4, false).unwrap().labels.iter().all(|&label| label == IGNORE));
    }

    #[test]
    fn masks_of_other_classes_and_of_no_image_are_refused() {
        let dataset = dataset();
        let error = Targets::read(&folder(&dataset, &["cow".to_owned()]), &dataset).err().unwrap();
        assert!(error.to_string().contains("classes cow"), "{error}");
        let nothing = FileSet::memory(vec![("x.png".into(), vec![])]);
        assert!(matches!(Targets::read(&nothing, &dataset).err(), Some(Error::NoData { .. })));
    }
}
