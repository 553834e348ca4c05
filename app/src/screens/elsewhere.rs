//! A project that another tab has open: here it is only looked at.

use leptos::prelude::*;

use crate::model::Part;
use crate::parts::press::press;
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
    let (refused, refuse) = signal(false);
    view! {
        <div class="notice">
            <div>
                <p class="notice-title">{format!("{name} is open in another tab")}</p>
                <p role="status">
                    {move || match refused.get() {
                        false => "Here you can look at it, as it was when you opened it, and download what is there. Changes are made in the other tab.",
                        true => "The other tab still has it. Close that tab, or choose other data there, and press again.",
                    }}
                </p>
            </div>
            {press("button", "Change it here", move || state.open_what_is_shown(refuse)).show()}
        </div>
    }
    .into_any()
}
