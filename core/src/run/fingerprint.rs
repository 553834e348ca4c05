//! Tells data and weights apart: a work goes on only with those that it started with.

use crate::backbone::weights::TensorFile;
use crate::dataset::Dataset;
use crate::error::Result;

/// 64-bit FNV-1a of what it was given, in that order.
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    // 0xff, which no text has, ends each: what follows another thing is no part of it.

    /// Classes, and paths and labels of the images.
    pub fn dataset(mut self, dataset: &Dataset) -> Self {
        for class in &dataset.classes {
            self.add(class.as_bytes());
            self.add(&[0xff]);
        }
        self.images(dataset)
    }

    /// Paths and labels of the images, whatever the classes are called.
    pub fn images(mut self, dataset: &Dataset) -> Self {
        for item in &dataset.items {
            self.add(&[0xff]);
            self.add(item.path.as_bytes());
            self.add(&[0xff]);
            item.labels.iter().for_each(|label| self.add(&label.to_le_bytes()));
        }
        self.add(&[0xff, 0xff]);
        self
    }

    /// Boxes of the images.
    pub fn boxes(mut self, dataset: &Dataset) -> Self {
        for item in &dataset.items {
            self.add(&[0xff]);
            for object in &item.boxes {
                self.add(&object.class.to_le_bytes());
                [object.x0, object.y0, object.x1, object.y1]
                    .iter()
                    .for_each(|edge| self.add(&edge.to_le_bytes()));
            }
        }
        self
    }

    /// Names and values of the tensors.
    ///
    /// # Errors
    /// Those of [`TensorFile::get`].
    pub fn weights(mut self, weights: Option<&TensorFile>) -> Result<Self> {
        for name in weights.map(TensorFile::names).unwrap_or_default() {
            self.add(name.as_bytes());
            self.add(&[0xff]);
            if let Some(file) = weights {
                file.get(name)?.1.iter().for_each(|value| self.add(&value.to_le_bytes()));
            }
        }
        Ok(self)
    }

    /// As text: 16 hexadecimal digits.
    pub fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::weights::Named;
    use crate::dataset::{ObjectBox, read_split};
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

    fn fingerprint(splits: [&Dataset; 2], weights: Option<&TensorFile>) -> String {
        let [first, second] = splits;
        Fingerprint::default().dataset(first).dataset(second).weights(weights).unwrap().text()
    }

    #[test]
    fn other_images_labels_or_weights_have_another_fingerprint() {
        let (first, again) = (dataset("a.png", "cow"), dataset("a.png", "cow"));
        let same = fingerprint([&first, &again], None);
        assert_eq!(fingerprint([&again, &first], None), same);
        let (named, labelled) = (dataset("b.png", "cow"), dataset("a.png", "dog"));
        let with = |value| fingerprint([&first, &first], Some(&weights(value)));
        assert_eq!(with(1.0), with(1.0));
        let other = [
            fingerprint([&named, &first], None),
            fingerprint([&first, &named], None),
            fingerprint([&first, &labelled], None),
            with(1.0),
        ];
        assert!(other.iter().all(|other| *other != same) && with(1.0) != with(2.0));
    }

    #[test]
    fn names_of_classes_are_not_of_the_images() {
        let first = dataset("a.png", "cow");
        let mut renamed = first.clone();
        renamed.classes[0] = "cattle".into();
        let of = |dataset: &Dataset| Fingerprint::default().images(dataset).text();
        assert!(of(&first) == of(&renamed) && of(&first) != of(&dataset("b.png", "cow")));
    }

    #[test]
    fn other_boxes_have_another_fingerprint() {
        let first = dataset("a.png", "cow");
        let mut boxed = first.clone();
        boxed.items[0].boxes.push(ObjectBox { class: 0, x0: 0.0, y0: 0.0, x1: 1.0, y1: 2.0 });
        let of = |dataset: &Dataset| Fingerprint::default().boxes(dataset).text();
        assert!(of(&first) == of(&first.clone()) && of(&first) != of(&boxed));
    }
}
