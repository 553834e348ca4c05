//! How good masks are, against those that came with the data set.

use super::event::Score;
use super::make_masks::Mask;
use super::settings::Threshold;
use crate::dataset::targets::masks_of_items;
use crate::dataset::{Dataset, decode};
use crate::error::Result;
use crate::files::FileSet;
use crate::masks::metric::Confusion;
use crate::masks::threshold_search::ThresholdSearch;

/// Scores masks against those that came with the data set.
pub struct Scorer<'a> {
    dataset: &'a Dataset,
    confusion: Confusion,
    search: ThresholdSearch,
    /// One per candidate threshold; empty until a mask comes with candidates.
    refined: Vec<Confusion>,
}

impl<'a> Scorer<'a> {
    /// Nothing scored yet.
    pub fn new(dataset: &'a Dataset) -> Self {
        let classes = dataset.classes.len();
        let search = ThresholdSearch::new(classes, &ThresholdSearch::usual_thresholds());
        Self { dataset, confusion: Confusion::new(classes), search, refined: Vec::new() }
    }

    /// Adds one mask; its own mIoU in percent, `None` when no truth was supplied for it.
    ///
    /// # Errors
    /// [`crate::Error::Image`] or [`crate::Error::Format`] when the supplied mask is unusable.
    pub fn add(&mut self, mask: &Mask) -> Result<Option<f64>> {
        let facts = &self.dataset.items[mask.item];
        let Some(truth) = &facts.mask else { return Ok(None) };
        let truth = truth.decode(&facts.path)?;
        let mut own = Confusion::new(self.dataset.classes.len());
        own.accumulate(&mask.labels, &truth, &facts.path)?;
        // Strengths of large photos are smaller than the photo: those are not searched.
        if (mask.activation.width, mask.activation.height) == (truth.width, truth.height) {
            self.search.accumulate(&mask.activation, &truth, &facts.path)?;
        }
        for (index, candidate) in mask.candidates.iter().enumerate() {
            if self.refined.len() <= index {
                self.refined.push(Confusion::new(self.dataset.classes.len()));
            }
            self.refined[index].merge(candidate);
        }
        self.confusion.merge(&own);
        Ok(own.miou())
    }

    /// The fixed threshold that gives the best masks before refinement, and their score: found by looking
    /// at the truth. `None` when no image had a mask.
    pub fn best_fixed(&self) -> Option<(f32, Score)> {
        self.search.best(&self.dataset.classes)
    }

    /// As [`best_fixed`](Self::best_fixed), after refinement; `None` too when no candidates were made.
    pub fn best_fixed_refined(&self) -> Option<(f32, Score)> {
        let mut best: Option<(f32, f64, &Confusion)> = None;
        for (threshold, confusion) in ThresholdSearch::usual_thresholds().into_iter().zip(&self.refined) {
            let miou = confusion.miou()?;
            if best.is_none_or(|(_, most, _)| miou > most) {
                best = Some((threshold, miou, confusion));
            }
        }
        best.map(|(threshold, _, confusion)| (threshold, confusion.score(&self.dataset.classes, true)))
    }

    /// The score of all; `None` when no image had a mask.
    pub fn score(&self, looked_at_truth: bool) -> Option<Score> {
        let scored = self.confusion.images() > 0;
        scored.then(|| self.confusion.score(&self.dataset.classes, looked_at_truth))
    }
}

/// How good the masks of a folder are.
pub struct Scored {
    /// The score of all; `None` when no image has a truth.
    pub score: Option<Score>,
    /// Images that have a truth but no mask in the folder, by path.
    pub missing: Vec<String>,
}

/// Scores a folder as `masks` writes it against the masks that came with the data set. `progress` hears of
/// images done and images in all.
///
/// # Errors
/// [`crate::Error::Format`] for masks of other classes or sizes, and those of decoding.
pub fn score_masks(
    dataset: &Dataset,
    masks: &FileSet,
    looked_at_truth: bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Scored> {
    let masks = masks_of_items(masks, dataset)?;
    let mut confusion = Confusion::new(dataset.classes.len());
    let mut missing = Vec::new();
    for (index, item) in dataset.items.iter().enumerate() {
        match (&item.mask, masks.get(&index)) {
            (None, _) => {}
            (Some(_), None) => missing.push(item.path.clone()),
            (Some(truth), Some(mask)) => {
                let mask = decode::mask(mask.as_ref(), &item.path)?;
                confusion.accumulate(&mask, &truth.decode(&item.path)?, &item.path)?;
            }
        }
        progress(index + 1, dataset.items.len());
    }
    let scored = confusion.images() > 0;
    Ok(Scored { score: scored.then(|| confusion.score(&dataset.classes, looked_at_truth)), missing })
}

/// Whether a threshold may have been chosen with a look at the truth is the caller's to say; the
/// adaptive one never is.
pub fn is_blind(threshold: Threshold) -> bool {
    !matches!(threshold, Threshold::Fixed(_))
}
