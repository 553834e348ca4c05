//! How much of a mask lies over its photo.

use leptos::prelude::*;

/// What a gallery starts with, percent.
pub const START: u32 = 60;

/// A slider from the photo alone to the mask alone.
#[component]
pub fn Opacity(
    /// Element id, for its label.
    id: &'static str,
    /// 0 to 100.
    value: RwSignal<u32>,
) -> impl IntoView {
    view! {
        <div class="slider">
            <label for=id>"Mask over photo"</label>
            <input
                type="range"
                id=id
                min="0"
                max="100"
                prop:value=move || value.get().to_string()
                aria-valuetext=move || format!("{} percent", value.get())
                on:input=move |event| value.set(event_target_value(&event).parse().unwrap_or(START))
            />
        </div>
    }
}

/// What a gallery's CSS property `--opacity` is set to.
pub fn css(value: RwSignal<u32>) -> String {
    format!("{:.2}", f64::from(value.get()) / 100.0)
}
