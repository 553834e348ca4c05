//! What each class covers of its photos, before and after.

use leptos::prelude::*;

use crate::model::rounds::{Change, changes};
use crate::model::{Part, text};
use crate::parts::bars::Swatch;
use crate::state::State;

/// A pair of bars a class: in the masks after the first round, and in those that are shown.
pub fn before_and_after(state: State) -> AnyView {
    let rows = Memo::new(move |_| {
        let Some(summary) = state.summary() else { return Vec::new() };
        state.read(Part::Course, |_| ());
        state.read(Part::Results, |model| changes(&model.results, &model.course, &summary))
    });
    view! {
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <table class="bars before-after">
                <caption>
                    "Share of its photos "
                    <span class="key pale">"after the first round"</span>
                    " "
                    <span class="key share-line">"in these masks"</span>
                </caption>
                <tbody>{move || rows.get().into_iter().map(row).collect::<Vec<_>>()}</tbody>
            </table>
        </Show>
    }
    .into_any()
}

fn row(change: Change) -> AnyView {
    let bar = |share: Option<f64>, class: &'static str| {
        let width = format!("{:.1}%", share?.clamp(0.0, 1.0) * 100.0);
        Some(view! { <span class=class style:width=width></span> })
    };
    let word = |share: Option<f64>| share.map_or_else(|| "–".to_string(), text::percent);
    view! {
        <tr>
            <th scope="row">
                <Swatch class=change.class />
                <span class="bars-name" title=change.name.clone()>{change.name.clone()}</span>
            </th>
            <td class="bars-bar" aria-hidden="true">
                {bar(change.before, "pale")}
                {bar(change.after, "")}
            </td>
            <td class="bars-value">{format!("{} → {}", word(change.before), word(change.after))}</td>
        </tr>
    }
    .into_any()
}
