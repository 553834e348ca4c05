//! A browser's `File` as core's [`Blob`](tag2mask_core::files::Blob): bytes stay on disk until they are
//! read.

use std::io;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::browser::{Blob, FileReaderSync, XMLHttpRequest, create_object_url, revoke_object_url};

/// A picked or dropped file.
pub struct BrowserFile(pub Blob);

impl tag2mask_core::files::Blob for BrowserFile {
    fn len(&self) -> u64 {
        self.0.size() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(length as u64).min(self.len());
        if offset >= end {
            return Ok(Vec::new());
        }
        let slice = self.0.slice(offset as f64, end as f64).map_err(failed)?;
        if Reflect::has(&js_sys::global(), &"FileReaderSync".into()).unwrap_or(false) {
            let buffer = FileReaderSync::new().and_then(|reader| reader.read_as_array_buffer(&slice));
            return buffer.map(|buffer| Uint8Array::new(&buffer).to_vec()).map_err(failed);
        }
        read_on_page(&slice)
    }
}

/// A page has no `FileReaderSync`; a synchronous request for a blob's address reads from memory or
/// disk, never from a network. Its text comes one character per byte.
fn read_on_page(slice: &Blob) -> io::Result<Vec<u8>> {
    let address = create_object_url(slice).map_err(failed)?;
    let text = XMLHttpRequest::new().and_then(|request| {
        request.open("GET", &address, false)?;
        request.override_mime_type("text/plain; charset=x-user-defined")?;
        request.send()?;
        request.response_text()
    });
    revoke_object_url(&address);
    // Bytes from 0x80 on come as U+F780 and up.
    Ok(text.map_err(failed)?.iter().map(|unit| (unit & 0xff) as u8).collect())
}

fn failed(error: JsValue) -> io::Error {
    let text = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    io::Error::other(text.unwrap_or_else(|| format!("{error:?}")))
}
