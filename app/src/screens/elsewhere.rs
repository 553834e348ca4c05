//! A project that another tab has open: here it is only looked at.

use leptos::prelude::*;

use crate::model::{Model, Part};
use crate::parts::confirm::ConfirmButton;
use crate::state::State;

/// Says so, and offers to change it here; nothing in the tab that has it.
#[component]
pub fn Elsewhere() -> impl IntoView {
    let state = State::use_here();
    let name = state.memo(Part::Kept, |model| {
        model.kept.open().filter(|project| project.is_elsewhere).map(|project| project.name.clone())
    });
    move || name.get().map(|name| shown(state, name))
}

fn shown(state: State, name: String) -> AnyView {
    let (said, say) = signal("");
    let question = Memo::new(move |_| {
        [Part::Results, Part::Segmenter, Part::Kept].into_iter().for_each(|part| state.read(part, |_| ()));
        state.peek(|model| {
            match (Model::is_working(model), model.segmenter.masks) {
                (true, _) => "This ends what is under way here.",
                (false, 0) => "",
                (false, _) => "This drops the masks of new photos.",
            }
            .to_string()
        })
    });
    view! {
        <div class="notice">
            <div>
                <p class="notice-title">{format!("{name} is open in another tab")}</p>
                <p>
                    "Here you can look at it, as it was when you opened it, and download what is there. Changes are made in the other tab."
                </p>
                <p role="status">{said}</p>
            </div>
            <ConfirmButton
                label="Change it here"
                question=question
                yes="Yes, change it here"
                act=move |()| state.open_what_is_shown(say)
            />
        </div>
    }
    .into_any()
}
