//! A zip for the user that the browser keeps while it grows: it may be larger than our memory.

use std::io;

use js_sys::{Array, Uint8Array};
use tag2mask_core::export::pieces::{Piece, Pieces};
use tag2mask_core::export::zip::ZipPacker;
use tag2mask_core::{Error, Result};
use wasm_bindgen::JsValue;

use super::browser::Blob;
use super::endpoint::Endpoint;
use crate::disk;

/// Bytes of an archive that are in our memory at once.
const PIECE: usize = 16 << 20;

impl Piece for Blob {
    fn of(bytes: &[u8]) -> io::Result<Self> {
        Self::new(&Array::of1(&Uint8Array::from(bytes))).map_err(refused)
    }

    fn cut(&self, start: u64, end: u64) -> io::Result<Self> {
        self.slice(start as f64, end as f64).map_err(refused)
    }
}

fn refused(error: JsValue) -> io::Error {
    io::Error::other(disk::reason(&error))
}

/// A file that is in the browser's keeping.
pub(super) type Kept = Pieces<Blob>;

/// An empty one.
pub(super) fn file() -> Kept {
    Pieces::new(PIECE)
}

/// An empty archive.
pub(super) fn archive() -> ZipPacker<Kept> {
    ZipPacker::new(file())
}

/// Hands a file over to the page, for the user.
pub(super) fn hand_over(name: &str, file: Kept, endpoint: &Endpoint) -> Result<()> {
    let lost = |reason: String| Error::Archive { path: name.into(), reason };
    let pieces = file.finish().map_err(|error| lost(error.to_string()))?;
    let whole = Blob::new(&pieces.iter().collect()).map_err(|error| lost(disk::reason(&error)))?;
    endpoint.hand_over(name, &whole);
    Ok(())
}
