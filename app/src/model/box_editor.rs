//! Drawing boxes on one photo: what is pressed, dragged and typed becomes boxes. Points and edges are pixels
//! of the photo.

mod shape;

use tag2mask_core::dataset::{ImageSummary, ObjectBox};

use self::shape::{SMALLEST, edges_at, moved, pulled, span};
use super::box_place::{self, Point};
use super::boxes::Edit;

/// A step of the arrow keys, of the photo's width or height.
const STEP: f32 = 0.01;
/// Width and height of a box that the keyboard draws, of the photo's.
const NEW: f32 = 0.25;

/// What a drag takes along.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Grip {
    /// A new box spans from here.
    New(Point),
    /// A box, pressed here.
    Whole(usize, Point),
    /// Edges of a box: -1 is left or upper, 1 right or lower, 0 none.
    Edges(usize, i8, i8),
}

/// One photo's boxes while they are looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Editor {
    /// Index of the photo.
    pub image: usize,
    size: (f32, f32),
    edit: Edit,
    /// What is shown: the boxes, and what a drag has made of them so far.
    boxes: Vec<ObjectBox>,
    selected: Option<usize>,
    class: u16,
    classes: Vec<u16>,
    drag: Option<Grip>,
}

impl Editor {
    /// The boxes of photo `image` of a data set with this many classes.
    pub fn new(image: usize, facts: &ImageSummary, classes: usize, edit: Edit) -> Self {
        let all = 0..u16::try_from(classes).unwrap_or(u16::MAX);
        let others = all.filter(|class| !facts.labels.contains(class));
        let classes: Vec<u16> = facts.labels.iter().copied().chain(others).collect();
        Self {
            image,
            size: (facts.width as f32, facts.height as f32),
            boxes: edit.boxes().to_vec(),
            edit,
            selected: None,
            class: classes.first().copied().unwrap_or(0),
            classes,
            drag: None,
        }
    }

    /// The boxes as they are shown.
    pub fn boxes(&self) -> &[ObjectBox] {
        &self.boxes
    }

    /// What has been done, to be kept.
    pub fn edit(&self) -> &Edit {
        &self.edit
    }

    /// The box that is selected.
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// The class that is drawn.
    pub fn class(&self) -> u16 {
        self.class
    }

    /// The classes, the photo's own first.
    pub fn classes(&self) -> &[u16] {
        &self.classes
    }

    /// A box as it is drawn over the photo.
    pub fn place(&self, index: usize) -> Option<[f32; 4]> {
        self.boxes.get(index).map(|object| box_place::place(object, self.size))
    }

    /// Columns and rows of the photo.
    pub fn size(&self) -> (f32, f32) {
        self.size
    }

    /// Selects a box, or none.
    pub fn select(&mut self, index: Option<usize>) {
        self.selected = index.filter(|&index| index < self.boxes.len());
    }

    /// A finger or pointer goes down. `reach` is how far from an edge it still takes hold of it; with
    /// `draws`, it draws even where a box is.
    pub fn press(&mut self, at: Point, reach: f32, draws: bool) {
        let at = self.clamp(at);
        let grip =
            self.selected.and_then(|index| Some((index, edges_at(self.boxes.get(index)?, at, reach)?)));
        self.drag = Some(match (draws, grip, self.hit(at)) {
            (false, Some((index, (x, y))), _) => Grip::Edges(index, x, y),
            (false, None, Some(index)) => Grip::Whole(index, at),
            _ => Grip::New(at),
        });
        self.selected = match self.drag {
            Some(Grip::Whole(index, _) | Grip::Edges(index, ..)) => Some(index),
            _ => None,
        };
    }

    /// It moves.
    pub fn drag(&mut self, at: Point) {
        let (at, size) = (self.clamp(at), self.size);
        let Some(grip) = self.drag else { return };
        self.boxes = self.edit.boxes().to_vec();
        match grip {
            Grip::New(from) => {
                let object = span(self.class, from, at);
                self.selected = None;
                if object.x1 - object.x0 >= SMALLEST.min(size.0)
                    && object.y1 - object.y0 >= SMALLEST.min(size.1)
                {
                    self.boxes.push(object);
                    self.selected = Some(self.boxes.len() - 1);
                }
            }
            Grip::Whole(index, from) => {
                if let Some(object) = self.boxes.get_mut(index) {
                    *object = moved(object, ((at.0 - from.0).round(), (at.1 - from.1).round()), size);
                }
            }
            Grip::Edges(index, x, y) => {
                if let Some(object) = self.boxes.get_mut(index) {
                    *object = pulled(object, (x, y), at, size);
                }
            }
        }
    }

