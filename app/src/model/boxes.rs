//! Boxes of all photos: those that came with them, and those that were drawn on the page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use tag2mask_core::dataset::relabel::ClassMap;
use tag2mask_core::dataset::{ObjectBox, Summary};
use tag2mask_core::error::Result;
use tag2mask_core::export::boxes_csv;
use tag2mask_core::method::{MethodName, Supervision};

use super::box_place::Mark;
use super::text;

/// Boxes of photos that the user has changed, by the photo's index. Their classes are numbers, which stay when the list
/// of classes changes ([`Relabel`](tag2mask_core::dataset::Relabel)).
pub type Drawn = BTreeMap<usize, Vec<ObjectBox>>;

/// The boxes of one photo, and the way back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    boxes: Vec<ObjectBox>,
    done: Vec<Vec<ObjectBox>>,
    undone: Vec<Vec<ObjectBox>>,
}

impl Edit {
    /// Steps that can be taken back.
    const STEPS: usize = 200;

    /// Nothing is changed yet.
    pub fn new(boxes: Vec<ObjectBox>) -> Self {
        Self { boxes, ..Self::default() }
    }

    /// The boxes as they are.
    pub fn boxes(&self) -> &[ObjectBox] {
        &self.boxes
    }

    /// Replaces the boxes; `false` where they are the same.
    pub fn change(&mut self, boxes: Vec<ObjectBox>) -> bool {
        if boxes == self.boxes {
            return false;
        }
        self.done.push(std::mem::replace(&mut self.boxes, boxes));
        let excess = self.done.len().saturating_sub(Self::STEPS);
        self.done.drain(..excess);
        self.undone.clear();
        true
    }

    /// Takes the last change back; `false` where there is none.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.done.pop() else { return false };
        self.undone.push(std::mem::replace(&mut self.boxes, before));
        true
    }

    /// Makes the change again that was taken back; `false` where there is none.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.undone.pop() else { return false };
        self.done.push(std::mem::replace(&mut self.boxes, after));
        true
    }

    /// The same with other classes, now and on the way back.
    fn with(&self, classes: impl Fn(&[ObjectBox]) -> Vec<ObjectBox>) -> Self {
        let all = |steps: &[Vec<ObjectBox>]| steps.iter().map(|boxes| classes(boxes)).collect();
        Self { boxes: classes(&self.boxes), done: all(&self.done), undone: all(&self.undone) }
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is something to make again.
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }
}

/// What the page knows of boxes beyond the data set's own.
#[derive(Debug, Default)]
pub struct Boxes {
    /// Their classes are numbers.
    edits: BTreeMap<usize, Edit>,
    /// What these have become, and the data set as it was read; `None` while each is in force under its number.
    classes: Option<(ClassMap, Arc<Summary>)>,
    /// Counts changes.
    revision: u64,
    /// Where that count stood when the run began to learn from them.
    learned: u64,
    /// Where it stood when they were last written to a file.
    saved: u64,
}

impl Boxes {
    /// What the classes of the data set, as it was `read`, have become.
    pub fn follow(&mut self, classes: ClassMap, read: Arc<Summary>) {
        self.classes = (!classes.is_plain()).then_some((classes, read));
    }

    /// The boxes of a photo, with their classes in force.
    pub fn of<'a>(&'a self, summary: &'a Summary, image: usize) -> Cow<'a, [ObjectBox]> {
        match (self.edits.get(&image), &self.classes) {
            (Some(edit), None) => edit.boxes().into(),
            (Some(edit), Some((classes, _))) => classes.boxes(edit.boxes()).into(),
            (None, _) => summary.images.get(image).map_or(&[][..], |facts| &facts.boxes).into(),
        }
    }

    /// The boxes of a photo, to be changed.
    pub fn edit(&self, summary: &Summary, image: usize) -> Edit {
        match (self.edits.get(&image), &self.classes) {
            (Some(edit), None) => edit.clone(),
            (Some(edit), Some((classes, _))) => edit.with(|boxes| classes.boxes(boxes)),
            (None, _) => Edit::new(self.of(summary, image).into_owned()),
        }
    }

