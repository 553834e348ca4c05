//! What was made, as one file to download.

use std::io::Cursor;

use tag2mask_core::export::zip::{self, ZipPacker};
use tag2mask_core::export::{ExportOptions, Exporter, Format, MaskSet, Sink, onnx};
use tag2mask_core::files::FileSet;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::{Host, RunStore};
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

/// Packs the segmentation network for other programs: tensors and their card, and the same as ONNX.
pub(super) fn pack_segmenter(this: &Shared, endpoint: &Endpoint) -> Result<()> {
    let trainer = this.borrow();
    let is_model = |(name, _): &(&String, &Vec<u8>)| name.starts_with("model.");
    let files = trainer.segmenter.files.iter().filter(is_model);
    let files: Vec<_> = files.map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
    pack("segmenter.zip", files.into_iter().chain(as_onnx(&trainer.segmenter)?), endpoint)
}

/// The network of a run as ONNX; none where there is no network yet.
fn as_onnx(store: &impl RunStore) -> Result<Option<(String, Vec<u8>)>> {
    let trained = Trained::load(store, None)?;
    let encode = |trained: Trained| Ok(("model.onnx".to_owned(), onnx::encode(&trained)?));
    trained.map(encode).transpose()
}

/// Packs the trained network, also as ONNX.
pub(super) async fn pack_run(store: &KeptStore, endpoint: &Endpoint) -> Result<()> {
    let lost = |error: JsValue| Error::NoData { reason: disk::reason(&error) };
    store.bring_all().await.map_err(lost)?;
    let files = store.files().files.clone();
    let files = files.into_iter().filter(|(name, _)| !name.starts_with(MADE));
    let model = as_onnx(store);
    store.release();
    pack("run.zip", files.chain(model?), endpoint)
}
