//! Section 2: how to train.

use leptos::html;
use leptos::prelude::*;

use crate::browser::window;
use crate::model::fields::{self, Group};
use crate::model::run::Stage;
use crate::model::{self, Part, boxes, memory, text};
use crate::parts::field::{FieldGroups, SettingField};
use crate::parts::section::Section;
use crate::screens::boxes::BoxesPanel;
use crate::screens::given_masks::GivenMasks;
use crate::screens::guide::Guide;
use crate::screens::public_weights::PublicWeightsField;
use crate::state::State;

/// Makes a weights file from torchvision's own.
const MAKE_WEIGHTS: &str = "pip install torch torchvision safetensors
python -c \"import torchvision, safetensors.torch as s; s.save_file(torchvision.models.NAME(weights='DEFAULT').state_dict(), 'NAME.safetensors')\"";

/// The form, and the button that starts training.
#[component]
pub fn SettingsSection() -> impl IntoView {
    let state = State::use_here();
    let open = state.memo(Part::Data, |model| model.data.summary().is_some());
    let done = state.memo(Part::Run, |model| model.run.stage != Stage::Idle);
    view! {
        <Section
            id="settings"
            number=2
            title="Settings"
            open=open
            done=done
            hint="Opens when the data is read. Good values are filled in."
        >
            <Guide section="settings" />
            <Form />
        </Section>
    }
}

#[component]
fn Form() -> impl IntoView {
    let state = State::use_here();
    let active = state.memo(Part::Run, |model| model.run.stage.is_active());
    let ran = state.memo(Part::Run, |model| !matches!(model.run.stage, Stage::Idle));
    let read_only = state.memo(Part::Kept, |model| model.kept.is_read_only());
    let dead = state.memo(Part::Trainer, |model| model.trainer.is_dead());
    let making = state.memo(Part::Results, |model| model.results.is_busy());
    let learning = state.memo(Part::Segmenter, |model| model.segmenter.is_busy());
    let fetching = Memo::new(move |_| {
        let (backbone, has_weights) = state.form.with(|form| (form.valid().backbone, form.weights.is_some()));
        !has_weights && state.read(Part::Weights, |model| model.public_weights.is_busy(backbone))
    });
    let obstacle = Memo::new(move |_| {
        if dead.get() {
            Some("The trainer has stopped: start it again first (see above).".to_string())
        } else if making.get() {
            Some("The trainer is at work on the masks.".to_string())
        } else if learning.get() {
            Some("The network for new photos is at work.".to_string())
        } else if fetching.get() {
            Some("The weights are being fetched.".to_string())
        } else {
            let finished = state.read(Part::Run, |model| {
                model.run.settings.clone().filter(|_| model.run.stage == Stage::Finished)
            });
            state.read(Part::Data, |_| ());
            let (boxes, are_new) = state.read(Part::Boxes, |model| {
                let count = model.data.summary().map_or(0, |summary| model.boxes.count(summary).boxes);
                (count, model.has_new_labels())
            });
            state.read(Part::Results, |_| ());
            state.form.track();
            state.learns_from_accepted.track();
            let finished = finished.filter(|_| !are_new && state.given_masks().is_none());
            state.form.with(|form| {
                form.obstacle(boxes).or_else(|| {
                    (finished? == form.settings()).then(|| {
                        "This run is finished. Change a setting to train again; another seed will do."
                            .to_string()
                    })
                })
            })
        }
    });
    let takes_boxes = Memo::new(move |_| state.form.with(|form| boxes::are_for(form.valid().method)));
    let touched = Memo::new(move |_| state.form.with(|form| form.touched));
    let needs_weights =
        Memo::new(move |_| state.form.with(|form| !form.valid().backbone.trains_from_scratch()));
    view! {
        <form
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                if obstacle.with_untracked(Option::is_none) && !active.get_untracked() {
                    state.train();
                }
            }
        >
            <fieldset disabled=move || active.get() || read_only.get()>
                <legend class="visually-hidden">"Settings"</legend>
                <div class="fields">
                    {fields::of_group(Group::Main).map(|field| view! { <SettingField field=field /> }).collect_view()}
                </div>
                <MethodNote />
                <Show when=move || needs_weights.get()>
                    <WeightsField />
                </Show>
                <FieldGroups title="More settings" groups=fields::more() />
            </fieldset>
            // Anew where labels have changed.
            {move || takes_boxes.get().then(|| state.read(Part::Data, |_| view! { <BoxesPanel /> }))}
            <GivenMasks />
            <MemoryNote />
            <div class="actions changes">
                <button
                    type="submit"
                    class="button"
                    class:primary=move || !ran.get()
                    class:large-button=true
                    disabled=move || active.get() || obstacle.with(Option::is_some)
                >
                    {move || if ran.get() { "Train again" } else { "Train" }}
                </button>
                <Show when=move || touched.get() && !active.get()>
                    <button type="button" class="button quiet" on:click=move |_| state.reset_settings()>
                        "Back to suggested values"
                    </button>
                </Show>
                <p class="actions-note">
                    {move || {
                        if active.get() {
                            "Training is under way; stop it to change settings.".to_string()
                        } else {
                            obstacle.get().unwrap_or_else(|| plan(state) + &replaced(state))
                        }
                    }}
                </p>
            </div>
        </form>
    }
}

