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
                let style =
                    format!("{}; --class: {}", box_place::css(mark.place), overlay::class_css(mark.class));
                view! {
                    <span class="mark" style=style>
                        <span class="mark-name">{mark.name}</span>
                    </span>
                }
            })
            .collect_view()
    }
}
