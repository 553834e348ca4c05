//! Masks of the data set, and of new photos.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tag2mask_core::dataset::{self, Dataset, decode};
use tag2mask_core::export::{classes_txt, palette_png};
use tag2mask_core::files::{FileSet, MemoryBlob};
use tag2mask_core::masks::Confusion;
use tag2mask_core::masks::rescale::resize_labels;
use tag2mask_core::run::checkpoint::{Trained, round_file};
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::make_masks::{Mask, MaskJob, make_masks};
use tag2mask_core::run::saving::Saving;
use tag2mask_core::run::scorer::is_blind;
use tag2mask_core::run::settings::MaskSettings;
use tag2mask_core::run::{Control, Host};
use tag2mask_core::{Error, Event, Result};
use wasm_bindgen::JsValue;

use super::by_hand;
use super::correcting::counted;
use super::host::Page;
use super::made::{self, Told};
use super::turn::yield_now;
use super::work::{Made, Predicted, Rest, Shared, files_of};
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
    let trained = Trained::load(&this.borrow().segmenter.0, None)?
        .ok_or_else(|| Error::NoData { reason: "no network has learned from masks yet".into() })?;
    let files = FileSet::picked(files_of(payload))?;
    let photos = Rc::new(dataset::read_photos(&files, &trained.card.classes, &mut |_, _| ())?);
    let pixels = photos.items.iter().map(|item| u64::from(item.width) * u64::from(item.height)).sum();
    let problems = photos.problems.clone();
    page.emit(Event::PhotosRead { photos: photos.items.len(), pixels, problems });
    let started = web_time::Instant::now();
    let side = trained.card.settings.size;
    let job = MaskJob {
        dataset: &photos,
        settings,
        side,
        keep_scores: false,
        search: false,
        phase: Phase::Masks,
        from: 0,
    };
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
    files.push((classes_txt::NAME.into(), classes_txt::encode(&photos.classes)));
    let (settings, step) = (settings.clone(), trained.position.step);
    this.borrow_mut().predicted = Some(Predicted { files, photos, settings, step });
    if finished {
        page.emit(Event::MasksFinished { images, seconds: started.elapsed().as_secs_f64(), score: None });
    } else {
        page.emit(Event::Stopped { round: 0, step });
    }
    Ok(())
}

/// The network at the end of a round, or as it is now.
pub(super) async fn network_of(round: Option<usize>, page: &mut Page<'_>) -> Result<Trained> {
    if let Some(round) = round {
        let lost = |error| Error::NoData { reason: disk::reason(&error) };
        page.store.bring(&round_file(round)).await.map_err(lost)?;
    }
    let trained = Trained::load(&page.store, round)?.ok_or_else(|| Error::NoData {
        reason: match round {
            Some(round) => format!(
                "the network after round {} is not there any more: it was removed to make room. Choose the last round",
                round + 1
            ),
            None => "nothing has been trained yet".into(),
        },
    })?;
    page.store.release();
    Ok(trained)
}

