//! The list of classes: renamed, merged, removed, added.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use tag2mask_core::dataset::relabel::LENGTH;
use tag2mask_core::error::Result;

use super::Desk;
use crate::browser::window;
use crate::model::labels::{Labels, Outcome};
use crate::model::{Model, text};
use crate::parts::bars::Swatch;
use crate::parts::confirm::ConfirmButton;

/// The field for one more class.
const ADD: &str = "classes-add";

/// The button that opens a class to be changed.
fn id_of(class: u16) -> String {
    format!("class-{class}")
}

/// Every class with its number of photos; one at a time is open to be changed.
#[component]
pub fn Classes(desk: Desk) -> impl IntoView {
    let state = desk.state;
    let names = desk.fact(|facts| facts.classes.clone());
    let open = RwSignal::new(None::<usize>);
    let follow = move || {
        use crate::model::Part::{Data, Kept, Results, Run, Segmenter};
        [Data, Kept, Results, Run, Segmenter].into_iter().for_each(|part| state.read(part, |_| ()));
    };
    let is_locked = Memo::new(move |_| {
        follow();
        state.peek(Model::has_learned)
    });
    let is_busy = Memo::new(move |_| {
        follow();
        state.peek(Model::is_working)
    });
    let rows = move || {
        let row = |(class, name)| row(desk, open, (is_locked, is_busy), class, name);
        (0..).zip(names.get()).map(row).collect_view()
    };
    view! {
        <section class="labels-classes" aria-labelledby="classes-heading">
            <h3 id="classes-heading">"Classes"</h3>
            <Show when=move || is_locked.get()>
                <div class="notice warn">
                    <div>
                        <p>"The trained network and its masks know these classes: they can be renamed, and photos can be labelled otherwise. To add, merge or remove classes is to drop both."</p>
                    </div>
                    <Show
                        when=move || !is_busy.get()
                        fallback=|| view! { <p class="muted">"Not while the trainer is at work."</p> }
                    >
                        <ConfirmButton
                            label="Drop the network"
                            question=Signal::derive(|| "This drops what was learned, and its masks.".to_string())
                            yes="Yes, drop it"
                            act=move |()| {
                                state.drop_run();
                                desk.said.set("The network is dropped: classes can be changed.".into());
                            }
                        />
                    </Show>
                </div>
            </Show>
            <ul class="class-list">{rows}</ul>
            <Show when=move || !is_locked.get()>
                <Adding desk=desk />
            </Show>
        </section>
    }
}

/// Does something to the list of classes. `false` where it cannot be, and the reason is said.
fn change(desk: Desk, act: impl FnOnce(&mut Labels) -> Result<Outcome, String>) -> bool {
    let mut is_done = true;
    desk.edit(|labels, _| {
        act(labels).unwrap_or_else(|said| {
            is_done = false;
            Outcome { said, ..Outcome::default() }
        })
    });
    is_done
}

fn row(
    desk: Desk,
    open: RwSignal<Option<usize>>,
    (is_locked, is_busy): (Memo<bool>, Memo<bool>),
    class: u16,
    name: String,
) -> AnyView {
    let waits = Memo::new(move |_| is_locked.get() && is_busy.get());
    let count = desk.fact(move |facts| facts.images_per_class.get(usize::from(class)).copied().unwrap_or(0));
    let is_open = move || open.get() == Some(usize::from(class)) && !waits.get();
    let label = format!("Change {name}");
    let toggle = move |_| {
        open.update(|open| *open = Some(usize::from(class)).filter(|_| *open != Some(usize::from(class))));
        if is_open() {
            window::focus("class-name".into());
        }
    };
    let shown = name.clone();
    view! {
        <li>
            <div class="labels-row">
                <Swatch class=usize::from(class) />
                <span class="class-name">{shown}</span>
                <span class="chip-count">{move || text::count(count.get() as u64, "photo", "photos")}</span>
                <button
                    type="button"
                    class="button"
                    id=id_of(class)
                    aria-label=label
                    aria-expanded=move || is_open().to_string()
                    disabled=move || waits.get()
                    on:click=toggle
                >
                    "Change"
                </button>
            </div>
            {move || is_open().then(|| changing(desk, open, is_locked, class, name.clone()))}
        </li>
    }
    .into_any()
}

