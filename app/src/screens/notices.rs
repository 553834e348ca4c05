//! What belongs to no section: the trainer's death, its silence, warnings.

use leptos::prelude::*;

use crate::model::trainer::{Trainer, plain_reason};
use crate::model::{Part, text};
use crate::state::State;

/// Messages above the sections.
#[component]
pub fn Notices() -> impl IntoView {
    let state = State::use_here();
    // The seconds of a silence are read where they are shown: the notice itself stays as it is.
    let trainer = state.memo(Part::Trainer, |model| match &model.trainer {
        Trainer::Dead(reason) => Some(Trainer::Dead(reason.clone())),
        Trainer::Silent(_) => Some(Trainer::Silent(0)),
        _ => None,
    });
    let notices = state.memo(Part::Notices, |model| model.notices.clone());
    let again = move || {
        view! {
            <button type="button" class="button primary" on:click=move |_| state.start_again()>
                "Start again"
            </button>
        }
    };
    // A card that was lost once may be lost every time.
    let on_processor = move || {
        view! {
            <Show when=move || state.is_for_gpu()>
                <button type="button" class="button" on:click=move |_| state.use_processor()>
                    "Use the processor"
                </button>
            </Show>
        }
    };
    view! {
        {move || {
            trainer
                .get()
                .map(|trouble| match trouble {
                    Trainer::Dead(reason) => view! {
                        <div class="notice bad" role="alert">
                            <div>
                                <p class="notice-title">"The trainer has stopped"</p>
                                <p>
                                    {plain_reason(&reason)}
                                    {move || {
                                        if state.read(Part::Kept, |model| model.kept.is_safe()) {
                                            " Your data and settings are kept, and the run up to its last checkpoint."
                                        } else {
                                            " Your data and settings are kept; what it had learned is not."
                                        }
                                    }}
                                </p>
                                <details>
                                    <summary>"Technical message"</summary>
                                    <p class="mono">{reason}</p>
                                </details>
                            </div>
                            <div class="actions">{again()} {on_processor()}</div>
                        </div>
                    }
                        .into_any(),
                    _ => view! {
                        <div class="notice" role="status">
                            <div>
                                <p class="notice-title">"The trainer is not answering"</p>
                                <p>
                                    {move || {
                                        let seconds = state
                                            .read(Part::Trainer, |model| match model.trainer {
                                                Trainer::Silent(seconds) => seconds,
                                                _ => 0,
                                            });
                                        format!(
                                            "For {}. It may be busy with a long step; if that goes on, start a fresh one.",
                                            text::elapsed(f64::from(seconds)),
                                        )
                                    }}
                                </p>
                            </div>
                            {again()}
                        </div>
                    }
                        .into_any(),
                })
        }}
        <Show when=move || notices.with(|notices| !notices.is_empty())>
            <div class="notice" role="status">
                <ul>
                    {move || notices.get().into_iter().map(|message| view! { <li>{message}</li> }).collect_view()}
                </ul>
            </div>
        </Show>
    }
}
