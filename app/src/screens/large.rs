//! One image in large, over the page; there its mask is accepted, rejected, and on the way to be corrected.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::gallery::undo_button;
use super::tiles::{Over, class_names, layer_over};
use crate::model::review::{Verdict, beside};
use crate::model::{Model, Part, text};
use crate::parts::opacity;
use crate::parts::photo::Photo;
use crate::parts::press::press;
use crate::state::State;

/// The dialog; Escape, its button, or a click beside the image closes it.
#[component]
pub fn Large() -> impl IntoView {
    let state = State::use_here();
    let said = RwSignal::new(String::new());
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            match state.enlarged.get() {
                // Fails only if it is already open.
                Some(_) if !dialog.open() => drop(dialog.show_modal()),
                None if dialog.open() => dialog.close(),
                _ => {}
            }
        }
    });
    let is_open = Memo::new(move |_| state.enlarged.with(Option::is_some));
    view! {
        <dialog
            class="large"
            node_ref=dialog
            aria-label="Photo"
            style=("--opacity", move || opacity::css(state.opacity))
            on:close=move |_| state.enlarged.set(None)
            on:keydown=move |event| take_key(state, said, &event)
            on:click=move |event| {
                if dialog.get_untracked().is_some_and(|dialog| event.target() == Some(dialog.into())) {
                    state.enlarged.set(None);
                }
            }
        >
            <Show when=move || is_open.get()>
                <div class="large-body">
                    {move || photo(state)} <div class="large-caption">{move || caption(state)} {turning(state)}</div>
                    {reviewing(state, said)}
                </div>
            </Show>
            <p class="visually-hidden" aria-live="polite">{move || said.get()}</p>
        </dialog>
    }
}

/// The photo, and what lies over it.
fn photo(state: State) -> Option<AnyView> {
    let image = state.enlarged.get()?;
    let summary = state.summary()?;
    let facts = summary.images.get(image)?.clone();
    let has_mask = state.memo(Part::Results, move |model| model.results.mask(image).is_some()).get();
    let over = if has_mask { Over::Mask(Signal::derive(|| None)) } else { Over::Preview };
    let picture = Signal::derive(move || state.read(Part::Thumbnails, |model| model.pictures.large(image)));
    let view = view! {
        <Photo
            label=format!("{}: {}", facts.path, class_names(&summary, &facts.labels))
            width=facts.width
            height=facts.height
            picture=picture
            over=layer_over(state, image, over)
            smooth=!has_mask
        />
    };
    Some(view.into_any())
}

/// What it is.
fn caption(state: State) -> Option<AnyView> {
    let image = state.enlarged.get()?;
    let summary = state.summary()?;
    let facts = summary.images.get(image)?.clone();
    let classes = class_names(&summary, &facts.labels);
    let mask = state.read(Part::Results, |model| model.results.mask(image).cloned());
    let doubt = mask.as_ref().and_then(|mask| mask.doubt);
    let shares = mask.map(|mask| {
        mask.shares
            .iter()
            .filter_map(|(class, share)| {
                let name = summary.classes.get(usize::from(*class))?;
                Some(format!("{name} {}", text::percent(f64::from(*share))))
            })
            .collect::<Vec<_>>()
            .join(", ")
    });
    let view = view! {
        <div>
            <p class="large-name">{facts.path.clone()}</p>
            <p>
                {format!("{} × {} pixels · ", facts.width, facts.height)}
                {if classes.is_empty() { "none of the classes".to_string() } else { classes }}
                {shares.filter(|shares| !shares.is_empty()).map(|shares| format!(" · in the mask: {shares}"))}
                {doubt.map(|doubt| format!(" · doubt {}", text::percent(f64::from(doubt))))}
            </p>
        </div>
    };
    Some(view.into_any())
}

