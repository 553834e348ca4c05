//! The masks of a run as a report shows them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;

use crate::dataset::{Dataset, decode};
use crate::error::Result;
use crate::export::rgb_png;
use crate::masks::{Confusion, LabelMap};
use crate::run::event::Score;
use crate::run::examples::{examples, overlay};
use crate::run::settings::MaskSettings;

/// Photos that are shown.
const PHOTOS: usize = 6;
/// Longest side of a shown photo, pixels.
const SIDE: u32 = 160;

/// Masks in numbers and pictures.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// How they were made; `None` where nobody knows.
    pub settings: Option<MaskSettings>,
    /// Photos that have one.
    pub images: usize,
    /// Of them, corrected by hand.
    pub by_hand: usize,
    /// Mean share of the photos with the class that is called it, 0 to 1; `None` where no photo has it.
    pub shares: Vec<Option<f64>>,
    /// Against supplied masks.
    pub score: Option<Score>,
    /// A few of them.
    pub pictures: Vec<Picture>,
}

/// A photo and its mask.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The photo's path.
    pub name: String,
    /// Its classes.
    pub classes: Vec<String>,
    /// The photo, as an address that holds it.
    pub photo: String,
    /// The photo with its mask over it, as such an address.
    pub mask: String,
}

/// Takes masks one by one, and sees what is to be told of them.
pub struct Look<'a> {
    dataset: &'a Dataset,
    shown: BTreeSet<usize>,
    sums: Vec<(f64, usize)>,
    confusion: Confusion,
    drawn: Drawn,
}

impl<'a> Look<'a> {
    /// Nothing seen yet.
    pub fn new(dataset: &'a Dataset) -> Self {
        let classes = dataset.classes.len();
        Self {
            dataset,
            shown: examples(dataset, PHOTOS).into_iter().collect(),
            sums: vec![(0.0, 0); classes],
            confusion: Confusion::new(classes),
            drawn: Drawn::default(),
        }
    }

    /// Looks at the mask of a photo.
    ///
    /// # Errors
    /// Those of decoding the photo and its truth; [`crate::Error::Format`] where the truth has another size.
    pub fn add(&mut self, item: usize, mask: &LabelMap) -> Result<()> {
        let Some(facts) = self.dataset.items.get(item) else { return Ok(()) };
        self.drawn.images += 1;
        let shares = mask.shares(self.sums.len());
        for &class in &facts.labels {
            let class = usize::from(class);
            if let (Some(sum), Some(&share)) = (self.sums.get_mut(class), shares.get(class)) {
                *sum = (sum.0 + f64::from(share), sum.1 + 1);
            }
        }
        if let Some(truth) = &facts.mask {
            self.confusion.accumulate(mask, &truth.decode(&facts.path)?, &facts.path)?;
        }
        if self.shown.contains(&item) {
            let photo = decode::reduced(decode::rgb(facts.image.as_ref(), &facts.path)?, SIDE);
            let class = |&label: &u16| self.dataset.classes.get(usize::from(label)).cloned();
            self.drawn.pictures.push(Picture {
                name: facts.path.clone(),
                classes: facts.labels.iter().filter_map(class).collect(),
                mask: address(&overlay(&photo, mask))?,
                photo: address(&photo)?,
            });
        }
        Ok(())
    }

    /// What is to be told. A fixed threshold may have been chosen with a look at the truth.
    pub fn finish(mut self, settings: Option<MaskSettings>, by_hand: usize, looked_at_truth: bool) -> Drawn {
        let mean = |&(sum, count): &(f64, usize)| (count > 0).then(|| sum / count as f64);
        self.drawn.shares = self.sums.iter().map(mean).collect();
        let scored = self.confusion.images() > 0;
        self.drawn.score = scored.then(|| self.confusion.score(&self.dataset.classes, looked_at_truth));
        (self.drawn.settings, self.drawn.by_hand) = (settings, by_hand);
        self.drawn
    }
}

/// A picture as an address that holds it.
fn address(picture: &RgbImage) -> Result<String> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let png = rgb_png::encode(width, height, false, picture.as_raw())?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::files::FileSet;

    #[test]
    fn shares_are_means_over_the_photos_with_the_class_and_truth_scores_full() {
        let files = sample::files(&SampleSettings { images: 8, size: 64, seed: 1 });
        let dataset = dataset::read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
        let mut look = Look::new(&dataset);
        let mut expected = vec![(0.0, 0); dataset.classes.len()];
        for (index, item) in dataset.items.iter().enumerate() {
            let truth = item.mask.as_ref().unwrap().decode(&item.path).unwrap();
            for &class in &item.labels {
                let count = truth.labels.iter().filter(|&&label| u16::from(label) == class + 1).count();
                let (sum, images) = &mut expected[usize::from(class)];
                (*sum, *images) = (*sum + count as f64 / truth.labels.len() as f64, *images + 1);
            }
            look.add(index, &truth).unwrap();
        }
        let drawn = look.finish(None, 0, false);
        assert_eq!((drawn.images, drawn.pictures.len()), (8, PHOTOS));
        assert!((drawn.score.unwrap().miou - 100.0).abs() < 1e-9);
        for (share, (sum, images)) in drawn.shares.iter().zip(expected) {
            let expected = sum / f64::from(images);
            assert!((share.unwrap() - expected).abs() < 1e-6, "{share:?} {expected}");
        }
        assert!(drawn.pictures[0].photo.starts_with("data:image/png;base64,iVBOR"));
        assert!(drawn.pictures[0].photo != drawn.pictures[0].mask);
    }
}