    /// Takes the changed boxes of a photo. Those of classes that were removed come back with their class.
    pub fn put(&mut self, image: usize, mut edit: Edit) {
        if let Some((classes, read)) = &self.classes {
            edit = edit.with(|boxes| classes.numbered(boxes));
            let before = match self.edits.get(&image) {
                Some(before) => before.boxes(),
                None => read.images.get(image).map_or(&[][..], |facts| &facts.boxes),
            };
            let hidden = before.iter().filter(|object| classes.class(object.class).is_none());
            edit.boxes.extend(hidden.copied());
        }
        self.edits.insert(image, edit);
        self.revision += 1;
    }

    /// Boxes of the photos that the user has changed.
    pub fn drawn(&self) -> Drawn {
        self.edits.iter().map(|(&image, edit)| (image, edit.boxes.clone())).collect()
    }

    /// Whether the user has drawn none and changed none.
    pub fn are_untouched(&self) -> bool {
        self.edits.is_empty()
    }

    /// Takes boxes of an earlier visit; `are_new` if its run has learned from others.
    pub fn restore(&mut self, drawn: Drawn, are_new: bool) {
        let edits = drawn.into_iter().map(|(image, boxes)| (image, Edit::new(boxes))).collect();
        let revision = u64::from(are_new);
        let classes = self.classes.take();
        *self = Self { edits, classes, revision, learned: 0, saved: revision };
    }

    /// A run starts to learn from them.
    pub fn run_starts(&mut self) {
        self.learned = self.revision;
    }

    /// Boxes were changed since the run started: a run from here on is another one.
    pub fn are_new(&self) -> bool {
        self.learned != self.revision
    }

    /// They are in a file of the user's.
    pub fn saved(&mut self) {
        self.saved = self.revision;
    }

    /// Whether drawn ones are in no file of the user's.
    pub fn are_unsaved(&self) -> bool {
        self.saved != self.revision
    }

    /// Classes of a photo's boxes that the photo was not labelled with, ascending.
    pub fn added_labels(&self, summary: &Summary, image: usize) -> Vec<u16> {
        let Some(facts) = summary.images.get(image) else { return Vec::new() };
        let classes = self.of(summary, image).into_owned().into_iter().map(|object| object.class);
        let mut added: Vec<u16> = classes.filter(|class| !facts.labels.contains(class)).collect();
        added.sort_unstable();
        added.dedup();
        added
    }

    /// The boxes of a photo as they are drawn over it.
    pub fn marks(&self, summary: &Summary, image: usize) -> Vec<Mark> {
        let Some(facts) = summary.images.get(image) else { return Vec::new() };
        let size = (facts.width as f32, facts.height as f32);
        self.of(summary, image).iter().map(|object| Mark::new(object, size, &summary.classes)).collect()
    }

    /// Boxes in all photos, and photos that have some.
    pub fn count(&self, summary: &Summary) -> Count {
        let each = (0..summary.images.len()).map(|image| self.of(summary, image).len());
        each.fold(Count::default(), |count, boxes| Count {
            boxes: count.boxes + boxes,
            photos: count.photos + usize::from(boxes > 0),
        })
    }

    /// `boxes.csv`.
    ///
    /// # Errors
    /// As [`boxes_csv::encode`].
    pub fn csv(&self, summary: &Summary) -> Result<Vec<u8>> {
        let images = summary.images.iter().enumerate();
        let images: Vec<_> =
            images.map(|(image, facts)| (facts.path.as_str(), self.of(summary, image))).collect();
        boxes_csv::encode(images.iter().map(|(path, boxes)| (*path, boxes.as_ref())), &summary.classes)
    }
}

/// Numbers of boxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Boxes in all photos.
    pub boxes: usize,
    /// Photos that have a box.
    pub photos: usize,
}

impl Count {
    /// "12 of 60 photos have a box, 34 boxes in all."
    pub fn in_words(self, photos: usize) -> String {
        if self.photos == 0 {
            return "No photo has a box yet.".into();
        }
        let have = if self.photos == 1 { "has" } else { "have" };
        let of = format!(
            "{} of {}",
            text::thousands(self.photos as u64),
            text::count(photos as u64, "photo", "photos")
        );
        format!("{of} {have} a box, {} in all.", text::count(self.boxes as u64, "box", "boxes"))
    }
}

