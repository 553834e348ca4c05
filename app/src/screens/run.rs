//! Section 3: the run under way.

use leptos::prelude::*;

use super::guide::Guide;
use super::tiles::{Over, Tiles};
use crate::model::run::{Run, Stage};
use crate::model::trainer::Trainer;
use crate::model::{Model, Part, chart, data, panels, text};
use crate::parts::bars::{Bar, Bars};
use crate::parts::chart::LossChart;
use crate::parts::notice::Failure;
use crate::parts::panels::class_charts;
use crate::parts::progress::Progress;
use crate::parts::section::Section;
use crate::state::{State, previews};

/// Progress, live photos, chart, thresholds.
#[component]
pub fn RunSection() -> impl IntoView {
    let state = State::use_here();
    let open = state.memo(Part::Run, |model| model.run.stage != Stage::Idle);
    let done = state.memo(Part::Run, |model| model.run.has_network());
    view! {
        <Section id="run" number=3 title="Run" open=open done=done hint="Opens when you press Train.">
            <Guide section="run" />
            <Under />
        </Section>
    }
}

#[component]
fn Under() -> impl IntoView {
    let state = State::use_here();
    let images = Memo::new(move |_| {
        state.summary().map(|summary| data::preview_choice(&summary, previews())).unwrap_or_default()
    });
    let failure = state.memo(Part::Run, |model| match &model.run.stage {
        Stage::Failed(message) => Some(message.clone()),
        _ => None,
    });
    let collapse = state.memo(Part::Run, |model| model.run.collapse.clone());
    let plan = state.memo(Part::Losses, |model| chart::layout(&model.losses));
    let words = state.memo(Part::Losses, |model| model.losses.in_words());
    let spatial = state.memo(Part::Run, |model| model.run.is_spatial());
    let altered = state.memo(Part::Previews, |model| model.pictures.has_altered());
    let facts = state.memo(Part::Run, |model| run_facts(&model.run));
    let scores = state.memo(Part::Run, |model| model.run.scores.clone());
    let kept = state.memo(Part::Kept, |model| model.kept.is_safe());
    let names = state.class_names();
    let classes = Memo::new(move |_| {
        state.read(Part::Course, |model| names.with(|names| panels::panels(&model.course, names)))
    });
    let edges = state.memo(Part::Course, |model| panels::edges(&model.course));
    view! {
        <Head />
        <Failure title="Training has ended with an error" message=failure />
        {move || {
            collapse
                .get()
                .map(|news| {
                    view! {
                        <div class="notice warn" role="alert">
                            <div>
                                <p class="notice-title">{news.title}</p>
                                <p>{news.advice}</p>
                            </div>
                        </div>
                    }
                })
        }}
        <h3>"What the network sees"</h3>
        <Tiles images=images over=Over::Preview label="What the network sees now" />
        <Show when=move || altered.get()>
            <h3>"What is left for the second network"</h3>
            <Tiles images=images over=Over::Altered label="Photos with the found objects erased" />
        </Show>
        <div class="run-figures">
            <LossChart chart=plan words=words parts=spatial />
            <Show when=move || spatial.get()>
                <PerClass />
            </Show>
        </div>
        {class_charts(classes, edges, spatial)}
        <p class="facts run-facts">
            <Show when=move || kept.get()>
                <span>"kept in this browser: you can close the page and come back"</span>
            </Show>
            {move || facts.get().into_iter().map(|fact| view! { <span>{fact}</span> }).collect_view()}
            {move || {
                scores
                    .get()
                    .into_iter()
                    .map(|(round, score)| {
                        view! {
                            <span title="Computed with the masks you supplied; nothing learns from it">
                                {format!("after round {}: mIoU {:.1} % (looks at supplied masks)", round + 1, score.miou)}
                            </span>
                        }
                    })
                    .collect_view()
            }}
        </p>
    }
}

fn run_facts(run: &Run) -> Vec<String> {
    let mut facts = Vec::new();
    if run.parameters > 0 {
        facts.push(format!("{} trainable numbers", text::thousands(run.parameters as u64)));
    }
    if let Some(settings) = &run.settings {
        facts.push(format!("{} × {} pixels", settings.size, settings.size));
        if run.given_masks > 0 && !settings.method.learns_from_masks() {
            let masks = text::count(run.given_masks as u64, "accepted mask", "accepted masks");
            facts.push(format!("labels and {masks}"));
        }
        if run.micro_batch < settings.batch {
            facts.push(format!(
                "batches of {} in parts of {}, to fit the device",
                settings.batch, run.micro_batch
            ));
        }
    }
    facts
}

