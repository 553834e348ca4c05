//! Section 6: runs on the same photos, side by side.

use leptos::prelude::*;

use super::tiles::{Same, mask_layer, picture_of};
use crate::model::compare::Column;
use crate::model::{Part, text};
use crate::parts::bars::Swatch;
use crate::parts::opacity::{self, Opacity};
use crate::parts::pager::{self, Pager};
use crate::parts::photo::Photo;
use crate::parts::section::Section;
use crate::state::State;

/// Photos on one page.
const PAGE: usize = 8;

/// A table of figures, and the masks photo by photo.
#[component]
pub fn CompareSection() -> impl IntoView {
    let state = State::use_here();
    let columns = columns(state);
    let open = Signal::derive(move || columns.with(|columns| columns.len() > 1));
    view! {
        <Section
            id="compare"
            number=6
            title="Compare"
            open=open
            done=false
            hint="Opens when two runs have masks: train again with another method or other settings."
        >
            <Figures />
            <Photos />
        </Section>
    }
}

fn columns(state: State) -> Memo<Vec<Column>> {
    Memo::new(move |_| {
        state.read(Part::Results, |_| ());
        state.read(Part::Run, |_| ());
        state.read(Part::Compare, |model| model.compare.columns(&model.run, &model.results))
    })
}

/// What each run is, how long it took, and how good its masks are where that is known.
#[component]
fn Figures() -> impl IntoView {
    let state = State::use_here();
    let columns = columns(state);
    let has_truth =
        Memo::new(move |_| columns.with(|columns| columns.iter().any(|column| column.miou.is_some())));
    let row = move |title: &'static str, value: fn(&Column) -> String| {
        view! {
            <tr>
                <th scope="row">{title}</th>
                {move || columns.get().iter().map(|column| view! { <td>{value(column)}</td> }).collect_view()}
            </tr>
        }
    };
    view! {
        <div class="round-table" tabindex="0" role="region" aria-label="Runs in numbers">
            <table>
                <thead>
                    <tr>
                        <th></th>
                        {move || {
                            columns
                                .get()
                                .into_iter()
                                .map(|column| {
                                    view! {
                                        <th scope="col">
                                            {column.title}
                                            <span class="help">{column.facts}</span>
                                        </th>
                                    }
                                })
                                .collect_view()
                        }}
                    </tr>
                </thead>
                <tbody>
                    {row("training", |column| column.seconds.map_or_else(|| "–".into(), text::duration))}
                    <Show when=move || has_truth.get()>
                        {row("mean IoU", |column| percent(column.miou))} <PerClass columns=columns />
                    </Show>
                    <tr>
                        <th></th>
                        {move || {
                            columns
                                .get()
                                .into_iter()
                                .enumerate()
                                .map(|(index, column)| {
                                    let label = format!("Remove {}, {}", column.title, column.facts);
                                    view! {
                                        <td>
                                            <Show when=move || column.is_kept fallback=|| "this run">
                                                <button
                                                    type="button"
                                                    class="button quiet"
                                                    aria-label=label.clone()
                                                    on:click=move |_| state.forget_contender(index)
                                                >
                                                    "Remove"
                                                </button>
                                            </Show>
                                        </td>
                                    }
                                })
                                .collect_view()
                        }}
                    </tr>
                </tbody>
            </table>
        </div>
        <p class="help">
            "Kept until the page is closed or another data set is opened. Download the masks of a run before you start the next one."
        </p>
    }
}

#[component]
fn PerClass(columns: Memo<Vec<Column>>) -> impl IntoView {
    move || {
        let columns = columns.get();
        let names = columns.iter().map(|column| &column.iou).max_by_key(|iou| iou.len()).cloned();
        names
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(row, (name, _))| {
                let cells = columns
                    .iter()
                    .map(|column| {
                        let iou = column.iou.get(row).and_then(|(_, iou)| *iou);
                        view! { <td>{percent(iou)}</td> }
                    })
                    .collect_view();
                view! {
                    <tr>
                        <th scope="row">
                            {row.checked_sub(1).map(|class| view! { <Swatch class=class /> })} <span>{name}</span>
                        </th>
                        {cells}
                    </tr>
                }
            })
            .collect_view()
    }
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.1} %"))
}

/// The masks of each photo beside each other.
#[component]
fn Photos() -> impl IntoView {
    let state = State::use_here();
    let columns = columns(state);
    let opacity = RwSignal::new(opacity::START);
    let page = RwSignal::new(0);
    let list = Memo::new(move |_| {
        state.read(Part::Results, |_| ());
        state.read(Part::Compare, |model| model.compare.images(&model.run, &model.results))
    });
    let shown = Memo::new(move |_| list.with(|list| pager::on_page(list, page.get(), PAGE)));
    let number = Memo::new(move |_| list.with(Vec::len));
    let titles = Memo::new(move |_| {
        columns.with(|columns| columns.iter().map(|column| column.title.clone()).collect::<Vec<_>>())
    });
    Effect::new(move |_| state.want_pictures(&shown.get()));
    view! {
        <div class="gallery-tools">
            <Opacity id="compare-opacity" value=opacity />
        </div>
        <ul class="compared" style=("--opacity", move || opacity::css(opacity)) aria-label="Photos with the masks of each run">
            <For each=move || shown.get() key=|&image| image let:image>
                <Compared image=image titles=titles />
            </For>
        </ul>
        <Pager page=page size=PAGE total=number label="Pages of compared photos" />
    }
}

#[component]
fn Compared(image: usize, titles: Memo<Vec<String>>) -> impl IntoView {
    let state = State::use_here();
    let facts = state.summary().and_then(|summary| summary.images.get(image).cloned());
    let Some(facts) = facts else { return ().into_any() };
    let name = facts.path.rsplit('/').next().unwrap_or(&facts.path).to_string();
    let spoken = StoredValue::new(name.clone());
    let (width, height) = (facts.width, facts.height);
    view! {
        <li>
            <p class="compared-name">{name}</p>
            <div class="compared-row">
                {move || {
                    titles
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(column, title)| {
                            let mask = Memo::new(move |_| {
                                state.read(Part::Results, |_| ());
                                state
                                    .read(Part::Compare, |model| {
                                        model.compare.mask(&model.run, &model.results, column, image)
                                    })
                                    .map(Same)
                            });
                            view! {
                                <figure>
                                    <Photo
                                        label=format!("{}: {title}", spoken.get_value())
                                        width=width
                                        height=height
                                        picture=picture_of(state, image)
                                        over=mask_layer(mask, Signal::derive(|| None))
                                    />
                                    <figcaption>{title}</figcaption>
                                </figure>
                            }
                        })
                        .collect_view()
                }}
            </div>
        </li>
    }
    .into_any()
}
