//! Labels of all photos, and the list of classes, as the user changes them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tag2mask_core::dataset::Summary;
use tag2mask_core::dataset::relabel::{ClassMap, Fate, NameFault, Relabel};
use tag2mask_core::error::Result;
use tag2mask_core::export::labels_csv;

use super::boxes::Boxes;
use super::text;

/// What the page knows of labels beyond those that the data set was read with.
#[derive(Debug, Default)]
pub struct Labels {
    /// The data set as it was read.
    read: Option<Arc<Summary>>,
    changes: Relabel,
    map: ClassMap,
    done: Vec<Step>,
    undone: Vec<Step>,
    /// Counts changes.
    revision: u64,
    /// Where that count stood when the run began to learn from them.
    learned: u64,
    /// Where it stood when they were last written to a file.
    saved: u64,
}

/// A change: what stood before it in its place, or, once it is taken back, after it.
#[derive(Debug)]
struct Step {
    classes: Option<Vec<Fate>>,
    labels: Vec<(usize, Option<Vec<u16>>)>,
    said: String,
}

/// What came of a wish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether labels or classes have changed.
    pub changed: bool,
    /// Whether only the names of classes have.
    pub only_names: bool,
    /// In words; empty where nothing was to be done.
    pub said: String,
}

/// What a change does to the list of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassChange {
    /// Nothing.
    None,
    /// It gives some another name.
    Names,
    /// Some come, go, or become part of others.
    Classes,
}

/// How many of some photos have a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// All of them.
    All,
    /// So many, but not all.
    Some(usize),
    /// None.
    None,
}

impl Share {
    /// As `aria-checked` has it.
    pub fn checked(self) -> &'static str {
        match self {
            Self::All => "true",
            Self::Some(_) => "mixed",
            Self::None => "false",
        }
    }
}

impl Labels {
    /// Steps that can be taken back.
    const STEPS: usize = 200;

    /// A data set was read. Changes that were made before are made again: it was read by another trainer.
    pub fn read(&mut self, read: Arc<Summary>) {
        self.read = Some(read);
        self.follow();
    }

    /// The facts of the data set as it was read.
    pub fn as_read(&self) -> Option<&Arc<Summary>> {
        self.read.as_ref()
    }

    /// The facts with the changes.
    pub fn in_force(&self) -> Option<Arc<Summary>> {
        let read = self.read.as_ref()?;
        let is_same = self.changes.is_empty();
        Some(if is_same { read.clone() } else { Arc::new(self.changes.apply_to_summary(read)) })
    }

    /// The changes.
    pub fn changes(&self) -> &Relabel {
        &self.changes
    }

    /// What the classes have become.
    pub fn map(&self) -> &ClassMap {
        &self.map
    }

    /// Takes changes of an earlier visit; `are_new` if its run has learned from others.
    pub fn restore(&mut self, changes: Relabel, are_new: bool) {
        let revision = u64::from(are_new);
        let read = self.read.take();
        *self = Self { read, changes, revision, learned: 0, saved: revision, ..Self::default() };
        self.follow();
    }

    /// A run starts to learn from them.
    pub fn run_starts(&mut self) {
        self.learned = self.revision;
    }

    /// The run is dropped: the next one is another one, whatever is changed.
    pub fn drop_run(&mut self) {
        self.revision += 1;
    }

    /// Labels were changed since the run started: a run from here on is another one.
    pub fn are_new(&self) -> bool {
        self.learned != self.revision
    }

    /// They are in a file of the user's.
    pub fn saved(&mut self) {
        self.saved = self.revision;
    }

