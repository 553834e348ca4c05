//! What masks are downloaded as.

use leptos::prelude::*;

use crate::model::download::Download;

/// A list of formats, what the chosen one is for, and whether photos come along.
#[component]
pub fn ExportChoice(
    /// With what the fields' ids begin.
    id: &'static str,
    /// What is chosen.
    chosen: RwSignal<Download>,
    /// Whether photos are wanted.
    photos: RwSignal<bool>,
    /// How large score maps will be, where that is known.
    #[prop(optional, into)]
    size_of_score_maps: Option<Signal<String>>,
) -> impl IntoView {
    let part = move |name: &str| format!("{id}-{name}");
    let choose = move |id: String| {
        if let Some(wanted) = Download::by_id(&id) {
            chosen.set(wanted);
        }
    };
    let help = move || {
        let help = chosen.get().help();
        match size_of_score_maps.filter(|_| chosen.get() == Download::ScoreMaps) {
            Some(size) => format!("{help} About {}.", size.get()),
            None => help,
        }
    };
    view! {
        <div class="fields export-choice">
            <div class="field">
                <label for=part("format")>"Format"</label>
                <select
                    id=part("format")
                    aria-describedby=part("format-help")
                    on:change=move |event| choose(event_target_value(&event))
                >
                    {Download::all()
                        .map(|each| {
                            view! {
                                <option value=each.id() selected=move || chosen.get() == each>
                                    {each.name()}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                <p class="help" id=part("format-help")>
                    {help}
                </p>
            </div>
            <Show when=move || chosen.get().has_photos()>
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
