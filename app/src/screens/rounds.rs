//! The rounds of a run side by side: a slider over their masks, and a table of what the masks have in numbers.

use leptos::prelude::*;

use crate::model::rounds::{self, Column, Stop};
use crate::model::{Part, text};
use crate::parts::bars::Swatch;
use crate::state::State;

/// Which round's masks are shown; nothing while there is only one.
#[component]
pub fn RoundSlider() -> impl IntoView {
    let state = State::use_here();
    let stops = state.memo(Part::Run, |model| rounds::stops(&model.run));
    let shown = state.memo(Part::Results, |model| model.results.round);
    let busy = state.memo(Part::Results, |model| model.results.is_busy());
    let learning = state.memo(Part::Segmenter, |model| model.segmenter.is_busy());
    let place = Memo::new(move |_| {
        stops.with(|stops| stops.iter().position(|stop| stop.round == shown.get()).unwrap_or(0))
    });
    let label =
        move || stops.with(|stops| stops.get(place.get()).map(|stop| stop.label.clone()).unwrap_or_default());
    let choose = move |place: usize| {
        let stop: Option<Stop> = stops.with_untracked(|stops| stops.get(place).cloned());
        if let Some(stop) = stop {
            state.show_round(stop.round);
        }
    };
    view! {
        <Show when=move || stops.with(|stops| stops.len() > 1)>
            <div class="slider round-slider">
                <label for="round">"Masks after"</label>
                <input
                    type="range"
                    id="round"
                    min="0"
                    max=move || stops.with(|stops| stops.len() - 1).to_string()
                    prop:value=move || place.get().to_string()
                    disabled=move || busy.get() || learning.get()
                    aria-valuetext=label
                    on:input=move |event| {
                        if let Ok(place) = event_target_value(&event).parse() {
                            choose(place);
                        }
                    }
                />
                <output for="round">{label}</output>
            </div>
        </Show>
    }
}

/// Rounds whose masks are all there, a column each; nothing for one alone.
#[component]
pub fn RoundTable() -> impl IntoView {
    let state = State::use_here();
    let columns = Memo::new(move |_| {
        let Some(summary) = state.summary() else { return Vec::new() };
        state.read(Part::Results, |model| rounds::columns(&model.results, &model.run, &summary))
    });
    let classes = state.class_names();
    view! {
        <Show when=move || columns.with(|columns| columns.len() > 1)>
            <h3>"Rounds in numbers"</h3>
            <p class="help">"How much of its photos each class covers, and the threshold that cuts it out."</p>
            <div class="round-table" tabindex="0" role="region" aria-label="Rounds in numbers">
                <table>
                    <thead>
                        <tr>
                            <th></th>
                            {move || {
                                columns
                                    .get()
                                    .into_iter()
                                    .map(|column| view! { <th scope="col">{column.title}</th> })
                                    .collect_view()
                            }}
                        </tr>
                    </thead>
                    <tbody>
                        <Show when=move || columns.with(|columns| columns.iter().any(|column| column.miou.is_some()))>
                            <tr>
                                <th scope="row">"mean IoU"</th>
                                {move || {
                                    columns
                                        .get()
                                        .into_iter()
                                        .map(|column| {
                                            let miou = column.miou.map_or_else(|| "–".into(), |miou| format!("{miou:.1} %"));
                                            view! { <td>{miou}</td> }
                                        })
                                        .collect_view()
                                }}
                            </tr>
                        </Show>
                        {move || {
                            let columns = columns.get();
                            classes
                                .get()
                                .into_iter()
                                .enumerate()
                                .map(|(class, name)| {
                                    let cells = columns
                                        .iter()
                                        .map(|column| {
                                            let (share, threshold) = cell(column, class);
                                            view! {
                                                <td>
                                                    {share}
                                                    <span class="help">{threshold}</span>
                                                </td>
                                            }
                                        })
                                        .collect_view();
                                    view! {
                                        <tr>
                                            <th scope="row">
                                                <Swatch class=class />
                                                <span>{name}</span>
                                            </th>
                                            {cells}
                                        </tr>
                                    }
                                })
                                .collect_view()
                        }}
                    </tbody>
                </table>
            </div>
        </Show>
    }
}

/// "31 %" and "cut at 0.62".
fn cell(column: &Column, class: usize) -> (String, String) {
    let of = |values: &[Option<f64>], word: fn(f64) -> String| {
        values.get(class).copied().flatten().map_or_else(|| "–".to_string(), word)
    };
    (of(&column.shares, text::percent), format!("cut at {}", of(&column.thresholds, text::decimal)))
}