/// The way to the images beside it, and out.
fn turning(state: State) -> AnyView {
    let there = move |by| {
        let here = state.enlarged.get()?;
        state.in_line.with_value(|line| beside(line, here, by))
    };
    let place = move || {
        let (here, total) = (state.enlarged.get()?, state.in_line.with_value(Vec::len));
        let at = state.in_line.with_value(|line| line.iter().position(|&image| image == here))?;
        Some(format!("{} of {}", text::thousands(at as u64 + 1), text::thousands(total as u64)))
    };
    let way = move |sign: &str, label: &str, by: isize| {
        press("button", sign, move || state.turn(by)).label(label).off(move || there(by).is_none()).show()
    };
    view! {
        <nav class="large-nav" aria-label="Photos in large">
            {way("‹", "Previous photo", -1)} <span>{place}</span> {way("›", "Next photo", 1)}
            {press("button", "Close", move || state.enlarged.set(None)).show()}
        </nav>
    }
    .into_any()
}

/// What can be said of its mask, where it has one.
fn reviewing(state: State, said: RwSignal<String>) -> AnyView {
    let of = move |read: fn(&Model, usize) -> bool| {
        let image = state.enlarged.get();
        image.is_some_and(|image| state.read(Part::Results, |model| read(model, image)))
    };
    let has_mask = Memo::new(move |_| of(|model, image| model.results.mask(image).is_some()));
    let working = move || {
        let parts = [Part::Data, Part::Run, Part::Results, Part::Segmenter];
        parts.into_iter().fold(false, |_, part| state.read(part, Model::is_working))
    };
    let buttons = move || {
        vec![
            press("button", "Accept", move || judge(state, said, Verdict::Accepted))
                .key("A")
                .pressed(move || of(|model, image| verdict_on(model, image) == Some(Verdict::Accepted)))
                .show(),
            press("button reject", "Reject", move || judge(state, said, Verdict::Rejected))
                .key("R")
                .pressed(move || of(|model, image| verdict_on(model, image) == Some(Verdict::Rejected)))
                .show(),
            press("button", "Correct the mask", move || correct(state)).key("C").off(working).show(),
            undo_button(state, move || undo(state, said)),
        ]
    };
    view! {
        <Show when=move || has_mask.get()>
            <div class="actions large-review changes">{buttons()}</div>
        </Show>
    }
    .into_any()
}

fn verdict_on(model: &Model, image: usize) -> Option<Verdict> {
    model.results.shown().and_then(|made| made.review.of(image))
}

fn judge(state: State, said: RwSignal<String>, verdict: Verdict) {
    let Some(image) = state.enlarged.get_untracked().filter(|_| !state.is_read_only()) else { return };
    state.judge(image, verdict);
    let words = match state.peek(|model| verdict_on(model, image)) {
        Some(Verdict::Accepted) => "Accepted",
        Some(Verdict::Rejected) => "Rejected",
        None => "To review",
    };
    said.set(words.into());
}

/// Takes the last verdict back, and shows whose it was.
fn undo(state: State, said: RwSignal<String>) {
    if let Some(image) = state.undo_verdict() {
        if state.enlarged.get_untracked() != Some(image) {
            state.turn_to(image);
        }
        said.set("Undone".into());
    }
}

fn correct(state: State) {
    if let Some(image) = state.enlarged.get_untracked() {
        state.ask_for_mask(image);
    }
}

fn take_key(state: State, said: RwSignal<String>, event: &KeyboardEvent) {
    let control = event.ctrl_key() || event.meta_key();
    let image = state.enlarged.get_untracked();
    let has_mask = state.peek(|model| image.is_some_and(|image| model.results.mask(image).is_some()));
    match event.key().as_str() {
        "ArrowLeft" => state.turn(-1),
        "ArrowRight" => state.turn(1),
        "z" if control && has_mask => undo(state, said),
        _ if control => return,
        "a" | "A" if has_mask => judge(state, said, Verdict::Accepted),
        "r" | "R" if has_mask => judge(state, said, Verdict::Rejected),
        "c" | "C" if has_mask => correct(state),
        _ => return,
    }
    event.prevent_default();
}
