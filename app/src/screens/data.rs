//! Section 1: photos and labels in.

use leptos::prelude::*;
use tag2mask_core::dataset::Summary;

use super::project_file::{ProjectFileButton, ProjectFileState};
use super::projects::ProjectList;
use super::tiles::{Over, Tiles};
use crate::model::data::{self, Data};
use crate::model::run::Stage;
use crate::model::{Model, Part, text};
use crate::parts::bars::{Bar, Bars};
use crate::parts::confirm::ConfirmButton;
use crate::parts::drop_zone::DropZone;
use crate::parts::notice::Failure;
use crate::parts::pager::{self, Pager};
use crate::parts::press::press;
use crate::parts::progress::Progress;
use crate::parts::section::Section;
use crate::state::State;

/// Problems listed per kind before a count stands in for the rest.
const LISTED: usize = 200;

/// Photos on one page: few, so that the settings are in sight.
const PAGE: usize = 12;

/// What the section shows.
#[derive(Clone, Copy, PartialEq)]
enum View {
    Asking,
    Busy,
    Ready,
}

/// Drop zone, progress, or the facts.
#[component]
pub fn DataSection() -> impl IntoView {
    let state = State::use_here();
    let shown = state.memo(Part::Data, |model| match &model.data {
        Data::Empty | Data::Failed(_) => View::Asking,
        Data::Collecting(_) | Data::Reading { .. } => View::Busy,
        Data::Ready { .. } => View::Ready,
    });
    view! {
        <Section id="data" number=1 title="Data" open=true done=Signal::derive(move || shown.get() == View::Ready) hint="">
            {move || match shown.get() {
                View::Asking => view! { <Asking /> }.into_any(),
                View::Busy => view! { <Busy /> }.into_any(),
                View::Ready => view! { <Facts /> }.into_any(),
            }}
        </Section>
    }
}

#[component]
fn Asking() -> impl IntoView {
    let state = State::use_here();
    let failure = state.memo(Part::Data, |model| match &model.data {
        Data::Failed(message) => Some(message.clone()),
        _ => None,
    });
    // One first choice at a time.
    let offers = state.memo(Part::Kept, |model| !model.projects.list.is_empty());
    view! {
        <Failure title="This data set cannot be used" message=failure />
        <ProjectList />
        <DropZone
            title="Drop a folder of labelled photos, or one .zip"
            id=""
            dropped=move |dropped| state.drop_files(dropped)
            picked=move |files| state.open_files(files)
        >
            <button
                type="button"
                class="button"
                class:primary=move || !offers.get()
                on:click=move |_| state.open_sample()
            >
                "Try the sample set"
            </button>
        </DropZone>
        <div class="layouts">
            <figure>
                <figcaption>"Either a folder for each class"</figcaption>
                <pre>
                    "photos/\n├─ cat/    1.jpg  2.jpg\n├─ dog/    3.jpg  4.jpg\n└─ sheep/  5.jpg"
                </pre>
            </figure>
            <figure>
                <figcaption>"or photos and a table, labels.csv"</figcaption>
                <pre>
                    "image,labels\n1.jpg,cat\n2.jpg,cat dog\n3.jpg,"
                    <span class="muted">"        ← none of them"</span>
                </pre>
            </figure>
            <p class="layouts-more">
                "JPEG, PNG, WebP or BMP. Twenty photos per class are a start; photos with none of the classes help. A folder "
                <code>"masks/"</code> " with index PNGs, if there is one, is used only to score the result. Boxes around objects (a table boxes.csv, or as YOLO, COCO and VOC have them) are for a method that learns from boxes; they can be drawn here, too."
            </p>
        </div>
    }
}

#[component]
fn Busy() -> impl IntoView {
    let state = State::use_here();
    let fraction = state.memo(Part::Data, |model| match &model.data {
        Data::Reading { done, total, .. } if *total > 0 => Some(*done as f64 / *total as f64),
        _ => None,
    });
    let words = |model: &Model| match &model.data {
        _ if model.trainer.is_dead() => "The trainer has stopped: start it again above".to_string(),
        Data::Collecting(files) => {
            format!("Looking through folders: {}", text::count(*files as u64, "file", "files"))
        }
        Data::Reading { name, total: 0, .. } if !model.trainer.is_ready() => {
            format!("{name}: waiting for the trainer to load")
        }
        Data::Reading { name, done, total, .. } if *total > 0 => format!(
            "{name}: {} of {} read",
            text::thousands(*done as u64),
            text::count(*total as u64, "file", "files")
        ),
        Data::Reading { name, .. } => format!("{name}: reading"),
        _ => String::new(),
    };
    let done = Memo::new(move |_| {
        state.read(Part::Trainer, |_| ());
        state.read(Part::Data, words)
    });
    let left = state.memo(Part::Data, |model| match &model.data {
        Data::Reading { seconds_left: Some(seconds), .. } => text::time_left(Some(*seconds)),
        _ => String::new(),
    });
    view! {
        <Progress label="Reading the data set" fraction=fraction done=done left=left />
        <div class="actions">
            <button type="button" class="button" on:click=move |_| state.choose_other()>
                "Cancel"
            </button>
        </div>
    }
}

