//! The page's end of the line: a worker's scope, or a message port.

use js_sys::{Array, Object, Reflect, Uint8Array};
use tag2mask_core::Event;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What both kinds have in common.
    #[derive(Clone)]
    pub type Endpoint;

    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &Endpoint, message: &JsValue, transfer: &Array);

    #[wasm_bindgen(method, js_name = addEventListener)]
    fn add_event_listener(this: &Endpoint, kind: &str, listener: &js_sys::Function);
}

impl Endpoint {
    /// The port that the loader left, or the worker's own scope.
    pub fn of_this_trainer() -> Self {
        let scope = js_sys::global();
        let port = Reflect::get(&scope, &"trainerPort".into()).unwrap_or(JsValue::UNDEFINED);
        let port = if port.is_object() { port } else { scope.into() };
        port.unchecked_into()
    }

    /// Calls `listener` with the data of every message, for good.
    pub fn listen(&self, listener: impl Fn(JsValue) + 'static) {
        let listener = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| {
            listener(Reflect::get(&event, &"data".into()).unwrap_or(JsValue::UNDEFINED));
        });
        self.add_event_listener("message", listener.as_ref().unchecked_ref());
        listener.forget();
    }

    /// Posts an event: JSON, and its bytes as transferred buffers.
    pub fn tell(&self, mut event: Event) {
        let buffers = Array::new();
        for bytes in event.bytes() {
            buffers.push(&Uint8Array::from(bytes.as_slice()).buffer());
        }
        let json = serde_json::to_string(&event).unwrap_or_default();
        let message = Object::new();
        set(&message, "json", &json.into());
        set(&message, "buffers", &buffers);
        self.post_message(&message, &buffers);
    }

    /// Posts a file for the user that is in the browser's keeping, not in our memory.
    pub fn hand_over(&self, name: &str, file: &JsValue) {
        let event = Event::FileReady { name: name.into(), bytes: Vec::new() };
        let message = Object::new();
        set(&message, "json", &serde_json::to_string(&event).unwrap_or_default().into());
        set(&message, "file", file);
        self.post_message(&message, &Array::new());
    }

    /// Says that there is no use in a trainer for the GPU, and why.
    pub fn give_up_gpu(&self, reason: &str) {
        let message = Object::new();
        set(&message, "noGpu", &reason.into());
        self.post_message(&message, &Array::new());
    }

    /// Posts the last words of a trainer that is about to trap.
    pub fn die(&self, reason: &str) {
        let message = Object::new();
        set(&message, "died", &reason.into());
        self.post_message(&message, &Array::new());
    }
}

fn set(object: &Object, key: &str, value: &JsValue) {
    // Cannot fail on an object of our own.
    let _ = Reflect::set(object, &key.into(), value);
}
