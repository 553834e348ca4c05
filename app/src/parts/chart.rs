//! The loss chart.

use leptos::prelude::*;

use crate::model::chart::{Chart, HEIGHT, Series, WIDTH};

/// Draws a chart that is laid out. Lines are SVG, stretched to the room there is; words are HTML, so
/// that they keep their size.
#[component]
pub fn LossChart(
    /// What to draw.
    #[prop(into)]
    chart: Signal<Chart>,
    /// The same in a sentence.
    #[prop(into)]
    words: Signal<String>,
    /// Whether there are parts beside the whole.
    #[prop(into)]
    parts: Signal<bool>,
) -> impl IntoView {
    let class = |series| match series {
        Series::Total => "line total",
        Series::Main => "line main",
        Series::Share => "line share",
        Series::Threshold => "line threshold",
    };
    view! {
        <figure class="chart">
            <figcaption>
                <span class="chart-title">"Loss"</span>
                <span class="key total">"total"</span>
                <Show when=move || parts.get()>
                    <span class="key main">"region"</span>
                    <span class="key share">"share"</span>
                    <span class="key threshold">"threshold steps"</span>
                </Show>
            </figcaption>
            <div class="chart-plane" role="img" aria-label=move || words.get()>
                <div class="chart-ticks" aria-hidden="true">
                    {move || chart.with(|chart| {
                        chart
                            .ticks
                            .iter()
                            .map(|tick| view! { <span style:top=format!("{}%", tick.top)>{tick.label.clone()}</span> })
                            .collect_view()
                    })}
                </div>
                <div class="chart-lines">
                    <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                        {move || chart.with(|chart| {
                            let bands = chart
                                .bands
                                .iter()
                                .map(|&(x, width)| {
                                    view! { <rect class="band" x=x y="0" width=width height=HEIGHT /> }
                                })
                                .collect_view();
                            let grid = chart
                                .ticks
                                .iter()
                                .map(|tick| {
                                    let y = tick.top / 100.0 * HEIGHT;
                                    view! { <line class="grid" x1="0" x2=WIDTH y1=y y2=y /> }
                                })
                                .collect_view();
                            let edges = chart
                                .rounds
                                .iter()
                                .skip(1)
                                .map(|round| {
                                    let x = round.left / 100.0 * WIDTH;
                                    view! { <line class="edge" x1=x x2=x y1="0" y2=HEIGHT /> }
                                })
                                .collect_view();
                            let lines = chart
                                .lines
                                .iter()
                                .map(|line| view! { <path class=class(line.series) d=line.path.clone() /> })
                                .collect_view();
                            view! { {bands} {grid} {edges} {lines} }
                        })}
                    </svg>
                    <div class="chart-rounds" aria-hidden="true">
                        {move || chart.with(|chart| {
                            chart
                                .rounds
                                .iter()
                                .map(|round| {
                                    view! {
                                        <span
                                            style:left=format!("{:.2}%", round.left)
                                            style:width=format!("{:.2}%", round.width)
                                        >
                                            {round.label.clone()}
                                        </span>
                                    }
                                })
                                .collect_view()
                        })}
                    </div>
                </div>
            </div>
        </figure>
    }
}