/// What can be done with one class.
fn changing(
    desk: Desk,
    open: RwSignal<Option<usize>>,
    is_locked: Memo<bool>,
    class: u16,
    name: String,
) -> AnyView {
    let state = desk.state;
    let typed = RwSignal::new(name.clone());
    let into = RwSignal::new(None::<usize>);
    let others =
        state.peek(|model| model.data.summary().map(|summary| summary.classes.clone())).unwrap_or_default();
    let others: Vec<(u16, String)> = (0..).zip(others).filter(|(other, _)| *other != class).collect();
    let has_others = !others.is_empty();
    // The button that had the focus is gone.
    let close = move |next: String| {
        open.set(None);
        window::focus(next);
    };
    let twin = Memo::new(move |_| {
        typed.with(|typed| {
            state.peek(|model| {
                let into = model.labels.twin(class, typed)?;
                Some(match is_locked.get() {
                    true => "There is such a class already. To merge them, drop the network first.".into(),
                    false => format!(
                        "There is such a class already. {}",
                        model.labels.merged_in_words(class, into)
                    ),
                })
            })
        })
    });
    let rename = move |event: SubmitEvent| {
        event.prevent_default();
        if is_locked.get_untracked() && twin.with_untracked(Option::is_some) {
            return;
        }
        let is_merged = twin.with_untracked(Option::is_some);
        if change(desk, |labels| labels.rename_class(class, &typed.get_untracked())) {
            close(if is_merged { ADD.into() } else { id_of(class) });
        }
    };
    let question = Signal::derive(move || {
        let into = into.get();
        into.map_or_else(String::new, |into| {
            state.peek(|model| model.labels.merged_in_words(class, into as u16))
        })
    });
    let merge = move |()| match into.get_untracked() {
        Some(into) => {
            if change(desk, |labels| labels.merge_class(class, into as u16)) {
                close(ADD.into());
            }
        }
        None => desk.said.set("Choose the class to merge it into first.".into()),
    };
    let remove = move |()| {
        if change(desk, |labels| labels.remove_class(class)) {
            close(ADD.into());
        }
    };
    let removed = Signal::derive(move || state.peek(|model| model.labels.removed_in_words(class)));
    let option = |(other, name): (u16, String)| view! { <option value=other>{name}</option> };
    view! {
        <div class="class-changing">
            <form class="field" on:submit=rename>
                <label for="class-name">"Name"</label>
                <div class="labels-row">
                    <input
                        type="text"
                        id="class-name"
                        maxlength=LENGTH.to_string()
                        autocomplete="off"
                        aria-describedby="class-twin"
                        prop:value=name
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                    <button
                        type="submit"
                        class="button"
                        disabled=move || is_locked.get() && twin.with(Option::is_some)
                    >
                        {move || match twin.with(Option::is_some) && !is_locked.get() {
                            true => "Merge",
                            false => "Rename",
                        }}
                    </button>
                </div>
                <p class="help" id="class-twin" role="status">{move || twin.get()}</p>
            </form>
            {move || (has_others && !is_locked.get()).then(|| view! {
                <div class="field">
                    <label for="class-into">"Merge into"</label>
                    <select
                        id="class-into"
                        on:change=move |event| into.set(event_target_value(&event).parse().ok())
                    >
                        <option value="">"choose a class"</option>
                        {others.iter().cloned().map(option).collect_view()}
                    </select>
                    <ConfirmButton label="Merge" question=question yes="Yes, merge" act=merge />
                </div>
                <ConfirmButton label="Remove this class" question=removed yes="Yes, remove it" act=remove />
            })}
        </div>
    }
    .into_any()
}

/// A field for one more class.
#[component]
fn Adding(desk: Desk) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let is_empty = move || typed.with(|typed| typed.trim().is_empty());
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        if !untrack(is_empty) && change(desk, |labels| labels.add_class(&typed.get_untracked())) {
            typed.set(String::new());
        }
    };
    view! {
        <form class="field" on:submit=add>
            <label for=ADD>"New class"</label>
            <div class="labels-row">
                <input
                    type="text"
                    id=ADD
                    maxlength=LENGTH.to_string()
                    autocomplete="off"
                    prop:value=move || typed.get()
                    on:input=move |event| typed.set(event_target_value(&event))
                />
                <button type="submit" class="button">"Add"</button>
            </div>
        </form>
    }
}
