//! A button that asks back before something is lost.

use leptos::prelude::*;

/// A button; while `question` is not empty, its first press asks, and only "Yes" acts.
#[component]
pub fn ConfirmButton(
    /// What it does.
    label: &'static str,
    /// What would be lost; empty when nothing would.
    #[prop(into)]
    question: Signal<String>,
    /// The button that goes through with it.
    yes: &'static str,
    /// The deed.
    #[prop(into)]
    act: Callback<()>,
) -> impl IntoView {
    let asking = RwSignal::new(false);
    view! {
        <div class="confirm">
            <Show
                when=move || asking.get()
                fallback=move || {
                    view! {
                        <button
                            type="button"
                            class="button"
                            on:click=move |_| {
                                if question.with_untracked(String::is_empty) {
                                    act.run(());
                                } else {
                                    asking.set(true);
                                }
                            }
                        >
                            {label}
                        </button>
                    }
                }
            >
                <span role="alert">{move || question.get()}</span>
                <button
                    type="button"
                    class="button danger"
                    on:click=move |_| {
                        asking.set(false);
                        act.run(());
                    }
                >
                    {yes}
                </button>
                <button type="button" class="button" on:click=move |_| asking.set(false)>
                    "Keep it"
                </button>
            </Show>
        </div>
    }
}
