//! The few browser calls that the trainer makes, bound by hand: features of `web-sys` are shared with
//! wgpu, and each one added would build the whole tensor library anew.

use js_sys::{Array, ArrayBuffer, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `Blob`, and `File`, which is one.
    pub type Blob;

    /// Of buffers, or of other blobs.
    #[wasm_bindgen(constructor, catch)]
    pub fn new(parts: &Array) -> Result<Blob, JsValue>;

    #[wasm_bindgen(method, getter)]
    pub fn size(this: &Blob) -> f64;

    #[wasm_bindgen(method, catch)]
    pub fn slice(this: &Blob, start: f64, end: f64) -> Result<Blob, JsValue>;

    /// Reads at once; workers only.
    pub type FileReaderSync;

    #[wasm_bindgen(constructor, catch)]
    pub fn new() -> Result<FileReaderSync, JsValue>;

    #[wasm_bindgen(method, catch, js_name = readAsArrayBuffer)]
    pub fn read_as_array_buffer(this: &FileReaderSync, blob: &Blob) -> Result<ArrayBuffer, JsValue>;

    pub type XMLHttpRequest;

    #[wasm_bindgen(constructor, catch)]
    pub fn new() -> Result<XMLHttpRequest, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn open(
        this: &XMLHttpRequest,
        method: &str,
        address: &str,
        asynchronous: bool,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = overrideMimeType)]
    pub fn override_mime_type(this: &XMLHttpRequest, kind: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn send(this: &XMLHttpRequest) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, getter, js_name = responseText)]
    pub fn response_text(this: &XMLHttpRequest) -> Result<js_sys::JsString, JsValue>;

    #[wasm_bindgen(js_namespace = URL, catch, js_name = createObjectURL)]
    pub fn create_object_url(blob: &Blob) -> Result<String, JsValue>;

    #[wasm_bindgen(js_namespace = URL, js_name = revokeObjectURL)]
    pub fn revoke_object_url(address: &str);

    pub type MessageChannel;

    #[wasm_bindgen(constructor)]
    pub fn new() -> MessageChannel;

    #[wasm_bindgen(method, getter)]
    pub fn port1(this: &MessageChannel) -> MessagePort;

    #[wasm_bindgen(method, getter)]
    pub fn port2(this: &MessageChannel) -> MessagePort;

    pub type MessagePort;

    #[wasm_bindgen(method, setter)]
    pub fn set_onmessage(this: &MessagePort, listener: &Function);

    #[wasm_bindgen(method, js_name = postMessage)]
    pub fn post_message(this: &MessagePort, message: &JsValue);

    #[wasm_bindgen(js_name = setTimeout)]
    pub fn set_timeout(then: &Function, milliseconds: i32);
}
