//! All photos over the page, to label them, and the list of classes.

mod classes;
mod grid;
mod selection;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use tag2mask_core::dataset::Summary;
use tag2mask_core::export::labels_csv;
use wasm_bindgen::JsCast;

use self::classes::Classes;
use self::grid::Photos;
use self::selection::Selection;
use crate::model::label_grid::{self, Filter, Grid, Wish};
use crate::model::labels::{ClassChange, Labels, Outcome};
use crate::model::{Model, Part, text};
use crate::parts::press::press;
use crate::state::State;

/// What the parts of the dialog share; copied to whoever needs it.
#[derive(Clone, Copy)]
struct Desk {
    state: State,
    /// The last news.
    said: RwSignal<String>,
}

impl Desk {
    /// Reads the photos that are shown and chosen.
    fn read<T: Default>(self, read: impl FnOnce(&Grid) -> T) -> T {
        self.state.label_grid.with(|grid| grid.as_ref().map(read)).unwrap_or_default()
    }

    /// The same without following them.
    fn peek<T: Default>(self, read: impl FnOnce(&Grid) -> T) -> T {
        self.state.label_grid.with_untracked(|grid| grid.as_ref().map(read)).unwrap_or_default()
    }

    /// Changes what is shown and chosen.
    fn change(self, change: impl FnOnce(&mut Grid)) {
        self.state.label_grid.update(|grid| {
            if let Some(grid) = grid {
                change(grid);
            }
        });
    }

    /// A fact of the data set with its changed labels.
    fn fact<T: PartialEq + Send + Sync + Default + 'static>(
        self,
        read: impl Fn(&Summary) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        self.state
            .memo(Part::Data, move |model| model.data.summary().map(|facts| read(facts)).unwrap_or_default())
    }

    /// Changes labels or classes, and says so.
    fn edit(self, act: impl FnOnce(&mut Labels, &Model) -> Outcome) {
        self.say(self.state.edit_labels(act));
    }

    /// Says what came of a wish.
    fn say(self, outcome: Outcome) {
        if !outcome.said.is_empty() {
            self.said.set(outcome.said);
        }
    }

    /// Gives these photos the class at a place of the list, or takes it from them where all have it.
    fn toggle(self, images: &[usize], class: usize) {
        self.edit(|labels, model| labels.toggle(images, class as u16, &model.boxes));
    }

    /// Undo and redo by key, wherever the focus is; a name that is being typed has its own.
    fn take_key(self, event: &KeyboardEvent) {
        let is_typing = event.target().is_some_and(|target| target.has_type::<web_sys::HtmlInputElement>());
        if event.default_prevented() || is_typing {
            return;
        }
        let back = match label_grid::wish(&event.key(), grid::held(event)) {
            Some(Wish::Undo) => true,
            Some(Wish::Redo) => false,
            _ => return,
        };
        event.prevent_default();
        self.step(back);
    }

    /// Takes the last change back, or makes it again. What drops a trained network has to be asked for at the classes.
    fn step(self, back: bool) {
        let refusal = self.state.peek(|model| match model.labels.step_of_classes(back) {
            ClassChange::Classes if model.has_learned() => {
                Some("This would change the classes of a trained network: see Classes.")
            }
            ClassChange::Names if model.has_learned() && model.is_working() => {
                Some("Classes are not renamed while the trainer is at work.")
            }
            _ => None,
        });
        if let Some(refusal) = refusal {
            return self.said.set(refusal.into());
        }
        self.edit(|labels, _| if back { labels.undo() } else { labels.redo() });
    }
}

/// The dialog; Escape or its button closes it.
#[component]
pub fn LabelDialog() -> impl IntoView {
    let state = State::use_here();
    let desk = Desk { state, said: RwSignal::new(String::new()) };
    let dialog = NodeRef::<html::Dialog>::new();
    let is_open = Memo::new(move |_| state.label_grid.with(Option::is_some));
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            match is_open.get() {
                true if !dialog.open() => {
                    desk.said.set(String::new());
                    // Fails only if it is already open.
                    drop(dialog.show_modal());
                }
                false if dialog.open() => dialog.close(),
                _ => {}
            }
        }
    });
    view! {
        <dialog
            class="large labels"
            node_ref=dialog
            aria-labelledby="labels-heading"
            on:keydown=move |event| desk.take_key(&event)
            on:close=move |_| state.label_grid.set(None)
        >
            <Show when=move || is_open.get()>
                <div class="labels-body">
                    {head(desk)} {filters(desk)} <Photos desk=desk />
                    <div class="labels-side">
                        <Selection desk=desk />
                        <Classes desk=desk />
                        {keys()}
                    </div>
                </div>
            </Show>
        </dialog>
    }
}