/// What the chosen method does, what it needs, and whose it is.
#[component]
fn MethodNote() -> impl IntoView {
    let state = State::use_here();
    let name = Memo::new(move |_| state.form.with(|form| form.valid().method));
    let method = move || name.get().method();
    view! {
        <div class="method-note">
            <p>
                <strong>{move || fields::bare_name(name.get())}</strong>
                " "
                {move || fields::learns_from(name.get())}
            </p>
            <p class="help">{move || method().summary()}</p>
            <details class="weights-how">
                <summary>"Where it comes from"</summary>
                <p class="help">{move || method().source()}</p>
            </details>
        </div>
    }
}

/// What the settings will take of the device's memory, and whether that is too much.
#[component]
fn MemoryNote() -> impl IntoView {
    let state = State::use_here();
    let expectation = Memo::new(move |_| {
        let summary = state.summary()?;
        let device = state.read(Part::Device, |model| model.device.clone())?;
        Some(memory::expectation(&state.form.with(crate::model::form::Form::settings), &summary, &device))
    });
    let line = move || expectation.get().map(|found| found.line);
    let warning = Memo::new(move |_| expectation.get().and_then(|found| found.warning));
    view! {
        <p class="help" id="memory">{line}</p>
        <Show when=move || warning.with(Option::is_some)>
            <p class="fault" role="status">{move || warning.get()}</p>
        </Show>
    }
}

/// What pressing Train will do: "3 rounds, 18 passes over 336 photos".
fn plan(state: State) -> String {
    let settings = state.form.with(crate::model::form::Form::settings);
    let summary = state.summary();
    let all = summary.as_ref().map_or(0, |summary| summary.images.len());
    let photos = match summary.filter(|_| boxes::are_for(settings.method)) {
        Some(summary) => state.read(Part::Boxes, |model| model.boxes.count(&summary).photos),
        None => all,
    };
    let rounds = settings.rounds();
    let passes: usize = rounds.iter().map(|round| round.epochs).sum();
    format!(
        "{}, {} over {}.",
        text::count(rounds.len() as u64, "round", "rounds"),
        text::count(passes as u64, "pass", "passes"),
        text::count(photos as u64, "photo", "photos"),
    )
}

/// What training would replace.
fn replaced(state: State) -> String {
    let is_kept = state.read(Part::Kept, |model| model.kept.is_safe());
    if is_kept { " This replaces the run of this project.".into() } else { String::new() }
}

#[component]
fn WeightsField() -> impl IntoView {
    let state = State::use_here();
    let input = NodeRef::<html::Input>::new();
    // The public ones say for themselves that they are in use.
    let own = Memo::new(move |_| {
        state.form.with(|form| form.weights.clone().filter(|_| form.weights_of.is_none()))
    });
    let is_public = Memo::new(move |_| {
        state.form.with(|form| model::public_weights::entry(form.valid().backbone).is_some())
    });
    let fault = Memo::new(move |_| state.form.with(|form| form.weights_fault.clone()));
    let papers = Memo::new(move |_| {
        state.form.with(|form| form.valid().backbone == tag2mask_core::run::settings::BackboneName::Resnet38)
    });
    let command = Memo::new(move |_| {
        let name = match state.form.with(|form| form.valid().backbone.id()) {
            "resnet-18" => "resnet18",
            "resnet-50" => "resnet50",
            "resnet-101" => "resnet101",
            _ => "mobilenet_v2",
        };
        MAKE_WEIGHTS.replace("NAME", name)
    });
    view! {
        <div class="field weights">
            <PublicWeightsField />
            <label for="weights">{move || if is_public.get() { "Or a weights file of your own" } else { "Weights file" }}</label>
            <div class="weights-row">
                <button
                    type="button"
                    class="button"
                    on:click=move |_| {
                        if let Some(input) = input.get_untracked() {
                            input.click();
                        }
                    }
                >
                    {move || if own.with(Option::is_some) { "Choose another file" } else { "Choose a file" }}
                </button>
                <span>
                    {move || match own.get() {
                        Some((name, bytes)) => format!("{name} · {}", text::file_size(bytes)),
                        None => "none chosen".to_string(),
                    }}
                </span>
            </div>
            <input
                class="hidden-input"
                type="file"
                id="weights"
                tabindex="-1"
                accept=".safetensors,.pth,.pt"
                aria-describedby="weights-help"
                node_ref=input
                on:change=move |_| {
                    if let Some(input) = input.get_untracked() {
                        if let Some(file) = input.files().and_then(|files| files.get(0)) {
                            state.choose_weights(file);
                        }
                        input.set_value("");
                    }
                }
            />
            <p class="help" id="weights-help">
                "Torchvision's or timm's weights of this network, as .pth or .safetensors."
            </p>
            <Show when=move || fault.with(Option::is_some)>
                <p class="fault" role="alert">{move || fault.get()}</p>
            </Show>
            <details class="weights-how">
                <summary>"Where do I get it?"</summary>
                <Show
                    when=move || papers.get()
                    fallback=move || {
                        view! {
                            <p class="help">"Save torchvision's own weights once, with Python:"</p>
                            <pre>{move || command.get()}</pre>
                            <button
                                type="button"
                                class="button"
                                on:click=move |_| window::copy(&command.get_untracked())
                            >
                                "Copy"
                            </button>
                        }
                    }
                >
                    <p class="help">
                        "The checkpoints of the paper's program, or of others that build on the same ResNet-38: a .pth with tensors called conv1a, b2 and so on."
                    </p>
                </Show>
            </details>
        </div>
    }
}
