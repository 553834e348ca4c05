//! Boxes without a pointer: what keys ask for, and what is said of it.

use super::box_editor::Editor;
use super::{box_place, text};

/// What a key, or a button, asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The selected box moves, or grows and shrinks.
    Nudge {
        /// Steps to the right and down.
        by: (i8, i8),
        /// Whether only the right and lower edge move.
        resize: bool,
        /// Whether a step is a pixel.
        fine: bool,
    },
    /// A box in the middle.
    Add,
    /// The selected box goes.
    Remove,
    /// The last change goes.
    Undo,
    /// It comes again.
    Redo,
    /// The class at this place of the list, from 0: for the selected box, else for the next ones.
    Class(usize),
    /// So many photos on.
    Photo(i8),
}

/// Keys that are held down beside another one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    /// Shift.
    pub shift: bool,
    /// Alt.
    pub alt: bool,
    /// Control, or Command.
    pub control: bool,
}

/// What a key asks for, by the name that browsers give it.
pub fn wish(key: &str, held: Held) -> Option<Wish> {
    let nudge = |by| Some(Wish::Nudge { by, resize: held.shift, fine: held.alt });
    match (key, held.control) {
        ("z" | "Z", true) => Some(if held.shift { Wish::Redo } else { Wish::Undo }),
        ("y", true) => Some(Wish::Redo),
        (_, true) => None,
        ("ArrowLeft", _) => nudge((-1, 0)),
        ("ArrowRight", _) => nudge((1, 0)),
        ("ArrowUp", _) => nudge((0, -1)),
        ("ArrowDown", _) => nudge((0, 1)),
        ("n" | "N", _) => Some(Wish::Add),
        ("Delete" | "Backspace", _) => Some(Wish::Remove),
        ("PageUp", _) => Some(Wish::Photo(-1)),
        ("PageDown", _) => Some(Wish::Photo(1)),
        _ => {
            let digit = key.parse::<usize>().ok().filter(|digit| (1..=9).contains(digit))?;
            Some(Wish::Class(digit - 1))
        }
    }
}

/// What came of a wish.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether boxes have changed.
    pub changed: bool,
    /// For those who cannot see it; empty where nothing has happened.
    pub said: String,
}

impl Editor {
    /// Does what is wished, on the open photo.
    pub fn fulfil(&mut self, wish: Wish, classes: &[String]) -> Outcome {
        let changed = match wish {
            Wish::Nudge { by, resize, fine } => self.nudge(by, resize, fine),
            Wish::Add => self.add(),
            Wish::Remove => self.remove(),
            Wish::Undo => self.undo(),
            Wish::Redo => self.redo(),
            Wish::Class(at) => match self.classes().get(at).copied() {
                Some(class) if self.selected().is_some() => self.reclass(class),
                Some(class) => {
                    self.choose(class);
                    return Outcome { changed: false, said: format!("Drawing {}", name(classes, class)) };
                }
                None => false,
            },
            Wish::Photo(_) => false,
        };
        let said = match wish {
            Wish::Undo if !changed => "Nothing to undo".into(),
            Wish::Redo if !changed => "Nothing to redo".into(),
            _ if !changed => String::new(),
            Wish::Remove => format!("Removed, {} left", self.boxes().len()),
            Wish::Undo => format!("Undone, {} now", self.number()),
            Wish::Redo => format!("Done again, {} now", self.number()),
            Wish::Add => format!("New: {}", self.words(classes)),
            _ => self.words(classes),
        };
        Outcome { changed, said }
    }

    fn number(&self) -> String {
        text::count(self.boxes().len() as u64, "box", "boxes")
    }

    /// What the selected box is, in words.
    pub fn words(&self, classes: &[String]) -> String {
        let selected = self.selected().and_then(|index| self.boxes().get(index));
        selected.map_or(String::new(), |object| box_place::in_words(object, name(classes, object.class)))
    }
}

fn name(classes: &[String], class: u16) -> &str {
    classes.get(usize::from(class)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::boxes::Edit;
    use crate::model::tests::summary;

    #[test]
    fn keys_are_wishes() {
        let (none, shift) = (Held::default(), Held { shift: true, ..Held::default() });
        let control = Held { control: true, ..Held::default() };
        assert_eq!(wish("ArrowUp", none), Some(Wish::Nudge { by: (0, -1), resize: false, fine: false }));
        let fine = Held { shift: true, alt: true, control: false };
        assert_eq!(wish("ArrowRight", fine), Some(Wish::Nudge { by: (1, 0), resize: true, fine: true }));
        assert_eq!((wish("n", none), wish("N", shift)), (Some(Wish::Add), Some(Wish::Add)));
        assert_eq!(wish("n", control), None, "a new window is the browser's");
        assert_eq!((wish("z", control), wish("y", control)), (Some(Wish::Undo), Some(Wish::Redo)));
        assert_eq!(wish("Z", Held { control: true, ..shift }), Some(Wish::Redo));
        assert_eq!((wish("3", none), wish("0", none)), (Some(Wish::Class(2)), None));
        assert_eq!((wish("Tab", none), wish("Enter", none), wish("12", none)), (None, None, None));
    }

    #[test]
    fn wishes_are_fulfilled_and_told() {
        let summary = summary(3);
        let mut editor = Editor::new(1, &summary.images[1], 3, Edit::default());
        let mut tell = |wish| editor.fulfil(wish, &summary.classes).said;
        assert_eq!(tell(Wish::Remove), "");
        assert_eq!(tell(Wish::Add), "New: dog, 80 × 60 pixels, 120 from the left, 90 from the top");
        assert_eq!(tell(Wish::Class(1)), "cat, 80 × 60 pixels, 120 from the left, 90 from the top");
        assert_eq!(tell(Wish::Class(7)), "");
        assert_eq!(tell(Wish::Remove), "Removed, 0 left");
        assert_eq!(tell(Wish::Class(2)), "Drawing sheep");
        assert_eq!(tell(Wish::Undo), "Undone, 1 box now");
        assert_eq!(tell(Wish::Redo), "Done again, 0 boxes now");
        assert_eq!(tell(Wish::Redo), "Nothing to redo");
    }
}
