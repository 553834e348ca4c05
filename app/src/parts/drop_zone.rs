//! Where files are given: dropped or picked.

use leptos::ev::DragEvent;
use leptos::html;
use leptos::prelude::*;

use crate::browser::files::{self, Dropped, PickedFile};

/// The formats that a picker offers.
const ACCEPT: &str = ".jpg,.jpeg,.png,.webp,.bmp,.csv,.tsv,.txt,.json,.xml,.yaml,.yml,.zip";

/// A large target with pickers beside it.
#[component]
pub fn DropZone(
    /// What is to be dropped, in a sentence.
    title: &'static str,
    /// Starts the ids of its inputs, which are unique in the page.
    id: &'static str,
    /// Takes what was dropped.
    #[prop(into)]
    dropped: Callback<Dropped>,
    /// Takes what was picked.
    #[prop(into)]
    picked: Callback<Vec<PickedFile>>,
    /// Further ways, beside the pickers.
    children: Children,
) -> impl IntoView {
    let depth = RwSignal::new(0i32);
    let folder = NodeRef::<html::Input>::new();
    let several = NodeRef::<html::Input>::new();
    folder.on_load(|input| input.set_webkitdirectory(true));
    let press = |input: NodeRef<html::Input>| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let take = move |input: NodeRef<html::Input>| {
        if let Some(input) = input.get_untracked() {
            if let Some(list) = input.files() {
                picked.run(files::picked(&list));
            }
            // So that picking the same files again counts as a change.
            input.set_value("");
        }
    };
    let on_drop = move |event: DragEvent| {
        event.prevent_default();
        event.stop_propagation();
        depth.set(0);
        if let Some(transfer) = event.data_transfer() {
            dropped.run(Dropped::take(&transfer));
        }
    };
    view! {
        <div
            class="drop-zone"
            class:over=move || { depth.get() > 0 }
            on:dragenter=move |event| {
                event.prevent_default();
                depth.update(|depth| *depth += 1);
            }
            on:dragleave=move |_| depth.update(|depth| *depth -= 1)
            on:dragover=move |event| event.prevent_default()
            on:drop=on_drop
        >
            <svg class="drop-picture" viewBox="0 0 64 48" aria-hidden="true">
                <path d="M4 10a4 4 0 0 1 4-4h14l5 6h29a4 4 0 0 1 4 4v24a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4z" />
                <path d="M32 36V20m-7 7 7-7 7 7" />
            </svg>
            <p class="drop-title">{title}</p>
            <div class="drop-buttons">
                <button type="button" class="button" on:click=move |_| press(folder)>"Choose a folder"</button>
                <button type="button" class="button" on:click=move |_| press(several)>"Choose files or a .zip"</button>
                {children()}
            </div>
            <input
                class="hidden-input"
                type="file"
                id=format!("{id}folder-input")
                tabindex="-1"
                aria-label="Folder of photos"
                multiple
                node_ref=folder
                on:change=move |_| take(folder)
            />
            <input
                class="hidden-input"
                type="file"
                id=format!("{id}files-input")
                tabindex="-1"
                aria-label="Photos, files with labels, or a .zip"
                accept=ACCEPT
                multiple
                node_ref=several
                on:change=move |_| take(several)
            />
        </div>
    }
}
