//! JSON as bytes.

use serde::Serialize;

use crate::error::{Error, Result};

/// A value on one line. `path` is what an error names.
///
/// # Errors
/// [`Error::Format`] with what the writer said.
pub(super) fn encode(value: &impl Serialize, path: &str) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Format {
        path: path.to_owned(),
        reason: format!("cannot be encoded ({error})"),
    })
}