    /// Whether changes are in no file of the user's.
    pub fn are_unsaved(&self) -> bool {
        self.saved != self.revision
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is something to make again.
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// What the next step, back or forth, does to the classes.
    pub fn step_of_classes(&self, back: bool) -> ClassChange {
        let steps = if back { &self.done } else { &self.undone };
        let Some(classes) = steps.last().and_then(|step| step.classes.clone()) else {
            return ClassChange::None;
        };
        let read = self.read.as_deref().map_or(&[][..], |read| &read.classes);
        let after = ClassMap::new(&Relabel { classes, ..Relabel::default() }, read);
        if after.differs_in_names(&self.map) { ClassChange::Names } else { ClassChange::Classes }
    }

    /// Takes the last change back.
    pub fn undo(&mut self) -> Outcome {
        let Some(mut step) = self.done.pop() else { return refused("Nothing to undo".into()) };
        let only_names = self.swap(&mut step);
        let said = format!("Undone: {}", step.said);
        self.undone.push(step);
        Outcome { changed: true, only_names, said }
    }

    /// Makes the change again that was taken back.
    pub fn redo(&mut self) -> Outcome {
        let Some(mut step) = self.undone.pop() else { return refused("Nothing to redo".into()) };
        let only_names = self.swap(&mut step);
        let said = format!("Done again: {}", step.said);
        self.done.push(step);
        Outcome { changed: true, only_names, said }
    }

    /// How many of these photos have a class, boxes that were drawn aside.
    pub fn share(summary: &Summary, images: &[usize], class: u16) -> Share {
        let has = |image: &&usize| summary.images.get(**image).is_some_and(|it| it.labels.contains(&class));
        match images.iter().filter(has).count() {
            0 => Share::None,
            all if all == images.len() => Share::All,
            some => Share::Some(some),
        }
    }

    /// Gives photos a class in force, or takes it from them where all have it. A photo with a box of the class keeps it.
    pub fn toggle(&mut self, images: &[usize], class: u16, boxes: &Boxes) -> Outcome {
        let (Some(now), Some(read)) = (self.in_force(), self.read.clone()) else { return Outcome::default() };
        let Some(number) = self.map.number(class) else { return Outcome::default() };
        let adds = Self::share(&now, images, class) != Share::All;
        let (mut before, mut kept) = (Vec::new(), 0_usize);
        for &image in images {
            let (Some(facts), Some(as_read)) = (now.images.get(image), read.images.get(image)) else {
                continue;
            };
            if facts.labels.contains(&class) == adds {
                continue;
            }
            if !adds && boxes.of(&now, image).iter().any(|object| object.class == class) {
                kept += 1;
                continue;
            }
            let numbers = facts.labels.iter().filter_map(|&label| self.map.number(label));
            let numbers: Vec<u16> =
                numbers.filter(|&other| other != number).chain(adds.then_some(number)).collect();
            before.push((image, self.changes.labels.get(&image).cloned()));
            self.changes.set_labels(&self.map, image, &as_read.labels, &numbers);
        }
        let name = name_of(&now, class);
        let (verb, photos) = (if adds { "added to" } else { "taken from" }, photos(before.len()));
        let (have, keep) = if kept == 1 { ("has", "keeps") } else { ("have", "keep") };
        let keeping = match kept {
            0 => String::new(),
            _ => format!("; {} {have} a box of it, and {keep} it", text::thousands(kept as u64)),
        };
        if before.is_empty() {
            return refused(if kept > 0 { format!("{name} stays{keeping}") } else { String::new() });
        }
        self.count(false);
        self.did(None, before, format!("{name} {verb} {photos}{keeping}"))
    }

    /// Adds a class; the outcome, or why it cannot be.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn add_class(&mut self, name: &str) -> Result<Outcome, String> {
        self.change_classes(|changes, read, _| {
            let number = changes.add(&read.classes, name)?;
            Ok((number, "added".to_owned()))
        })
    }

