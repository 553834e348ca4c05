//! Which labels are taken for which, as a heat map with its numbers.

use leptos::prelude::*;

use crate::model::confusion::{Row, cell};

/// A table whose cells are as dark as their share.
pub fn heat_map(names: Vec<String>, rows: Vec<Row>) -> AnyView {
    let head = |name: &String| view! { <th scope="col"><span>{name.clone()}</span></th> }.into_any();
    let heads: Vec<AnyView> = names.iter().map(head).collect();
    let row = |row: Row| {
        let cells = row.shares.into_iter().map(|share| {
            let depth = format!("{:.3}", share.unwrap_or(0.0));
            view! { <td style=("--share", depth)>{cell(share)}</td> }.into_any()
        });
        let cells: Vec<AnyView> = cells.collect();
        view! {
            <tr>
                <th scope="row">{row.name}</th>
                {cells}
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = rows.into_iter().map(row).collect();
    view! {
        <div class="heat" tabindex="0" role="region" aria-label="Confusion">
            <table>
                <thead>
                    <tr>
                        <td>"truth ↓ mask →"</td>
                        {heads}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
