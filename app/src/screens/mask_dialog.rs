//! One photo over the page, to correct its mask.

mod stage;
mod tools;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use self::stage::stage;
use self::tools::tools;
use crate::browser::window;
use crate::model::box_keys;
use crate::model::mask_editor::Editor;
use crate::model::mask_keys::{self, Wish};
use crate::parts::opacity;
use crate::parts::press::press;
use crate::state::State;

/// What the parts of the dialog share.
#[derive(Clone, Copy)]
struct Desk {
    state: State,
    /// How many times the photo is enlarged.
    zoom: RwSignal<u32>,
    /// The last news, for those who cannot see it.
    said: RwSignal<String>,
}

impl Desk {
    /// Reads the open mask.
    fn read<T: Default>(self, read: impl FnOnce(&Editor) -> T) -> T {
        self.state.mask_editor.with(|editor| editor.as_ref().map(read)).unwrap_or_default()
    }

    /// Does what a key or a button asks for.
    fn fulfil(self, wish: Wish) {
        let classes = self.state.peek(|model| model.data.summary().map(|summary| summary.classes.clone()));
        let classes = classes.unwrap_or_default();
        let mut said = String::new();
        self.state.edit_mask(|editor| said = editor.fulfil(wish, &classes));
        if !said.is_empty() {
            self.said.set(said);
        }
    }

    /// Does what a key asks for; `on_photo` if the photo has the focus.
    fn take_key(self, event: &KeyboardEvent, on_photo: bool) {
        let held = box_keys::Held {
            shift: event.shift_key(),
            alt: event.alt_key(),
            control: event.ctrl_key() || event.meta_key(),
        };
        if let Some(wish) = mask_keys::wish(&event.key(), held, on_photo) {
            event.prevent_default();
            event.stop_propagation();
            self.fulfil(wish);
        }
    }
}

/// The dialog; Escape or its buttons close it. What was changed is kept, unless the user says otherwise.
#[component]
pub fn MaskDialog() -> impl IntoView {
    let state = State::use_here();
    let desk = Desk { state, zoom: RwSignal::new(1), said: RwSignal::new(String::new()) };
    let dialog = NodeRef::<html::Dialog>::new();
    let image =
        Memo::new(move |_| state.mask_editor.with(|editor| editor.as_ref().map(|editor| editor.image)));
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            match image.get() {
                // Fails only if it is already open.
                Some(_) if !dialog.open() => {
                    desk.zoom.set(1);
                    drop(dialog.show_modal());
                    window::focus("mask-stage".into());
                }
                None if dialog.open() => dialog.close(),
                _ => {}
            }
        }
    });
    view! {
        <dialog
            class="large corrects"
            node_ref=dialog
            aria-label="Correct the mask"
            style=("--opacity", move || opacity::css(state.opacity))
            on:close=move |_| state.close_mask(true)
            on:keydown=move |event| desk.take_key(&event, false)
        >
            {move || image.get().and_then(|image| work(desk, image))}
            <p class="visually-hidden" aria-live="polite">{move || desk.said.get()}</p>
        </dialog>
    }
}

/// The photo, what can be done on it, and the way out.
fn work(desk: Desk, image: usize) -> Option<AnyView> {
    let state = desk.state;
    let summary = state.peek(|model| model.data.summary().cloned())?;
    let facts = summary.images.get(image)?.clone();
    let step = move |name: &str, sign: &str, wish: Wish, can: fn(&Editor) -> bool| {
        press("button", sign, move || desk.fulfil(wish)).label(name).off(move || !desk.read(can)).show()
    };
    let ways = vec![
        step("Undo", "↶", Wish::Undo, Editor::can_undo),
        step("Redo", "↷", Wish::Redo, Editor::can_redo),
        press("button", "Discard", move || state.close_mask(false))
            .off(move || !desk.read(Editor::is_changed))
            .show(),
        press("button primary", "Done", move || state.close_mask(true)).show(),
    ];
    let view = view! {
        <div class="large-body draw-body">
            <div class="draw-head">
                <p class="large-name">{facts.path.clone()}</p>
                <p>"A corrected mask counts as accepted. It is downloaded and learned from as you leave it."</p>
            </div>
            <div class="draw-stage-room mask-room">{stage(desk, image, &facts)}</div>
            {tools(desk, summary.classes.clone())}
            <div class="draw-nav">{ways}</div>
        </div>
    };
    Some(view.into_any())
}
