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
    Impossible,
    Offer(Project),
    Leaving,
    /// The user has to give its photos again.
    NeedsPhotos(Project),
}

/// The card; nothing when no run is kept.
#[component]
pub fn KeptRun() -> impl IntoView {
    let state = State::use_here();
    let card = state.memo(Part::Kept, |model| match &model.kept {
        Kept::Elsewhere => Card::Elsewhere,
        Kept::Impossible => Card::Impossible,
        Kept::Waiting(project) => Card::Offer(project.clone()),
        Kept::Leaving => Card::Leaving,
        Kept::Wanted(project) if project.lacks_photos() => Card::NeedsPhotos(project.clone()),
        _ => Card::None,
    });
    view! {
        {move || match card.get() {
            Card::None => ().into_any(),
            Card::Impossible => view! {
                <p class="muted">
                    "This browser keeps nothing for this page: what is trained is lost when it is closed."
                </p>
            }
                .into_any(),
            Card::Elsewhere => view! {
                <p class="muted">
                    "tag2mask is open in another tab, which keeps its run in this browser. What is trained here is not kept."
                </p>
            }
                .into_any(),
            Card::Leaving => view! {
                <div class="notice kept" role="status">
                    <p class="notice-title">"Deleting…"</p>
                </div>
            }
                .into_any(),
            Card::Offer(project) => view! { <Offer project=project /> }.into_any(),
            Card::NeedsPhotos(project) => view! {
                <div class="notice kept" role="status">
                    <div>
                        <p class="notice-title">"Give the same photos again"</p>
                        <p>
                            {format!(
                                "What was learned from {} is kept, its photos are not. Drop the same folder or files below, and the run is there again.",
                                project.name,
                            )}
                        </p>
                    </div>
                    <div class="actions">
                        <button type="button" class="button" on:click=move |_| state.leave_kept()>
                            "Not now"
                        </button>
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
