//! What the chosen photos are labelled with.

use leptos::prelude::*;

use super::Desk;
use crate::model::label_grid::Grid;
use crate::model::labels::{Labels, Share};
use crate::model::{Part, text};
use crate::parts::bars::Swatch;
use crate::parts::press::{DIGITS, press};

/// A button a class, to give it to the chosen photos or to take it from them.
#[component]
pub fn Selection(desk: Desk) -> impl IntoView {
    let number = Memo::new(move |_| desk.read(|grid| grid.chosen().len()));
    let shown = Memo::new(move |_| desk.read(|grid| grid.shown().len()));
    let names = desk.fact(|facts| facts.classes.clone());
    let none = Memo::new(move |_| number.get() == 0);
    let title = move || match number.get() {
        0 => "No photo is chosen".to_owned(),
        number => format!("{} chosen", text::count(number as u64, "photo", "photos")),
    };
    let help = move || {
        if none.get() {
            "Press photos to choose them, then say what is in them."
        } else {
            "A class that only some of them have is given to all; one that all have is taken from them."
        }
    };
    view! {
        <section class="labels-chosen" aria-labelledby="chosen-heading">
            <div class="labels-row">
                <h3 id="chosen-heading">{title}</h3>
                {press("button", "All shown", move || desk.change(Grid::choose_all)).off(move || shown.get() == 0).show()}
                {press("button", "None", move || desk.change(Grid::choose_none)).off(move || none.get()).show()}
            </div>
            <div class="chips" role="group" aria-label="Classes of the chosen photos">
                {move || names.get().into_iter().enumerate().map(|class| given(desk, none, class)).collect_view()}
            </div>
            <p class="help">{help}</p>
        </section>
    }
}

/// One class: checked where all have it, mixed where some have it.
fn given(desk: Desk, none: Memo<bool>, (class, name): (usize, String)) -> AnyView {
    let state = desk.state;
    let share = move || {
        let chosen = desk.read(Grid::chosen);
        state.read(Part::Data, |model| match model.data.summary() {
            Some(summary) if !chosen.is_empty() => Labels::share(summary, &chosen, class as u16),
            _ => Share::None,
        })
    };
    let count = move || match share() {
        Share::Some(some) => {
            let all = desk.read(|grid| grid.chosen().len());
            format!("{} of {}", text::thousands(some as u64), text::thousands(all as u64))
        }
        _ => String::new(),
    };
    let key = DIGITS.get(class).copied();
    view! {
        <button
            type="button"
            class="chip given"
            role="checkbox"
            aria-checked=move || share().checked()
            disabled=move || none.get()
            on:click=move |_| desk.toggle(&desk.peek(Grid::chosen), class)
        >
            <span class="given-sign" aria-hidden="true">
                {move || match share() {
                    Share::All => "✓",
                    Share::Some(_) => "–",
                    Share::None => "+",
                }}
            </span>
            <Swatch class=class />
            {name}
            <span class="chip-count">{count}</span>
            {key.map(|key| view! { <kbd aria-hidden="true">{key}</kbd> })}
        </button>
    }
    .into_any()
}
