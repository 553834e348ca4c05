//! The photo under the brush, and its mask.

use leptos::ev::PointerEvent;
use leptos::html;
use leptos::prelude::*;
use tag2mask_core::dataset::ImageSummary;

use super::Desk;
use crate::browser::canvas;
use crate::browser::pointer::{self, Held};
use crate::model::box_place::Frame;
use crate::model::mask_editor::{Area, Editor, Tool};
use crate::model::{Part, overlay};
use crate::parts::photo::Photo;

/// The photo, its mask as it is painted, and the brush.
pub fn stage(desk: Desk, image: usize, facts: &ImageSummary) -> AnyView {
    let state = desk.state;
    let stage = NodeRef::<html::Div>::new();
    let top = NodeRef::<html::Canvas>::new();
    let held = RwSignal::new(None::<Held>);
    let picture = Signal::derive(move || state.read(Part::Thumbnails, |model| model.pictures.large(image)));
    // Only what has changed is painted anew: a stroke moves some hundred times a second.
    Effect::new(move |before: Option<bool>| {
        let outline = state.outline.get();
        state.mask_editor.track();
        if let Some(canvas) = top.get() {
            let look = overlay::Look { only: None, outline };
            state.mask_editor.update_untracked(|editor| {
                if let Some(editor) = editor {
                    paint(editor, &canvas, look, before != Some(outline));
                }
            });
        }
        outline
    });
    let at = move |frame: Frame, event: &PointerEvent| {
        let shape = state.mask_editor.with_untracked(|editor| editor.as_ref().map(Editor::shape));
        frame.at(pointer::place(event), shape.unwrap_or((1.0, 1.0)))
    };
    let ours = move |event: &PointerEvent| held.get_untracked().filter(|held| held.is_of(event));
    let moves =
        move |editor: &Option<Editor>| editor.as_ref().is_some_and(|editor| editor.tool() == Tool::Move);
    let press = move |event: PointerEvent| {
        let Some(element) = stage.get_untracked() else { return };
        if state.mask_editor.with_untracked(moves) || held.with_untracked(Option::is_some) {
            return;
        }
        let Some(taken) = Held::take(&element, &event) else { return };
        held.set(Some(taken));
        let at = at(taken.frame, &event);
        state.edit_mask(|editor| editor.press(at));
    };
    let follow = move |event: PointerEvent| {
        let Some(element) = stage.get_untracked() else { return };
        match ours(&event) {
            Some(held) => {
                let at = at(held.frame, &event);
                state.edit_mask(|editor| editor.drag(at));
            }
            None => {
                let at = at(pointer::frame_of(&element), &event);
                state.edit_mask(|editor| editor.hover(at));
            }
        }
    };
    let release = move |event: PointerEvent| {
        if ours(&event).is_some() {
            held.set(None);
            state.edit_mask(|editor| {
                editor.release();
            });
        }
    };
    let cancel = move |event: PointerEvent| {
        if ours(&event).is_some() {
            held.set(None);
            state.edit_mask(Editor::cancel);
        }
    };
    // Left and upper edge, width and height of the brush, percent of the photo.
    let edge = move |side: usize| {
        desk.read(|editor| {
            let ((x, y), (width, height)) = (editor.cursor(), editor.shape());
            let size = if editor.tool() == Tool::Fill { 0.01 * width } else { editor.size() };
            let shares = [(x - 0.5 * size) / width, (y - 0.5 * size) / height, size / width, size / height];
            format!("{:.3}%", 100.0 * shares[side])
        })
    };
    view! {
        <div
            id="mask-stage"
            class="draw-stage mask-stage"
            class:moves=move || state.mask_editor.with(moves)
            class:down=move || desk.read(Editor::is_down)
            node_ref=stage
            tabindex="0"
            role="application"
            aria-label="The mask: arrows move the brush, space paints"
            style=("--zoom", move || desk.zoom.get().to_string())
            on:keydown=move |event| desk.take_key(&event, true)
            on:pointerdown=press
            on:pointermove=follow
            on:pointerup=release
            on:pointercancel=cancel
        >
            <Photo label="The photo" width=facts.width height=facts.height picture=picture over=Signal::derive(|| None)>
                <canvas id="mask-canvas" node_ref=top class="photo-over" width="1" height="1"></canvas>
                <span
                    class="brush"
                    style:left=move || edge(0)
                    style:top=move || edge(1)
                    style:width=move || edge(2)
                    style:height=move || edge(3)
                ></span>
            </Photo>
        </div>
    }
    .into_any()
}

/// Paints what has changed; all of it if it has to be `anew`.
fn paint(editor: &mut Editor, canvas: &web_sys::HtmlCanvasElement, look: overlay::Look, anew: bool) {
    let (width, height) = (editor.map().width, editor.map().height);
    if anew {
        editor.all_is_dirty();
    }
    let Some(area) = editor.take_dirty() else { return };
    let area = area.grown(look.reach(width, height), (width, height));
    let rgba = overlay::mask_part(width, height, &editor.map().labels, look, area);
    if area == (Area { x0: 0, y0: 0, x1: width, y1: height }) {
        canvas::paint(canvas, width, height, &rgba);
    } else {
        canvas::paint_part(canvas, (area.x0, area.y0), area.x1 - area.x0, &rgba);
    }
}
