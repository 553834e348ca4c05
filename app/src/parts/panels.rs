//! Small charts, one a class.

use leptos::prelude::*;

use super::bars::Swatch;
use crate::model::panels::{HEIGHT, Panel, WIDTH};

/// Shares and thresholds of the classes over the steps of a run; `learns` says whether there are thresholds.
pub fn class_charts(panels: Memo<Vec<Panel>>, edges: Memo<Vec<f64>>, learns: Memo<bool>) -> AnyView {
    view! {
        <figure class="chart class-charts">
            <figcaption>
                <span class="chart-title">"Classes over the steps"</span>
                <span class="key share-line">"share of the photos above"</span>
                <Show when=move || learns.get()>
                    <span class="key cut-line">"threshold"</span>
                </Show>
                <span class="key all-line">"share of all photos, between rounds"</span>
                <span class="help">
                    {move || if learns.get() { "From 0 to 100 %, thresholds from 0 to 1." } else { "From 0 to 100 %." }}
                </span>
            </figcaption>
            <ul class="panels" tabindex="0" aria-label="Classes over the steps">
                {move || {
                    let (edges, learns) = (edges.get(), learns.get());
                    panels
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(class, panel)| show(class, panel, &edges, learns))
                        .collect_view()
                }}
            </ul>
            <details>
                <summary>"As a table"</summary>
                <div class="round-table" tabindex="0" role="region" aria-label="Classes over the steps, in numbers">
                    {move || table(panels.get(), learns.get())}
                </div>
            </details>
        </figure>
    }
    .into_any()
}

fn show(class: usize, panel: Panel, edges: &[f64], learns: bool) -> AnyView {
    let [share, cut, all] = panel.paths;
    let rules = [0.0, HEIGHT / 2.0, HEIGHT].map(|y| format!("M0 {y}H{WIDTH}")).concat();
    let edges: String = edges.iter().map(|x| format!("M{x:.1} 0V{HEIGHT}")).collect();
    let ([_, share_now], [_, cut_now]) = (panel.share, panel.threshold);
    view! {
        <li>
            <p class="panel-name" title=panel.name.clone()>
                <Swatch class=class />
                {panel.name.clone()}
            </p>
            <p class="panel-now" aria-hidden="true">
                <span class="share-line">{share_now}</span>
                <span class="cut-line">{learns.then_some(cut_now)}</span>
            </p>
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=panel.words>
                <path class="grid" d=rules />
                <path class="edge" d=edges />
                <path class="line share-line" d=share />
                <path class="line cut-line" d=cut />
                <path class="line all-line" d=all />
            </svg>
        </li>
    }
    .into_any()
}

fn table(panels: Vec<Panel>, learns: bool) -> AnyView {
    let head = |words: &'static str| view! { <th scope="col">{words}</th> }.into_any();
    let mut heads = vec![head("class"), head("share at first"), head("share now")];
    if learns {
        heads.extend([head("threshold at first"), head("threshold now")]);
    }
    let row = |panel: Panel| {
        let cuts = if learns { panel.threshold.to_vec() } else { Vec::new() };
        let cells = panel.share.into_iter().chain(cuts).map(|cell| view! { <td>{cell}</td> }.into_any());
        let cells: Vec<AnyView> = cells.collect();
        view! {
            <tr>
                <th scope="row">{panel.name}</th>
                {cells}
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = panels.into_iter().map(row).collect();
    view! {
        <table>
            <thead>
                <tr>{heads}</tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
