//! A grid of the data set's photos, shared by three sections.

use std::sync::Arc;

use leptos::prelude::*;
use tag2mask_core::dataset::Summary;

use crate::model::results::Mask;
use crate::model::{Part, overlay};
use crate::parts::bars::Swatch;
use crate::parts::photo::{Layer, Photo};
use crate::state::State;

/// What lies over a photo.
#[derive(Clone, Copy)]
pub enum Over {
    /// Nothing.
    Nothing,
    /// What the network sees now.
    Preview,
    /// What the method makes of the photo, instead of it.
    Altered,
    /// The finished mask; of one class, if that is chosen.
    Mask(Signal<Option<usize>>),
}

/// A grid of these images.
#[component]
pub fn Tiles(
    /// Their indices.
    #[prop(into)]
    images: Signal<Vec<usize>>,
    /// What lies over them.
    over: Over,
    /// What the list is, for those who cannot see it.
    label: &'static str,
    /// Whether the tiles are small.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let state = State::use_here();
    Effect::new(move |_| state.want_pictures(&images.get()));
    let shape = move || state.summary().map_or(1.333, |summary| typical_shape(&summary));
    view! {
        <ul class="tiles" class:small=small aria-label=label style=("--tile-shape", move || format!("{:.3}", shape()))>
            <For each=move || images.get() key=|&image| image let:image>
                <li>
                    <Tile image=image over=over in_line=images />
                </li>
            </For>
        </ul>
    }
}

/// The middle shape of the photos, kept within what a grid bears.
pub fn typical_shape(summary: &Summary) -> f64 {
    let mut shapes: Vec<f64> = summary
        .images
        .iter()
        .map(|image| f64::from(image.width.max(1)) / f64::from(image.height.max(1)))
        .collect();
    shapes.sort_by(f64::total_cmp);
    shapes.get(shapes.len() / 2).copied().unwrap_or(1.333).clamp(0.75, 1.6)
}

/// The picture of an image, as a signal.
pub fn picture_of(state: State, image: usize) -> Signal<Option<Layer>> {
    Signal::derive(move || state.read(Part::Thumbnails, |model| model.pictures.thumbnail(image)))
}

/// What lies over an image, as a signal. Colours are computed only when their source changes.
pub fn layer_over(state: State, image: usize, over: Over) -> Signal<Option<Layer>> {
    match over {
        Over::Nothing => Signal::derive(|| None),
        Over::Preview => {
            let preview = state.memo(Part::Previews, move |model| model.pictures.preview(image).map(Same));
            Memo::new(move |_| {
                preview.get().map(|Same(preview)| {
                    let rgba =
                        overlay::heat(preview.width * preview.height, &preview.labels, &preview.strength);
                    Same(Arc::new(crate::model::pictures::Picture {
                        width: preview.width,
                        height: preview.height,
                        rgba,
                    }))
                })
            })
            .into_layer()
        }
        Over::Altered => {
            Signal::derive(move || state.read(Part::Previews, |model| model.pictures.altered(image)))
        }
        Over::Mask(only) => {
            let mask = state.memo(Part::Results, move |model| model.results.mask(image).cloned().map(Same));
            mask_layer(mask, only)
        }
    }
}

/// A mask in its colours; of one class, if that is chosen.
pub fn mask_layer(mask: Memo<Option<Same<Mask>>>, only: Signal<Option<usize>>) -> Signal<Option<Layer>> {
    let outline = State::use_here().outline;
    Memo::new(move |_| {
        let look = overlay::Look { only: only.get(), outline: outline.get() };
        mask.get().map(|Same(mask)| {
            let small = &mask.small;
            let rgba = overlay::mask(small.width, small.height, &small.labels(), look);
            Same(Arc::new(crate::model::pictures::Picture { width: small.width, height: small.height, rgba }))
        })
    })
    .into_layer()
}

/// Shared data that is equal when it is the same, without a look inside.
#[derive(Debug)]
pub struct Same<T>(pub Arc<T>);

impl<T> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

trait IntoLayer {
    fn into_layer(self) -> Signal<Option<Layer>>;
}

impl IntoLayer for Memo<Option<Same<crate::model::pictures::Picture>>> {
    fn into_layer(self) -> Signal<Option<Layer>> {
        Signal::derive(move || self.get().map(|Same(layer)| layer))
    }
}

/// One photo with its classes; pressing it shows it in large.
#[component]
pub fn Tile(
    /// Its index.
    image: usize,
    /// What lies over it.
    over: Over,
    /// The images that one turns to from it in large.
    in_line: Signal<Vec<usize>>,
) -> impl IntoView {
    let state = State::use_here();
    let facts = state.peek(|model| model.data.summary()?.images.get(image).cloned());
    let Some(facts) = facts else { return ().into_any() };
    let name = facts.path.rsplit('/').next().unwrap_or(&facts.path).to_string();
    // Labels can be changed while it is there.
    let labels = move || {
        state.read(Part::Data, |model| {
            let Some(summary) = model.data.summary() else { return Default::default() };
            let labels = summary.images.get(image).map(|facts| facts.labels.clone()).unwrap_or_default();
            (class_names(summary, &labels), labels)
        })
    };
    let miou = state.memo(Part::Results, move |model| model.results.mask(image).and_then(|mask| mask.miou));
    let spoken = Signal::derive(move || match labels().0 {
        none if none.is_empty() => format!("{name}: none of the classes"),
        classes => format!("{name}: {classes}"),
    });
    view! {
        <button
            type="button"
            class="tile"
            id=matches!(over, Over::Mask(_)).then(|| format!("mask-{image}"))
            on:click=move |_| state.enlarge(image, in_line.get_untracked())
        >
            <Photo
                label=spoken
                width=facts.width
                height=facts.height
                picture=picture_of(state, image)
                over=layer_over(state, image, over)
                smooth=matches!(over, Over::Preview | Over::Altered)
            />
            <span class="tile-caption">
                <span class="tile-name">
                    {move || {
                        let (classes, labels) = labels();
                        let swatches = labels.into_iter().map(|class| view! { <Swatch class=usize::from(class) /> });
                        let classes = if classes.is_empty() { "none".to_string() } else { classes };
                        view! { {swatches.collect_view()} <span>{classes}</span> }
                    }}
                </span>
                {matches!(over, Over::Mask(_))
                    .then(|| move || miou.get().map(|miou| view! { <span class="tile-score">{format!("IoU {miou:.0} %")}</span> }))}
            </span>
        </button>
    }
    .into_any()
}

/// Names of these classes with commas between.
pub fn class_names(summary: &Summary, labels: &[u16]) -> String {
    labels
        .iter()
        .filter_map(|&class| summary.classes.get(usize::from(class)))
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
