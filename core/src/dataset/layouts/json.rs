//! Files of JSON, read as a stream: files of annotations have hundreds of megabytes, of which little is kept.

mod value;

use std::fmt;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

pub(super) use self::value::Value;
use crate::error::{Error, Result};
use crate::files::{BlobReader, FileEntry, limits};

/// A file that is being read.
pub(super) type Json = serde_json::Deserializer<serde_json::de::IoRead<BufReader<BlobReader>>>;

/// Starts reading a file; a byte-order mark is passed over.
///
/// # Errors
/// [`Error::TooLarge`] beyond [`limits::ENTRY_BYTES`], [`Error::Io`].
pub(super) fn open(entry: &FileEntry) -> Result<Json> {
    let length = entry.blob.len();
    if length > limits::ENTRY_BYTES {
        return Err(Error::TooLarge {
            what: "the file of annotations",
            found: format!("{} MB", length >> 20),
            limit: format!("{} MB", limits::ENTRY_BYTES >> 20),
            path: entry.path.clone(),
        });
    }
    let mut reader = BufReader::new(BlobReader::new(entry.blob.clone()));
    let start = reader.fill_buf();
    let start = start.map_err(|source| Error::Io { action: "read", path: entry.path.clone(), source })?;
    if start.starts_with(b"\xEF\xBB\xBF") {
        reader.consume(3);
    }
    Ok(serde_json::Deserializer::from_reader(reader))
}

/// Takes the elements of an array one by one.
pub(super) struct Each<T, F> {
    take: F,
    element: PhantomData<T>,
}

impl<T, F: FnMut(T)> Each<T, F> {
    pub(super) fn new(take: F) -> Self {
        Self { take, element: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> DeserializeSeed<'de> for Each<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element()? {
            (self.take)(element);
        }
        Ok(())
    }
}
