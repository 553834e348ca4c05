//! The masks over their photos: sorted, filtered, accepted and rejected.

mod long_list;

use leptos::prelude::*;
use tag2mask_core::masks::doubt::DEFINITION;

use self::long_list::LongList;
use crate::model::results::{Order, score_note};
use crate::model::review::Filter;
use crate::model::{Model, Part, confusion, text};
use crate::parts::bars::{Bar, Bars};
use crate::parts::heat::heat_map;
use crate::parts::opacity::{self, Opacity};
use crate::parts::press::press;
use crate::state::State;

/// How good the masks are where that is known, and all of them.
#[component]
pub fn Gallery() -> impl IntoView {
    let state = State::use_here();
    let class = RwSignal::new(None::<usize>);
    let order = RwSignal::new(Order::Name);
    // Which of all filters.
    let filter = RwSignal::new(0_usize);
    let list = Memo::new(move |_| {
        let (class, order) = (class.get(), order.get());
        let filter = Filter::ALL.get(filter.get()).copied().unwrap_or_default();
        state.read(Part::Results, |model| model.results.gallery(class, order, filter))
    });
    let is_empty = Memo::new(move |_| list.with(Vec::is_empty));
    view! {
        {move || scores(state)}
        <div class="gallery-tools">
            <Opacity id="opacity" value=state.opacity />
            {outline_box("outline", state)}
            {sort_by(state, order)}
        </div>
        <div class="gallery-tools">{class_chips(state, class)}</div>
        <div class="gallery-tools">{filter_chips(state, filter)}</div>
        <p class="help">"The next run can learn from accepted masks, and a segmenter learns from all but the rejected ones. All masks are downloaded."</p>
        <details class="weights-how doubt-how">
            <summary>"What the doubt is"</summary>
            <p class="help">{DEFINITION}</p>
            <p class="help">"It looks at no supplied mask, and a network that is wrong without a doubt is not found by it."</p>
        </details>
        <Show when=move || is_empty.get()>
            <p class="muted">{move || if filter.get() == 0 { "No mask shows this class." } else { "No mask is left here." }}</p>
        </Show>
        <div style=("--opacity", move || opacity::css(state.opacity))>
            <LongList images=list only=class.into() />
        </div>
    }
}

/// The figures against supplied masks.
fn scores(state: State) -> Option<AnyView> {
    let (score, corrected) = state.read(Part::Results, |model| {
        let made = model.results.shown()?;
        let score = made.corrected_score.clone().or_else(|| made.score.clone())?;
        Some((score, made.review.corrected()))
    })?;
    let bars: Vec<Bar> = score
        .iou
        .iter()
        .enumerate()
        .map(|(row, (name, iou))| Bar {
            class: row.checked_sub(1),
            name: name.clone(),
            length: iou.unwrap_or(0.0) / 100.0,
            value: iou.map_or_else(|| "–".to_string(), |iou| format!("{iou:.1} %")),
        })
        .collect();
    let by_hand = (corrected > 0)
        .then(|| format!(" {} corrected by hand.", text::count(corrected as u64, "mask was", "masks were")));
    let view = view! {
        <div class="score">
            <div>
                <p class="score-number">{format!("{:.1} %", score.miou)}</p>
                <p>{format!("mean IoU over {}", text::count(score.images as u64, "photo", "photos"))}</p>
                <p class="help">{score_note(&score)} {by_hand}</p>
            </div>
            <Bars caption="IoU per class" bars=Signal::derive(move || bars.clone()) />
        </div>
        {confusion::table(&score).map(|(names, rows)| {
            view! {
                <h3>"What is taken for what"</h3>
                <p class="help">
                    "Of the pixels that the supplied masks give a label (rows), percent that these masks give each (columns)."
                </p>
                {heat_map(names, rows)}
            }
        })}
    };
    Some(view.into_any())
}

/// Whether masks are drawn as outlines.
pub fn outline_box(id: &'static str, state: State) -> AnyView {
    view! {
        <label class="slider check" for=id>
            <input
                type="checkbox"
                id=id
                prop:checked=move || state.outline.get()
                on:change=move |event| state.outline.set(event_target_checked(&event))
            />
            "Outline only"
        </label>
    }
    .into_any()
}

fn sort_by(state: State, order: RwSignal<Order>) -> AnyView {
    let scored = state.memo(Part::Results, |model| {
        model.results.shown().is_some_and(|made| made.masks.values().any(|mask| mask.miou.is_some()))
    });
    view! {
        <div class="slider">
            <label for="order">"Sort by"</label>
            <select
                id="order"
                on:change=move |event| {
                    order.set(match event_target_value(&event).as_str() {
                        "doubt" => Order::Doubt,
                        "worst" => Order::Worst,
                        "best" => Order::Best,
                        _ => Order::Name,
                    });
                }
            >
                <option value="name">"name"</option>
                <option value="doubt">"most doubtful first"</option>
                <Show when=move || scored.get()>
                    <option value="worst">"lowest IoU first"</option>
                    <option value="best">"highest IoU first"</option>
                </Show>
            </select>
        </div>
    }
    .into_any()
}

fn class_chips(state: State, class: RwSignal<Option<usize>>) -> AnyView {
    let classes = state.class_names().get_untracked();
    let chip = move |value: Option<usize>, name: String| {
        press("chip", name, move || class.set(value))
            .swatch(value)
            .pressed(move || class.get() == value)
            .show()
    };
    let each = classes.into_iter().enumerate().map(|(index, name)| chip(Some(index), name));
    let chips = std::iter::once(chip(None, "All classes".into())).chain(each).collect();
    chip_group("Show class", chips)
}

fn chip_group(label: &'static str, chips: Vec<AnyView>) -> AnyView {
    view! {
        <div class="chips" role="group" aria-label=label>
            {chips}
        </div>
    }
    .into_any()
}

/// Takes the last verdict back.
pub fn undo_button(state: State, act: impl Fn() + Send + Sync + 'static) -> AnyView {
    let can_undo = move || {
        state.read(Part::Results, |model| model.results.shown().is_some_and(|made| made.review.can_undo()))
    };
    press("button changes", "Undo verdict", act).off(move || !can_undo()).show()
}

fn filter_chips(state: State, filter: RwSignal<usize>) -> AnyView {
    let chip = move |(at, value): (usize, Filter)| {
        let count = move |model: &Model| {
            model.results.shown().map_or(0, |made| made.review.count(value, made.masks.len()))
        };
        press("chip", value.name(), move || filter.set(at))
            .pressed(move || filter.get() == at)
            .count(move || text::thousands(state.read(Part::Results, count) as u64))
            .show()
    };
    let chips = chip_group("Show verdict", Filter::ALL.into_iter().enumerate().map(chip).collect());
    let undo = undo_button(state, move || {
        state.undo_verdict();
    });
    vec![chips, undo].into_any()
}
