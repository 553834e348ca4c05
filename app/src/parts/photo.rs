//! A picture with colours over it.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;

use crate::browser::canvas;
use crate::model::pictures::Picture;

/// RGBA over the picture, stretched to its size.
pub type Layer = Arc<Picture>;

/// A picture of known shape; its pixels and those over it may come later and change.
#[component]
pub fn Photo(
    /// What it shows.
    #[prop(into)]
    label: Signal<String>,
    /// Columns of the original, pixels.
    width: u32,
    /// Rows of the original, pixels.
    height: u32,
    /// The picture, once there.
    #[prop(into)]
    picture: Signal<Option<Layer>>,
    /// The colours over it, if any.
    #[prop(into)]
    over: Signal<Option<Layer>>,
    /// Whether the colours are smoothed when stretched.
    #[prop(optional)]
    smooth: bool,
    /// What else lies over it, placed in percent of it.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let base = NodeRef::<html::Canvas>::new();
    let top = NodeRef::<html::Canvas>::new();
    draw(base, picture);
    draw(top, over);
    let shape = f64::from(width.max(1)) / f64::from(height.max(1));
    view! {
        <div class="photo" style=("--shape", format!("{shape:.4}")) role="img" aria-label=move || label.get() class:waiting=move || picture.with(Option::is_none)>
            <div class="photo-frame">
                <canvas node_ref=base width="1" height="1"></canvas>
                <canvas node_ref=top class="photo-over" class:smooth=smooth width="1" height="1"></canvas>
                {children.map(|children| children())}
            </div>
        </div>
    }
}

/// Keeps a canvas at the latest pixels.
fn draw(target: NodeRef<html::Canvas>, layer: Signal<Option<Layer>>) {
    Effect::new(move |drawn: Option<Option<Layer>>| {
        let element = target.get()?;
        let now = layer.get();
        match (&now, drawn.flatten()) {
            (Some(new), Some(old)) if Arc::ptr_eq(new, &old) => {}
            (Some(new), _) => canvas::paint(&element, new.width, new.height, &new.rgba),
            (None, Some(_)) => canvas::clear(&element),
            (None, None) => {}
        }
        now
    });
}
