//! The run of an earlier visit, offered before anything else.

use leptos::prelude::*;

use crate::model::Part;
use crate::model::project::{Kept, Project};
use crate::parts::confirm::ConfirmButton;
use crate::state::State;

/// What stands on the card.
#[derive(Clone, PartialEq)]
enum Card {
    None,
    Elsewhere,
    Offer(Project),
    /// The user has to give its photos again.
    NeedsPhotos(Project),
}

/// The card; nothing when no run is kept.
#[component]
pub fn KeptRun() -> impl IntoView {
    let state = State::use_here();
    let card = state.memo(Part::Kept, |model| match &model.kept {
        Kept::Elsewhere => Card::Elsewhere,
        Kept::Waiting(project) => Card::Offer(project.clone()),
        Kept::Wanted(project) if project.lacks_photos() => Card::NeedsPhotos(project.clone()),
        _ => Card::None,
    });
    view! {
        {move || match card.get() {
            Card::None => ().into_any(),
            Card::Elsewhere => view! {
                <p class="muted">
                    "tag2mask is open in another tab, which keeps its run in this browser. What is trained here is not kept."
                </p>
            }
                .into_any(),
            Card::Offer(project) => view! { <Offer project=project /> }.into_any(),
            Card::NeedsPhotos(project) => view! {
                <div class="notice" role="status">
                    <div>
                        <p class="notice-title">"Give the same photos again"</p>
                        <p>
                            {format!(
                                "There was no room to keep {} itself, only what was learned from it. Drop the same folder or files below, and the run goes on.",
                                project.name,
                            )}
                        </p>
                    </div>
                </div>
            }
                .into_any(),
        }}
    }
}

#[component]
fn Offer(project: Project) -> impl IntoView {
    let state = State::use_here();
    view! {
        <div class="notice kept">
            <div>
                <p class="notice-title">"Your last run is kept in this browser"</p>
                <p>
                    <strong>{project.name.clone()}</strong>
                    {format!(" · {}", project.in_words())}
                </p>
            </div>
            <div class="actions">
                <button type="button" class="button primary" on:click=move |_| state.take_up()>
                    "Open it"
                </button>
                <ConfirmButton
                    label="Delete it"
                    question=Signal::derive(|| "This deletes what was learned.".to_string())
                    yes="Yes, delete it"
                    act=move |()| state.discard_kept()
                />
            </div>
        </div>
    }
}
