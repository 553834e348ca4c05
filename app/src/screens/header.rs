//! The head of the page: what this is, what it runs on, and where one is.

use leptos::prelude::*;

use crate::model::run::Stage;
use crate::model::trainer::Trainer;
use crate::model::{Part, device, text};
use crate::state::State;

/// Title, device and the way through the page.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="header">
            <div class="header-title">
                <h1>"tag2mask"</h1>
                <p>"You say what is in each photo. It learns where."</p>
            </div>
            <DeviceLine />
        </header>
        <Steps />
    }
}

/// The device's name and limits, or how far the trainer is.
#[component]
fn DeviceLine() -> impl IntoView {
    let state = State::use_here();
    let trainer = state.memo(Part::Trainer, |model| model.trainer.clone());
    let found = state.memo(Part::Device, |model| model.device.clone());
    let loading = Memo::new(move |_| match (trainer.get(), found.with(Option::is_some)) {
        (Trainer::Loading { loaded, total }, _) => Some((
            total.map(|total| loaded as f64 / total.max(1) as f64),
            match total {
                Some(total) => {
                    format!("Loading the trainer: {} of {}", text::file_size(loaded), text::file_size(total))
                }
                None if loaded == 0 => "Loading the trainer…".to_string(),
                None => format!("Loading the trainer: {}", text::file_size(loaded)),
            },
        )),
        (Trainer::Starting, _) | (Trainer::Ready, false) => Some((None, "Starting the trainer…".to_string())),
        _ => None,
    });
    view! {
        <div class="device">
            {move || {
                if let Some((fraction, words)) = loading.get() {
                    return view! {
                        <div class="device-loading">
                            <span>{words.clone()}</span>
                            <div
                                class="progress-track"
                                class:unknown=fraction.is_none()
                                role="progressbar"
                                aria-label="Loading the trainer"
                                aria-valuemin="0"
                                aria-valuemax="100"
                                aria-valuenow=fraction.map(|fraction| format!("{:.0}", fraction * 100.0))
                                aria-valuetext=words
                            >
                                <div
                                    class="progress-bar"
                                    style:transform=format!("scaleX({:.3})", fraction.unwrap_or(0.3))
                                ></div>
                            </div>
                        </div>
                    }
                        .into_any();
                }
                match found.get() {
                    Some(found) if device::is_cpu(&found) => view! { <NoWebGpu line=device::line(&found) /> }.into_any(),
                    Some(found) if device::is_imitated(&found) => {
                        view! { <ImitatedGpu line=device::line(&found) /> }.into_any()
                    }
                    Some(found) => view! { <p class="device-line">{device::line(&found)}</p> }.into_any(),
                    None => ().into_any(),
                }
            }}
        </div>
    }
}

/// What it means that the GPU is made of software, and the way out.
#[component]
fn ImitatedGpu(line: String) -> impl IntoView {
    let state = State::use_here();
    let busy = state.memo(Part::Run, |model| model.run.stage.is_active());
    view! {
        <details class="device-cpu">
            <summary class="device-line slow">{line}</summary>
            <div class="device-help">
                <p>
                    "The browser offers no graphics card, only one that the processor imitates. The processor itself trains several times faster. Your photos stay; what was trained so far is given up."
                </p>
                <button type="button" class="button" disabled=busy on:click=move |_| state.use_processor()>
                    "Use the processor"
                </button>
            </div>
        </details>
    }
}

/// What it means that there is no WebGPU, and who has it.
#[component]
fn NoWebGpu(line: String) -> impl IntoView {
    view! {
        <details class="device-cpu">
            <summary class="device-line slow">{line}</summary>
            <div class="device-help">
                <p>
                    "No graphics card is in use: this browser gives pages no access to one (WebGPU), or it was of no use. Everything works, on the processor, but training takes many times longer: keep size and passes small."
                </p>
                <p>
                    "Browsers that have WebGPU, if the computer's driver supports it: Chrome and Edge 113 or later, Safari 26 or later, Firefox 141 or later on Windows and 145 or later on Macs with Apple silicon. On Linux it may have to be switched on."
                </p>
            </div>
        </details>
    }
}

/// The four steps as links, with the one whose turn it is.
#[component]
fn Steps() -> impl IntoView {
    let state = State::use_here();
    let ready = state.memo(Part::Data, |model| model.data.summary().is_some());
    let started = state.memo(Part::Run, |model| model.run.stage != Stage::Idle);
    let learned = state.memo(Part::Run, |model| model.run.has_network());
    let masked = state.memo(Part::Results, |model| model.results.is_complete());
    let current = move || match (ready.get(), started.get(), learned.get()) {
        (false, ..) => 0,
        (true, false, _) => 1,
        (true, true, false) => 2,
        _ => 3,
    };
    let step = move |place: usize, id: &'static str, name: &'static str| {
        let done = move || place < current() || (place == 3 && masked.get());
        let open = move || place <= current();
        view! {
            <li class:done=done class:open=open>
                <a href=format!("#{id}") aria-current=move || (place == current()).then_some("step")>
                    <span class="step-number" aria-hidden="true">
                        {move || if done() { "✓".to_string() } else { (place + 1).to_string() }}
                    </span>
                    {name}
                </a>
            </li>
        }
    };
    view! {
        <nav class="steps" aria-label="Steps">
            <ol>
                {step(0, "data", "Data")} {step(1, "settings", "Settings")} {step(2, "run", "Run")}
                {step(3, "results", "Results")}
            </ol>
        </nav>
    }
}
