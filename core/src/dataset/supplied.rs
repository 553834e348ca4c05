//! Masks that came with a data set: for scoring only, and decoded when they are asked for.

use std::sync::Arc;

use super::decode;
use crate::error::Result;
use crate::files::Blob;
use crate::masks::{LabelMap, Objects};

/// A mask that came with the data set: 0 background, `c + 1` for class `c`, 255 ignore.
#[derive(Clone)]
pub enum SuppliedMask {
    /// An index PNG.
    Png(Arc<dyn Blob>),
    /// Outlines of objects, painted when they are asked for.
    Objects(Arc<Objects>),
}

impl SuppliedMask {
    /// Its labels. `path` is what an error names.
    ///
    /// # Errors
    /// As [`decode::mask`]; outlines were checked when they were read.
    pub fn decode(&self, path: &str) -> Result<LabelMap> {
        match self {
            Self::Png(png) => decode::mask(png.as_ref(), path),
            Self::Objects(objects) => Ok(objects.paint()),
        }
    }
}
