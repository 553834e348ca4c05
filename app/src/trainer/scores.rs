//! What a network says of every class at every pixel, as one file to download. Its maps are many times as large as
//! masks: nothing of them is kept, they are made when they are asked for.

use std::rc::Rc;

use tag2mask_core::dataset::{Dataset, Item};
use tag2mask_core::run::Host;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::make_masks::{Mask, MaskJob, make_masks};
use tag2mask_core::run::score_file::{CHANNELS, channels};
use tag2mask_core::run::settings::{MaskSettings, Refine};
use tag2mask_core::{Error, Event, Result};

use super::drawing::network_of;
use super::host::Page;
use super::packing::of_round;
use super::work::{Predicted, Shared};
use super::zipped;
use crate::disk;
use crate::model::text;

/// Packs the maps that the masks of a round were cut from.
pub(super) async fn pack_scores(this: &Shared, round: Option<usize>, page: &mut Page<'_>) -> Result<()> {
    let trained = network_of(round, page).await?;
    let (dataset, settings) = {
        let trainer = this.borrow();
        let settings = trainer.masks.get(&round).and_then(|made| made.settings.clone());
        (trainer.dataset()?, settings)
    };
    let settings = settings.unwrap_or_else(|| trained.card.settings.masks.clone());
    pack(this, &format!("score-maps{}.zip", of_round(round)), &trained, &dataset, settings, page).await
}

/// Packs the maps that the masks of new photos were cut from.
pub(super) async fn pack_new_scores(this: &Shared, page: &mut Page<'_>) -> Result<()> {
    let (photos, settings, step) = {
        let trainer = this.borrow();
        let Predicted { files, photos, settings, step } = trainer.predicted()?;
        // The user may not have waited for all of them.
        let has_mask = |item: &&Item| files.iter().any(|(name, _)| *name == format!("{}.png", item.stem));
        let items = photos.items.iter().filter(has_mask).cloned().collect();
        (Rc::new(Dataset { items, ..Dataset::clone(photos) }), settings.clone(), *step)
    };
    let trained = Trained::load(&this.borrow().segmenter.0, None)?;
    let same = trained.filter(|trained| trained.position.step == step);
    let trained = same.ok_or_else(|| Error::NoData {
        reason: "the network has learned on since these masks were made; drop the photos once more".into(),
    })?;
    pack(this, "new-score-maps.zip", &trained, &photos, settings, page).await
}

/// Refuses maps that are more than the browser has room for: it would notice at the end.
async fn check_room(trained: &Trained, dataset: &Dataset) -> Result<()> {
    let maps = channels(trained).iter().filter(|byte| **byte == b'\n').count() as u64;
    let pixels: u64 = dataset.items.iter().map(|item| u64::from(item.width) * u64::from(item.height)).sum();
    let bytes = pixels * maps * size_of::<f32>() as u64;
    let free = disk::room().await.map(|room| (room.quota - room.used).max(0.0) as u64);
    match free {
        Some(free) if bytes > free => Err(Error::NoData {
            reason: format!(
                "score maps of these photos take {}, and the browser has room for {}. “tag2mask masks --scores” \
                 writes them file by file",
                text::file_size(bytes),
                text::file_size(free)
            ),
        }),
        _ => Ok(()),
    }
}

async fn pack(
    this: &Shared,
    name: &str,
    trained: &Trained,
    dataset: &Rc<Dataset>,
    settings: MaskSettings,
    page: &mut Page<'_>,
) -> Result<()> {
    let compute = this.borrow().compute()?;
    check_room(trained, dataset).await?;
    let job = MaskJob {
        dataset,
        // Maps are the same whatever becomes of the labels.
        settings: &MaskSettings { refine: Refine::None, ..settings },
        side: trained.card.settings.size,
        keep_scores: true,
        search: false,
        phase: Phase::Packing,
        from: 0,
    };
    // What can be cancelled is known from the start.
    let total = dataset.items.len();
    page.emit(Event::Progress { phase: Phase::Packing, done: 0, total, seconds_left: None });
    let mut packer = zipped::archive();
    packer.add(CHANNELS, &channels(trained))?;
    let mut sink = |mask: Mask| {
        let Some(scores) = &mask.scores else { return Ok(()) };
        let path = format!("{}.npy", dataset.items[mask.item].stem);
        packer.begin(&path, scores.bytes())?;
        scores.parts().try_for_each(|part| {
            packer
                .append(&part)
                .map_err(|error| Error::Archive { path: path.clone(), reason: error.to_string() })
        })
    };
    let finished = make_masks(&job, trained, &compute, page, &mut sink).await?;
    if !finished {
        page.tell_stopped();
        return Ok(());
    }
    zipped::hand_over(name, packer.finish()?, page.endpoint)
}
