//! Long lists of pictures, a page at a time.

use leptos::prelude::*;

use crate::model::text;

/// The stretch of a list that page `page` (from 0) of `size` shows.
pub fn on_page(list: &[usize], page: usize, size: usize) -> Vec<usize> {
    list.chunks(size).nth(page).map(<[usize]>::to_vec).unwrap_or_default()
}

/// "1–24 of 336" with buttons; nothing where one page holds all.
#[component]
pub fn Pager(
    /// The page, from 0.
    page: RwSignal<usize>,
    /// Pictures on one page.
    size: usize,
    /// Length of the list.
    #[prop(into)]
    total: Signal<usize>,
    /// What is listed, for those who cannot see it.
    label: &'static str,
) -> impl IntoView {
    let pages = move || total.get().div_ceil(size).max(1);
    let span = move || {
        let first = page.get() * size;
        let last = (first + size).min(total.get());
        format!(
            "{}–{} of {}",
            text::thousands(first as u64 + 1),
            text::thousands(last as u64),
            text::thousands(total.get() as u64)
        )
    };
    view! {
        <Show when=move || { pages() > 1 }>
            <nav class="pager" aria-label=label>
                <button
                    type="button"
                    class="button"
                    aria-label="Previous page"
                    disabled=move || page.get() == 0
                    on:click=move |_| page.update(|page| *page = page.saturating_sub(1))
                >
                    "‹"
                </button>
                <span aria-live="polite">{span}</span>
                <button
                    type="button"
                    class="button"
                    aria-label="Next page"
                    disabled=move || { page.get() + 1 >= pages() }
                    on:click=move |_| page.update(|page| *page += 1)
                >
                    "›"
                </button>
            </nav>
        </Show>
    }
}
