//! Boxes over a picture, to look at.

use leptos::prelude::*;

use crate::model::box_place::{self, Mark};
use crate::model::overlay;

/// Boxes in their classes' colours, with their names.
#[component]
pub fn BoxMarks(
    /// The boxes.
    #[prop(into)]
    marks: Signal<Vec<Mark>>,
) -> impl IntoView {
    move || {
        marks
            .get()
            .into_iter()
            .map(|mark| {
                let [left, top, width, height] = box_place::css(mark.place);
                view! {
                    <span
                        class="mark"
                        style:left=left
                        style:top=top
                        style:width=width
                        style:height=height
                        style=("--class", overlay::class_css(mark.class))
                    >
                        <span class="mark-name">{mark.name}</span>
                    </span>
                }
            })
            .collect_view()
    }
}
