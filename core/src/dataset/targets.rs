//! Masks to learn from: one per image, kept as they came and decoded when they are needed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Dataset, decode};
use crate::error::{Error, Result};
use crate::export::{classes_txt, zip};
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
    let item_of = |entry: &FileEntry| {
        // Where stems repeat, an image's own has its folder; others may stand in front.
        let mut key = stem(&entry.path);
        loop {
            match by_stem.get(key) {
                Some(&item) => return Some((item, entry.blob.clone())),
                None => key = key.split_once('/')?.1,
            }
        }
    };
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

    /// These, but of images that `others` has too, those.
    #[must_use]
    pub fn with(mut self, others: &Self) -> Self {
        self.masks.extend(others.masks.iter().map(|(&item, mask)| (item, mask.clone())));
        self
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

    /// The same as a zip that [`read`](Self::read) reads: a PNG per image under its stem, and `classes.txt`.
    ///
    /// # Errors
    /// [`Error::Io`] when one cannot be read.
    pub fn pack(&self, dataset: &Dataset) -> Result<Vec<u8>> {
        let mut files = vec![("classes.txt".to_owned(), classes_txt::encode(&dataset.classes))];
        for (&item, blob) in &self.masks {
            let item = &dataset.items[item];
            let failed = |source| Error::Io { action: "read", path: item.path.clone(), source };
            let length = usize::try_from(blob.len()).unwrap_or(usize::MAX);
            files.push((format!("{}.png", item.stem), blob.read_at(0, length).map_err(failed)?));
        }
        zip::pack(files)
    }

    /// The share of an item's mask that each class covers; `None` where it has none.
    ///
    /// # Errors
    /// As [`target`](Self::target).
    pub fn shares(&self, dataset: &Dataset, item: usize) -> Result<Option<Vec<f32>>> {
        if !self.masks.contains_key(&item) {
            return Ok(None);
        }
        Ok(Some(self.mask(dataset, item)?.shares(dataset.classes.len())))
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
        if !self.masks.contains_key(&item) {
            return Ok(LabelMap { width: side, height: side, labels: vec![IGNORE; side * side] });
        }
        let mut reduced = resize_labels(&self.mask(dataset, item)?, (side, side));
        if mirrored {
            reduced.labels.chunks_exact_mut(side.max(1)).for_each(<[u8]>::reverse);
        }
        Ok(reduced)
    }

    /// The mask of an item that has one.
    fn mask(&self, dataset: &Dataset, item: usize) -> Result<LabelMap> {
        let path = &dataset.items[item].path;
        let none = || Error::NoData { reason: format!("there is no mask of {path}") };
        let blob = self.masks.get(&item).ok_or_else(none)?;
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
        Ok(mask)
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
    fn masks_take_the_place_of_others() {
        let mask = |byte: u8| Arc::new(crate::files::MemoryBlob::new(vec![byte])) as Arc<dyn Blob>;
        let both =
            Targets::new([(0, mask(1)), (2, mask(2))]).with(&Targets::new([(2, mask(3)), (5, mask(4))]));
        let bytes: Vec<u8> = both.masks.values().map(|blob| blob.read_at(0, 1).unwrap()[0]).collect();
        assert_eq!((both.items(), bytes), (vec![0, 2, 5], vec![1, 3, 4]));
    }

    #[test]
    fn masks_of_images_of_one_name_are_told_apart_and_come_back_from_a_zip() {
        let mut dataset = dataset();
        for (item, stem) in dataset.items.iter_mut().zip(["cat/1", "dog/1", "2"]) {
            item.stem = stem.into();
        }
        let png = |label: u8| {
            let mask = LabelMap { width: 64, height: 64, labels: vec![label; 64 * 64] };
            palette_png::encode(&mask).unwrap()
        };
        let files =
            [("masks/cat/1.png", 1), ("masks/dog/1.png", 2), ("masks/2.png", 0), ("masks/bird/1.png", 3)];
        let files = files.map(|(path, label)| (path.to_owned(), png(label))).to_vec();
        let targets = Targets::read(&FileSet::memory(files), &dataset).unwrap();
        let again = Arc::new(crate::files::MemoryBlob::new(targets.pack(&dataset).unwrap()));
        let again = Targets::read(&FileSet::archive("given.zip", again).unwrap(), &dataset).unwrap();
        assert_eq!(again.fingerprint(&dataset).unwrap(), targets.fingerprint(&dataset).unwrap());
        for (item, shares) in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0; 3]].into_iter().enumerate() {
            assert_eq!(again.shares(&dataset, item).unwrap().unwrap(), shares);
        }
        assert_eq!(Targets::default().shares(&dataset, 0).unwrap(), None);
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
