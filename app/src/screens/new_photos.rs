//! Section 5: a network that learns from the masks, and photos that nobody labelled.

use std::sync::Arc;

use leptos::prelude::*;
use tag2mask_core::export::Format;

use super::export_choice::ExportChoice;
use crate::model::download::{self, Download};
use crate::model::fields;
use crate::model::pictures::Picture;
use crate::model::segmenter::{NewPhoto, Progress as Far, Segmenter, Work};
use crate::model::{Part, overlay, text};
use crate::parts::bars::Swatch;
use crate::parts::drop_zone::DropZone;
use crate::parts::field::FieldGroups;
use crate::parts::notice::Failure;
use crate::parts::opacity::{self, Opacity};
use crate::parts::pager::{self, Pager};
use crate::parts::photo::Photo;
use crate::parts::progress::Progress;
use crate::parts::section::Section;
use crate::state::State;

/// Photos on one page.
const PAGE: usize = 24;

/// Train on the masks, drop photos, look, download.
#[component]
pub fn NewPhotosSection() -> impl IntoView {
    let state = State::use_here();
    let masked = state.memo(Part::Results, |model| model.results.is_complete());
    let begun = state.memo(Part::Segmenter, |model| model.segmenter != Segmenter::default());
    let done = state.memo(Part::Segmenter, |model| model.segmenter.masks > 0 && !model.segmenter.is_busy());
    let open = Signal::derive(move || masked.get() || begun.get());
    view! {
        <Section
            id="new-photos"
            number=5
            title="New photos"
            open=open
            done=done
            hint="Opens when masks are made."
        >
            <Body />
        </Section>
    }
}

#[component]
fn Body() -> impl IntoView {
    let state = State::use_here();
    let work = state.memo(Part::Segmenter, |model| model.segmenter.work.clone());
    let trained = state.memo(Part::Segmenter, |model| model.segmenter.is_trained);
    let failure = state.memo(Part::Segmenter, |model| model.segmenter.failure.clone());
    let photos = state.memo(Part::Segmenter, |model| model.segmenter.masks);
    let busy = at_work(state);
    let idle = Memo::new(move |_| work.get() == Work::None);
    view! {
        <Show when=move || !idle.get()>
            <Working work=work />
        </Show>
        <Failure message=failure />
        <Show when=move || idle.get() && !trained.get()>
            <Invitation />
        </Show>
        <Show when=move || idle.get() && trained.get() && busy.get()>
            <p class="muted">"The trainer is at work above; when it is done, photos can be dropped here."</p>
        </Show>
        <Show when=move || idle.get() && trained.get() && !busy.get()>
            <DropZone
                title="Drop photos without labels: a folder, files, or one .zip"
                id="new-"
                dropped=move |dropped| state.drop_photos(dropped)
                picked=move |files| state.predict(files)
            >
                ""
            </DropZone>
        </Show>
        <Problems />
        <Show when=move || { photos.get() > 0 }>
            <Gallery />
        </Show>
        <Show when=move || idle.get() && trained.get()>
            <Files />
        </Show>
    }
}

/// Whether the trainer has work to do.
fn at_work(state: State) -> Memo<bool> {
    Memo::new(move |_| {
        for part in [Part::Data, Part::Run, Part::Results, Part::Segmenter] {
            state.read(part, |_| ());
        }
        state.peek(crate::model::Model::is_working)
    })
}

/// Whether the trainer cannot learn from masks now: it has work to do, has not all of them, or is a fresh one
/// that has never seen them.
fn cannot_learn(state: State) -> Memo<bool> {
    let at_work = at_work(state);
    Memo::new(move |_| {
        let lacking = state.read(Part::Results, |model| !model.results.is_complete());
        at_work.get() || lacking || state.read(Part::Run, |model| !model.run.has_network())
    })
}

