//! Pointers (mouse, finger, pen) over an element.

use leptos::ev::PointerEvent;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::Element;

use crate::model::box_place::Frame;

// Bound by hand: the feature that `web-sys` has it under is not among those that the page asks for.
#[wasm_bindgen]
extern "C" {
    type Placed;
    #[wasm_bindgen(method, js_name = getBoundingClientRect)]
    fn bounds(this: &Placed) -> Bounds;

    type Bounds;
    #[wasm_bindgen(method, getter)]
    fn left(this: &Bounds) -> f64;
    #[wasm_bindgen(method, getter)]
    fn top(this: &Bounds) -> f64;
    #[wasm_bindgen(method, getter)]
    fn width(this: &Bounds) -> f64;
    #[wasm_bindgen(method, getter)]
    fn height(this: &Bounds) -> f64;
}

/// Where an element is in the window.
pub fn frame_of(element: &Element) -> Frame {
    let bounds = element.unchecked_ref::<Placed>().bounds();
    Frame { left: bounds.left(), top: bounds.top(), width: bounds.width(), height: bounds.height() }
}

/// A pointer that went down on an element, and where that element is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    pointer: i32,
    /// The element's place in the window.
    pub frame: Frame,
    /// Whether it is a finger, and not a pointer that aims.
    pub is_finger: bool,
}

impl Held {
    /// Takes hold of the pointer: until it goes up, the element hears of it wherever it is. `None` for
    /// another button than the first.
    pub fn take(element: &Element, event: &PointerEvent) -> Option<Self> {
        if event.button() != 0 || !event.is_primary() {
            return None;
        }
        // Fails for a pointer that is gone by now; then there is nothing to follow.
        let _ = element.set_pointer_capture(event.pointer_id());
        Some(Self {
            pointer: event.pointer_id(),
            frame: frame_of(element),
            is_finger: event.pointer_type() == "touch",
        })
    }

    /// Whether an event is of this pointer.
    pub fn is_of(&self, event: &PointerEvent) -> bool {
        event.pointer_id() == self.pointer
    }
}

/// Where a pointer is in the window, CSS pixels.
pub fn place(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.client_x()), f64::from(event.client_y()))
}
