//! One of the sections: numbered, closed until its turn comes.

use leptos::prelude::*;

/// A section with its heading; `hint` stands in for the content while it is closed.
#[component]
pub fn Section(
    /// Element id, for links.
    id: &'static str,
    /// Its place, from 1.
    number: u8,
    /// Its heading.
    title: &'static str,
    /// Whether its turn has come.
    #[prop(into)]
    open: Signal<bool>,
    /// Whether it is done.
    #[prop(into)]
    done: Signal<bool>,
    /// What opens it.
    hint: &'static str,
    /// Its content.
    children: ChildrenFn,
) -> impl IntoView {
    let heading = format!("{id}-heading");
    let labelled = heading.clone();
    view! {
        <section id=id class="section" class:closed=move || !open.get() aria-labelledby=labelled tabindex="-1">
            <header class="section-head">
                <span class="section-number" class:done=move || done.get() aria-hidden="true">
                    {move || if done.get() { "✓".to_string() } else { number.to_string() }}
                </span>
                <h2 id=heading.clone()>{title}</h2>
                <Show when=move || !open.get()>
                    <p class="section-hint">{hint}</p>
                </Show>
            </header>
            <Show when=move || open.get()>
                <div class="section-body">{children()}</div>
            </Show>
        </section>
    }
}