    /// Gives a class in force another name; one that another class has makes it part of that.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn rename_class(&mut self, class: u16, name: &str) -> Result<Outcome, String> {
        if let Some(into) = self.twin(class, name) {
            return self.merge_class(class, into);
        }
        let old = self.map.names().get(usize::from(class)).cloned().unwrap_or_default();
        self.change_classes(|changes, read, map| {
            let number = map.number(class).ok_or(NameFault::Empty)?;
            changes.rename(&read.classes, number, name)?;
            Ok((number, format!("is the new name of {old}")))
        })
    }

    /// The other class in force that has this name, whatever the case of its letters.
    pub fn twin(&self, class: u16, name: &str) -> Option<u16> {
        let read = self.read.as_ref()?;
        let fault = self.changes.clone().rename(&read.classes, self.map.number(class)?, name);
        match fault {
            Err(NameFault::Taken(number)) => self.map.class(number),
            _ => None,
        }
    }

    /// Makes a class in force part of another.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn merge_class(&mut self, from: u16, into: u16) -> Result<Outcome, String> {
        let name = |class: u16| self.map.names().get(usize::from(class)).cloned().unwrap_or_default();
        let said = format!("has the photos of {} now", name(from));
        self.change_classes(|changes, _, map| {
            let both = (map.number(from), map.number(into));
            let (Some(from), Some(into)) = both else { return Err(NameFault::Empty) };
            changes.merge(from, into);
            Ok((into, said))
        })
    }

    /// Takes a class in force away. The last one stays.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn remove_class(&mut self, class: u16) -> Result<Outcome, String> {
        if self.map.len() < 2 {
            return Err("A data set needs a class: add another one first.".into());
        }
        let name = self.map.names().get(usize::from(class)).cloned().unwrap_or_default();
        self.change_classes(|changes, _, map| {
            let number = map.number(class).ok_or(NameFault::Empty)?;
            changes.remove(number);
            Ok((number, format!("{name} removed")))
        })
    }

    /// Photos that have the class `from`, of them those that have `into` too.
    pub fn merged_in_words(&self, from: u16, into: u16) -> String {
        let Some(now) = self.in_force() else { return String::new() };
        let with = |class: u16| now.images.iter().filter(move |image| image.labels.contains(&class));
        let both = with(from).filter(|image| image.labels.contains(&into)).count();
        let (from, into, all) = (name_of(&now, from), name_of(&now, into), with(from).count());
        let both = match both {
            0 => String::new(),
            both => format!(", of which {} had it before", text::thousands(both as u64)),
        };
        format!("{from} becomes part of {into}: {} of it{both}.", photos(all))
    }

    /// What removing a class does.
    pub fn removed_in_words(&self, class: u16) -> String {
        let Some(now) = self.in_force() else { return String::new() };
        let with = now.images.iter().filter(|image| image.labels.contains(&class));
        let (mut all, mut alone) = (0, 0_usize);
        for image in with {
            all += 1;
            alone += usize::from(image.labels.len() == 1);
        }
        let left = match alone {
            0 => String::new(),
            alone => format!(", and leaves {} without a label", text::thousands(alone as u64)),
        };
        format!("This takes {} from {}{left}.", name_of(&now, class), photos(all))
    }

    /// `labels.csv`, with the classes of drawn boxes.
    ///
    /// # Errors
    /// As [`labels_csv::encode`].
    pub fn csv(summary: &Summary, boxes: &Boxes) -> Result<Vec<u8>> {
        let labels = |image: usize| {
            let own = summary.images.get(image).map(|facts| facts.labels.clone()).unwrap_or_default();
            let all: BTreeSet<u16> = own.into_iter().chain(boxes.added_labels(summary, image)).collect();
            all.into_iter().collect::<Vec<u16>>()
        };
        let all: Vec<Vec<u16>> = (0..summary.images.len()).map(labels).collect();
        let images =
            summary.images.iter().zip(&all).map(|(facts, labels)| (facts.path.as_str(), labels.as_slice()));
        labels_csv::encode(images, &summary.classes)
    }

    /// Changes the list of classes: `act` says of which class's number something is to be said, and what.
    fn change_classes(
        &mut self,
        act: impl FnOnce(&mut Relabel, &Summary, &ClassMap) -> std::result::Result<(u16, String), NameFault>,
    ) -> Result<Outcome, String> {
        let Some(read) = self.read.clone() else { return Ok(Outcome::default()) };
        let mut changes = self.changes.clone();
        let (number, said) = act(&mut changes, &read, &self.map).map_err(|fault| self.fault(fault))?;
        if changes == self.changes {
            return Ok(Outcome::default());
        }
        let before = std::mem::replace(&mut self.changes, changes).classes;
        let only_names = self.follow();
        let name = self.map.class(number).and_then(|class| self.map.names().get(usize::from(class)));
        let said = name.map_or(said.clone(), |name| format!("{name} {said}"));
        let outcome = self.did(Some(before), Vec::new(), said);
        Ok(Outcome { only_names: self.count(only_names), ..outcome })
    }

    fn fault(&self, fault: NameFault) -> String {
        match fault {
            NameFault::Empty => "A class needs a name.".into(),
            NameFault::MeansNoClass => "This word means none of the classes: take another one.".into(),
            NameFault::Taken(number) => {
                let name = self.map.class(number).and_then(|class| self.map.names().get(usize::from(class)));
                format!("There is a class {} already.", name.map_or("of this name", String::as_str))
            }
            NameFault::Full => "There are as many classes as there can be.".into(),
        }
    }

    fn did(
        &mut self,
        classes: Option<Vec<Fate>>,
        labels: Vec<(usize, Option<Vec<u16>>)>,
        said: String,
    ) -> Outcome {
        self.undone.clear();
        self.done.push(Step { classes, labels, said: said.clone() });
        let excess = self.done.len().saturating_sub(Self::STEPS);
        self.done.drain(..excess);
        Outcome { changed: true, said, ..Outcome::default() }
    }

    /// Counts a change. What a run has learned, it has learned of classes, whatever their names.
    fn count(&mut self, only_names: bool) -> bool {
        let was_new = self.are_new();
        self.revision += 1;
        if only_names && !was_new {
            self.learned = self.revision;
        }
        only_names
    }

    /// Puts what a step holds in the place of what is there, and the other way round. Whether only names have changed.
    fn swap(&mut self, step: &mut Step) -> bool {
        if let Some(classes) = &mut step.classes {
            std::mem::swap(classes, &mut self.changes.classes);
        }
        for (image, labels) in &mut step.labels {
            let now = match labels.take() {
                Some(labels) => self.changes.labels.insert(*image, labels),
                None => self.changes.labels.remove(image),
            };
            *labels = now;
        }
        let only_names = self.follow() && step.labels.is_empty();
        self.count(only_names)
    }

    /// Works out the classes in force. Whether only their names have changed.
    fn follow(&mut self) -> bool {
        let map =
            self.read.as_ref().map(|read| ClassMap::new(&self.changes, &read.classes)).unwrap_or_default();
        let only_names = map.differs_in_names(&self.map);
        self.map = map;
        only_names
    }
}

