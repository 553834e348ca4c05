//! What was made, as one file to download.

use std::io::Cursor;

use tag2mask_core::export::zip::{self, ZipPacker};
use tag2mask_core::export::{ExportOptions, Exporter, Format, MaskSet, Sink};
use tag2mask_core::files::FileSet;
use tag2mask_core::run::Host;
use tag2mask_core::run::event::Phase;
use tag2mask_core::{Error, Event, Result};
use wasm_bindgen::prelude::*;

use super::endpoint::Endpoint;
use super::host::Page;
use super::kept::KeptStore;
use super::made::MADE;
use super::turn::yield_now;
use super::work::{Shared, missing};
use crate::disk;

/// Packs the masks of a round in the format called `format`.
pub(super) async fn pack_masks(
    this: &Shared,
    round: Option<usize>,
    format: &str,
    photos: bool,
    page: &mut Page<'_>,
) -> Result<()> {
    let format = Format::by_id(format).ok_or_else(|| missing("format", "is none that this trainer knows"))?;
    let files = this.borrow().masks.get(&round).map(|made| made.files.clone()).unwrap_or_default();
    let of_round = round.map_or(String::new(), |round| format!("-round-{}", round + 1));
    if format == Format::IndexPng {
        return pack(&format!("masks{of_round}.zip"), files, page.endpoint);
    }
    let dataset = this.borrow().dataset()?;
    let set = MaskSet::new(&FileSet::memory(files), &dataset, &dataset.classes)?;
    let mut exporter = Exporter::new(&set, &[format], ExportOptions { photos });
    let mut packer = ZipPacker::new(Cursor::new(Vec::new()));
    let mut told = 0;
    while let Some(piece) = exporter.next() {
        packer.take(piece?)?;
        let (done, total) = exporter.progress();
        if done > told {
            told = done;
            page.emit(Event::Progress { phase: Phase::Packing, done, total, seconds_left: None });
            // A trainer on the page shares its thread.
            yield_now().await;
        }
    }
    let bytes = packer.finish()?.into_inner();
    page.endpoint.tell(Event::FileReady { name: format!("masks{of_round}-{}.zip", format.id()), bytes });
    Ok(())
}

/// Packs files and hands them over.
pub(super) fn pack<F>(name: &str, files: F, endpoint: &Endpoint) -> Result<()>
where
    F: IntoIterator<Item = (String, Vec<u8>)>,
{
    let files: Vec<_> = files.into_iter().collect();
    if files.is_empty() {
        return Err(Error::NoData { reason: format!("there is nothing to pack yet: {name}") });
    }
    endpoint.tell(Event::FileReady { name: name.into(), bytes: zip::pack(files)? });
    Ok(())
}

/// Packs the trained network.
pub(super) async fn pack_run(store: &KeptStore, endpoint: &Endpoint) -> Result<()> {
    let lost = |error: JsValue| Error::NoData { reason: disk::reason(&error) };
    store.bring_all().await.map_err(lost)?;
    let files = store.files().files.clone();
    let files = files.into_iter().filter(|(name, _)| !name.starts_with(MADE));
    store.release();
    pack("run.zip", files, endpoint)
}
