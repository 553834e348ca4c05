//! Masks that are corrected by hand.

use tag2mask_core::dataset::{Item, decode};
use tag2mask_core::export::palette_png;
use tag2mask_core::files::MemoryBlob;
use tag2mask_core::masks::rescale::{corrected, resize_labels};
use tag2mask_core::masks::{Confusion, LabelMap};
use tag2mask_core::run::event::Score;
use tag2mask_core::run::scorer::refuse_unknown;
use tag2mask_core::{Error, Event, Result};

use super::by_hand;
use super::endpoint::Endpoint;
use super::host::Page;
use super::work::{Shared, missing};

/// Shows the labels of a mask, reduced to `side` pixels at most.
pub(super) fn show_mask(
    this: &Shared,
    round: Option<usize>,
    image: usize,
    side: usize,
    endpoint: &Endpoint,
) -> Result<()> {
    let (_, full) = find(this, round, image)?;
    let longest = full.width.max(full.height);
    let shrink = |length: usize| if longest <= side { length } else { (length * side / longest).max(1) };
    let shown = resize_labels(&full, (shrink(full.width), shrink(full.height)));
    let (width, height) = (shown.width, shown.height);
    endpoint.tell(Event::MaskShown { round, image, width, height, labels: shown.labels });
    Ok(())
}

/// Takes a mask as it was corrected, at the size that it was shown at, in the place of the one that was made.
pub(super) async fn set_mask(
    this: &Shared,
    round: Option<usize>,
    image: usize,
    edited: &LabelMap,
    page: &mut Page<'_>,
) -> Result<()> {
    let dataset = this.borrow().dataset()?;
    let (place, full) = find(this, round, image)?;
    let item = &dataset.items[image];
    let pixels = edited.width.checked_mul(edited.height);
    if edited.labels.is_empty() || pixels != Some(edited.labels.len()) {
        return Err(missing("mask", "does not have the size that it says"));
    }
    refuse_unknown(edited, dataset.classes.len(), &item.path)?;
    let new = corrected(&full, edited);
    let bytes = palette_png::encode(&new)?;
    let count = |mask: &LabelMap| counted(item, mask, dataset.classes.len());
    let (before, after) = (count(&full)?, count(&new)?);
    let kept = by_hand::keep(&mut page.store, round, image, &bytes);
    let score = put(this, round, image, place, bytes, (before, after.as_ref()))?;
    page.endpoint.tell(Event::MaskCorrected { round, image, miou: after.and_then(|own| own.miou()), score });
    kept?;
    page.carry().await;
    Ok(())
}

/// Puts a corrected mask in the place of another, and gives the new score of all. `counts` are those of the old
/// one and of the new one.
fn put(
    this: &Shared,
    round: Option<usize>,
    image: usize,
    place: usize,
    bytes: Vec<u8>,
    counts: (Option<Confusion>, Option<&Confusion>),
) -> Result<Option<Score>> {
    let classes = this.borrow().dataset()?.classes.clone();
    let mut trainer = this.borrow_mut();
    trainer.masks_made += 1;
    let number = trainer.masks_made;
    let Some(made) = trainer.masks.get_mut(&round) else { return Err(none(image)) };
    if let Some((_, file)) = made.files.get_mut(place) {
        *file = bytes;
    }
    // What has learned from the masks has not learned from this one.
    made.number = number;
    made.by_hand.insert(image);
    if let (Some(all), (Some(before), Some(after))) = (&mut made.confusion, counts) {
        all.take_back(&before);
        all.merge(after);
    }
    let scored = made.confusion.as_ref().filter(|all| all.images() > 0);
    Ok(scored.map(|all| all.score(&classes, made.looked_at_truth)))
}

/// A mask against the one that was supplied for its image; `None` where none was.
pub(super) fn counted(item: &Item, mask: &LabelMap, classes: usize) -> Result<Option<Confusion>> {
    let Some(truth) = &item.mask else { return Ok(None) };
    let mut confusion = Confusion::new(classes);
    confusion.accumulate(mask, &truth.decode(&item.path)?, &item.path)?;
    Ok(Some(confusion))
}

/// A mask at its full size, and its place among the files of its round.
fn find(this: &Shared, round: Option<usize>, image: usize) -> Result<(usize, LabelMap)> {
    let trainer = this.borrow();
    let dataset = trainer.dataset()?;
    let item = dataset.items.get(image).ok_or_else(|| none(image))?;
    let files = trainer.masks.get(&round).map(|made| made.files.as_slice()).unwrap_or_default();
    let name = format!("{}.png", item.stem);
    let place = files.iter().position(|(file, _)| *file == name).ok_or_else(|| none(image))?;
    let mask = decode::mask(&MemoryBlob::new(files[place].1.clone()), &item.path)?;
    Ok((place, mask))
}

fn none(image: usize) -> Error {
    Error::NoData { reason: format!("photo {} has no mask of this round", image + 1) }
}
