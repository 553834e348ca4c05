//! The window: time, width, scrolling, leaving.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// Seconds, from any origin.
pub fn now() -> f64 {
    js_sys::Date::now() / 1000.0
}

/// Whether there is room for a wide layout.
pub fn is_wide() -> bool {
    web_sys::window()
        .and_then(|window| window.inner_width().ok())
        .and_then(|width| width.as_f64())
        .unwrap_or(1000.0)
        >= 700.0
}

/// Brings an element to the top of the window and moves the keyboard's focus there.
pub fn go_to(id: &'static str) {
    // After the next frame: what is shown may only just have changed.
    let later = Closure::once_into_js(move || {
        let element = web_sys::window()
            .and_then(|window| window.document())
            .and_then(|page| page.get_element_by_id(id));
        if let Some(element) = element {
            element.scroll_into_view();
            if let Some(element) = element.dyn_ref::<web_sys::HtmlElement>() {
                let options = web_sys::FocusOptions::new();
                options.set_prevent_scroll(true);
                // An element that cannot take the focus leaves it where it was: nothing is lost.
                let _ = element.focus_with_options(&options);
            }
        }
    });
    if let Some(window) = web_sys::window() {
        // Without a frame (a hidden tab) there is nothing to scroll.
        let _ = window.request_animation_frame(later.unchecked_ref());
    }
}

/// Moves the keyboard's focus to an element, once it is there.
pub fn focus(id: String) {
    let later = Closure::once_into_js(move || {
        let page = web_sys::window().and_then(|window| window.document());
        if let Some(element) = page.and_then(|page| page.get_element_by_id(&id))
            && let Some(element) = element.dyn_ref::<web_sys::HtmlElement>()
        {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = element.focus_with_options(&options);
        }
    });
    if let Some(window) = web_sys::window() {
        // Without a frame (a hidden tab) there is nobody who types.
        let _ = window.request_animation_frame(later.unchecked_ref());
    }
}

#[wasm_bindgen(module = "/src/browser/focus.js")]
extern "C" {
    /// From now on the keyboard's focus is never lost to what vanishes: it goes to the section around it.
    #[wasm_bindgen(js_name = keepFocus)]
    pub fn keep_focus();
}

/// Asks before the page is left while `would_lose` holds.
pub fn ask_before_leaving(would_lose: impl Fn() -> bool + 'static) {
    let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
        if would_lose() {
            event.prevent_default();
        }
    });
    if let Some(window) = web_sys::window() {
        // Where it cannot be registered the page is merely left without a question.
        let _ = window.add_event_listener_with_callback("beforeunload", listener.as_ref().unchecked_ref());
    }
    listener.forget();
}

/// Copies text; whether that was possible is not told, the text stays selectable.
pub fn copy(text: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.navigator().clipboard().write_text(text);
    }
}
