//! Files to the user's disk.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, HtmlAnchorElement, Url};

/// Hands bytes to the browser's downloads, as a file.
///
/// # Errors
/// The browser's reason, in most cases a lack of memory.
pub fn save(name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    save_file(name, &Blob::new_with_u8_array_sequence(&parts)?)
}

/// Hands a file to the browser's downloads.
///
/// # Errors
/// The browser's reason.
pub fn save_file(name: &str, file: &Blob) -> Result<(), JsValue> {
    let missing = || JsValue::from_str("no document");
    let document = web_sys::window().and_then(|window| window.document()).ok_or_else(missing)?;
    let url = Url::create_object_url_with_blob(file)?;
    let link = document.create_element("a")?.dyn_into::<HtmlAnchorElement>()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The download has its own hold on the bytes from here on, but only once it has started.
    let release = wasm_bindgen::closure::Closure::once_into_js(move || {
        let _ = Url::revoke_object_url(&url);
    });
    if let Some(window) = web_sys::window() {
        let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(release.unchecked_ref(), 60_000);
    }
    Ok(())
}
