//! The other tabs of this page, and what this one had open before it was loaded again.

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type BroadcastChannel;

    #[wasm_bindgen(constructor, catch)]
    fn new(name: &str) -> Result<BroadcastChannel, JsValue>;

    #[wasm_bindgen(method, catch, js_name = postMessage)]
    fn post(this: &BroadcastChannel, message: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &BroadcastChannel, listener: &Function);

    /// Kept for a tab: it survives a reload and a crash, and no other tab sees it.
    #[wasm_bindgen(catch, js_namespace = sessionStorage, js_name = getItem)]
    fn get_item(key: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(catch, js_namespace = sessionStorage, js_name = setItem)]
    fn set_item(key: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = sessionStorage, js_name = removeItem)]
    fn remove_item(key: &str) -> Result<(), JsValue>;

    /// Kept for all tabs: it survives the end of the browser.
    #[wasm_bindgen(catch, js_namespace = localStorage, js_name = getItem)]
    fn get_lasting(key: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(catch, js_namespace = localStorage, js_name = setItem)]
    fn set_lasting(key: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = localStorage, js_name = removeItem)]
    fn remove_lasting(key: &str) -> Result<(), JsValue>;
}

const OPEN: &str = "tag2mask-open-project";
/// Before a project's name: how many times its run has gone on by itself since its last checkpoint, and where it stood
/// then: a browser that is killed may have forgotten that it was to forget the number.
const TRIES: &str = "tag2mask-tries-";
/// More than that are not made: a run may be what ends the page.
const MOST_TRIES: u32 = 3;

thread_local! {
    /// Old engines have none: their tabs learn of each other when they get the focus.
    static CHANNEL: Option<BroadcastChannel> = BroadcastChannel::new("tag2mask-projects").ok();
}

/// Tells the other tabs that projects have changed.
pub fn tell_others() {
    CHANNEL.with(|channel| {
        if let Some(channel) = channel {
            // A channel that is never closed takes every message.
            let _ = channel.post(&JsValue::NULL);
        }
    });
}

/// Calls `look` when projects may have changed in another tab: it says so, or this one gets the focus, for a tab that
/// ends says nothing.
pub fn listen(look: impl Fn() + 'static) {
    let listener = Closure::<dyn Fn()>::new(look);
    let function = listener.as_ref().unchecked_ref::<Function>();
    CHANNEL.with(|channel| {
        if let Some(channel) = channel {
            channel.set_onmessage(function);
        }
    });
    if let Some(window) = web_sys::window() {
        // Where it cannot be registered the list is as old as the page.
        let _ = window.add_event_listener_with_callback("focus", function);
    }
    listener.forget();
}

/// Notes which project this tab has open.
pub fn remember_open(project: Option<&str>) {
    // Where nothing can be noted the next load begins with the list.
    let _ = match project {
        Some(id) => set_item(OPEN, id),
        None => remove_item(OPEN),
    };
}

/// Whether the run of a project, which stands at `progress`, may go on by itself once more. It is counted until
/// [`forget_tries`], or until it stands elsewhere.
pub fn may_try(project: &str, progress: &str) -> bool {
    let key = format!("{TRIES}{project}");
    let known = get_lasting(&key).ok().flatten().unwrap_or_default();
    let tries = match known.split_once(' ') {
        Some((tries, stood)) if stood == progress => tries.parse().unwrap_or(0),
        _ => 0,
    };
    tries < MOST_TRIES && set_lasting(&key, &format!("{} {progress}", tries + 1)).is_ok()
}

/// The run of a project has reached a checkpoint: it does not end the page.
pub fn forget_tries(project: &str) {
    // Where nothing can be noted it does not go on by itself either.
    let _ = remove_lasting(&format!("{TRIES}{project}"));
}

/// The project that this tab had open.
pub fn open_before() -> Option<String> {
    get_item(OPEN).ok().flatten()
}
