//! The guided start, in the section that is next.

use leptos::prelude::*;

use crate::browser::window;
use crate::model::guide::{self, STOPS, Stop};
use crate::model::{Model, Part};
use crate::state::State;

/// The tour's stop, if it is in this section.
#[component]
pub fn Guide(
    /// Element id of the section.
    section: &'static str,
) -> impl IntoView {
    let state = State::use_here();
    let stop = Memo::new(move |_| {
        for part in [Part::Data, Part::Run, Part::Results] {
            state.read(part, |_| ());
        }
        let touched = state.form.with(|form| form.touched);
        let here = |model: &Model| {
            // Who changes settings does not need to hear that they suit.
            guide::stop(model).filter(|stop| stop.section == section && !(stop.number == 1 && touched))
        };
        if state.tour.get() { state.peek(here) } else { None }
    });
    move || stop.get().map(|stop| shown(state, stop))
}

fn shown(state: State, stop: Stop) -> AnyView {
    view! {
        <aside class="guide changes" aria-label="Guided start">
            <div>
                <p class="guide-title">
                    <span class="guide-number">{format!("{} of {STOPS}", stop.number)}</span>
                    {stop.title}
                </p>
                <p>{stop.words}</p>
            </div>
            <button
                type="button"
                class="button quiet"
                on:click=move |_| {
                    state.tour.set(false);
                    window::go_to(stop.section);
                }
            >
                "End the tour"
            </button>
        </aside>
    }
    .into_any()
}
