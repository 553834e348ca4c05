//! A grid of thousands of masks, of which only what is near the window is there.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::browser::window;
use crate::model::review::{Verdict, beside};
use crate::model::{Model, Part, text};
use crate::parts::press::press;
use crate::screens::long::Long;
use crate::screens::tiles::{Over, Tile, typical_shape};
use crate::state::State;

/// Least width of a tile, CSS pixels.
const LEAST: f64 = 240.0;

/// The masks of these images.
#[component]
pub fn LongList(
    /// Their indices.
    images: Memo<Vec<usize>>,
    /// The one class that is shown, if one is chosen.
    only: Signal<Option<usize>>,
) -> impl IntoView {
    let state = State::use_here();
    let long = Long::new(state, images, LEAST);
    let shape = state.summary().map_or(1.333, |summary| typical_shape(&summary));
    let total = Memo::new(move |_| images.with(Vec::len));
    view! {
        <div class="long-room" node_ref=long.room on:scroll=move |_| long.measure()>
        <ul
            class="tiles long"
            node_ref=long.list
            aria-label="Masks"
            style=("--tile-shape", format!("{shape:.3}"))
            style=("--columns", move || long.columns().to_string())
            style:padding-top=move || long.above()
            style:padding-bottom=move || long.below()
        >
            <For each=move || long.items() key=|&item| item let:item>
                {reviewed(state, images, only, total, item)}
            </For>
        </ul>
        </div>
    }
}

/// One mask and what is said of it.
fn reviewed(
    state: State,
    images: Memo<Vec<usize>>,
    only: Signal<Option<usize>>,
    total: Memo<usize>,
    (at, image): (usize, usize),
) -> AnyView {
    let is = move |verdict: Verdict| {
        state.memo(Part::Results, move |model| {
            model.results.shown().is_some_and(|made| made.review.of(image) == Some(verdict))
        })
    };
    let (accepted, rejected) = (is(Verdict::Accepted), is(Verdict::Rejected));
    let words = move |model: &Model| {
        let made = model.results.shown()?;
        if made.review.is_corrected(image) {
            return Some("corrected".to_string());
        }
        made.masks
            .get(&image)?
            .doubt
            .map(|doubt| format!("doubt {}", text::percent(f64::from(doubt)).replace(' ', "\u{a0}")))
    };
    let doubt = move || state.read(Part::Results, words);
    let name = state.peek(|model| {
        let path = &model.data.summary()?.images.get(image)?.path;
        Some(path.rsplit('/').next().unwrap_or(path).to_string())
    });
    let name = name.unwrap_or_default();
    let judge = move |verdict: Verdict| {
        // Where it goes from the list, the focus goes to what stands there then.
        let line = images.get_untracked();
        let next = beside(&line, image, 1).or_else(|| beside(&line, image, -1));
        state.judge(image, verdict);
        if let Some(next) = next
            && !images.with_untracked(|images| images.contains(&image))
        {
            window::focus(format!("mask-{next}"));
        }
    };
    let keys = move |event: KeyboardEvent| {
        let control = event.ctrl_key() || event.meta_key();
        match event.key().as_str() {
            "a" | "A" if !control => judge(Verdict::Accepted),
            "r" | "R" if !control => judge(Verdict::Rejected),
            "z" if control => {
                state.undo_verdict();
            }
            _ => return,
        }
        event.prevent_default();
    };
    let button = |word: &str, sign: &str, means: Verdict, given: Memo<bool>| {
        press("verdict changes", sign, move || judge(means))
            .label(format!("{word} {name}"))
            .pressed(move || given.get())
            .show()
    };
    let buttons = vec![
        button("Accept", "✓", Verdict::Accepted, accepted),
        button("Reject", "✕", Verdict::Rejected, rejected),
    ];
    view! {
        <li
            aria-setsize=move || total.get()
            aria-posinset=at + 1
            class:accepted=move || accepted.get()
            class:rejected=move || rejected.get()
            on:keydown=keys
        >
            <Tile image=image over=Over::Mask(only) in_line=Signal::derive(move || images.get_untracked()) />
            <div class="tile-review">
                <span class="tile-doubt">{doubt}</span>
                {buttons}
            </div>
        </li>
    }
    .into_any()
}