#[component]
fn Facts() -> impl IntoView {
    let state = State::use_here();
    let Some(summary) = state.peek(|model| model.data.summary().cloned()) else { return ().into_any() };
    let name = state.memo(Part::Data, |model| match &model.data {
        Data::Ready { name, .. } => name.clone(),
        _ => String::new(),
    });
    let page = RwSignal::new(0);
    let all: Vec<usize> = (0..summary.images.len()).collect();
    let total = all.len();
    let shown = Memo::new(move |_| pager::on_page(&all, page.get(), PAGE));
    let question = Memo::new(move |_| {
        [Part::Kept, Part::Data, Part::Boxes].into_iter().for_each(|part| state.read(part, |_| ()));
        state.read(Part::Run, |model| {
            // With a project everything stays.
            let is_kept = model.kept.open().is_some();
            let question = match (model.run.stage.is_active(), model.run.has_network()) {
                (true, _) if is_kept && model.run.stage == Stage::Stopping => {
                    "It is still being saved. Leaving now loses what was learned since the last checkpoint."
                }
                (true, _) if is_kept => {
                    "This stops the training. It can go on when you open the project again."
                }
                (true, _) => "This ends the training.",
                (false, true) if !is_kept => "This drops the trained network and its masks.",
                (false, _) => "",
            };
            let boxes = model.boxes.are_unsaved() && !is_kept;
            let boxes = if boxes { "The boxes that you have drawn are in no file yet." } else { "" };
            let labels = model.labels.are_unsaved() && !is_kept;
            let labels = if labels { "The labels that you have changed are in no file yet." } else { "" };
            [question, boxes, labels]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        })
    });
    let facts = move || {
        state.read(Part::Data, |model| model.data.summary().map(|now| data::facts(now)).unwrap_or_default())
    };
    let bars = move || {
        state.read(Part::Data, |model| model.data.summary().map(|now| class_bars(now)).unwrap_or_default())
    };
    let groups = data::problem_groups(&summary.problems);
    view! {
        <div class="facts-head">
            <p class="facts">
                <strong>{move || name.get()}</strong>
                {move || facts().into_iter().map(|fact| view! { <span>{fact}</span> }).collect_view()}
            </p>
            <div class="actions">
                {press("button changes", "Edit labels", move || state.open_labels()).show()}
                <ProjectFileButton />
                <ConfirmButton
                    label="Choose other data"
                    question=question
                    yes="Yes, choose other data"
                    act=move |()| state.choose_other()
                />
            </div>
        </div>
        <ProjectFileState />
        {(!summary.finding.is_empty())
            .then(|| view! { <p class="finding">"Read as " {summary.finding.clone()} "."</p> })}
        <div class="facts-body">
            <div>
                <Bars caption="Photos per class" bars=Signal::derive(bars) />
                <Problems groups=groups />
            </div>
            <div>
                <Tiles images=shown over=Over::Nothing label="Photos of the data set" small=true />
                <Pager page=page size=PAGE total=total label="Pages of photos" />
            </div>
        </div>
    }
    .into_any()
}

/// A bar a class, and one for the photos without any.
fn class_bars(summary: &Summary) -> Vec<Bar> {
    let counts = || summary.images_per_class.iter().copied().chain([summary.without_class]);
    let most = counts().max().unwrap_or(1).max(1);
    let names = summary.classes.iter().map(String::as_str).chain(["none of them"]);
    let bar = |(class, (name, count)): (usize, (&str, usize))| Bar {
        class: Some(class).filter(|&class| class < summary.classes.len()),
        name: name.to_owned(),
        length: count as f64 / most as f64,
        value: text::thousands(count as u64),
    };
    let mut bars: Vec<Bar> = names.zip(counts()).enumerate().map(bar).collect();
    if summary.without_class == 0 {
        bars.pop();
    }
    bars
}

#[component]
fn Problems(groups: Vec<data::ProblemGroup>) -> impl IntoView {
    (!groups.is_empty()).then(|| {
        view! {
            <div class="problems">
                <h3>"Left out"</h3>
                {groups
                    .into_iter()
                    .map(|group| {
                        let more = group.problems.len().saturating_sub(LISTED);
                        view! {
                            <details>
                                <summary>{group.title}</summary>
                                <ul>
                                    {group
                                        .problems
                                        .into_iter()
                                        .take(LISTED)
                                        .map(|problem| {
                                            view! {
                                                <li>
                                                    <span class="mono">{problem.path}</span>
                                                    <span>{problem.reason}</span>
                                                </li>
                                            }
                                        })
                                        .collect_view()}
                                    {(more > 0).then(|| view! { <li>{format!("and {more} more")}</li> })}
                                </ul>
                            </details>
                        }
                    })
                    .collect_view()}
            </div>
        }
    })
}
