//! Labels that are changed after a data set was read: classes renamed, merged, removed and added, photos labelled
//! otherwise.
//!
//! The changes are data, kept beside a data set that stays as it was read. Every class has a number that never
//! changes: its index among the classes as they were read, and for those that were added the numbers after them.
//! Photos' labels and drawn boxes are kept by number, so that whatever becomes of classes can be taken back.
//! [`ClassMap`] tells which classes are in force, and [`Relabel::apply`] makes the data set that has them:
//!
//! - a class that is merged into another gives it its photos, its boxes and its pixels in supplied masks;
//! - a class that is removed takes its labels and boxes along; its pixels in supplied masks count nowhere;
//! - a photo whose labels were set has these, and the classes of its boxes. One that is left with none is, as any
//!   photo without labels, one of none of the classes.

mod class_map;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::class_map::ClassMap;
pub use self::names::{LENGTH, clean};
use self::names::{is_same, means_no_class};
use super::supplied::Relabelled;
use super::{Dataset, ImageSummary, ObjectBox, Summary};
use crate::files::limits;

/// Numbers that classes may have: far more than there may be classes, as those that were removed keep theirs.
const NUMBERS: usize = 4096;

/// What has become of a class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is as it was read.
    #[default]
    Kept,
    /// It has this name, or was added with it.
    Named(String),
    /// It is part of the class of this number.
    Merged(u16),
    /// It is gone.
    Removed,
}

/// Changes of labels and classes. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relabel {
    /// What has become of each class, by number. Of classes beyond the list's end nothing has.
    #[serde(default)]
    pub classes: Vec<Fate>,
    /// Labels of photos that were set, by the photo's index: numbers of classes, ascending.
    #[serde(default, with = "pairs")]
    pub labels: BTreeMap<usize, Vec<u16>>,
}

/// A list of pairs: the keys of a JSON object are texts, which become no numbers again inside a tagged enum.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    type Labels = BTreeMap<usize, Vec<u16>>;

    pub fn serialize<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(labels)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Why a class cannot have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// Nothing is left of it once it is cleaned.
    Empty,
    /// It is read as "none of the classes" in tables.
    MeansNoClass,
    /// The class of this number has it, whatever the case of its letters: to have the same name is to be merged.
    Taken(u16),
    /// There are as many classes as there may be.
    Full,
}

impl Relabel {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.classes.iter().all(|fate| *fate == Fate::Kept)
    }

    /// Adds a class to those as they were `read`; its number.
    ///
    /// # Errors
    /// Why it cannot have this name.
    pub fn add(&mut self, read: &[String], name: &str) -> Result<u16, NameFault> {
        let name = self.free_name(read, name, None)?;
        let number = self.classes.len().max(read.len());
        if ClassMap::new(self, read).len() >= limits::CLASSES || number >= NUMBERS {
            return Err(NameFault::Full);
        }
        self.set(number as u16, Fate::Named(name));
        Ok(number as u16)
    }

    /// Gives a class another name; of the same letters in another case it may be.
    ///
    /// # Errors
    /// Why it cannot have this name; nothing is changed then.
    pub fn rename(&mut self, read: &[String], number: u16, name: &str) -> Result<(), NameFault> {
        let name = self.free_name(read, name, Some(number))?;
        let as_read = read.get(usize::from(number)) == Some(&name);
        self.set(number, if as_read { Fate::Kept } else { Fate::Named(name) });
        Ok(())
    }

    /// Makes a class part of another. Of itself, nothing is changed.
    pub fn merge(&mut self, from: u16, into: u16) {
        if from != into {
            self.set(from, Fate::Merged(into));
        }
    }

    /// Takes a class away.
    pub fn remove(&mut self, number: u16) {
        self.set(number, Fate::Removed);
    }

    /// The labels, as classes in force, of a photo that was read with the labels `as_read`; those of its boxes aside.
    /// Ascending.
    pub fn labels(&self, map: &ClassMap, image: usize, as_read: &[u16]) -> Vec<u16> {
        let numbers = self.labels.get(&image).map_or(as_read, Vec::as_slice);
        let labels: BTreeSet<u16> = numbers.iter().filter_map(|&number| map.class(number)).collect();
        labels.into_iter().collect()
    }

    /// Gives a photo, which was read with the labels `as_read`, the labels of these numbers.
    pub fn set_labels(&mut self, map: &ClassMap, image: usize, as_read: &[u16], numbers: &[u16]) {
        let numbers: BTreeSet<u16> = numbers.iter().copied().collect();
        self.labels.insert(image, numbers.into_iter().collect());
        let now = self.labels(map, image, as_read);
        let set = self.labels.remove(&image);
        if now != self.labels(map, image, as_read) {
            self.labels.extend(set.map(|set| (image, set)));
        }
    }

    /// The data set with the changes.
    pub fn apply(&self, read: &Dataset) -> Dataset {
        let map = ClassMap::new(self, &read.classes);
        let mut changed = Dataset { classes: map.names().to_vec(), ..read.clone() };
        for (image, item) in changed.items.iter_mut().enumerate() {
            (item.labels, item.boxes) = self.of_photo(&map, image, &item.labels, &item.boxes);
            if let Some(values) = map.values() {
                item.mask = item.mask.take().map(|mask| Relabelled::of(mask, values));
            }
        }
        changed
    }

    /// The facts of the data set with the changes.
    pub fn apply_to_summary(&self, read: &Summary) -> Summary {
        let map = ClassMap::new(self, &read.classes);
        let changed = |(image, facts): (usize, &ImageSummary)| {
            let (labels, boxes) = self.of_photo(&map, image, &facts.labels, &facts.boxes);
            ImageSummary { labels, boxes, path: facts.path.clone(), stem: facts.stem.clone(), ..*facts }
        };
        let images = read.images.iter().enumerate().map(changed).collect();
        let mut summary = Summary { classes: map.names().to_vec(), images, ..read.clone() };
        summary.count();
        summary
    }

    /// Labels and boxes of a photo that was read with these.
    fn of_photo(
        &self,
        map: &ClassMap,
        image: usize,
        labels: &[u16],
        boxes: &[ObjectBox],
    ) -> (Vec<u16>, Vec<ObjectBox>) {
        let boxes = map.boxes(boxes);
        let mut labels = self.labels(map, image, labels);
        if self.labels.contains_key(&image) {
            labels.extend(boxes.iter().map(|object| object.class));
            labels.sort_unstable();
            labels.dedup();
        }
        (labels, boxes)
    }

    fn set(&mut self, number: u16, fate: Fate) {
        let at = usize::from(number);
        if at < NUMBERS {
            self.classes.resize_with(self.classes.len().max(at + 1), Fate::default);
            self.classes[at] = fate;
        }
    }

    /// The name, cleaned, if no class but `own` has it.
    fn free_name(&self, read: &[String], name: &str, own: Option<u16>) -> Result<String, NameFault> {
        let name = clean(name).ok_or(NameFault::Empty)?;
        if means_no_class(&name) {
            return Err(NameFault::MeansNoClass);
        }
        let map = ClassMap::new(self, read);
        let mut others = map.numbers().iter().zip(map.names()).filter(|(number, _)| Some(**number) != own);
        match others.find(|(_, other)| is_same(other, &name)) {
            Some((&number, _)) => Err(NameFault::Taken(number)),
            None => Ok(name),
        }
    }
}

#[cfg(test)]
mod tests;
