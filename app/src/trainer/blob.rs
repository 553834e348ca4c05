//! A browser's `File` as core's [`Blob`]: bytes stay on disk until they are read.

use std::io;

use js_sys::{Reflect, Uint8Array};
use tag2mask_core::files::Blob;
use wasm_bindgen::prelude::*;

/// A picked or dropped file.
pub struct BrowserFile(pub web_sys::Blob);

impl Blob for BrowserFile {
    fn len(&self) -> u64 {
        self.0.size() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(length as u64).min(self.len());
        if offset >= end {
            return Ok(Vec::new());
        }
        let slice = self.0.slice_with_f64_and_f64(offset as f64, end as f64).map_err(failed)?;
        if Reflect::has(&js_sys::global(), &"FileReaderSync".into()).unwrap_or(false) {
            let buffer = web_sys::FileReaderSync::new().and_then(|reader| reader.read_as_array_buffer(&slice));
            return buffer.map(|buffer| Uint8Array::new(&buffer).to_vec()).map_err(failed);
        }
        read_on_page(&slice)
    }
}

/// A page has no `FileReaderSync`; a synchronous request for a blob's address reads from memory or
/// disk, never from a network. Its text comes one character per byte.
fn read_on_page(slice: &web_sys::Blob) -> io::Result<Vec<u8>> {
    let address = web_sys::Url::create_object_url_with_blob(slice).map_err(failed)?;
    let text = web_sys::XmlHttpRequest::new().and_then(|request| {
        request.open_with_async("GET", &address, false)?;
        request.override_mime_type("text/plain; charset=x-user-defined")?;
        request.send()?;
        request.response_text()
    });
    let _ = web_sys::Url::revoke_object_url(&address);
    let text = text.map_err(failed)?.unwrap_or_default();
    // Bytes from 0x80 on come as U+F780 and up.
    Ok(text.encode_utf16().map(|unit| (unit & 0xff) as u8).collect())
}

fn failed(error: JsValue) -> io::Error {
    let text = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    io::Error::other(text.unwrap_or_else(|| format!("{error:?}")))
}