/// Masks of all images, with the network of a round.
pub(super) async fn masks(
    this: &Shared,
    settings: &MaskSettings,
    round: Option<usize>,
    page: &mut Page<'_>,
) -> Result<()> {
    let (compute, dataset) = (this.borrow().compute()?, this.borrow().dataset()?);
    let trained = network_of(round, page).await?;
    let started = web_time::Instant::now();
    let Some(rest) = take_up(this, settings, round, &dataset, page).await? else {
        page.emit(Event::Stopped { round: trained.position.round, step: trained.position.step });
        return Ok(());
    };
    let data = made::data_of(&dataset);
    // Masks that are all there, and what was said of them, are worth more than a part of others.
    let replaces = this.borrow().masks.get(&round).is_some_and(|before| match &before.rest {
        Some(rest) => rest.replaces,
        None => !before.files.is_empty(),
    });
    let job = MaskJob {
        dataset: &dataset,
        settings,
        side: trained.card.settings.size,
        keep_scores: false,
        search: false,
        phase: Phase::Masks,
        from: rest.from,
    };
    let number = {
        let mut trainer = this.borrow_mut();
        trainer.masks_made += 1;
        trainer.masks_made
    };
    let (mut files, mut told, mut confusion) = (rest.files, rest.told, rest.confusion);
    let mut from = rest.from;
    let classes = dataset.classes.len();
    let names = (classes_txt::NAME.to_owned(), classes_txt::encode(&dataset.classes));
    let store = page.store.clone();
    let keep = |told: &[Event], from, files: &[(String, Vec<u8>)]| {
        let (settings, data) = (settings.clone(), data.clone());
        let told = Told { round, settings, data, number, events: told.to_vec(), from };
        made::keep(&mut store.clone(), &told, files.iter().chain([&names]))
    };
    let (endpoint, mut saving) = (page.endpoint.clone(), Saving::begin());
    let mut sink = |mask: Mask| {
        let item = &dataset.items[mask.item];
        let own = counted(item, &mask.labels, classes)?;
        if let Some(own) = &own {
            confusion.merge(own);
        }
        files.push((format!("{}.png", item.stem), palette_png::encode(&mask.labels)?));
        let covered = mask.labels.shares(classes).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        let mut event = Event::MaskReady {
            image: mask.item,
            width: mask.labels.width,
            height: mask.labels.height,
            shares: covered.map(|(class, share)| (class as u16, share)).collect(),
            thresholds: item.labels.iter().copied().zip(mask.thresholds).collect(),
            miou: own.and_then(|own| own.miou()),
            doubt: Some(mask.doubt),
            labels: Vec::new(),
        };
        told.push(event.clone());
        if let Event::MaskReady { labels, .. } = &mut event {
            *labels = mask.labels.labels;
        }
        endpoint.tell(event);
        let Some(next) = mask.next else { return Ok(()) };
        from = next;
        if replaces || !saving.is_due() {
            return Ok(());
        }
        let started = web_time::Instant::now();
        keep(&told, from, &files)?;
        saving.wrote(started);
        Ok(())
    };
    let finished = make_masks(&job, &trained, &compute, page, &mut sink).await?;
    let images = files.len();
    let looked_at_truth = !is_blind(settings.threshold);
    let (end, rest) = if finished {
        let score = (confusion.images() > 0).then(|| confusion.score(&dataset.classes, looked_at_truth));
        (Event::MasksFinished { images, seconds: started.elapsed().as_secs_f64(), score }, None)
    } else {
        let end = Event::Stopped { round: trained.position.round, step: trained.position.step };
        (end, Some(Rest { from, data: data.clone(), told: told.clone(), replaces }))
    };
    let all: Vec<Event> = told.iter().cloned().chain(finished.then(|| end.clone())).collect();
    let kept = match !told.is_empty() && (finished || !replaces) {
        true => keep(&all, from, &files),
        false => Ok(()),
    };
    files.push(names.clone());
    let put = by_hand::put_back(page, &dataset, round, &told, &mut files, &mut confusion).await;
    let mut by_hand = BTreeSet::new();
    if let Ok(put) = &put {
        by_hand = put.iter().map(|&(image, _)| image).collect();
        by_hand::told(page, &dataset, round, put.clone(), &confusion, looked_at_truth);
    }
    let (confusion, settings) = (Some(confusion), Some(settings.clone()));
    let made = Made { files, number, confusion, looked_at_truth, settings, by_hand, rest };
    this.borrow_mut().masks.insert(round, made);
    page.emit(end);
    kept.and(put)?;
    page.carry().await;
    Ok(())
}

/// Masks that are there already when the others are made.
struct There {
    /// All images before this one are done.
    from: usize,
    files: Vec<(String, Vec<u8>)>,
    told: Vec<Event>,
    confusion: Confusion,
}

/// Takes up a making of masks that was ended before all were there, if it was of the same kind and of the same labels and
/// boxes, and tells the page of its masks again. `None` where the user does not want to wait for them.
async fn take_up(
    this: &Shared,
    settings: &MaskSettings,
    round: Option<usize>,
    dataset: &Dataset,
    page: &mut Page<'_>,
) -> Result<Option<There>> {
    let classes = dataset.classes.len();
    let data = made::data_of(dataset);
    let mut there =
        There { from: 0, files: Vec::new(), told: Vec::new(), confusion: Confusion::new(classes) };
    let mut known = Vec::new();
    if let Some(made) = this.borrow().masks.get(&round)
        && made.settings.as_ref() == Some(settings)
        && let Some(rest) = made.rest.as_ref().filter(|rest| rest.data == data)
    {
        there.from = rest.from;
        let files: BTreeMap<&str, &Vec<u8>> =
            made.files.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect();
        for event in &rest.told {
            let Event::MaskReady { image, .. } = event else { continue };
            let Some(item) = dataset.items.get(*image) else { continue };
            let name = format!("{}.png", item.stem);
            if let Some(&png) = files.get(name.as_str()) {
                known.push((item, name, png.clone(), event.clone()));
            }
        }
    }
    for (item, name, png, event) in known {
        let mask = decode::mask(&MemoryBlob::new(png.clone()), &item.path)?;
        if let Some(own) = counted(item, &mask, classes)? {
            there.confusion.merge(&own);
        }
        let mut again = event.clone();
        if let Event::MaskReady { labels, .. } = &mut again {
            *labels = mask.labels;
        }
        page.emit(again);
        there.files.push((name, png));
        there.told.push(event);
        let (done, total) = (there.told.len(), dataset.items.len());
        page.emit(Event::Progress { phase: Phase::Masks, done, total, seconds_left: None });
        yield_now().await;
        if page.wish.get() == Control::Stop {
            return Ok(None);
        }
    }
    Ok(Some(there))
}
