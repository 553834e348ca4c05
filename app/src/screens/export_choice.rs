//! Which format masks are downloaded in.

use leptos::prelude::*;
use tag2mask_core::export::Format;

use crate::model::text;

/// A list of formats, what the chosen one is for, and whether photos come along.
#[component]
pub fn ExportChoice(
    /// With what the fields' ids begin.
    id: &'static str,
    /// The chosen format.
    format: RwSignal<Format>,
    /// Whether photos are wanted.
    photos: RwSignal<bool>,
) -> impl IntoView {
    let part = move |name: &str| format!("{id}-{name}");
    let choose = move |id: String| {
        if let Some(chosen) = Format::by_id(&id) {
            format.set(chosen);
        }
    };
    view! {
        <div class="fields export-choice">
            <div class="field">
                <label for=part("format")>"Format of the masks"</label>
                <select
                    id=part("format")
                    aria-describedby=part("format-help")
                    on:change=move |event| choose(event_target_value(&event))
                >
                    {Format::ALL
                        .into_iter()
                        .map(|each| {
                            view! {
                                <option value=each.id() selected=move || format.get() == each>
                                    {each.name()}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                <p class="help" id=part("format-help")>
                    {move || text::sentence(format.get().summary())}
                </p>
            </div>
            <Show when=move || format.get().has_photos()>
                <div class="field toggle">
                    <input
                        type="checkbox"
                        id=part("photos")
                        aria-describedby=part("photos-help")
                        prop:checked=move || photos.get()
                        on:change=move |event| photos.set(event_target_checked(&event))
                    />
                    <label for=part("photos")>"With the photos"</label>
                    <p class="help" id=part("photos-help")>"As they are, where the format expects them."</p>
                </div>
            </Show>
        </div>
    }
}
