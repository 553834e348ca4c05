//! Section 4: masks out.

use leptos::prelude::*;
use tag2mask_core::export::Format;

use super::export_choice::ExportChoice;
use super::gallery::Gallery;
use super::guide::Guide;
use super::rounds::{RoundSlider, RoundTable};
use super::shares;
use crate::model::download::{self, Download};
use crate::model::fields;
use crate::model::results::Work;
use crate::model::{Part, text};
use crate::parts::field::FieldGroups;
use crate::parts::notice::Failure;
use crate::parts::progress::Progress;
use crate::parts::section::Section;
use crate::state::State;

/// Make, look, download.
#[component]
pub fn ResultsSection() -> impl IntoView {
    let state = State::use_here();
    let learned = state.memo(Part::Run, |model| model.run.has_network());
    let has_masks = state.memo(Part::Results, |model| model.results.has_masks());
    let shown =
        state.memo(Part::Results, |model| model.results.shown().is_some_and(|made| !made.masks.is_empty()));
    let complete = state.memo(Part::Results, |model| model.results.is_complete());
    let names = state.class_names();
    let open = Signal::derive(move || learned.get() || has_masks.get());
    view! {
        <Section
            id="results"
            number=4
            title="Results"
            open=open
            done=complete
            hint="Opens when training is finished or stopped."
        >
            <Guide section="results" />
            <Show when=move || has_masks.get()>
                <RoundSlider />
            </Show>
            <Make />
            <RoundTable />
            {shares::before_and_after(state)}
            {move || {
                names.track();
                shown.get().then(|| view! { <Gallery /> })
            }}
        </Section>
    }
}

/// The buttons, and what they are doing.
#[component]
fn Make() -> impl IntoView {
    let state = State::use_here();
    let work = state.memo(Part::Results, |model| model.results.work.clone());
    let complete = state.memo(Part::Results, |model| model.results.is_complete());
    let failure = state.memo(Part::Results, |model| model.results.failure.clone());
    let round = state.memo(Part::Results, |model| model.results.round);
    let saved = state.memo(Part::Results, |model| model.results.saved.clone());
    let learned = state.memo(Part::Run, |model| model.run.has_network());
    let wrong = Memo::new(move |_| {
        state.form.with(|form| {
            fields::MASKS.into_iter().flat_map(fields::of_group).any(|field| form.fault(field).is_some())
        })
    });
    let learning = state.memo(Part::Segmenter, |model| model.segmenter.is_busy());
    let size_of_score_maps = Signal::derive(move || {
        let settings = state.read(Part::Run, |model| model.run.settings.clone());
        let sized = state.summary().zip(settings);
        sized
            .map_or_else(String::new, |(summary, settings)| download::size_of_score_maps(&summary, &settings))
    });
    let chosen = RwSignal::new(Download::Masks(Format::IndexPng));
    let photos = RwSignal::new(false);
    let idle = Memo::new(move |_| work.get() == Work::None);
    let fraction = Memo::new(move |_| match work.get() {
        Work::Making { done, total, .. } | Work::Packing { done, total, .. } if total > 0 => {
            Some(done as f64 / total as f64)
        }
        _ => None,
    });
    let done = Memo::new(move |_| match work.get() {
        Work::Making { total: 0, .. } => "Making masks".to_string(),
        Work::Making { done, total, .. } => {
            format!("Making masks: {} of {}", text::thousands(done as u64), text::thousands(total as u64))
        }
        Work::Packing { what, total: 0, .. } => format!("Packing {what}"),
        Work::Packing { what, done, total, .. } => {
            format!("Packing {what}: {} of {}", text::thousands(done as u64), text::thousands(total as u64))
        }
        Work::None => String::new(),
    });
    // What is done at once cannot be cancelled.
    let can_cancel =
        Memo::new(move |_| matches!(work.get(), Work::Making { .. } | Work::Packing { total: 1.., .. }));
    let left = Memo::new(move |_| match work.get() {
        Work::Making { seconds_left, .. } => text::time_left(seconds_left),
        Work::Packing { seconds_left: Some(seconds), .. } => text::time_left(Some(seconds)),
        _ => String::new(),
    });
    view! {
        <Show when=move || !idle.get()>
            <Progress label="Results" fraction=fraction done=done left=left />
            <Show when=move || can_cancel.get()>
                <div class="actions">
                    <button type="button" class="button" on:click=move |_| state.stop_masks()>
                        "Cancel"
                    </button>
                </div>
            </Show>
        </Show>
        <Failure message=failure />
        <Show when=move || idle.get() && learned.get()>
            <Show when=move || complete.get()>
                <ExportChoice
                    id="mask"
                    chosen=chosen
                    photos=photos
                    size_of_score_maps=size_of_score_maps
                />
            </Show>
            <div class="actions">
                <Show
                    when=move || complete.get()
                    fallback=move || {
                        view! {
                            <button
                                type="button"
                                class="button primary large-button changes"
                                disabled=move || wrong.get() || learning.get()
                                on:click=move |_| state.make_masks()
                            >
                                {move || {
                                    if round.get().is_some() { "Make masks of this round" } else { "Make masks" }
                                }}
                            </button>
                        }
                    }
                >
                    <button
                        type="button"
                        class="button primary large-button"
                        disabled=move || learning.get()
                        on:click=move |_| state.pack_masks(chosen.get_untracked(), photos.get_untracked())
                    >
                        {move || {
                            let what = chosen.get().what();
                            match round.get() {
                                Some(round) => format!("Download the {what} of round {} (.zip)", round + 1),
                                None => format!("Download the {what} (.zip)"),
                            }
                        }}
                    </button>
                </Show>
                <button
                    type="button"
                    class="button"
                    disabled=move || learning.get()
                    on:click=move |_| state.pack_run()
                >
                    "Download the trained network"
                </button>
                <button
                    type="button"
                    class="button"
                    disabled=move || learning.get()
                    on:click=move |_| state.pack_report()
                >
                    "Run report"
                </button>
                <Show when=move || complete.get()>
                    <button
                        type="button"
                        class="button changes"
                        disabled=move || wrong.get() || learning.get()
                        on:click=move |_| state.make_masks()
                    >
                        "Make them anew"
                    </button>
                    <a class="button" href="#new-photos">"Next: new photos"</a>
                </Show>
                <p class="actions-note" aria-live="polite">
                    {move || match (saved.get(), complete.get()) {
                        (Some(name), _) => format!("{name} is in your downloads."),
                        (None, true) => format!("All {} in one zip, under the photos' names.", chosen.get().what()),
                        (None, false) if state.is_read_only() => "No masks were made of it yet.".to_string(),
                        (None, false) => "One mask for every photo of the data set.".to_string(),
                    }}
                </p>
            </div>
            <div class="changes">
                <FieldGroups title="How masks are made" groups=fields::MASKS.to_vec() />
            </div>
        </Show>
    }
}
