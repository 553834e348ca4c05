//! A grid of thousands of masks, of which only what is near the window is there.

use std::time::Duration;

use leptos::ev::{self, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;

use crate::browser::{pointer, window};
use crate::model::review::{Verdict, beside};
use crate::model::visible::{Place, columns};
use crate::model::{Model, Part, text};
use crate::parts::press::press;
use crate::screens::tiles::{Over, Tile, typical_shape};
use crate::state::State;

/// Least width of a tile, CSS pixels.
const LEAST: f64 = 240.0;
/// Between two tiles; `style/review.css` has the same.
const GAP: f64 = 16.0;
/// How long the list has to rest before pictures are asked for: those that fly by are not seen.
const REST: Duration = Duration::from_millis(100);

/// The masks of these images.
#[component]
pub fn LongList(
    /// Their indices.
    images: Memo<Vec<usize>>,
    /// The one class that is shown, if one is chosen.
    only: Signal<Option<usize>>,
) -> impl IntoView {
    let state = State::use_here();
    let (room, list) = (NodeRef::<html::Div>::new(), NodeRef::<html::Ul>::new());
    let shape = state.summary().map_or(1.333, |summary| typical_shape(&summary));
    let place = RwSignal::new(Place { columns: 2, row: 240.0, top: 0.0, window: 800.0 });
    let measure = move || {
        let (Some(room), Some(element)) = (room.get_untracked(), list.get_untracked()) else { return };
        let (room, frame) = (pointer::frame_of(&room), pointer::frame_of(&element));
        let before = place.get_untracked();
        let tile = element.first_element_child().map(|tile| pointer::frame_of(&tile).height);
        let now = Place {
            columns: columns(frame.width, LEAST, GAP),
            row: tile.filter(|&height| height > 0.0).map_or(before.row, |height| height + GAP),
            top: frame.top - room.top,
            window: room.height,
        };
        if now != before {
            place.set(now);
        }
    };
    let resized = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    let total = Memo::new(move |_| images.with(Vec::len));
    let stretch = move || place.get().stretch(total.get());
    let shown = Memo::new(move |_| {
        let stretch = stretch();
        images
            .with(|images| images.get(stretch.first..stretch.end).map(<[usize]>::to_vec))
            .unwrap_or_default()
    });
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        list.track();
        shown.track();
        // After a frame has laid out what has changed: how high a tile is, is known only then.
        request_animation_frame(measure);
        let ask = move || state.want_pictures(&shown.get_untracked());
        if let Some(earlier) = waiting.get_value() {
            earlier.clear();
        }
        waiting.set_value(set_timeout_with_handle(ask, REST).ok());
    });
    on_cleanup(move || {
        if let Some(Some(waiting)) = waiting.try_get_value() {
            waiting.clear();
        }
    });
    let rows = move |rows: usize| format!("{:.2}px", rows as f64 * place.get().row);
    let items = move || {
        let first = stretch().first;
        shown.get().into_iter().enumerate().map(move |(at, image)| (first + at, image)).collect::<Vec<_>>()
    };
    view! {
        <div class="long-room" node_ref=room on:scroll=move |_| measure()>
        <ul
            class="tiles long"
            node_ref=list
            aria-label="Masks"
            style=("--tile-shape", format!("{shape:.3}"))
            style=("--columns", move || place.get().columns.to_string())
            style:padding-top=move || rows(stretch().above)
            style:padding-bottom=move || rows(stretch().below)
        >
            <For each=items key=|&item| item let:item>
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
        press("verdict", sign, move || judge(means))
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
