//! Whether the next run learns from accepted masks, too.

use leptos::prelude::*;

use crate::model::{Part, text};
use crate::state::State;

/// The question; nothing where no mask was accepted, or the method could not learn from them.
#[component]
pub fn GivenMasks() -> impl IntoView {
    let state = State::use_here();
    let accepted = state
        .memo(Part::Results, |model| model.results.shown().map_or(0, |made| made.review.accepted().len()));
    view! {
        <Show when=move || accepted.get() != 0>
            <div class="given-masks changes">
                <label class="slider check" for="given-masks">
                    <input
                        type="checkbox"
                        id="given-masks"
                        aria-describedby="given-masks-help"
                        prop:checked=move || state.learns_from_accepted.get()
                        on:change=move |event| state.learns_from_accepted.set(event_target_checked(&event))
                    />
                    {move || {
                        format!(
                            "Learn from the {}, too",
                            text::count(accepted.get() as u64, "accepted mask", "accepted masks"),
                        )
                    }}
                </label>
                <p class="help" id="given-masks-help">
                    "The next run takes them for the truth of their photos. All other photos teach by their labels or boxes."
                </p>
            </div>
        </Show>
    }
}
