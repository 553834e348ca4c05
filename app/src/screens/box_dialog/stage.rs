//! The photo under the pointer, and its boxes.

use leptos::ev::PointerEvent;
use leptos::html;
use leptos::prelude::*;

use super::desk::Desk;
use crate::browser::pointer::{self, Held};
use crate::model::box_editor::Editor;
use crate::model::{Part, box_place, overlay};
use crate::parts::photo::Photo;

/// The photo under the pointer, with a button for each box, so that the keyboard reaches them.
#[component]
pub fn Stage(desk: Desk, image: usize, width: u32, height: u32, classes: Vec<String>) -> impl IntoView {
    let state = desk.state;
    let stage = NodeRef::<html::Div>::new();
    let held = RwSignal::new(None::<Held>);
    let picture = Signal::derive(move || state.read(Part::Thumbnails, |model| model.pictures.large(image)));
    let number = Memo::new(move |_| desk.read(|editor| editor.boxes().len()));
    let classes = StoredValue::new(classes);
    let ours = move |event: &PointerEvent| held.get_untracked().filter(|held| held.is_of(event));
    let press = move |event: PointerEvent| {
        let Some(element) = stage.get_untracked() else { return };
        if held.with_untracked(Option::is_some) {
            return;
        }
        let Some(taken) = Held::take(&element, &event) else { return };
        event.prevent_default();
        held.set(Some(taken));
        state.edit_boxes(|editor| {
            let at = taken.frame.at(pointer::place(&event), editor.size());
            editor.press(at, taken.frame.reach(taken.is_finger, editor.size()), event.shift_key());
            false
        });
    };
    let follow = move |event: PointerEvent| {
        let Some(held) = ours(&event) else { return };
        state.edit_boxes(|editor| {
            editor.drag(held.frame.at(pointer::place(&event), editor.size()));
            false
        });
    };
    let release = move |event: PointerEvent| {
        if ours(&event).is_none() {
            return;
        }
        held.set(None);
        state.edit_boxes(Editor::release);
        if desk.peek(|editor| editor.selected().is_some()) {
            desk.focus_selected();
        }
        desk.said.set(desk.peek(|editor| classes.with_value(|classes| editor.words(classes))));
    };
    let cancel = move |event: PointerEvent| {
        if ours(&event).is_some() {
            held.set(None);
            state.edit_boxes(|editor| {
                editor.cancel();
                false
            });
        }
    };
    view! {
        <div
            class="draw-stage"
            node_ref=stage
            role="group"
            aria-label="Boxes on the photo"
            on:pointerdown=press
            on:pointermove=follow
            on:pointerup=release
            on:pointercancel=cancel
        >
            <Photo label="The photo" width=width height=height picture=picture over=Signal::derive(|| None) />
            <For each=move || 0..number.get() key=|&index| index let:index>
                <DrawnBox desk=desk index=index number=number classes=classes />
            </For>
        </div>
    }
}

/// One box: selected where the focus is.
#[component]
fn DrawnBox(
    desk: Desk,
    index: usize,
    number: Memo<usize>,
    classes: StoredValue<Vec<String>>,
) -> impl IntoView {
    let object = Memo::new(move |_| desk.read(|editor| editor.boxes().get(index).copied()));
    let selected = Memo::new(move |_| desk.read(|editor| editor.selected() == Some(index)));
    let class = move || object.get().map_or(0, |object| usize::from(object.class));
    let name = move || classes.with_value(|classes| classes.get(class()).cloned().unwrap_or_default());
    let words = move || {
        let words = object.get().map(|object| box_place::in_words(&object, &name())).unwrap_or_default();
        format!("Box {} of {}: {words}", index + 1, number.get())
    };
    // Left, top, width and height.
    let edge = move |side: usize| {
        let place = desk.read(|editor| editor.place(index)).map(box_place::css).unwrap_or_default();
        place.into_iter().nth(side).unwrap_or_default()
    };
    view! {
        <button
            type="button"
            id=format!("box-{index}")
            class="mark drawn"
            class:selected=move || selected.get()
            style:left=move || edge(0)
            style:top=move || edge(1)
            style:width=move || edge(2)
            style:height=move || edge(3)
            style=("--class", move || overlay::class_css(class()))
            aria-label=words
            aria-pressed=move || selected.get().to_string()
            on:focus=move |_| {
                if !selected.get_untracked() {
                    desk.state.edit_boxes(|editor| {
                        editor.select(Some(index));
                        false
                    });
                }
            }
        >
            <span class="mark-name">{name}</span>
            <Show when=move || selected.get()>
                {["nw", "n", "ne", "e", "se", "s", "sw", "w"]
                    .map(|side| view! { <span class=format!("grip {side}")></span> })
                    .collect_view()}
            </Show>
        </button>
    }
}
