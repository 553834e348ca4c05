//! What went wrong, in words.

use leptos::prelude::*;

/// Nothing, or a box with a failure and its reason, read out at once by a screen reader.
#[component]
pub fn Failure(
    /// What has failed.
    #[prop(optional)]
    title: Option<&'static str>,
    /// Why; `None` where nothing has.
    message: Memo<Option<String>>,
) -> impl IntoView {
    let notice = move |message: String| {
        view! {
            <div class="notice bad" role="alert">
                <div>
                    {title.map(|title| view! { <p class="notice-title">{title}</p> })} <p>{message}</p>
                </div>
            </div>
        }
    };
    move || message.get().map(notice)
}
