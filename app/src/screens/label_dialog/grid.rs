//! The photos, with their labels.

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::prelude::*;

use super::Desk;
use crate::browser::window;
use crate::model::Part;
use crate::model::box_keys::Held;
use crate::model::label_grid::{self, Grid, Wish};
use crate::parts::bars::Swatch;
use crate::parts::photo::Photo;
use crate::screens::long::Long;
use crate::screens::tiles::{picture_of, typical_shape};

/// Least width of a tile, CSS pixels; on a small screen, so that three stand side by side.
const LEAST: f64 = 144.0;
const LEAST_SMALL: f64 = 96.0;
/// Labels of a photo that have room for their names; of more, all but the first are colours and a number.
const NAMED: usize = 2;

/// All that are shown: a list of which some are chosen.
#[component]
pub fn Photos(desk: Desk) -> impl IntoView {
    let state = desk.state;
    let images = Memo::new(move |_| desk.read(|grid| grid.shown().to_vec()));
    let is_empty = Memo::new(move |_| images.with(Vec::is_empty));
    let total = Memo::new(move |_| images.with(Vec::len));
    let shape = state.summary().map_or(1.333, |summary| typical_shape(&summary));
    let long = Long::new(state, images, if window::is_wide() { LEAST } else { LEAST_SMALL });
    let focus = Memo::new(move |_| desk.read(Grid::in_focus));
    let keys = move |event: KeyboardEvent| {
        let Some(wish) = label_grid::wish(&event.key(), held(&event)) else { return };
        event.prevent_default();
        match wish {
            Wish::Move(way, far) => {
                let columns = untrack(|| long.columns());
                desk.change(|grid| grid.go(way, far, columns, long.rows()));
                long.reveal(desk.peek(Grid::focus));
            }
            Wish::Choose => desk.change(Grid::choose),
            Wish::ChooseAll => desk.change(Grid::choose_all),
            Wish::Class(class) => desk.toggle(&desk.peek(Grid::targets), class),
            Wish::Undo => desk.step(true),
            Wish::Redo => desk.step(false),
        }
    };
    view! {
        <div class="long-room labels-room" node_ref=long.room on:scroll=move |_| long.measure()>
            <ul
                class="tiles long"
                id="label-grid"
                node_ref=long.list
                role="listbox"
                tabindex="0"
                aria-multiselectable="true"
                aria-label="Photos and their labels"
                aria-activedescendant=move || focus.get().map(|image| format!("label-{image}"))
                style=("--tile-shape", format!("{shape:.3}"))
                style=("--columns", move || long.columns().to_string())
                style:padding-top=move || long.above()
                style:padding-bottom=move || long.below()
                on:keydown=keys
            >
                <For each=move || long.items() key=|&item| item let:item>
                    {tile(desk, total, focus, item)}
                </For>
            </ul>
            <Show when=move || is_empty.get()>
                <p class="muted">"There is no such photo."</p>
            </Show>
        </div>
    }
}

pub(super) fn held(event: &KeyboardEvent) -> Held {
    Held { shift: event.shift_key(), alt: event.alt_key(), control: event.ctrl_key() || event.meta_key() }
}

/// One photo; pressing it chooses it.
fn tile(
    desk: Desk,
    total: Memo<usize>,
    focus: Memo<Option<usize>>,
    (at, image): (usize, usize),
) -> Option<AnyView> {
    let state = desk.state;
    let facts = state.peek(|model| model.data.summary()?.images.get(image).cloned())?;
    let name = facts.path.rsplit('/').next().unwrap_or(&facts.path).to_owned();
    // Indices and names: both may change.
    let labels = move || -> Vec<(usize, String)> {
        state.read(Part::Boxes, |_| ());
        state.read(Part::Data, |model| {
            let Some(summary) = model.data.summary() else { return Vec::new() };
            let own = summary.images.get(image).map(|facts| facts.labels.clone()).unwrap_or_default();
            let all = own.into_iter().chain(model.boxes.added_labels(summary, image)).map(usize::from);
            all.filter_map(|class| Some((class, summary.classes.get(class)?.clone()))).collect()
        })
    };
    let chosen = Memo::new(move |_| desk.read(|grid| grid.is_chosen(image)));
    let chips = move || {
        let labels = labels();
        let named = if labels.len() > NAMED { 1 } else { labels.len() };
        let (named, rest) = labels.split_at(named);
        // What is told of a photo is its name and these words.
        let chip = |of: &[(usize, String)], words: String, told: String| {
            let swatches = of.iter().take(NAMED * 2).map(|(class, _)| view! { <Swatch class=*class /> });
            view! {
                <span class="visually-hidden">{told}</span>
                <span class="label">
                    {swatches.collect_view()} <span>{words}</span>
                </span>
            }
            .into_any()
        };
        let one = |label: &(usize, String)| chip(std::slice::from_ref(label), label.1.clone(), ", ".into());
        let mut chips: Vec<AnyView> = named.iter().map(one).collect();
        if !rest.is_empty() {
            let names: String = rest.iter().map(|(_, name)| format!(", {name}")).collect();
            chips.push(chip(rest, format!("+{}", rest.len()), names));
        }
        if chips.is_empty() {
            chips.push(view! { <span class="muted">"no label"</span> }.into_any());
        }
        chips
    };
    let press = move |event: MouseEvent| {
        let control = event.ctrl_key() || event.meta_key();
        desk.change(|grid| grid.press(at, Held { shift: event.shift_key(), alt: false, control }));
    };
    let view = view! {
        <li
            id=format!("label-{image}")
            class="label-tile"
            class:in-focus=move || focus.get() == Some(image)
            role="option"
            title=facts.path
            aria-selected=move || chosen.get().to_string()
            aria-setsize=move || total.get()
            aria-posinset=at + 1
            on:click=press
        >
            <Photo
                label=name
                width=facts.width
                height=facts.height
                picture=picture_of(state, image)
                over=Signal::derive(|| None)
            />
            <span class="label-list">{chips}</span>
        </li>
    };
    Some(view.into_any())
}
