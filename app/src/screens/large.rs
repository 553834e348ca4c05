//! One image in large, over the page.

use leptos::html;
use leptos::prelude::*;

use super::tiles::{Over, class_names, layer_over};
use crate::model::{Part, text};
use crate::parts::photo::Photo;
use crate::state::State;

/// The dialog; Escape, its button, or a click beside the image closes it.
#[component]
pub fn Large() -> impl IntoView {
    let state = State::use_here();
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
    let content = move || {
        let image = state.enlarged.get()?;
        let summary = state.summary()?;
        let facts = summary.images.get(image)?.clone();
        let has_mask = state.read(Part::Results, |model| model.results.mask(image).is_some());
        let over = if has_mask { Over::Mask(Signal::derive(|| None)) } else { Over::Preview };
        let picture =
            Signal::derive(move || state.read(Part::Thumbnails, |model| model.pictures.large(image)));
        let classes = class_names(&summary, &facts.labels);
        let mask = state.read(Part::Results, |model| model.results.mask(image).cloned());
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
        Some(view! {
            <Photo
                label=format!("{}: {classes}", facts.path)
                width=facts.width
                height=facts.height
                picture=picture
                over=layer_over(state, image, over)
                smooth=!has_mask
            />
            <div class="large-caption">
                <div>
                    <p class="large-name">{facts.path.clone()}</p>
                    <p>
                        {format!("{} × {} pixels · ", facts.width, facts.height)}
                        {if classes.is_empty() { "none of the classes".to_string() } else { classes }}
                        {shares.filter(|shares| !shares.is_empty()).map(|shares| format!(" · in the mask: {shares}"))}
                    </p>
                </div>
                <button type="button" class="button" on:click=move |_| state.enlarged.set(None)>
                    "Close"
                </button>
            </div>
        })
    };
    view! {
        <dialog
            class="large"
            node_ref=dialog
            aria-label="Photo"
            on:close=move |_| state.enlarged.set(None)
            on:click=move |event| {
                if dialog.get_untracked().is_some_and(|dialog| event.target() == Some(dialog.into())) {
                    state.enlarged.set(None);
                }
            }
        >
            <div class="large-body">{content}</div>
        </dialog>
    }
}