fn refused(said: String) -> Outcome {
    Outcome { said, ..Outcome::default() }
}

fn name_of(summary: &Summary, class: u16) -> String {
    summary.classes.get(usize::from(class)).cloned().unwrap_or_default()
}

fn photos(number: usize) -> String {
    text::count(number as u64, "photo", "photos")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::boxes::Edit;
    use crate::model::tests::summary;
    use tag2mask_core::dataset::ObjectBox;

    /// Six photos: cat, dog, sheep, cat, dog, sheep.
    fn labels() -> Labels {
        let mut labels = Labels::default();
        labels.read(Arc::new(summary(6)));
        labels
    }

    fn of(labels: &Labels, image: usize) -> Vec<u16> {
        labels.in_force().unwrap().images[image].labels.clone()
    }

    #[test]
    fn a_class_is_added_to_some_photos_and_taken_from_all() {
        let (mut labels, boxes) = (labels(), Boxes::default());
        let share = |labels: &Labels| Labels::share(&labels.in_force().unwrap(), &[0, 1, 3], 1);
        assert_eq!((share(&labels), share(&labels).checked()), (Share::Some(1), "mixed"));
        assert_eq!(labels.toggle(&[0, 1, 3], 1, &boxes).said, "dog added to 2 photos");
        assert_eq!((of(&labels, 0), of(&labels, 1), share(&labels)), (vec![0, 1], vec![1], Share::All));
        assert_eq!(labels.toggle(&[0, 1, 3], 1, &boxes).said, "dog taken from 3 photos");
        assert_eq!((of(&labels, 0), of(&labels, 1), share(&labels)), (vec![0], vec![], Share::None));
        assert_eq!(labels.in_force().unwrap().without_class, 1);
        assert!(labels.are_new() && labels.are_unsaved());
        assert_eq!(labels.undo().said, "Undone: dog taken from 3 photos");
        assert!(labels.undo().changed && !labels.undo().changed && labels.changes().is_empty());
        assert_eq!(labels.in_force().as_deref(), Some(&summary(6)));
        assert_eq!(labels.redo().said, "Done again: dog added to 2 photos");
        assert_eq!((of(&labels, 0), labels.can_redo()), (vec![0, 1], true));
        assert_eq!(labels.toggle(&[], 1, &boxes), Outcome::default());
        assert_eq!(labels.toggle(&[99], 9, &boxes), Outcome::default());
        assert!(labels.can_redo(), "what changes nothing takes nothing away");
    }

    #[test]
    fn a_photo_keeps_the_class_of_its_box() {
        let (mut labels, mut boxes) = (labels(), Boxes::default());
        boxes.put(1, Edit::new(vec![ObjectBox { class: 1, x0: 0.0, y0: 0.0, x1: 9.0, y1: 9.0 }]));
        assert_eq!(
            labels.toggle(&[1, 4], 1, &boxes).said,
            "dog taken from 1 photo; 1 has a box of it, and keeps it"
        );
        assert_eq!(
            labels.toggle(&[1], 1, &boxes),
            refused("dog stays; 1 has a box of it, and keeps it".into())
        );
    }

    #[test]
    fn classes_are_renamed_merged_removed_and_added() {
        let mut labels = labels();
        assert_eq!(labels.rename_class(0, " Katze ").unwrap().said, "Katze is the new name of cat");
        assert_eq!(labels.twin(0, "DOG"), Some(1));
        assert_eq!(labels.twin(0, "KATZE"), None);
        assert_eq!(labels.merged_in_words(0, 1), "Katze becomes part of dog: 2 photos of it.");
        assert_eq!(labels.rename_class(0, "DOG").unwrap().said, "dog has the photos of Katze now");
        assert_eq!(labels.map().names(), ["dog", "sheep"]);
        assert_eq!((of(&labels, 0), of(&labels, 2)), (vec![0], vec![1]));
        assert_eq!(labels.add_class("cow").unwrap().said, "cow added");
        assert_eq!(labels.add_class("Cow").unwrap_err(), "There is a class cow already.");
        assert_eq!(labels.add_class(" ").unwrap_err(), "A class needs a name.");
        labels.toggle(&[0], 2, &Boxes::default());
        assert_eq!(labels.removed_in_words(0), "This takes dog from 4 photos, and leaves 3 without a label.");
        assert_eq!(labels.remove_class(0).unwrap().said, "dog removed");
        assert_eq!(
            (labels.map().names(), labels.map().numbers()),
            (&["sheep", "cow"].map(String::from)[..], &[2, 3][..])
        );
        assert_eq!((of(&labels, 0), of(&labels, 1)), (vec![1], vec![]));
        labels.remove_class(0).unwrap();
        assert!(labels.remove_class(0).is_err(), "the last one stays");
        assert_eq!(labels.step_of_classes(true), ClassChange::Classes);
        while labels.undo().changed {}
        assert_eq!(labels.in_force().as_deref(), Some(&summary(6)));
        while labels.redo().changed {}
        assert_eq!(labels.map().names(), ["cow"]);
    }

    #[test]
    fn changes_come_back_and_a_fresh_trainer_gets_them() {
        let mut before = labels();
        before.rename_class(1, "wolf").unwrap();
        before.toggle(&[0], 1, &Boxes::default());
        let mut later = labels();
        later.restore(before.changes().clone(), true);
        assert_eq!(later.in_force(), before.in_force());
        assert!(later.are_new() && !later.are_unsaved() && !later.can_undo());
        later.run_starts();
        assert!(!later.are_new());
        later.read(Arc::new(summary(6)));
        assert_eq!(later.in_force(), before.in_force());
        later.drop_run();
        assert!(later.are_new());
    }

    #[test]
    fn a_name_is_no_news_to_what_was_learned() {
        let mut labels = labels();
        labels.run_starts();
        assert!(
            labels.rename_class(1, "wolf").unwrap().only_names && !labels.are_new() && labels.are_unsaved()
        );
        assert_eq!(labels.step_of_classes(true), ClassChange::Names);
        assert!(labels.undo().only_names && !labels.are_new());
        assert!(labels.redo().only_names && !labels.are_new());
        labels.toggle(&[0], 1, &Boxes::default());
        assert_eq!(labels.step_of_classes(true), ClassChange::None);
        assert!(labels.are_new());
        assert!(
            labels.rename_class(1, "fox").unwrap().only_names && labels.are_new(),
            "the label is new still"
        );
        assert!(!labels.merge_class(0, 1).unwrap().only_names);
    }

    #[test]
    fn the_table_has_the_labels_as_they_are_and_those_of_boxes() {
        let (mut labels, mut boxes) = (labels(), Boxes::default());
        labels.rename_class(0, "big cat").unwrap();
        labels.toggle(&[1], 1, &boxes);
        boxes.put(2, Edit::new(vec![ObjectBox { class: 0, x0: 0.0, y0: 0.0, x1: 9.0, y1: 9.0 }]));
        let csv = Labels::csv(&labels.in_force().unwrap(), &boxes).unwrap();
        let expected = "image,labels\nimages/000.jpg,[big cat]\nimages/001.jpg,\nimages/002.jpg,\"[big cat, sheep]\"\nimages/003.jpg,[big cat]\nimages/004.jpg,[dog]\nimages/005.jpg,[sheep]\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
    }

    #[test]
    fn steps_are_bounded() {
        let mut labels = labels();
        (0..1000).for_each(|_| drop(labels.toggle(&[0], 1, &Boxes::default())));
        assert_eq!(labels.done.len(), Labels::STEPS);
    }
}
