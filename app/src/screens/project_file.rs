//! The project as one file: asked for, on its way, there.

use leptos::prelude::*;

use crate::model::run::Stage;
use crate::model::{Model, Part, text};
use crate::parts::notice::Failure;
use crate::parts::progress::Progress;
use crate::state::State;

/// The button.
#[component]
pub fn ProjectFileButton() -> impl IntoView {
    let state = State::use_here();
    let is_working = Memo::new(move |_| {
        for part in [Part::Trainer, Part::Data, Part::Run, Part::Results, Part::Segmenter, Part::Kept] {
            state.read(part, |_| ());
        }
        state.peek(Model::is_working)
    });
    let is_training = state
        .memo(Part::Run, |model| matches!(model.run.stage, Stage::Training | Stage::Pausing | Stage::Paused));
    view! {
        <button
            type="button"
            class="button"
            id="pack-project"
            disabled=move || is_working.get()
            title=move || if is_training.get() { "Stop the training first; it can go on afterwards." } else { "" }
            on:click=move |_| state.pack_project()
        >
            "Save as one file (.zip)"
        </button>
    }
}

/// What becomes of it.
#[component]
pub fn ProjectFileState() -> impl IntoView {
    let state = State::use_here();
    let packing = state.memo(Part::Kept, |model| model.archive.packing);
    let saved = state.memo(Part::Kept, |model| model.archive.saved.clone());
    let failure = state.memo(Part::Kept, |model| model.archive.failure.clone());
    let fraction = Memo::new(move |_| match packing.get() {
        Some((done, total)) if total > 0 => Some(done as f64 / total as f64),
        _ => None,
    });
    let done = Memo::new(move |_| match packing.get() {
        Some((done, total)) if total > 0 && done < total => {
            format!("Packing photos: {} of {}", text::thousands(done as u64), text::thousands(total as u64))
        }
        Some((_, total)) if total > 0 => "Packing the run and its masks".to_string(),
        _ => "Packing the project".to_string(),
    });
    view! {
        <Show when=move || packing.get().is_some()>
            <Progress label="Packing the project" fraction=fraction done=done left=Signal::derive(String::new) />
            <div class="actions">
                <button type="button" class="button" on:click=move |_| state.stop_packing()>
                    "Cancel"
                </button>
            </div>
        </Show>
        <Failure title="The project could not be packed" message=failure />
        <p class="project-file" role="status">
            {move || {
                saved
                    .get()
                    .map(|name| {
                        format!(
                            "{name} is in your downloads: photos, labels, boxes, the run and its masks. Drop it on this page on any machine, or give it to the program on one with a large GPU.",
                        )
                    })
            }}
        </p>
    }
}
