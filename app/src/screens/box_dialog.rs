//! One photo over the page, to draw boxes on it.

mod desk;
mod stage;
mod tools;

use leptos::html;
use leptos::prelude::*;

use self::desk::Desk;
use self::stage::Stage;
use self::tools::Tools;
use super::tiles::class_names;
use crate::browser::window;
use crate::model::box_keys::Wish;
use crate::model::{Part, text};
use crate::parts::press::press;
use crate::state::State;

/// The dialog; Escape or its button closes it.
#[component]
pub fn BoxDialog() -> impl IntoView {
    let state = State::use_here();
    let desk = Desk { state, said: RwSignal::new(String::new()) };
    let dialog = NodeRef::<html::Dialog>::new();
    let image =
        Memo::new(move |_| state.box_editor.with(|editor| editor.as_ref().map(|editor| editor.image)));
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            match image.get() {
                // Fails only if it is already open.
                Some(_) if !dialog.open() => {
                    drop(dialog.show_modal());
                    window::focus("box-add".into());
                }
                None if dialog.open() => dialog.close(),
                _ => {}
            }
        }
    });
    view! {
        <dialog
            class="large draw"
            node_ref=dialog
            aria-label="Draw boxes"
            on:close=move |_| state.box_editor.set(None)
            on:keydown=move |event| desk.take_key(&event)
        >
            <Show when=move || image.with(Option::is_some)>
                <Work desk=desk image=Signal::derive(move || image.get().unwrap_or(0)) />
            </Show>
            <p class="visually-hidden" aria-live="polite">{move || desk.said.get()}</p>
        </dialog>
    }
}

/// The photo, what can be done on it, and the way to the next one.
#[component]
fn Work(desk: Desk, #[prop(into)] image: Signal<usize>) -> impl IntoView {
    let state = desk.state;
    let Some(summary) = desk.summary() else { return ().into_any() };
    let photos = summary.images.len();
    let of = summary.clone();
    let path = move || of.images.get(image.get()).map(|facts| facts.path.clone());
    let of = summary.clone();
    let labels = move || match of.images.get(image.get()).map(|facts| class_names(&of, &facts.labels)) {
        Some(names) if !names.is_empty() => format!("Labelled {names}."),
        _ => "Labelled with none of the classes.".to_string(),
    };
    let of = summary.clone();
    let added = Memo::new(move |_| {
        let image = image.get();
        match state.read(Part::Boxes, |model| class_names(&of, &model.boxes.added_labels(&of, image))) {
            none if none.is_empty() => String::new(),
            names => format!(" Its boxes add {names}."),
        }
    });
    let of = summary.clone();
    let stage = move || {
        let image = image.get();
        let facts = of.images.get(image)?;
        Some(
            view! { <Stage desk=desk image=image width=facts.width height=facts.height classes=of.classes.clone() /> },
        )
    };
    let turn = move |sign: &str, label: &str, by: i8| {
        let off = move || if by < 0 { image.get() == 0 } else { image.get() + 1 >= photos };
        press("button", sign, move || desk.fulfil(Wish::Photo(by))).label(label).off(off).show()
    };
    view! {
        <div class="large-body draw-body">
            <div class="draw-head">
                <p class="large-name">{path}</p>
                <p role="status">{labels} {move || added.get()}</p>
            </div>
            <div class="draw-stage-room">{stage}</div>
            <Tools desk=desk summary=summary.clone() />
            <nav class="draw-nav" aria-label="Photos">
                {turn("‹", "Previous photo", -1)}
                <span>{move || format!("{} of {}", text::thousands(image.get() as u64 + 1), text::thousands(photos as u64))}</span>
                {turn("›", "Next photo", 1)}
                {press("button primary", "Done", move || state.box_editor.set(None)).show()}
            </nav>
        </div>
    }
    .into_any()
}
