//! What can be chosen beside the photo.

use leptos::prelude::*;

use super::Desk;
use crate::model::mask_editor::{Editor, Tool};
use crate::model::mask_keys::Wish;
use crate::parts::opacity::Opacity;
use crate::parts::press::{DIGITS, press};
use crate::screens::gallery::outline_box;

/// Tools, classes, the size of the brush, and how the mask is drawn.
pub fn tools(desk: Desk, names: Vec<String>) -> AnyView {
    view! {
        <div class="draw-tools">
            <div>
                <h3 id="mask-tool">"Tool"</h3>
                <div class="chips" role="group" aria-labelledby="mask-tool">
                    {Tool::ALL.map(|tool| tool_chip(desk, tool)).into_iter().collect::<Vec<_>>()}
                </div>
            </div>
            <div>
                <h3 id="mask-class">"Paint"</h3>
                <div class="chips" role="group" aria-labelledby="mask-class">
                    {class_chips(desk, &names)}
                </div>
            </div>
            <div class="mask-sliders">
                {size_slider(desk)} <Opacity id="mask-opacity" value=desk.state.opacity /> {outline_box("mask-outline", desk.state)}
                {zoom_choice(desk)}
            </div>
            <details class="weights-how">
                <summary>"Keys"</summary>
                <dl class="keys help">
                    <dt>"Arrows"</dt>
                    <dd>"move the brush, on the photo; with Shift far, with Alt by one pixel"</dd>
                    <dt>"Space"</dt>
                    <dd>"paint there"</dd>
                    <dt>"Enter"</dt>
                    <dd>"brush down, and up again"</dd>
                    <dt>"B E F M"</dt>
                    <dd>"tools"</dd>
                    <dt>"[ ]"</dt>
                    <dd>"narrower, wider"</dd>
                    <dt>"1 to 9"</dt>
                    <dd>"class"</dd>
                    <dt>"Ctrl + Z"</dt>
                    <dd>"undo; with Shift redo"</dd>
                </dl>
            </details>
        </div>
    }
    .into_any()
}

fn tool_chip(desk: Desk, tool: Tool) -> AnyView {
    let (name, key) = tool.name();
    press("chip", name, move || desk.fulfil(Wish::Take(tool)))
        .key(key)
        .pressed(move || desk.read(|editor| editor.tool() == tool))
        .show()
}

fn class_chips(desk: Desk, names: &[String]) -> Vec<AnyView> {
    let order = desk
        .state
        .mask_editor
        .with_untracked(|editor| editor.as_ref().map(|editor| editor.classes().to_vec()).unwrap_or_default());
    let chip = |(at, class): (usize, u16)| {
        let name = names.get(usize::from(class)).cloned().unwrap_or_default();
        press("chip", name, move || desk.fulfil(Wish::Class(at)))
            .swatch(Some(usize::from(class)))
            .key(DIGITS.get(at).copied().unwrap_or_default())
            .pressed(move || desk.read(|editor| editor.class() == class && editor.tool() != Tool::Eraser))
            .show()
    };
    order.into_iter().enumerate().map(chip).collect()
}

fn size_slider(desk: Desk) -> AnyView {
    let (size, widest) = (move || desk.read(Editor::size), move || desk.read(Editor::widest));
    view! {
        <div class="slider">
            <label for="mask-size">"Brush"</label>
            <input
                type="range"
                id="mask-size"
                min="1"
                max=move || widest().to_string()
                prop:value=move || size().to_string()
                aria-valuetext=move || format!("{:.0} pixels wide", size())
                on:input=move |event| {
                    if let Ok(size) = event_target_value(&event).parse() {
                        desk.state.edit_mask(|editor| editor.resize(size));
                    }
                }
            />
        </div>
    }
    .into_any()
}

fn zoom_choice(desk: Desk) -> AnyView {
    view! {
        <div class="slider">
            <label for="mask-zoom">"Zoom"</label>
            <select
                id="mask-zoom"
                on:keydown=move |event| event.stop_propagation()
                on:change=move |event| desk.zoom.set(event_target_value(&event).parse().unwrap_or(1))
            >
                {[1, 2, 4]
                    .map(|zoom| view! { <option value=zoom selected=move || desk.zoom.get() == zoom>{format!("{zoom} ×")}</option> })
                    .collect_view()}
            </select>
        </div>
    }
    .into_any()
}
