//! Numbers of several classes as bars.

use leptos::prelude::*;

use crate::model::overlay;

/// The class's colour, as over the photos.
#[component]
pub fn Swatch(
    /// Foreground class.
    class: usize,
) -> impl IntoView {
    view! { <span class="swatch" style:background-color=overlay::class_css(class) aria-hidden="true"></span> }
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Foreground class, for its colour; `None` for the rest.
    pub class: Option<usize>,
    /// Name.
    pub name: String,
    /// 0 to 1.
    pub length: f64,
    /// The number, in words.
    pub value: String,
}

/// A table with a bar per row.
#[component]
pub fn Bars(
    /// What is shown.
    caption: &'static str,
    /// The rows.
    #[prop(into)]
    bars: Signal<Vec<Bar>>,
) -> impl IntoView {
    view! {
        <table class="bars">
            <caption>{caption}</caption>
            <tbody>
                {move || {
                    bars.get()
                        .into_iter()
                        .map(|bar| {
                            let width = format!("{:.1}%", bar.length.clamp(0.0, 1.0) * 100.0);
                            view! {
                                <tr>
                                    <th scope="row">
                                        {bar.class.map(|class| view! { <Swatch class=class /> })}
                                        <span class="bars-name" title=bar.name.clone()>{bar.name.clone()}</span>
                                    </th>
                                    <td class="bars-bar" aria-hidden="true">
                                        {(bar.length > 0.0).then(|| view! { <span style:width=width></span> })}
                                    </td>
                                    <td class="bars-value">{bar.value}</td>
                                </tr>
                            }
                        })
                        .collect_view()
                }}
            </tbody>
        </table>
    }
}
