//! Projects that the browser keeps, offered before anything else.

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

use crate::browser::window;
use crate::model::project::Kept;
use crate::model::projects::{Entry, Room, Standing, Storage};
use crate::model::{Part, text};
use crate::parts::confirm::ConfirmButton;
use crate::parts::press::press;
use crate::state::State;

/// Projects shown before the rest is asked for.
const SHOWN: usize = 5;

/// The list; nothing when no project is kept. In its place the one that needs its photos again.
#[component]
pub fn ProjectList() -> impl IntoView {
    let state = State::use_here();
    let needs_photos = state.memo(Part::Kept, |model| {
        model.kept.wanted().filter(|project| project.lacks_photos()).map(|project| project.name.clone())
    });
    let impossible = state.memo(Part::Kept, |model| model.projects.storage == Storage::Impossible);
    let offers =
        state.memo(Part::Kept, |model| model.kept == Kept::Nothing && !model.projects.list.is_empty());
    view! {
        {move || {
            if impossible.get() {
                return view! {
                    <p class="muted">
                        "This browser keeps nothing for this page: what is trained is lost when it is closed."
                    </p>
                }
                    .into_any();
            }
            if let Some(name) = needs_photos.get() {
                return view! { <NeedsPhotos name=name /> }.into_any();
            }
            if offers.get() { view! { <List /> }.into_any() } else { ().into_any() }
        }}
    }
}

#[component]
fn NeedsPhotos(name: String) -> impl IntoView {
    let state = State::use_here();
    view! {
        <div class="notice" role="status">
            <div>
                <p class="notice-title">"Give the same photos again"</p>
                <p>
                    {format!(
                        "What was done with {name} is kept, its photos are not. Drop the same folder or files below, and the project is there again.",
                    )}
                </p>
            </div>
            <button type="button" class="button" on:click=move |_| state.leave_kept()>
                "Not now"
            </button>
        </div>
    }
}

#[component]
fn List() -> impl IntoView {
    let state = State::use_here();
    let ids = state.memo(Part::Kept, |model| {
        model.projects.list.iter().map(|entry| entry.project.id.clone()).collect::<Vec<_>>()
    });
    let room = state.memo(Part::Kept, |model| model.projects.room);
    let all = RwSignal::new(false);
    let shown = move || {
        let mut ids = ids.get();
        if !all.get() && ids.len() > SHOWN + 1 {
            ids.truncate(SHOWN);
        }
        ids
    };
    let more = move || if all.get() { 0 } else { ids.with(Vec::len) - shown().len() };
    view! {
        <div class="projects">
            <h3 id="projects-heading">"Your projects"</h3>
            <ul aria-labelledby="projects-heading">
                <For each=shown key=String::clone let:id>
                    <Item id=id />
                </For>
            </ul>
            <Show when=move || { more() > 0 }>
                <button type="button" class="button" on:click=move |_| all.set(true)>
                    {move || format!("Show {} more", text::thousands(more() as u64))}
                </button>
            </Show>
            <p class="projects-room">{move || room.get().as_ref().map(Room::in_words)}</p>
        </div>
    }
}

/// What the buttons' place shows.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Buttons,
    Name,
    Elsewhere,
    Words(&'static str),
}

