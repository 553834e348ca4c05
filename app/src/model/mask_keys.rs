//! Correcting a mask without a pointer: what keys ask for, and what is said of it.

use super::box_keys::Held;
use super::mask_editor::{Editor, Tool};

/// What a key, or a button, asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The brush moves by so many steps to the right and down, of a hundredth of the photo; of a pixel if it is
    /// fine, of a twentieth if it is far.
    Nudge {
        /// Steps to the right and down.
        by: (i8, i8),
        /// Whether a step is a pixel.
        fine: bool,
        /// Whether it is a twentieth.
        far: bool,
    },
    /// Paints where the brush is.
    Dab,
    /// The brush goes down, or up.
    Toggle,
    /// Another tool.
    Take(Tool),
    /// A wider brush (1) or a narrower one (-1).
    Size(i8),
    /// The class at this place of the list, from 0.
    Class(usize),
    /// The last change goes.
    Undo,
    /// It comes again.
    Redo,
}

/// What a key asks for, by the name that browsers give it; `on_photo` if the photo has the focus, where arrows,
/// space and Enter have no other use.
pub fn wish(key: &str, held: Held, on_photo: bool) -> Option<Wish> {
    let nudge = |by| on_photo.then_some(Wish::Nudge { by, fine: held.alt, far: held.shift });
    match (key, held.control) {
        ("z" | "Z", true) => Some(if held.shift { Wish::Redo } else { Wish::Undo }),
        ("y", true) => Some(Wish::Redo),
        (_, true) => None,
        ("ArrowLeft", _) => nudge((-1, 0)),
        ("ArrowRight", _) => nudge((1, 0)),
        ("ArrowUp", _) => nudge((0, -1)),
        ("ArrowDown", _) => nudge((0, 1)),
        (" ", _) => on_photo.then_some(Wish::Dab),
        ("Enter", _) => on_photo.then_some(Wish::Toggle),
        ("[", _) => Some(Wish::Size(-1)),
        ("]", _) => Some(Wish::Size(1)),
        _ => {
            if let Some(tool) = Tool::ALL.into_iter().find(|tool| key.eq_ignore_ascii_case(tool.name().1)) {
                return Some(Wish::Take(tool));
            }
            let digit = key.parse::<usize>().ok().filter(|digit| (1..=9).contains(digit))?;
            Some(Wish::Class(digit - 1))
        }
    }
}

impl Editor {
    /// Does what is wished; says what came of it to those who cannot see it.
    pub fn fulfil(&mut self, wish: Wish, classes: &[String]) -> String {
        let name = |class: Option<u16>| {
            class.and_then(|class| classes.get(usize::from(class))).map_or("background", String::as_str)
        };
        match wish {
            Wish::Nudge { by: (right, down), fine, far } => {
                let (width, height) = self.shape();
                let step = |length: f32| match (fine, far) {
                    (true, _) => 1.0,
                    (_, true) => (0.05 * length).max(1.0),
                    _ => (0.01 * length).max(1.0),
                };
                self.nudge((f32::from(right) * step(width), f32::from(down) * step(height)));
                let ((x, y), under) = (self.cursor(), self.under());
                format!(
                    "{:.0} % across, {:.0} % down, on {}",
                    100.0 * x / width,
                    100.0 * y / height,
                    name(under)
                )
            }
            Wish::Dab if self.tool() == Tool::Fill && !self.has_regions() => {
                "The regions are not there yet".into()
            }
            Wish::Dab => match self.dab() {
                true => format!("Now {}", name(self.under())),
                false => "Nothing has changed".into(),
            },
            Wish::Toggle => {
                self.toggle();
                if self.is_down() { "Brush down: arrows paint" } else { "Brush up" }.into()
            }
            Wish::Take(tool) => {
                self.choose_tool(tool);
                tool.name().0.into()
            }
            Wish::Size(by) => {
                let size = self.size();
                self.resize(if by > 0 {
                    (1.25 * size).round().max(size + 1.0)
                } else {
                    (size / 1.25).floor()
                });
                format!("{:.0} pixels wide", self.size())
            }
            Wish::Class(at) => match self.classes().get(at).copied() {
                Some(class) => {
                    self.choose(class);
                    format!("Painting {}", name(Some(class)))
                }
                None => String::new(),
            },
            Wish::Undo => if self.undo() { "Undone" } else { "Nothing to undo" }.into(),
            Wish::Redo => if self.redo() { "Done again" } else { "Nothing to redo" }.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::summary;
    use tag2mask_core::masks::LabelMap;

    #[test]
    fn keys_are_wishes() {
        let none = Held::default();
        let control = Held { control: true, ..none };
        let nudge = Wish::Nudge { by: (0, 1), fine: false, far: true };
        assert_eq!(wish("ArrowDown", Held { shift: true, ..none }, true), Some(nudge));
        assert_eq!(wish("ArrowDown", none, false), None, "a slider's own");
        assert_eq!((wish(" ", none, true), wish("Enter", none, false)), (Some(Wish::Dab), None));
        assert_eq!(
            (wish("e", none, false), wish("E", none, true)),
            (Some(Wish::Take(Tool::Eraser)), wish("e", none, true))
        );
        assert_eq!((wish("b", control, true), wish("z", control, false)), (None, Some(Wish::Undo)));
        assert_eq!(wish("Z", Held { shift: true, ..control }, false), Some(Wish::Redo));
        assert_eq!(
            (wish("]", none, false), wish("2", none, false)),
            (Some(Wish::Size(1)), Some(Wish::Class(1)))
        );
        assert_eq!((wish("Tab", none, true), wish("0", none, true)), (None, None));
    }

    #[test]
    fn wishes_are_fulfilled_and_told() {
        let summary = summary(3);
        let map = LabelMap::background(200, 100);
        let mut editor = Editor::new(1, None, &summary.images[1], 3, map).unwrap();
        let mut tell = |wish| editor.fulfil(wish, &summary.classes);
        assert_eq!(tell(Wish::Undo), "Nothing to undo");
        assert_eq!(tell(Wish::Dab), "Now dog");
        assert_eq!(tell(Wish::Dab), "Nothing has changed");
        let right = Wish::Nudge { by: (1, 0), fine: false, far: true };
        assert_eq!(tell(right), "55 % across, 50 % down, on background");
        assert_eq!(tell(Wish::Toggle), "Brush down: arrows paint");
        assert_eq!(tell(right), "60 % across, 50 % down, on dog");
        assert_eq!(tell(Wish::Toggle), "Brush up");
        assert_eq!(tell(Wish::Class(1)), "Painting cat");
        assert_eq!(tell(Wish::Take(Tool::Fill)), "Fill a region");
        assert_eq!(tell(Wish::Dab), "The regions are not there yet");
        assert_eq!((tell(Wish::Undo), tell(Wish::Redo)), ("Undone".into(), "Done again".into()));
        assert_eq!(tell(Wish::Size(1)), "10 pixels wide");
        assert_eq!(tell(Wish::Size(-1)), "8 pixels wide");
        for _ in 0..40 {
            tell(Wish::Size(-1));
        }
        assert_eq!(tell(Wish::Size(-1)), "1 pixels wide");
        assert_eq!(tell(Wish::Size(1)), "2 pixels wide");
    }
}