/// Round, progress over all rounds, time left, and what can be done.
#[component]
fn Head() -> impl IntoView {
    let state = State::use_here();
    let stage = state.memo(Part::Run, |model| model.run.stage.clone());
    let title = state.memo(Part::Run, |model| match &model.run.stage {
        Stage::Stopped if model.kept.is_read_only() => "As it stood at its last checkpoint".to_string(),
        Stage::Idle | Stage::Starting => "Building the network".to_string(),
        Stage::Stopped => "Stopped".to_string(),
        Stage::Finished => "Training is finished".to_string(),
        Stage::Failed(_) => "Training has ended".to_string(),
        _ => model.run.round_label(),
    });
    let purpose = state.memo(Part::Run, |model| match &model.run.stage {
        Stage::Stopped | Stage::Finished if model.kept.is_read_only() => String::new(),
        Stage::Idle | Stage::Starting => {
            "The first step takes longer: the device's programs are compiled.".to_string()
        }
        Stage::Stopped => "What it has learned so far is kept: make masks below, or go on.".to_string(),
        Stage::Finished => match model.run.seconds {
            Some(seconds) => format!("It took {}. Now make the masks below.", text::elapsed(seconds)),
            None => "Now make the masks below.".to_string(),
        },
        Stage::Failed(_) if matches!(model.trainer, Trainer::Dead(_)) => {
            "Start the trainer again, above.".to_string()
        }
        Stage::Failed(_) => "Change the settings, or train again.".to_string(),
        _ => model.run.round_purpose().to_string(),
    });
    let fraction = state.memo(Part::Run, |model| match model.run.stage {
        Stage::Starting => None,
        _ => Some(model.run.fraction()),
    });
    let done = state.memo(Part::Run, |model| match model.run.stage {
        Stage::Starting => "starting".to_string(),
        _ => model.run.counter(),
    });
    let left = state.memo(Part::Run, |model| match model.run.stage {
        Stage::Starting => String::new(),
        Stage::Training => text::time_left(model.run.seconds_left),
        Stage::Pausing => "pausing after this step…".to_string(),
        Stage::Paused => "paused".to_string(),
        Stage::Stopping => "stopping after this step…".to_string(),
        Stage::Finished => "done".to_string(),
        _ => String::new(),
    });
    let active = Memo::new(move |_| stage.with(Stage::is_active));
    let can_wait = Memo::new(move |_| stage.get() == Stage::Training);
    let can_go_on = Memo::new(move |_| matches!(stage.get(), Stage::Paused | Stage::Pausing));
    let busy = state.memo(Part::Results, |model| model.results.is_busy());
    let masked = state.memo(Part::Results, |model| model.results.is_complete());
    let learning = state.memo(Part::Segmenter, |model| model.segmenter.is_busy());
    // With other labels or boxes it would be another run.
    let changed = Memo::new(move |_| {
        state.read(Part::Data, |_| ());
        state.read(Part::Boxes, Model::has_new_labels)
    });
    let what = move || match state.peek(|model| model.labels.are_new()) {
        true => "Labels have changed since this run began: train again to learn from them.",
        false => "Boxes have changed since this run began: train again to learn from them.",
    };
    let stopped =
        Memo::new(move |_| stage.get() == Stage::Stopped && !busy.get() && !learning.get() && !changed.get());
    let learned = state.memo(Part::Run, |model| model.run.has_network());
    view! {
        <div class="run-head">
            <div class="run-words">
                <p class="run-title">{move || title.get()}</p>
                <p class="muted">{move || purpose.get()}</p>
                <Show when=move || learned.get() && changed.get()>
                    <p>{what}</p>
                </Show>
            </div>
            <Show when=move || learned.get()>
                <div class="run-buttons">
                    <Show when=move || stopped.get()>
                        <button type="button" class="button changes" on:click=move |_| state.go_on()>
                            "Go on training"
                        </button>
                    </Show>
                    <a class="button" class:primary=move || !masked.get() href="#results">
                        "Next: masks"
                    </a>
                </div>
            </Show>
            <Show when=move || active.get()>
                <div class="run-buttons">
                    <Show
                        when=move || can_go_on.get()
                        fallback=move || {
                            view! {
                                <button
                                    type="button"
                                    class="button"
                                    disabled=move || !can_wait.get()
                                    on:click=move |_| state.pause()
                                >
                                    "Pause"
                                </button>
                            }
                        }
                    >
                        <button type="button" class="button primary" on:click=move |_| state.resume()>
                            "Resume"
                        </button>
                    </Show>
                    <button
                        type="button"
                        class="button"
                        disabled=move || matches!(stage.get(), Stage::Stopping | Stage::Starting)
                        on:click=move |_| state.stop()
                    >
                        "Stop"
                    </button>
                </div>
            </Show>
        </div>
        <Progress label="Training" fraction=fraction done=done left=left />
    }
}

/// Threshold and foreground share per class.
#[component]
fn PerClass() -> impl IntoView {
    let state = State::use_here();
    let classes = move || state.summary().map(|summary| summary.classes.clone()).unwrap_or_default();
    let bars = move |values: Vec<Option<f32>>, word: fn(f64) -> String| {
        classes()
            .into_iter()
            .enumerate()
            .map(|(class, name)| {
                let value = values.get(class).copied().flatten().map(f64::from);
                Bar {
                    class: Some(class),
                    name,
                    length: value.unwrap_or(0.0),
                    value: value.map_or_else(|| "–".to_string(), word),
                }
            })
            .collect::<Vec<_>>()
    };
    let thresholds = state.memo(Part::Run, |model| model.run.thresholds.clone());
    let shares = state.memo(Part::Run, |model| model.run.shares.clone());
    view! {
        <div class="per-class">
            <Bars
                caption="Mask threshold"
                bars=Signal::derive(move || bars(thresholds.get(), text::decimal))
            />
            <Bars caption="Share of the photo" bars=Signal::derive(move || bars(shares.get(), text::percent)) />
        </div>
    }
}
