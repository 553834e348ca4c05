//! How good masks are, against those that came with the data set.

use super::event::Score;
use super::make_masks::Mask;
use super::settings::Threshold;
use crate::dataset::targets::masks_of_items;
use crate::dataset::{Dataset, decode};
use crate::error::{Error, Result};
use crate::files::FileSet;
use crate::masks::metric::Confusion;
use crate::masks::threshold_search::ThresholdSearch;
use crate::masks::{IGNORE, LabelMap};

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
    /// [`Error::Image`] or [`Error::Format`] when the supplied mask is unusable.
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

    /// What was counted so far.
    pub fn confusion(&self) -> &Confusion {
        &self.confusion
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
/// [`Error::Format`] for masks of other classes or sizes, or with a label without a class, and those of
/// decoding.
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
                refuse_unknown(&mask, dataset.classes.len(), &item.path)?;
                confusion.accumulate(&mask, &truth.decode(&item.path)?, &item.path)?;
            }
        }
        progress(index + 1, dataset.items.len());
    }
    let scored = confusion.images() > 0;
    Ok(Scored { score: scored.then(|| confusion.score(&dataset.classes, looked_at_truth)), missing })
}

/// A label without a class would silently count as a miss.
///
/// # Errors
/// [`Error::Format`] for one above the number of classes.
pub fn refuse_unknown(mask: &LabelMap, classes: usize, path: &str) -> Result<()> {
    match mask.labels.iter().find(|&&label| label != IGNORE && usize::from(label) > classes) {
        None => Ok(()),
        Some(label) => Err(Error::Format {
            path: path.to_owned(),
            reason: format!("the mask holds label {label}, but the classes end at {classes}"),
        }),
    }
}

/// Whether a threshold may have been chosen with a look at the truth is the caller's to say; the
/// adaptive one never is.
pub fn is_blind(threshold: Threshold) -> bool {
    !matches!(threshold, Threshold::Fixed(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::read_split;
    use crate::export::palette_png;

    #[test]
    fn masks_with_labels_of_no_class_are_refused() {
        let mut photo = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(4, 3).write_to(&mut photo, image::ImageFormat::Png).unwrap();
        let mask =
            |label| palette_png::encode(&LabelMap { width: 4, height: 3, labels: vec![label; 12] }).unwrap();
        let files = vec![
            ("images/a.png".into(), photo.into_inner()),
            ("labels.csv".into(), b"file,labels\na.png,cow\n".to_vec()),
            ("masks/a.png".into(), mask(1)),
        ];
        let dataset = read_split(&FileSet::memory(files), None, &mut |_, _| {}).unwrap();
        let score = |label| {
            let masks = FileSet::memory(vec![("a.png".into(), mask(label))]);
            score_masks(&dataset, &masks, false, &mut |_, _| {}).map(|scored| scored.score.is_some())
        };
        assert!(score(1).unwrap() && score(IGNORE).unwrap());
        let error = score(2).unwrap_err().to_string();
        assert!(error.contains("label 2, but the classes end at 1"), "{error}");
    }
}