    /// It goes up. Whether boxes have changed.
    pub fn release(&mut self) -> bool {
        self.drag.take().is_some() && self.edit.change(self.boxes.clone())
    }

    /// The drag was not meant.
    pub fn cancel(&mut self) {
        if self.drag.take().is_some() {
            self.show();
        }
    }

    /// Chooses the class that is drawn.
    pub fn choose(&mut self, class: u16) {
        if self.classes.contains(&class) {
            self.class = class;
        }
    }

    /// Gives the selected box another class. Whether that is a change.
    pub fn reclass(&mut self, class: u16) -> bool {
        self.choose(class);
        let class = self.class;
        self.alter(|object, _| object.class = class)
    }

    /// Moves the selected box by steps to the right and down, or, to `resize`, its right and lower edge. A step
    /// is a pixel if it is `fine`. Whether that is a change.
    pub fn nudge(&mut self, (right, down): (i8, i8), resize: bool, fine: bool) -> bool {
        let step = |length: f32| if fine { 1.0 } else { (STEP * length).round().max(1.0) };
        self.alter(|object, size| {
            let by = (f32::from(right) * step(size.0), f32::from(down) * step(size.1));
            *object = if resize {
                let edges = (i8::from(right != 0), i8::from(down != 0));
                pulled(object, edges, (object.x1 + by.0, object.y1 + by.1), size)
            } else {
                moved(object, by, size)
            };
        })
    }

    /// Draws a box in the middle and selects it.
    pub fn add(&mut self) -> bool {
        let half = |length: f32| (0.5 * NEW * length).round().max(0.5 * SMALLEST).min(0.5 * length);
        let (x, y) = ((0.5 * self.size.0).round(), (0.5 * self.size.1).round());
        let (dx, dy) = (half(self.size.0), half(self.size.1));
        let (from, to) = (self.clamp((x - dx, y - dy)), self.clamp((x + dx, y + dy)));
        let mut boxes = self.edit.boxes().to_vec();
        boxes.push(span(self.class, from, to));
        let changed = self.edit.change(boxes);
        self.show();
        self.selected = Some(self.boxes.len() - 1);
        changed
    }

    /// Removes the selected box; the next one is selected. Whether there was one.
    pub fn remove(&mut self) -> bool {
        let Some(index) = self.selected.filter(|&index| index < self.edit.boxes().len()) else {
            return false;
        };
        let mut boxes = self.edit.boxes().to_vec();
        boxes.remove(index);
        let last = boxes.len().checked_sub(1);
        let changed = self.edit.change(boxes);
        self.show();
        self.selected = last.map(|last| index.min(last));
        changed
    }

    /// Takes the last change back. Whether there was one.
    pub fn undo(&mut self) -> bool {
        let changed = self.edit.undo();
        self.show();
        changed
    }

    /// Makes the change again that was taken back. Whether there was one.
    pub fn redo(&mut self) -> bool {
        let changed = self.edit.redo();
        self.show();
        changed
    }

    fn alter(&mut self, change: impl FnOnce(&mut ObjectBox, (f32, f32))) -> bool {
        let mut boxes = self.edit.boxes().to_vec();
        let Some(object) = self.selected.and_then(|index| boxes.get_mut(index)) else { return false };
        change(object, self.size);
        let changed = self.edit.change(boxes);
        self.show();
        changed
    }

    fn show(&mut self) {
        self.drag = None;
        self.boxes = self.edit.boxes().to_vec();
        self.select(self.selected);
    }

    /// The smallest box at a point.
    fn hit(&self, at: Point) -> Option<usize> {
        let area = |object: &ObjectBox| (object.x1 - object.x0) * (object.y1 - object.y0);
        let covers = |object: &ObjectBox| {
            (object.x0..=object.x1).contains(&at.0) && (object.y0..=object.y1).contains(&at.1)
        };
        let hit = self.boxes.iter().enumerate().filter(|(_, object)| covers(object));
        hit.min_by(|(_, a), (_, b)| area(a).total_cmp(&area(b))).map(|(index, _)| index)
    }

    /// On the photo, between two pixels.
    fn clamp(&self, (x, y): Point) -> Point {
        (x.round().clamp(0.0, self.size.0), y.round().clamp(0.0, self.size.1))
    }
}

#[cfg(test)]
mod tests;
