//! What stands in the folders, so that a reproduction can go on: the plan, and a record of each part.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Benchmark;
use crate::backbone::weights::TensorFile;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::export::atomic;
use crate::run::checkpoint::{from_json, to_json};
use crate::run::event::{DeviceInfo, Score};
use crate::run::preset::Preset;
use crate::run::settings::{MethodName, Settings};
use crate::run::store::{FolderStore, RunStore};

const PLAN: &str = "reproduce.json";
const RECORD: &str = "stage.json";

/// `reproduce.json`: what is done, and with which settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The split that is learned from.
    pub training_split: String,
    /// The split that is scored.
    pub validation_split: String,
    /// Images of both.
    pub images: [usize; 2],
    /// Name of the file of pretrained weights.
    pub weights: Option<String>,
    /// The settings that others were changed from.
    pub preset: Preset,
    /// Settings of Spatial-BCE and its masks.
    pub first: Settings,
    /// Settings of the second stage.
    pub second: Settings,
}

/// The plan as it is kept, with what it is carried out on.
#[derive(Serialize, Deserialize)]
struct Settled {
    #[serde(flatten)]
    plan: Plan,
    /// The [`fingerprint`] of images and weights; `None` in folders from before there was one.
    #[serde(default)]
    inputs: Option<String>,
}

impl Plan {
    /// Keeps the plan in the folder, or finds it there, for these images to learn from and to be scored on
    /// and these weights.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings of other methods; [`Error::Format`] when the folder holds another
    /// plan, or a damaged one; [`Error::Io`].
    pub fn settle(
        &self,
        out: &Path,
        training: &Dataset,
        validation: &Dataset,
        weights: Option<&TensorFile>,
    ) -> Result<()> {
        if (self.first.method, self.second.method) != (MethodName::SpatialBce, MethodName::Deeplab) {
            let reason = "the methods are the benchmark's: Spatial-BCE, then deeplab".into();
            return Err(Error::Setting { name: "method", reason });
        }
        let store = FolderStore::open(out);
        let path = store.describe(PLAN);
        let inputs = fingerprint([training, validation], weights)?;
        let Some(bytes) = store.read(PLAN)? else {
            let settled = Settled { plan: self.clone(), inputs: Some(inputs) };
            return atomic::write(&path, &to_json(&settled, &path)?);
        };
        let settled: Settled = from_json(&bytes, &path)?;
        if settled.plan == *self && settled.inputs.is_none_or(|before| before == inputs) {
            return Ok(());
        }
        Err(Error::Format {
            path,
            reason: "the folder holds a reproduction with other settings, data or weights; go on with \
                     those, or give another folder"
                .into(),
        })
    }

    /// As it stands in its file.
    pub(super) fn json(&self) -> Result<String> {
        to_json(self, PLAN).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Tells data and weights apart (64-bit FNV-1a): by classes, by paths and labels of the images, and by names
/// and values of the tensors.
fn fingerprint(splits: [&Dataset; 2], weights: Option<&TensorFile>) -> Result<String> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    // 0xff, which no text has, ends each: what follows another thing is no part of it.
    for split in splits {
        for class in &split.classes {
            add(class.as_bytes());
            add(&[0xff]);
        }
        for item in &split.items {
            add(&[0xff]);
            add(item.path.as_bytes());
            add(&[0xff]);
            item.labels.iter().for_each(|label| add(&label.to_le_bytes()));
        }
        add(&[0xff, 0xff]);
    }
    for name in weights.map(TensorFile::names).unwrap_or_default() {
        add(name.as_bytes());
        add(&[0xff]);
        if let Some(file) = weights {
            file.get(name)?.1.iter().for_each(|value| add(&value.to_le_bytes()));
        }
    }
    Ok(format!("{hash:016x}"))
}

/// `stage.json`: how far a part is, and what came out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Whether nothing is left to do.
    pub finished: bool,
    /// How long it has taken, in all sessions that did not crash.
    pub seconds: f64,
    /// What it was computed on, last.
    pub device: DeviceInfo,
    /// The most that the process has had in memory by the end of it, bytes.
    pub peak_memory: Option<u64>,
    /// How good its masks are; `None` where none were made, or there is no truth for them.
    pub score: Option<Score>,
    /// Images with a truth that have no mask, as they could not be decoded.
    pub without_mask: usize,
}

impl Record {
    pub(super) fn load(store: &FolderStore) -> Result<Option<Self>> {
        store.read(RECORD)?.map(|bytes| from_json(&bytes, &store.describe(RECORD))).transpose()
    }

    pub(super) fn save(&self, store: &mut FolderStore) -> Result<()> {
        store.write(RECORD, &to_json(self, RECORD)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::weights::Named;
    use crate::dataset::read_split;
    use crate::files::FileSet;

    fn dataset(name: &str, class: &str) -> Dataset {
        let mut photo = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(4, 3).write_to(&mut photo, image::ImageFormat::Png).unwrap();
        let photo = photo.into_inner();
        let labels = format!("file,labels\n{name},{class}\nz.png,cow\ny.png,dog\n").into_bytes();
        let files = [name, "y.png", "z.png"].map(|name| (format!("images/{name}"), photo.clone()));
        let files = files.into_iter().chain([("labels.csv".to_owned(), labels)]).collect();
        read_split(&FileSet::memory(files), None, &mut |_, _| {}).unwrap()
    }

    fn weights(value: f32) -> TensorFile {
        TensorFile::of("w", vec![Named { name: "a".into(), shape: vec![1], values: vec![value] }])
    }

    #[test]
    fn other_images_labels_or_weights_have_another_fingerprint() {
        let (first, again) = (dataset("a.png", "cow"), dataset("a.png", "cow"));
        let same = fingerprint([&first, &again], None).unwrap();
        assert_eq!(fingerprint([&again, &first], None).unwrap(), same);
        let (named, labelled) = (dataset("b.png", "cow"), dataset("a.png", "dog"));
        let with = |value| fingerprint([&first, &first], Some(&weights(value))).unwrap();
        assert_eq!(with(1.0), with(1.0));
        let other = [
            fingerprint([&named, &first], None).unwrap(),
            fingerprint([&first, &named], None).unwrap(),
            fingerprint([&first, &labelled], None).unwrap(),
            with(1.0),
        ];
        assert!(other.iter().all(|other| *other != same) && with(1.0) != with(2.0));
    }
}
