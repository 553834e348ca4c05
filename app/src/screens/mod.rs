//! The page: header, the six sections, and what lies over them.

mod box_dialog;
mod boxes;
mod compare;
mod data;
mod elsewhere;
mod export_choice;
mod gallery;
mod given_masks;
mod guide;
mod header;
mod label_dialog;
mod large;
mod long;
mod mask_dialog;
mod new_photos;
mod notices;
mod project_file;
mod projects;
mod public_weights;
mod results;
mod rounds;
mod run;
mod settings;
mod shares;
mod tiles;

use leptos::prelude::*;

use crate::browser::files::Dropped;
use crate::model::Part;
use crate::model::data::Data;
use crate::state::State;

/// Everything.
#[component]
pub fn Page() -> impl IntoView {
    let state = State::new();
    provide_context(state);
    // A file dropped beside the zone would otherwise replace the page, and with it all work.
    let drop_anywhere = move |event: leptos::ev::DragEvent| {
        event.prevent_default();
        let free = state.peek(|model| matches!(model.data, Data::Empty | Data::Failed(_)));
        if let Some(transfer) = event.data_transfer().filter(|_| free) {
            state.drop_files(Dropped::take(&transfer));
        }
    };
    let read_only = state.memo(Part::Kept, |model| model.kept.is_read_only());
    view! {
        <div class="page" class:read-only=move || read_only.get() on:dragover=move |event| event.prevent_default() on:drop=drop_anywhere>
            <header::Header />
            <notices::Notices />
            <elsewhere::Elsewhere />
            <main>
                <data::DataSection />
                <settings::SettingsSection />
                <run::RunSection />
                <results::ResultsSection />
                <new_photos::NewPhotosSection />
                <compare::CompareSection />
            </main>
            <footer class="footer">
                <p>
                    "Photos, labels and masks stay on this computer: after it has loaded, this page talks to no server, unless you fetch weights."
                </p>
            </footer>
            <large::Large />
            <box_dialog::BoxDialog />
            <label_dialog::LabelDialog />
            <mask_dialog::MaskDialog />
            <Spoken />
        </div>
    }
}

/// News for screen readers, coarse enough not to chatter.
#[component]
fn Spoken() -> impl IntoView {
    let state = State::use_here();
    let words = state.memo(Part::Run, |model| {
        use crate::model::run::Stage;
        let run = &model.run;
        match &run.stage {
            Stage::Idle | Stage::Failed(_) => String::new(),
            Stage::Starting => "Starting".into(),
            Stage::Training | Stage::Pausing | Stage::Stopping => {
                let tens = (run.fraction() * 10.0).floor() * 10.0;
                format!("{}, {tens} percent", run.round_label())
            }
            Stage::Paused => "Paused".into(),
            Stage::Stopped => "Stopped".into(),
            Stage::Finished => "Finished: masks can be made now".into(),
        }
    });
    view! { <p class="visually-hidden" aria-live="polite">{move || words.get()}</p> }
}