/// Whether a method learns from boxes.
pub fn are_for(method: MethodName) -> bool {
    method.method().supervision() == Supervision::Boxes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::summary;

    fn object(class: u16, x0: f32) -> ObjectBox {
        ObjectBox { class, x0, y0: 10.0, x1: x0 + 20.0, y1: 40.0 }
    }

    #[test]
    fn changes_go_back_and_forth() {
        let mut edit = Edit::new(vec![object(0, 1.0)]);
        assert!(!edit.undo() && !edit.change(vec![object(0, 1.0)]) && !edit.can_undo());
        assert!(edit.change(vec![object(0, 2.0)]) && edit.change(Vec::new()));
        assert!(edit.undo());
        assert_eq!((edit.boxes(), edit.can_redo()), (&[object(0, 2.0)][..], true));
        assert!(edit.undo() && edit.redo() && edit.redo() && !edit.redo());
        assert!(edit.boxes().is_empty());
        assert!(edit.undo() && edit.change(vec![object(1, 1.0)]) && !edit.can_redo());
        for step in 0..1000 {
            edit.change(vec![object(0, step as f32)]);
        }
        assert_eq!(edit.done.len(), Edit::STEPS);
    }

    #[test]
    fn drawn_boxes_stand_for_those_of_the_data() {
        let mut summary = summary(6);
        summary.images[4].boxes = vec![object(1, 5.0)];
        let mut boxes = Boxes::default();
        assert_eq!(boxes.count(&summary), Count { boxes: 1, photos: 1 });
        assert_eq!(boxes.count(&summary).in_words(6), "1 of 6 photos has a box, 1 box in all.");
        assert_eq!(Count::default().in_words(6), "No photo has a box yet.");
        let mut edit = boxes.edit(&summary, 4);
        edit.change(vec![object(1, 5.0), object(2, 7.0), object(0, 1.0), object(0, 9.0)]);
        boxes.put(4, edit);
        assert_eq!(boxes.count(&summary).in_words(6), "1 of 6 photos has a box, 4 boxes in all.");
        assert_eq!(boxes.added_labels(&summary, 4), [0, 2], "it is labelled with 1");
        assert!(boxes.are_unsaved() && boxes.are_new());
        boxes.saved();
        boxes.run_starts();
        assert!(!boxes.are_unsaved() && !boxes.are_new());

        let mut later = Boxes::default();
        assert!(later.are_untouched());
        later.restore(boxes.drawn(), true);
        assert!(later.are_new() && !later.are_untouched() && !later.are_unsaved());
        later.put(2, Edit::default());
        assert!(later.are_new());
        later.restore(boxes.drawn(), false);
        assert_eq!(later.of(&summary, 4), boxes.of(&summary, 4));
        assert!(!later.are_new() && !later.edit(&summary, 4).can_undo());
        assert!(later.of(&summary, 99).is_empty() && later.added_labels(&summary, 99).is_empty());
    }

    #[test]
    fn boxes_follow_their_classes_and_come_back_with_them() {
        let mut read = summary(6);
        read.images[4].boxes = vec![object(1, 5.0)];
        let mut changes = tag2mask_core::dataset::Relabel::default();
        changes.remove(1);
        let read = Arc::new(read);
        let now = changes.apply_to_summary(&read);
        let mut boxes = Boxes::default();
        boxes.put(0, Edit::new(vec![object(2, 1.0), object(1, 2.0)]));
        let map = |changes| ClassMap::new(changes, &read.classes);
        boxes.follow(map(&changes), read.clone());
        assert_eq!(*boxes.of(&now, 0), [object(1, 1.0)]);
        assert!(boxes.of(&now, 4).is_empty());
        for image in [0, 4] {
            let mut edit = boxes.edit(&now, image);
            edit.change(vec![object(1, 9.0)]);
            boxes.put(image, edit);
            assert_eq!(*boxes.of(&now, image), [object(1, 9.0)]);
        }
        boxes.follow(map(&Default::default()), read.clone());
        assert_eq!(*boxes.of(&read, 0), [object(2, 9.0), object(1, 2.0)]);
        assert_eq!(*boxes.of(&read, 4), [object(2, 9.0), object(1, 5.0)]);
    }

    #[test]
    fn the_table_has_all_boxes() {
        let mut summary = summary(3);
        summary.images[2].boxes = vec![object(2, 5.5)];
        let mut boxes = Boxes::default();
        boxes.put(0, Edit::new(vec![object(0, 1.0)]));
        let expected =
            "image,class,x0,y0,x1,y1\nimages/000.jpg,cat,1,10,21,40\nimages/002.jpg,sheep,5.5,10,25.5,40\n";
        assert_eq!(String::from_utf8(boxes.csv(&summary).unwrap()).unwrap(), expected);
    }
}
