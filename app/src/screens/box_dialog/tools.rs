//! What can be chosen and done beside the photo.

use std::sync::Arc;

use leptos::prelude::*;
use tag2mask_core::dataset::Summary;

use super::desk::Desk;
use crate::model::box_editor::Editor;
use crate::model::box_keys::Wish;
use crate::parts::press::{DIGITS, press};

/// The class to draw with, and what can be done with the selected box.
#[component]
pub fn Tools(desk: Desk, summary: Arc<Summary>) -> impl IntoView {
    let order = Memo::new(move |_| desk.read(|editor| editor.classes().to_vec()));
    let drawn = Memo::new(move |_| desk.read(Editor::class));
    let selected = Memo::new(move |_| {
        desk.read(|editor| {
            editor.selected().and_then(|index| editor.boxes().get(index)).map(|object| object.class)
        })
    });
    let (can_undo, can_redo) = (
        Memo::new(move |_| desk.read(|editor| editor.edit().can_undo())),
        Memo::new(move |_| desk.read(|editor| editor.edit().can_redo())),
    );
    let choose = move |class: u16| {
        desk.state.edit_boxes(|editor| {
            editor.choose(class);
            false
        });
    };
    let reclass = move |value: String| {
        let at = value
            .parse()
            .ok()
            .and_then(|class: u16| order.with_untracked(|order| order.iter().position(|&c| c == class)));
        if let Some(at) = at {
            desk.fulfil(Wish::Class(at));
        }
    };
    let names = StoredValue::new(summary.classes.clone());
    let name = move |class: u16| {
        names.with_value(|names| names.get(usize::from(class)).cloned().unwrap_or_default())
    };
    let chip = move |(at, class): (usize, u16)| {
        press("chip", name(class), move || choose(class))
            .swatch(Some(usize::from(class)))
            .key(DIGITS.get(at).copied().unwrap_or_default())
            .pressed(move || drawn.get() == class)
            .show()
    };
    let option = move |class: u16| {
        view! {
            <option value=class selected=move || selected.get() == Some(class)>{name(class)}</option>
        }
    };
    let act = move |label: &str, wish: Wish, off: Signal<bool>| {
        press("button", label, move || desk.fulfil(wish)).off(move || off.get()).show()
    };
    view! {
        <div class="draw-tools">
            <div>
                <h3 id="draw-class">"Drag on the photo to draw a box of"</h3>
                <div class="chips" role="group" aria-labelledby="draw-class">
                    {move || order.get().into_iter().enumerate().map(chip).collect_view()}
                </div>
            </div>
            <div class="field">
                <label for="box-class">"The selected box is of"</label>
                <div class="draw-selected">
                    <select
                        id="box-class"
                        disabled=move || selected.with(Option::is_none)
                        on:keydown=move |event| event.stop_propagation()
                        on:change=move |event| reclass(event_target_value(&event))
                    >
                        <Show when=move || selected.with(Option::is_none)>
                            <option selected=true>"none is selected"</option>
                        </Show>
                        {move || order.get().into_iter().map(option).collect_view()}
                    </select>
                    {act("Delete", Wish::Remove, Signal::derive(move || selected.with(Option::is_none)))}
                </div>
            </div>
            <div class="actions">
                <button type="button" class="button" id="box-add" on:click=move |_| desk.fulfil(Wish::Add)>
                    "New box"
                </button>
                {act("Undo", Wish::Undo, Signal::derive(move || !can_undo.get()))}
                {act("Redo", Wish::Redo, Signal::derive(move || !can_redo.get()))}
            </div>
            <details class="weights-how">
                <summary>"Keys"</summary>
                <dl class="keys help">
                    <dt>"N"</dt><dd>"new box in the middle"</dd>
                    <dt>"Tab"</dt><dd>"to the next box"</dd>
                    <dt>"Arrows"</dt><dd>"move it; with Shift resize it; with Alt by one pixel"</dd>
                    <dt>"1 to 9"</dt><dd>"its class, or that of the next box"</dd>
                    <dt>"Delete"</dt><dd>"remove it"</dd>
                    <dt>"Ctrl + Z"</dt><dd>"undo; with Shift redo"</dd>
                    <dt>"Page ↑ ↓"</dt><dd>"other photos"</dd>
                    <dt>"Shift + drag"</dt><dd>"draw inside another box"</dd>
                </dl>
            </details>
        </div>
    }
}
