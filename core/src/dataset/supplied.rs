//! Masks that came with a data set: for scoring only, and decoded when they are asked for.

use std::sync::Arc;

use super::decode;
use crate::error::{Error, Result};
use crate::files::Blob;
use crate::masks::{IGNORE, LabelMap, Objects};

/// A mask that came with the data set: 0 background, `c + 1` for class `c`, 255 ignore.
#[derive(Clone)]
pub enum SuppliedMask {
    /// An index PNG.
    Png(Arc<dyn Blob>),
    /// Outlines of objects, painted when they are asked for.
    Objects(Arc<Objects>),
    /// One of these, whose classes were changed since.
    Relabelled(Arc<Relabelled>),
}

/// A mask whose classes were changed since it was made.
pub struct Relabelled {
    mask: SuppliedMask,
    /// By its values: what they mean now.
    values: Vec<u8>,
}

impl Relabelled {
    /// A mask whose values, background and classes, mean `values` now.
    pub(super) fn of(mask: SuppliedMask, values: Vec<u8>) -> SuppliedMask {
        // The bound on other threads is empty in a browser: nothing leaves this one.
        #[allow(clippy::arc_with_non_send_sync)]
        SuppliedMask::Relabelled(Arc::new(Self { mask, values }))
    }
}

impl SuppliedMask {
    /// Its labels. `path` is what an error names.
    ///
    /// # Errors
    /// As [`decode::mask`]; outlines were checked when they were read. [`Error::Format`] where classes were changed and
    /// it holds a value that never was one.
    pub fn decode(&self, path: &str) -> Result<LabelMap> {
        match self {
            Self::Png(png) => decode::mask(png.as_ref(), path),
            Self::Objects(objects) => Ok(objects.paint()),
            Self::Relabelled(changed) => {
                let mut map = changed.mask.decode(path)?;
                for label in map.labels.iter_mut().filter(|label| **label != IGNORE) {
                    let unknown = || Error::Format {
                        path: path.to_owned(),
                        reason: format!(
                            "the truth holds label {label}, but the classes ended at {} when it was read",
                            changed.values.len().saturating_sub(1)
                        ),
                    };
                    *label = *changed.values.get(usize::from(*label)).ok_or_else(unknown)?;
                }
                Ok(map)
            }
        }
    }
}
