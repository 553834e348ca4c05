//! Boxes to learn from: how many there are, on which photos, and the way to draw more.

use std::sync::Arc;

use leptos::prelude::*;
use tag2mask_core::dataset::Summary;

use super::tiles::{class_names, picture_of, typical_shape};
use crate::model::{Part, text};
use crate::parts::bars::Swatch;
use crate::parts::box_marks::BoxMarks;
use crate::parts::pager::{self, Pager};
use crate::parts::photo::Photo;
use crate::state::State;

/// Photos on one page: few, so that the button to train is in sight.
const PAGE: usize = 8;

/// Counts, photos with their boxes, and the table to take away.
#[component]
pub fn BoxesPanel() -> impl IntoView {
    let state = State::use_here();
    let Some(summary) = state.peek(|model| model.data.summary().cloned()) else { return ().into_any() };
    let total = summary.images.len();
    let facts = summary.clone();
    let count = state.memo(Part::Boxes, move |model| model.boxes.count(&facts));
    let facts = summary.clone();
    let adds_labels = state.memo(Part::Boxes, move |model| {
        (0..facts.images.len()).any(|image| !model.boxes.added_labels(&facts, image).is_empty())
    });
    let page = RwSignal::new(0);
    let all: Vec<usize> = (0..total).collect();
    let shown = Memo::new(move |_| pager::on_page(&all, page.get(), PAGE));
    Effect::new(move |_| state.want_pictures(&shown.get()));
    let shape = typical_shape(&summary);
    view! {
        <section class="boxes" aria-labelledby="boxes-heading">
            <div class="facts-head">
                <div>
                    <h3 id="boxes-heading">"Boxes"</h3>
                    <p>{move || count.get().in_words(total)}</p>
                </div>
                <button
                    type="button"
                    class="button"
                    disabled=move || count.with(|count| count.boxes == 0)
                    on:click=move |_| state.save_boxes()
                >
                    "Download boxes.csv"
                </button>
            </div>
            <p class="help changes">
                "Press a photo to draw a box around each object in it; only photos with a box are learned from. Beside the photos, boxes.csv brings the boxes back on another visit, or to the command line."
                <Show when=move || adds_labels.get()>
                    " Some boxes are of classes that their photos are not labelled with: add these to the labels, too."
                </Show>
            </p>
            <ul class="tiles" aria-label="Photos and their boxes" style=("--tile-shape", format!("{shape:.3}"))>
                <For each=move || shown.get() key=|&image| image let:image>
                    <li>
                        <BoxTile image=image summary=summary.clone() />
                    </li>
                </For>
            </ul>
            <Pager page=page size=PAGE total=total label="Pages of photos with boxes" />
        </section>
    }
    .into_any()
}

/// One photo with its boxes; pressing it opens it to draw.
#[component]
fn BoxTile(image: usize, summary: Arc<Summary>) -> impl IntoView {
    let state = State::use_here();
    let Some(facts) = summary.images.get(image).cloned() else { return ().into_any() };
    let name = facts.path.rsplit('/').next().unwrap_or(&facts.path).to_string();
    let of = summary.clone();
    let labels = state.memo(Part::Boxes, move |model| {
        let mut labels = of.images.get(image).map(|facts| facts.labels.clone()).unwrap_or_default();
        labels.extend(model.boxes.added_labels(&of, image));
        labels
    });
    let of = summary.clone();
    let marks = state.memo(Part::Boxes, move |model| model.boxes.marks(&of, image));
    let number = move || match marks.with(Vec::len) {
        0 => String::new(),
        number => text::count(number as u64, "box", "boxes"),
    };
    let classes = move || match class_names(&summary, &labels.get()) {
        none if none.is_empty() => "none".to_string(),
        names => names,
    };
    view! {
        <button type="button" class="tile draws" on:click=move |_| state.draw_boxes(image)>
            <Photo
                label=if state.is_read_only() { name } else { format!("Draw boxes on {name}") }
                width=facts.width
                height=facts.height
                picture=picture_of(state, image)
                over=Signal::derive(|| None)
            >
                <BoxMarks marks=marks />
            </Photo>
            <span class="tile-caption">
                <span class="tile-name">
                    {move || labels.get().into_iter().map(|class| view! { <Swatch class=usize::from(class) /> }).collect_view()}
                    <span>{classes}</span>
                </span>
                <span class="tile-score">{number}</span>
            </span>
        </button>
    }
    .into_any()
}