/// What there is, and what can be done with all of it.
fn head(desk: Desk) -> AnyView {
    let state = desk.state;
    let facts = desk.fact(|facts| {
        let without = match facts.without_class {
            0 => String::new(),
            without => format!(", {} without a label", text::thousands(without as u64)),
        };
        let photos = text::count(facts.images.len() as u64, "photo", "photos");
        format!("{photos}, {}{without}", text::count(facts.classes.len() as u64, "class", "classes"))
    });
    let stands_alone = desk.fact(|facts| labels_csv::stands_alone(&facts.classes));
    let can = move |what: fn(&Labels) -> bool| state.memo(Part::Data, move |model| what(&model.labels));
    let (can_undo, can_redo) = (can(Labels::can_undo), can(Labels::can_redo));
    let help = move || {
        if stands_alone.get() {
            "labels.csv"
        } else {
            "labels.csv, and classes.txt with the names of the classes"
        }
    };
    view! {
        <header class="labels-head">
            <div>
                <h2 id="labels-heading">"Labels"</h2>
                <p class="muted">{move || facts.get()}</p>
            </div>
            <p class="labels-said" role="status">{move || desk.said.get()}</p>
            <div class="actions">
                {press("button", "Undo", move || desk.step(true)).off(move || !can_undo.get()).show()}
                {press("button", "Redo", move || desk.step(false)).off(move || !can_redo.get()).show()}
                <button type="button" class="button" title=help on:click=move |_| state.save_labels()>
                    "Download labels"
                </button>
                {press("button primary", "Done", move || state.label_grid.set(None)).show()}
            </div>
        </header>
    }
    .into_any()
}

/// Which photos are shown.
fn filters(desk: Desk) -> AnyView {
    let names = desk.fact(|facts| facts.classes.clone());
    let chip = move |filter: Filter, name: String| {
        let count = desk.fact(move |facts| match filter {
            Filter::All => facts.images.len(),
            Filter::Without => facts.without_class,
            Filter::Class(class) => facts.images_per_class.get(usize::from(class)).copied().unwrap_or(0),
        });
        let swatch = if let Filter::Class(class) = filter { Some(usize::from(class)) } else { None };
        let show = move || {
            if let Some(summary) = desk.state.peek(|model| model.data.summary().cloned()) {
                desk.change(|grid| grid.show(filter, &summary));
            }
        };
        press("chip", name, show)
            .swatch(swatch)
            .pressed(move || desk.read(|grid| grid.filter() == filter))
            .count(move || text::thousands(count.get() as u64))
            .show()
    };
    let chips = move || {
        let classes = names.get().into_iter().zip(0..).map(|(name, class)| (Filter::Class(class), name));
        [(Filter::All, "All photos".to_owned()), (Filter::Without, "Without a label".to_owned())]
            .into_iter()
            .chain(classes)
            .map(|(filter, name)| chip(filter, name))
            .collect_view()
    };
    view! {
        <div class="labels-filters chips" role="group" aria-label="Show">
            {chips}
        </div>
    }
    .into_any()
}

fn keys() -> AnyView {
    view! {
        <details class="weights-how">
            <summary>"Keys"</summary>
            <dl class="keys help">
                <dt>"Arrows"</dt><dd>"to another photo; with Shift choose all between"</dd>
                <dt>"Space"</dt><dd>"choose the photo, or not any more"</dd>
                <dt>"Ctrl + A"</dt><dd>"choose all that are shown"</dd>
                <dt>"1 to 9"</dt><dd>"one of the first classes: for the chosen photos, or that in focus"</dd>
                <dt>"Ctrl + Z"</dt><dd>"undo; with Shift redo"</dd>
                <dt>"Shift + click"</dt><dd>"choose all from the last photo on"</dd>
            </dl>
        </details>
    }
    .into_any()
}
