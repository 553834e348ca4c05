//! Masks of the data set, and of new photos.

use std::rc::Rc;

use std::collections::BTreeSet;

use tag2mask_core::dataset::{self, decode};
use tag2mask_core::export::{classes_txt, palette_png};
use tag2mask_core::files::FileSet;
use tag2mask_core::masks::rescale::resize_labels;
use tag2mask_core::run::Host;
use tag2mask_core::run::checkpoint::{Trained, round_file};
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::make_masks::{Mask, MaskJob, make_masks};
use tag2mask_core::run::scorer::{Scorer, is_blind};
use tag2mask_core::run::settings::MaskSettings;
use tag2mask_core::{Error, Event, Result};
use wasm_bindgen::JsValue;

use super::by_hand;
use super::host::Page;
use super::made::{self, Told};
use super::work::{Made, Shared, files_of};
use crate::disk;

/// Longest side of the pictures of new photos, pixels.
const PICTURE_SIDE: usize = 320;

/// Masks of photos without labels, with the network that learned from masks.
pub(super) async fn predict(
    this: &Shared,
    payload: &JsValue,
    settings: &MaskSettings,
    page: &mut Page<'_>,
) -> Result<()> {
    let compute = this.borrow().compute()?;
    let trained = Trained::load(&this.borrow().segmenter, None)?
        .ok_or_else(|| Error::NoData { reason: "no network has learned from masks yet".into() })?;
    let files = FileSet::picked(files_of(payload))?;
    let photos = Rc::new(dataset::read_photos(&files, &trained.card.classes, &mut |_, _| ())?);
    page.emit(Event::PhotosRead { photos: photos.items.len(), problems: photos.problems.clone() });
    let started = web_time::Instant::now();
    let side = trained.card.settings.size;
    let job =
        MaskJob { dataset: &photos, settings, side, keep_scores: false, search: false, phase: Phase::Masks };
    let mut files = Vec::new();
    let endpoint = page.endpoint.clone();
    let classes = photos.classes.len();
    let mut sink = |mask: Mask| {
        let item = &photos.items[mask.item];
        files.push((format!("{}.png", item.stem), palette_png::encode(&mask.labels)?));
        let covered = mask.labels.shares(classes).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        let picture = decode::reduced(decode::rgb(item.image.as_ref(), &item.path)?, PICTURE_SIDE as u32);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        endpoint.tell(Event::PhotoReady {
            name: item.path.clone(),
            width,
            height,
            shares: covered.map(|(class, share)| (class as u16, share)).collect(),
            rgba: picture.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect(),
            labels: resize_labels(&mask.labels, (width, height)).labels,
        });
        Ok(())
    };
    let finished = make_masks(&job, &trained, &compute, page, &mut sink).await?;
    let images = files.len();
    files.push(("classes.txt".into(), classes_txt::encode(&photos.classes)));
    {
        let mut trainer = this.borrow_mut();
        (trainer.predicted, trainer.new_photos) = (files, Some(photos));
    }
    if finished {
        page.emit(Event::MasksFinished { images, seconds: started.elapsed().as_secs_f64(), score: None });
    } else {
        page.emit(Event::Stopped { round: 0, step: trained.position.step });
    }
    Ok(())
}

/// Masks of all images, with the network of a round.
pub(super) async fn masks(
    this: &Shared,
    settings: &MaskSettings,
    round: Option<usize>,
    page: &mut Page<'_>,
) -> Result<()> {
    let (compute, dataset) = (this.borrow().compute()?, this.borrow().dataset()?);
    if let Some(round) = round {
        let lost = |error| Error::NoData { reason: disk::reason(&error) };
        page.store.bring(&round_file(round)).await.map_err(lost)?;
    }
    let trained = Trained::load(&page.store, round)?
        .ok_or_else(|| Error::NoData { reason: "nothing has been trained yet".into() })?;
    page.store.release();
    let started = web_time::Instant::now();
    let side = trained.card.settings.size;
    let job =
        MaskJob { dataset: &dataset, settings, side, keep_scores: false, search: false, phase: Phase::Masks };
    let mut scorer = Scorer::new(&dataset);
    let mut files = Vec::new();
    let endpoint = page.endpoint.clone();
    let classes = dataset.classes.len();
    let mut told = Vec::new();
    let mut sink = |mask: Mask| {
        let miou = scorer.add(&mask)?;
        files.push((format!("{}.png", dataset.items[mask.item].stem), palette_png::encode(&mask.labels)?));
        let covered = mask.labels.shares(classes).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        let mut event = Event::MaskReady {
            image: mask.item,
            width: mask.labels.width,
            height: mask.labels.height,
            shares: covered.map(|(class, share)| (class as u16, share)).collect(),
            thresholds: dataset.items[mask.item].labels.iter().copied().zip(mask.thresholds).collect(),
            miou,
            doubt: Some(mask.doubt),
            labels: Vec::new(),
        };
        told.push(event.clone());
        if let Event::MaskReady { labels, .. } = &mut event {
            *labels = mask.labels.labels;
        }
        endpoint.tell(event);
        Ok(())
    };
    let finished = make_masks(&job, &trained, &compute, page, &mut sink).await?;
    let images = files.len();
    files.push(("classes.txt".into(), classes_txt::encode(&dataset.classes)));
    let number = {
        let mut trainer = this.borrow_mut();
        trainer.masks_made += 1;
        trainer.masks_made
    };
    let looked_at_truth = !is_blind(settings.threshold);
    let mut confusion = scorer.confusion().clone();
    let end = if finished {
        let score = scorer.score(looked_at_truth);
        Event::MasksFinished { images, seconds: started.elapsed().as_secs_f64(), score }
    } else {
        Event::Stopped { round: trained.position.round, step: trained.position.step }
    };
    let mut kept = Ok(());
    if finished {
        told.push(end.clone());
        let told = Told { round, settings: settings.clone(), number, events: told.clone() };
        kept = made::keep(&mut page.store, &told, &files);
    }
    let put = by_hand::put_back(page, &dataset, round, &told, &mut files, &mut confusion).await;
    let mut by_hand = BTreeSet::new();
    if let Ok(put) = &put {
        by_hand = put.iter().map(|&(image, _)| image).collect();
        by_hand::told(page, &dataset, round, put.clone(), &confusion, looked_at_truth);
    }
    let (confusion, settings) = (Some(confusion), Some(settings.clone()));
    let made = Made { files, number, confusion, looked_at_truth, settings, by_hand };
    this.borrow_mut().masks.insert(round, made);
    page.emit(end);
    kept.and(put)?;
    page.carry().await;
    Ok(())
}