/// What this is for, and the button that starts it.
#[component]
fn Invitation() -> impl IntoView {
    let state = State::use_here();
    let others = cannot_learn(state);
    let wrong = Memo::new(move |_| {
        state.form.with(|form| {
            fields::SEGMENTER.into_iter().flat_map(fields::of_group).any(|field| form.fault(field).is_some())
        })
    });
    let plan = move || {
        let photos =
            state.read(Part::Results, |model| model.results.shown().map_or(0, |made| made.masks.len()));
        let passes = state.form.with(|form| form.valid().methods.deeplab.epochs);
        format!(
            "{} over {} and their masks.",
            text::count(passes as u64, "pass", "passes"),
            text::count(photos as u64, "photo", "photos"),
        )
    };
    if state.is_read_only() {
        return view! { <p class="muted">"No network for new photos was trained here."</p> }.into_any();
    }
    view! {
        <p>
            "Teach a network to draw these masks by itself. It then needs no labels: drop any photo, and it says what is where."
        </p>
        <div class="actions">
            <button
                type="button"
                class="button primary large-button changes"
                disabled=move || wrong.get() || others.get()
                on:click=move |_| state.train_segmenter()
            >
                "Train a segmenter on these masks"
            </button>
            <p class="actions-note">{plan}</p>
        </div>
        <FieldGroups title="How it learns" groups=fields::SEGMENTER.to_vec() />
    }
    .into_any()
}

/// The bar, and the way out.
#[component]
fn Working(work: Memo<Work>) -> impl IntoView {
    let state = State::use_here();
    let far = Memo::new(move |_| match work.get() {
        Work::Training(far) | Work::Predicting(far) | Work::Packing(far) => far,
        _ => Far::default(),
    });
    let fraction =
        Memo::new(move |_| far.with(|far| (far.total > 0).then(|| far.done as f64 / far.total as f64)));
    let done = Memo::new(move |_| {
        let Far { done, total, .. } = far.get();
        let of = format!("{} of {}", text::thousands(done as u64), text::thousands(total as u64));
        match (work.get(), total) {
            (Work::Training(_), 0) => "Starting to learn from the masks".to_string(),
            (Work::Training(_), _) => format!("Learning from the masks: step {of}"),
            (Work::Predicting(_), 0) => "Reading the photos".to_string(),
            (Work::Predicting(_), _) => format!("Looking at photos: {of}"),
            (Work::Packing(_), 0) => "Packing".to_string(),
            (Work::Packing(_), _) => format!("Packing: {of}"),
            (Work::None, _) => String::new(),
        }
    });
    let left = Memo::new(move |_| match work.get() {
        Work::Training(far) | Work::Predicting(far) => text::time_left(far.seconds_left),
        Work::Packing(Far { seconds_left: Some(seconds), .. }) => text::time_left(Some(seconds)),
        _ => String::new(),
    });
    let training = Memo::new(move |_| matches!(work.get(), Work::Training(_)));
    view! {
        <Progress label="New photos" fraction=fraction done=done left=left />
        <Show when=move || !matches!(work.get(), Work::Packing(Far { total: 0, .. }))>
            <div class="actions">
                <button type="button" class="button" on:click=move |_| state.stop_segmenter()>
                    {move || if training.get() { "Stop here" } else { "Cancel" }}
                </button>
            </div>
        </Show>
    }
}

/// Files that could not be used.
#[component]
fn Problems() -> impl IntoView {
    let state = State::use_here();
    let problems = state.memo(Part::Segmenter, |model| model.segmenter.problems.clone());
    view! {
        <Show when=move || problems.with(|problems| !problems.is_empty())>
            <details class="problems">
                <summary>
                    {move || {
                        let count = problems.with(Vec::len) as u64;
                        format!("{} left out", text::count(count, "file was", "files were"))
                    }}
                </summary>
                <ul>
                    {move || {
                        problems
                            .get()
                            .into_iter()
                            .take(PAGE)
                            .map(|problem| view! { <li>{format!("{}: {}", problem.path, problem.reason)}</li> })
                            .collect_view()
                    }}
                </ul>
            </details>
        </Show>
    }
}

/// The photos with what the network sees in them.
#[component]
fn Gallery() -> impl IntoView {
    let state = State::use_here();
    let opacity = RwSignal::new(opacity::START);
    let names = state.class_names();
    let page = RwSignal::new(0);
    let kept = state.memo(Part::Segmenter, |model| model.segmenter.photos.len());
    let masks = state.memo(Part::Segmenter, |model| model.segmenter.masks);
    let shown = Memo::new(move |_| pager::on_page(&(0..kept.get()).collect::<Vec<_>>(), page.get(), PAGE));
    view! {
        <div class="gallery-tools">
            <Opacity id="new-opacity" value=opacity />
            <Show when=move || { masks.get() > kept.get() }>
                <p class="muted">
                    {move || {
                        format!(
                            "The first {} of {} are shown; the .zip has all.",
                            text::thousands(kept.get() as u64),
                            text::count(masks.get() as u64, "mask", "masks"),
                        )
                    }}
                </p>
            </Show>
        </div>
        <ul
            class="tiles"
            aria-label="New photos"
            style=("--opacity", move || opacity::css(opacity))
        >
            <For each=move || shown.get() key=|&index| index let:index>
                <li>
                    {move || {
                        names.track();
                        let photo = state.read(Part::Segmenter, |model| model.segmenter.photos.get(index).cloned());
                        photo.map(|photo| view! { <Tile photo=photo /> })
                    }}
                </li>
            </For>
        </ul>
        <Pager page=page size=PAGE total=kept label="Pages of new photos" />
    }
}

