//! Works of many parts, which go on where they were left: every part has a folder, and a record in it once it
//! has been worked on.

mod draw;
mod memory;
mod record;

use std::path::Path;

pub use self::draw::draw;
pub use self::memory::{forget_peak, peak};
pub use self::record::Record;
use super::checkpoint::{RunCard, Trained};
pub use super::fingerprint::Fingerprint;
use super::host::Host;
use super::store::FolderStore;
use super::train::{Ending, Run, train};
use crate::error::{Error, Result};

/// Trains in a folder, from where it was left.
///
/// # Errors
/// Those of [`train`].
pub async fn learn(run: Run<'_>, store: &mut FolderStore, host: &mut impl Host) -> Result<Ending> {
    let run = Run { resume: RunCard::load(store)?.is_some(), ..run };
    train(&run, host, store).await
}

/// The network that a training in this folder left: its last, or that of a round.
///
/// # Errors
/// [`Error::Format`] when there is none.
pub fn trained(folder: &Path, round: Option<usize>) -> Result<Trained> {
    Trained::load(&FolderStore::open(folder), round)?.ok_or_else(|| Error::Format {
        path: folder.display().to_string(),
        reason: "the network that masks are made with is missing".into(),
    })
}