#[component]
fn Item(id: String) -> impl IntoView {
    let state = State::use_here();
    let naming = RwSignal::new(false);
    let of = id.clone();
    let entry = state.memo(Part::Kept, move |model| {
        model.projects.list.iter().find(|entry| entry.project.id == of).cloned()
    });
    let of = id.clone();
    let is_first = state.memo(Part::Kept, move |model| {
        model.projects.list.first().is_some_and(|entry| entry.project.id == of)
    });
    let name = Memo::new(move |_| entry.get().map(|entry| entry.project.name).unwrap_or_default());
    let words = move || entry.get().map(|entry| entry.project.in_words());
    let lacks_photos = Memo::new(move |_| entry.get().is_none_or(|entry| entry.project.lacks_photos()));
    let place = Memo::new(move |_| match entry.get().map_or(Standing::Deleting, |entry| entry.standing) {
        Standing::Free if naming.get() => Place::Name,
        Standing::Free => Place::Buttons,
        Standing::Elsewhere if lacks_photos.get() => Place::Words("Open in another tab"),
        Standing::Elsewhere => Place::Elsewhere,
        Standing::Saving => Place::Words("Being saved…"),
        Standing::Deleting => Place::Words("Deleting…"),
    });
    view! {
        <li class="project">
            <div class="project-words">
                <p class="project-name">{move || name.get()}</p>
                <p>{words}</p>
                <p class="project-facts">{move || entry.get().map(|entry| facts(&entry))}</p>
            </div>
            {move || match place.get() {
                Place::Words(words) => view! { <p class="project-state" role="status">{words}</p> }.into_any(),
                Place::Elsewhere => view! { <LookButton id=id.clone() /> }.into_any(),
                Place::Name => view! { <Naming id=id.clone() name=name.get_untracked() naming=naming /> }.into_any(),
                Place::Buttons => view! { <Buttons id=id.clone() is_first=is_first naming=naming /> }.into_any(),
            }}
        </li>
    }
}

/// When it was saved, and how large it is.
fn facts(entry: &Entry) -> String {
    let saved = match entry.project.saved {
        0.0 => String::new(),
        saved => format!("saved {}", text::ago(window::now() - saved)),
    };
    let size = entry.bytes.map(|bytes| text::file_size(bytes as u64)).unwrap_or_default();
    [saved, size].into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · ")
}

#[component]
fn LookButton(id: String) -> impl IntoView {
    let state = State::use_here();
    view! {
        <p class="project-state" role="status">"Open in another tab"</p>
        <div class="actions">{press("button", "Look at it", move || state.look_at_project(id.clone())).show()}</div>
    }
}

#[component]
fn Buttons(id: String, is_first: Memo<bool>, naming: RwSignal<bool>) -> impl IntoView {
    let state = State::use_here();
    let (opened, deleted) = (id.clone(), id.clone());
    let rename = format!("rename-{id}");
    view! {
        <div class="actions">
            <button
                type="button"
                class="button"
                class:primary=move || is_first.get()
                on:click=move |_| state.open_project(opened.clone())
            >
                "Open"
            </button>
            <button
                type="button"
                class="button"
                id=rename
                on:click=move |_| {
                    naming.set(true);
                    window::focus(format!("name-{id}"));
                }
            >
                "Rename"
            </button>
            <ConfirmButton
                label="Delete"
                question=Signal::derive(|| "This deletes its kept photos, what was learned, and its masks.".to_string())
                yes="Yes, delete it"
                act=move |()| state.delete_project(deleted.clone())
            />
        </div>
    }
}

#[component]
fn Naming(id: String, name: String, naming: RwSignal<bool>) -> impl IntoView {
    let state = State::use_here();
    let typed = RwSignal::new(name);
    let (input, button) = (format!("name-{id}"), format!("rename-{id}"));
    let end = move || {
        naming.set(false);
        window::focus(button.clone());
    };
    let leave = end.clone();
    let cancel = end.clone();
    view! {
        <form
            class="actions"
            on:submit=move |event: SubmitEvent| {
                event.prevent_default();
                state.rename_project(id.clone(), typed.get_untracked());
                end();
            }
            on:keydown=move |event: KeyboardEvent| {
                if event.key() == "Escape" {
                    leave();
                }
            }
        >
            <label class="visually-hidden" for=input.clone()>"Name of the project"</label>
            <input
                type="text"
                id=input
                maxlength="80"
                autocomplete="off"
                prop:value=typed.get_untracked()
                on:input=move |event| typed.set(event_target_value(&event))
            />
            <button type="submit" class="button" disabled=move || typed.with(|name| name.trim().is_empty())>
                "Save"
            </button>
            <button type="button" class="button" on:click=move |_| cancel()>
                "Cancel"
            </button>
        </form>
    }
}
