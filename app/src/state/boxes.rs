//! Boxes around objects, drawn on the page.

use leptos::prelude::*;

use super::State;
use crate::browser::download;
use crate::model::box_editor::Editor;
use crate::model::pictures::Pictures;
use crate::model::{Model, Part};
use crate::protocol::Command;

impl State {
    /// Opens a photo to draw boxes on; where nothing can be changed, to look at.
    pub fn draw_boxes(self, image: usize) {
        if self.is_read_only() {
            return self.enlarge(image, vec![image]);
        }
        let editor = self.peek(|model| {
            let summary = model.data.summary()?;
            let facts = summary.images.get(image)?;
            Some(Editor::new(image, facts, summary.classes.len(), model.boxes.edit(summary, image)))
        });
        if editor.is_none() {
            return;
        }
        self.change(&[Part::Thumbnails], |model| model.pictures.ask_large(image));
        self.send(Command::Thumbnails { images: vec![image], side: Pictures::LARGE_SIDE }, None);
        self.box_editor.set(editor);
    }

    /// Does something in the open photo; where boxes have changed, the trainer gets them.
    pub fn edit_boxes(self, act: impl FnOnce(&mut Editor) -> bool) -> bool {
        let mut changed = None;
        self.box_editor.update(|editor| {
            if let Some(editor) = editor
                && act(editor)
            {
                changed = Some((editor.image, editor.edit().clone()));
            }
        });
        let Some((image, edit)) = changed else { return false };
        self.change(&[Part::Boxes], |model| model.boxes.put(image, edit));
        let boxes = self.peek(|model| model.boxes.drawn().remove(&image)).unwrap_or_default();
        self.send(Command::SetBoxes { image, boxes }, None);
        self.keep_soon();
        true
    }

    /// Gives the trainer all labels that were changed, and all boxes that were drawn.
    pub(super) fn send_edits(self) {
        self.send_labels();
        for (image, boxes) in self.peek(|model| model.boxes.drawn()) {
            self.send(Command::SetBoxes { image, boxes }, None);
        }
    }

    /// Hands all boxes to the user as a table.
    pub fn save_boxes(self) {
        let table = |model: &Model| {
            let summary = model.data.summary()?;
            Some(model.boxes.csv(summary).map_err(|error| error.to_string()))
        };
        let saved = match self.peek(table) {
            Some(Ok(bytes)) => {
                let name = tag2mask_core::export::boxes_csv::NAME;
                download::save(name, &bytes)
                    .map_err(|_| format!("the browser could not save the file: {name}"))
            }
            Some(Err(message)) => Err(message),
            None => return,
        };
        self.change(&[Part::Notices, Part::Boxes], |model| match saved {
            Ok(()) => model.boxes.saved(),
            Err(message) => model.notice(message),
        });
    }
}
