//! A progress bar with its words.

use leptos::prelude::*;

/// A bar from 0 to 1, or a moving one while the end is unknown (`None`), with a line of text below.
#[component]
pub fn Progress(
    /// What is under way, for those who cannot see the bar.
    label: &'static str,
    /// 0 to 1.
    #[prop(into)]
    fraction: Signal<Option<f64>>,
    /// Left below the bar: how far.
    #[prop(into)]
    done: Signal<String>,
    /// Right below the bar: how long still.
    #[prop(into)]
    left: Signal<String>,
) -> impl IntoView {
    let percent = move || fraction.get().map(|fraction| (fraction.clamp(0.0, 1.0) * 100.0).round());
    view! {
        <div class="progress">
            <div
                class="progress-track"
                class:unknown=move || percent().is_none()
                role="progressbar"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || percent().map(|percent| percent.to_string())
                aria-valuetext=move || format!("{}, {}", done.get(), left.get())
            >
                <div
                    class="progress-bar"
                    style:transform=move || format!("scaleX({:.4})", fraction.get().unwrap_or(0.3).clamp(0.0, 1.0))
                ></div>
            </div>
            <div class="progress-text">
                <span>{move || done.get()}</span>
                <span>{move || left.get()}</span>
            </div>
        </div>
    }
}
