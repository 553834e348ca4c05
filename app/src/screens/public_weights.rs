//! Weights that anyone may use, one click away.

use leptos::prelude::*;
use tag2mask_core::public_weights::PublicWeights;

use crate::model::public_weights::{Stage, entry};
use crate::model::{Part, text};
use crate::parts::progress::Progress;
use crate::state::State;

const FETCH: &str = "Fetch ImageNet weights";

/// Fetches the chosen network's weights, or says that they are here.
#[component]
pub fn PublicWeightsField() -> impl IntoView {
    let state = State::use_here();
    let backbone = Memo::new(move |_| state.form.with(|form| form.valid().backbone));
    Effect::new(move |_| state.look_for_weights(backbone.get()));
    let shown = Memo::new(move |_| {
        let backbone = backbone.get();
        let stage = state.read(Part::Weights, |model| model.public_weights.of(backbone).stage);
        entry(backbone).map(|entry| (entry, stage))
    });
    let part = move |(entry, stage): (&'static PublicWeights, Stage)| match stage {
        // They may be here already: a moment later it is known.
        Stage::Unknown => view! { <Offer entry=entry label=FETCH disabled=true /> }.into_any(),
        Stage::Absent => view! { <Offer entry=entry label=FETCH /> }.into_any(),
        Stage::Failed(reason) => view! {
            <p class="fault" role="alert">{reason}</p>
            <Offer entry=entry label="Fetch again" />
        }
        .into_any(),
        Stage::Part { loaded, reason } => view! {
            {reason.map(|reason| view! { <p class="fault" role="alert">{reason}</p> })}
            <Offer entry=entry label="Go on fetching" loaded=loaded />
        }
        .into_any(),
        Stage::Fetching | Stage::Checking => view! { <UnderWay entry=entry /> }.into_any(),
        Stage::Here { bytes, is_stored } => {
            view! { <Here entry=entry bytes=bytes is_stored=is_stored /> }.into_any()
        }
    };
    view! { <div class="public-weights">{move || shown.get().map(part)}</div> }
}

/// The button that asks the host, and what it will do.
#[component]
fn Offer(
    entry: &'static PublicWeights,
    label: &'static str,
    /// Bytes that are here already.
    #[prop(optional)]
    loaded: u64,
    /// Whether it cannot be pressed yet.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let state = State::use_here();
    let has_file = move || state.form.with(|form| form.weights.is_some());
    view! {
        <div class="weights-row">
            <button
                type="button"
                class="button"
                class:primary=move || !has_file()
                disabled=disabled
                on:click=move |_| state.fetch_weights(entry.backbone)
            >
                {format!("{label} ({})", text::file_size(entry.bytes.saturating_sub(loaded)))}
            </button>
            {(loaded > 0).then(|| view! { <span>{format!("{} are here", text::file_size(loaded))}</span> })}
        </div>
        <p class="help">
            {format!(
                "What this network has learned from a million everyday photos, so that few of yours suffice. \
                 From {} ({}; {} licence), and kept in this browser. Nothing is sent but the request.",
                entry.host(),
                entry.trained,
                entry.licence,
            )}
        </p>
    }
}

#[component]
fn UnderWay(entry: &'static PublicWeights) -> impl IntoView {
    let state = State::use_here();
    let download = state.memo(Part::Weights, move |model| model.public_weights.of(entry.backbone));
    view! {
        <Progress
            label="Fetching weights"
            fraction=Signal::derive(move || download.with(|download| download.fraction()))
            done=Signal::derive(move || download.with(|download| download.done()))
            left=Signal::derive(move || download.with(|download| download.left()))
        />
        <div class="weights-row">
            <button type="button" class="button" on:click=move |_| state.cancel_weights(entry.backbone)>
                "Cancel"
            </button>
            <span class="help">{format!("from {}", entry.host())}</span>
        </div>
    }
}

#[component]
fn Here(entry: &'static PublicWeights, bytes: u64, is_stored: bool) -> impl IntoView {
    let state = State::use_here();
    let in_use = Memo::new(move |_| state.form.with(|form| form.weights_of == Some(entry.backbone)));
    let place = if is_stored { "kept in this browser" } else { "here until the page is closed" };
    view! {
        <div class="weights-row">
            <span>{format!("ImageNet weights · {} · {place}", text::file_size(bytes))}</span>
            <Show when=move || !in_use.get()>
                <button
                    type="button"
                    class="button"
                    on:click=move |_| state.use_public_weights(entry.backbone)
                >
                    "Use them"
                </button>
            </Show>
            <button type="button" class="button quiet" on:click=move |_| state.remove_weights(entry.backbone)>
                "Remove"
            </button>
        </div>
        <p class="help">{format!("{}, {} licence.", entry.trained, entry.licence)}</p>
    }
}
