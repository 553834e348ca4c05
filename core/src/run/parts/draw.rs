//! Masks of a data set into a folder, those that are not there yet, and the score of all.

use std::path::Path;

use crate::dataset::Dataset;
use crate::device::Compute;
use crate::error::Result;
use crate::export::mask_folder;
use crate::files::FileSet;
use crate::run::checkpoint::Trained;
use crate::run::event::Phase;
use crate::run::host::Host;
use crate::run::make_masks::{Mask, MaskJob, make_masks};
use crate::run::scorer::{Scored, score_masks};
use crate::run::train::Ending;

/// Makes the masks that the folder does not have yet, and scores all.
///
/// # Errors
/// Those of [`make_masks`] and [`score_masks`].
pub async fn draw(
    dataset: &Dataset,
    trained: &Trained,
    folder: &Path,
    compute: &Compute,
    looked_at_truth: bool,
    host: &mut impl Host,
) -> Result<(Ending, Option<Scored>)> {
    let missing = dataset.items.iter().filter(|item| !mask_folder::path(folder, &item.stem).exists());
    let left = Dataset {
        layout: dataset.layout,
        finding: dataset.finding.clone(),
        classes: dataset.classes.clone(),
        items: missing.cloned().collect(),
        problems: Vec::new(),
    };
    let job = MaskJob {
        dataset: &left,
        settings: &trained.card.settings.masks,
        side: trained.card.settings.size,
        keep_scores: false,
        search: false,
        phase: Phase::Masks,
        from: 0,
    };
    let mut sink = |mask: Mask| mask_folder::write(folder, &left.items[mask.item].stem, &mask.labels);
    if !make_masks(&job, trained, compute, host, &mut sink).await? {
        return Ok((Ending::Stopped, None));
    }
    mask_folder::write_classes(folder, &dataset.classes)?;
    let scored = score_masks(dataset, &FileSet::open(folder)?, looked_at_truth, &mut |_, _| {})?;
    Ok((Ending::Finished, Some(scored)))
}