/// One photo and the classes that the network sees in it.
#[component]
fn Tile(photo: Arc<NewPhoto>) -> impl IntoView {
    let state = State::use_here();
    let classes = state.class_names().get_untracked();
    let seen: Vec<_> = photo
        .shares
        .iter()
        .filter_map(|&(class, _)| Some((usize::from(class), classes.get(usize::from(class))?.clone())))
        .collect();
    let names = seen.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { "none of the classes".to_string() } else { names };
    let mask = &photo.mask;
    let over = Arc::new(Picture {
        width: mask.width,
        height: mask.height,
        rgba: overlay::mask(mask.width, mask.height, &mask.labels(), overlay::Look::default()),
    });
    let picture = photo.picture.clone();
    view! {
        <figure class="tile still">
            <Photo
                label=format!("{}: {names}", photo.name)
                width=picture.width as u32
                height=picture.height as u32
                picture=Signal::derive(move || Some(picture.clone()))
                over=Signal::derive(move || Some(over.clone()))
            />
            <figcaption class="tile-caption">
                <span class="tile-name">
                    {seen.iter().map(|&(class, _)| view! { <Swatch class=class /> }).collect_view()}
                    <span>{names}</span>
                </span>
            </figcaption>
        </figure>
    }
}

/// What can be kept.
#[component]
fn Files() -> impl IntoView {
    let state = State::use_here();
    let masks = state.memo(Part::Segmenter, |model| model.segmenter.masks);
    let saved = state.memo(Part::Segmenter, |model| model.segmenter.saved.clone());
    let stopped = state.memo(Part::Segmenter, |model| model.segmenter.was_stopped);
    let again = Memo::new(move |_| {
        let settings = state.segmenter_settings();
        state.read(Part::Segmenter, |model| {
            settings.is_some_and(|settings| model.segmenter.can_train_again(&settings))
        })
    });
    let others = cannot_learn(state);
    let busy = at_work(state);
    let names = state.class_names();
    let size_of_score_maps = Signal::derive(move || {
        let pixels = state.read(Part::Segmenter, |model| model.segmenter.pixels);
        // The background has a map, too.
        download::size_of_maps(pixels, names.with(Vec::len) + 1)
    });
    let chosen = RwSignal::new(Download::Masks(Format::IndexPng));
    let photos = RwSignal::new(false);
    view! {
        <Show when=move || { masks.get() > 0 }>
            <ExportChoice id="new-mask" chosen=chosen photos=photos size_of_score_maps=size_of_score_maps />
        </Show>
        <div class="actions">
            <Show when=move || { masks.get() > 0 }>
                <button
                    type="button"
                    class="button primary"
                    disabled=move || busy.get()
                    on:click=move |_| state.pack_predictions(chosen.get_untracked(), photos.get_untracked())
                >
                    {move || format!("Download these {} (.zip)", chosen.get().what())}
                </button>
            </Show>
            <button
                type="button"
                class="button"
                disabled=move || busy.get()
                on:click=move |_| state.pack_segmenter()
            >
                "Download the model"
            </button>
            <Show when=move || again.get()>
                <button
                    type="button"
                    class="button changes"
                    disabled=move || others.get()
                    on:click=move |_| state.train_segmenter()
                >
                    {move || if stopped.get() { "Go on learning" } else { "Train it anew" }}
                </button>
            </Show>
            <p class="actions-note" aria-live="polite">
                {move || match saved.get() {
                    Some(name) => format!("{name} is in your downloads."),
                    None => "The model: weights as .safetensors and a card that says how to run it.".to_string(),
                }}
            </p>
        </div>
    }
}
