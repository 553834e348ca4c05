//! What was made, as one file to download.

use std::ops::ControlFlow;

use tag2mask_core::dataset::targets::masks_of_items;
use tag2mask_core::dataset::{Dataset, decode};
use tag2mask_core::export::zip;
use tag2mask_core::export::{ExportOptions, Exporter, Format, MaskSet, Sink, onnx};
use tag2mask_core::files::FileSet;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::report::{self, Drawn, Look};
use tag2mask_core::run::store::is_run_file;
use tag2mask_core::run::{Host, RunStore};
use tag2mask_core::{Error, Event, Result};
use wasm_bindgen::prelude::*;

use super::endpoint::Endpoint;
use super::host::Page;
use super::turn::yield_now;
use super::work::{Predicted, Shared, missing};
use super::zipped;
use crate::disk;

/// Packs the masks of a round in the format called `format`.
pub(super) async fn pack_masks(
    this: &Shared,
    round: Option<usize>,
    format: &str,
    photos: bool,
    page: &mut Page<'_>,
) -> Result<()> {
    let format = by_id(format)?;
    let files = this.borrow().masks.get(&round).map(|made| made.files.clone()).unwrap_or_default();
    let of_round = of_round(round);
    if format == Format::IndexPng {
        return pack(&format!("masks{of_round}.zip"), files, page.endpoint);
    }
    let dataset = this.borrow().dataset()?;
    let name = format!("masks{of_round}-{}.zip", format.id());
    export(&name, files, &dataset, (format, photos), page).await
}

/// What a file's name says of the round that it is of.
pub(super) fn of_round(round: Option<usize>) -> String {
    round.map_or(String::new(), |round| format!("-round-{}", round + 1))
}

/// Packs the masks of new photos in the format called `format`.
pub(super) async fn pack_predictions(
    this: &Shared,
    format: &str,
    photos: bool,
    page: &mut Page<'_>,
) -> Result<()> {
    let format = by_id(format)?;
    let Predicted { files, photos: dataset, .. } = this.borrow().predicted()?.clone();
    if format == Format::IndexPng {
        return pack("new-masks.zip", files, page.endpoint);
    }
    export(&format!("new-masks-{}.zip", format.id()), files, &dataset, (format, photos), page).await
}

fn by_id(format: &str) -> Result<Format> {
    Format::by_id(format).ok_or_else(|| missing("format", "is none that this trainer knows"))
}

/// Packs masks in a format, with their photos if they are wanted.
async fn export(
    name: &str,
    files: Vec<(String, Vec<u8>)>,
    dataset: &Dataset,
    (format, photos): (Format, bool),
    page: &mut Page<'_>,
) -> Result<()> {
    let set = MaskSet::new(&FileSet::memory(files), dataset, &dataset.classes)?;
    let mut exporter = Exporter::new(&set, &[format], ExportOptions { photos });
    let mut packer = zipped::archive();
    let mut told = 0;
    while let Some(piece) = exporter.next() {
        packer.take(piece?)?;
        let (done, total) = exporter.progress();
        if done > told {
            told = done;
            page.emit(Event::Progress { phase: Phase::Packing, done, total, seconds_left: None });
            // A trainer on the page shares its thread.
            yield_now().await;
            if page.is_stopped() {
                return Ok(());
            }
        }
    }
    zipped::hand_over(name, packer.finish()?, page.endpoint)
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
    let store = this.borrow().segmenter.0.clone();
    let is_model = |(name, _): &(&String, &Vec<u8>)| name.starts_with("model.");
    let files: Vec<_> = {
        let kept = store.files();
        let files = kept.files.iter().filter(is_model);
        files.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    };
    pack("segmenter.zip", files.into_iter().chain(as_onnx(&store)?), endpoint)
}

/// The network of a run as ONNX; none where there is no network yet.
fn as_onnx(store: &impl RunStore) -> Result<Option<(String, Vec<u8>)>> {
    let trained = Trained::load(store, None)?;
    let encode = |trained: Trained| Ok(("model.onnx".to_owned(), onnx::encode(&trained)?));
    trained.map(encode).transpose()
}

/// Packs the trained network, also as ONNX, with a report.
pub(super) async fn pack_run(this: &Shared, page: &mut Page<'_>) -> Result<()> {
    let lost = |error: JsValue| Error::NoData { reason: disk::reason(&error) };
    let store = page.store.clone();
    // The network is what is wanted: it comes without a report, too.
    let html = match report_of(this, None, page).await {
        Ok(ControlFlow::Break(())) => return Ok(()),
        Ok(ControlFlow::Continue(html)) => Some(html),
        Err(error) => {
            page.emit(Event::Warning { message: format!("The run is packed without its report: {error}") });
            None
        }
    };
    store.bring_all().await.map_err(lost)?;
    let files = store.files().files.clone();
    let files = files.into_iter().filter(|(name, _)| is_run_file(name));
    let model = as_onnx(&store);
    store.release();
    let report = html.map(|html| (report::FILE.to_owned(), html));
    pack("run.zip", files.chain(model?).chain(report), page.endpoint)
}

/// Hands over a report of the run, with the masks of a round.
pub(super) async fn pack_report(this: &Shared, round: Option<usize>, page: &mut Page<'_>) -> Result<()> {
    let ControlFlow::Continue(bytes) = report_of(this, round, page).await? else { return Ok(()) };
    page.endpoint.tell(Event::FileReady { name: report::FILE.to_owned(), bytes });
    Ok(())
}

/// The report, but where the user does not want to wait for it.
async fn report_of(
    this: &Shared,
    round: Option<usize>,
    page: &mut Page<'_>,
) -> Result<ControlFlow<(), Vec<u8>>> {
    let ControlFlow::Continue(drawn) = look(this, round, page).await? else {
        return Ok(ControlFlow::Break(()));
    };
    let html = report::of_run(&page.store, drawn.as_ref())?;
    html.map(|html| ControlFlow::Continue(html.into_bytes()))
        .ok_or_else(|| Error::NoData { reason: "nothing has been trained yet".into() })
}

/// Looks at all masks of a round; `None` where there are none. Breaks where the user does not want to wait.
async fn look(
    this: &Shared,
    round: Option<usize>,
    page: &mut Page<'_>,
) -> Result<ControlFlow<(), Option<Drawn>>> {
    let (dataset, masks, settings, by_hand, looked_at_truth) = {
        let trainer = this.borrow();
        let Some(made) = trainer.masks.get(&round).filter(|made| !made.files.is_empty()) else {
            return Ok(ControlFlow::Continue(None));
        };
        let dataset = trainer.dataset()?;
        // Not the list of classes beside them: they are this data set's.
        let pngs = made.files.iter().filter(|(name, _)| name.ends_with(".png")).cloned();
        let masks = masks_of_items(&FileSet::memory(pngs.collect()), &dataset)?;
        (dataset, masks, made.settings.clone(), made.by_hand.len(), made.looked_at_truth)
    };
    let mut look = Look::new(&dataset);
    let total = masks.len();
    for (done, (item, mask)) in masks.into_iter().enumerate() {
        look.add(item, &decode::mask(mask.as_ref(), &dataset.items[item].path)?)?;
        page.emit(Event::Progress { phase: Phase::Packing, done: done + 1, total, seconds_left: None });
        yield_now().await;
        if page.is_stopped() {
            return Ok(ControlFlow::Break(()));
        }
    }
    let drawn = look.finish(settings, by_hand, looked_at_truth);
    Ok(ControlFlow::Continue(Some(drawn)))
}
