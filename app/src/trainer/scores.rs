//! What a network says of every class at every pixel, as one file to download. Its maps are many times as large as
//! masks: nothing of them is kept, they are made when they are asked for.

use std::rc::Rc;

use tag2mask_core::dataset::Dataset;
use tag2mask_core::run::checkpoint::Trained;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::make_masks::{Mask, MaskJob, make_masks};
use tag2mask_core::run::score_file::{CHANNELS, channels};
use tag2mask_core::run::settings::{MaskSettings, Refine};
use tag2mask_core::{Error, Result};

use super::drawing::network_of;
use super::host::Page;
use super::packing::of_round;
use super::work::{Predicted, Shared};
use super::zipped;

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
    let Predicted { photos, settings, step, .. } = this.borrow().predicted()?.clone();
    let trained = Trained::load(&this.borrow().segmenter.0, None)?;
    let same = trained.filter(|trained| trained.position.step == step);
    let trained = same.ok_or_else(|| Error::NoData {
        reason: "the network has learned on since these masks were made; drop the photos once more".into(),
    })?;
    pack(this, "new-score-maps.zip", &trained, &photos, settings, page).await
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
