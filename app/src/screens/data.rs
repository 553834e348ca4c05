//! Section 1: photos and labels in.

use leptos::prelude::*;

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
        state.read(Part::Kept, |_| ());
        state.read(Part::Boxes, |_| ());
        state.read(Part::Run, |model| {
            // With a project everything stays.
            let is_kept = model.kept.following().is_some();
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
            [question, boxes].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        })
    });
    let most = summary.images_per_class.iter().copied().max().unwrap_or(1).max(summary.without_class).max(1);
    let mut bars: Vec<Bar> = summary
        .classes
        .iter()
        .zip(&summary.images_per_class)
        .enumerate()
        .map(|(class, (name, &count))| Bar {
            class: Some(class),
            name: name.clone(),
            length: count as f64 / most as f64,
            value: text::thousands(count as u64),
        })
        .collect();
    if summary.without_class > 0 {
        bars.push(Bar {
            class: None,
            name: "none of them".into(),
            length: summary.without_class as f64 / most as f64,
            value: text::thousands(summary.without_class as u64),
        });
    }
    let mut facts = vec![
        text::count(summary.images.len() as u64, "photo", "photos"),
        text::count(summary.classes.len() as u64, "class", "classes"),
        data::size_range(&summary),
    ];
    if summary.several_classes > 0 {
        facts.push(format!("{} with several classes", text::thousands(summary.several_classes as u64)));
    }
    if summary.with_mask > 0 {
        facts.push(format!("{} with a mask for scoring", text::thousands(summary.with_mask as u64)));
    }
    if summary.boxes > 0 {
        facts.push(text::count(summary.boxes as u64, "box", "boxes"));
    }
    let groups = data::problem_groups(&summary.problems);
    view! {
        <div class="facts-head">
            <p class="facts">
                <strong>{move || name.get()}</strong>
                {facts.into_iter().map(|fact| view! { <span>{fact}</span> }).collect_view()}
            </p>
            <ConfirmButton
                label="Choose other data"
                question=question
                yes="Yes, choose other data"
                act=move |()| state.choose_other()
            />
        </div>
        {(!summary.finding.is_empty())
            .then(|| view! { <p class="finding">"Read as " {summary.finding.clone()} "."</p> })}
        <div class="facts-body">
            <div>
                <Bars caption="Photos per class" bars=Signal::derive(move || bars.clone()) />
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
