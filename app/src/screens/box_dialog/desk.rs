//! What the parts of the dialog share: the open photo, and what is done with it.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use tag2mask_core::dataset::Summary;

use crate::browser::window;
use crate::model::box_editor::Editor;
use crate::model::box_keys::{self, Wish};
use crate::model::text;
use crate::state::State;

/// Copied to whoever needs it.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) state: State,
    /// The last news, for those who cannot see it.
    pub(super) said: RwSignal<String>,
}

impl Desk {
    /// The facts of the data set.
    pub(super) fn summary(self) -> Option<Arc<Summary>> {
        self.state.peek(|model| model.data.summary().cloned())
    }

    /// Reads the open photo's boxes.
    pub(super) fn read<T: Default>(self, read: impl FnOnce(&Editor) -> T) -> T {
        self.state.box_editor.with(|editor| editor.as_ref().map(read)).unwrap_or_default()
    }

    /// The same without following it.
    pub(super) fn peek<T: Default>(self, read: impl FnOnce(&Editor) -> T) -> T {
        self.state.box_editor.with_untracked(|editor| editor.as_ref().map(read)).unwrap_or_default()
    }

    /// Does what a key or a button asks for, and moves the focus with the selection.
    pub(super) fn fulfil(self, wish: Wish) {
        let Some(summary) = self.summary() else { return };
        if let Wish::Photo(by) = wish {
            return self.turn(by, summary.images.len());
        }
        let mut said = String::new();
        self.state.edit_boxes(|editor| {
            let outcome = editor.fulfil(wish, &summary.classes);
            said = outcome.said;
            outcome.changed
        });
        if matches!(wish, Wish::Add | Wish::Remove) {
            self.focus_selected();
        }
        if !said.is_empty() {
            self.said.set(said);
        }
    }

    /// Moves the keyboard's focus to the selected box.
    pub(super) fn focus_selected(self) {
        let selected = self.peek(Editor::selected);
        // Where no box is left, the way to a new one.
        window::focus(selected.map_or("box-add".into(), |index| format!("box-{index}")));
    }

    /// Opens another photo.
    fn turn(self, by: i8, photos: usize) {
        let here = self.peek(|editor| Some(editor.image));
        let there = here.and_then(|here| here.checked_add_signed(isize::from(by)));
        if let Some(image) = there.filter(|&image| image < photos) {
            self.state.draw_boxes(image);
            self.said.set(format!("Photo {} of {}", image + 1, text::thousands(photos as u64)));
        }
    }

    /// Does what a key asks for.
    pub(super) fn take_key(self, event: &KeyboardEvent) {
        let held = box_keys::Held {
            shift: event.shift_key(),
            alt: event.alt_key(),
            control: event.ctrl_key() || event.meta_key(),
        };
        let Some(wish) = box_keys::wish(&event.key(), held) else { return };
        // Without a box, arrows scroll as they always do.
        if matches!(wish, Wish::Nudge { .. }) && self.peek(|editor| editor.selected().is_none()) {
            return;
        }
        event.prevent_default();
        self.fulfil(wish);
    }
}
