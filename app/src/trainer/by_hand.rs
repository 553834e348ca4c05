//! Masks drawn by hand, in the kept run.
//!
//! A file for each that was drawn over a mask of some round, beside that round's. When a run starts that makes other
//! masks, what was drawn is set aside, a file a photo, and put into the place of every mask that is made of it later.

use std::collections::BTreeMap;

use tag2mask_core::dataset::{Dataset, Item, decode};
use tag2mask_core::files::MemoryBlob;
use tag2mask_core::masks::{Confusion, LabelMap};
use tag2mask_core::run::scorer::refuse_unknown;
use tag2mask_core::run::{Host, RunStore};
use tag2mask_core::{Error, Event, Result};

use super::correcting::counted;
use super::host::Page;
use super::kept::KeptStore;
use super::made::{MADE, bring, name_of};

/// With what the names of those begin that are of no round any more.
pub(super) const BY_HAND: &str = "by-hand-";
/// Names of the classes that they show: with other ones, nobody can tell what was meant.
pub(super) const CLASSES: &str = "by-hand-classes.json";

/// Writes a mask as it was drawn over one of a round.
pub(super) fn keep(store: &mut KeptStore, round: Option<usize>, image: usize, png: &[u8]) -> Result<()> {
    store.write(&name_of(round, &format!("-{image}.png")), png)
}

/// The classes that were called as `before` have other names now. Masks that show yet others stay of those.
pub(super) fn rename_classes(store: &mut KeptStore, before: &[String], classes: &[String]) -> Result<()> {
    let Some(bytes) = store.read(CLASSES)? else { return Ok(()) };
    let shown: Vec<String> = serde_json::from_slice(&bytes).unwrap_or_default();
    if shown == before { write_classes(store, classes) } else { Ok(()) }
}

fn write_classes(store: &mut KeptStore, classes: &[String]) -> Result<()> {
    let names = serde_json::to_vec(classes)
        .map_err(|error| Error::Format { path: CLASSES.into(), reason: error.to_string() })?;
    store.write(CLASSES, &names)
}

/// The image that a file is of, if its name begins so.
fn image_of(name: &str, start: &str) -> Option<usize> {
    name.strip_prefix(start)?.strip_suffix(".png")?.parse().ok()
}

/// Whether those that are of no round show these classes.
async fn show(page: &mut Page<'_>, classes: &[String]) -> Result<bool> {
    if !page.store.kept_names().contains(CLASSES) {
        return Ok(true);
    }
    let bytes = bring(page, CLASSES).await?;
    Ok(serde_json::from_slice::<Vec<String>>(&bytes).is_ok_and(|names| names == classes))
}

/// What is to take the place of a round's masks, by image.
async fn of_round(
    page: &mut Page<'_>,
    round: Option<usize>,
    classes: &[String],
) -> Result<BTreeMap<usize, Vec<u8>>> {
    let mut found = BTreeMap::new();
    // What was drawn over this very round counts for more.
    let starts = [BY_HAND.to_owned(), name_of(round, "-")];
    let usable = if show(page, classes).await? { &starts[..] } else { &starts[1..] };
    for start in usable {
        for name in page.store.kept_names() {
            if let Some(image) = image_of(&name, start) {
                found.insert(image, bring(page, &name).await?);
            }
        }
    }
    Ok(found)
}

/// Everything that was drawn: where several rounds have a mask of a photo, the one of the network that had learned
/// most.
pub(super) async fn all(page: &mut Page<'_>, classes: &[String]) -> Result<BTreeMap<usize, Vec<u8>>> {
    let are_shown = show(page, classes).await?;
    let mut found: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    for name in page.store.kept_names() {
        let of_made = || {
            let (round, image) = name.strip_prefix(MADE)?.rsplit_once('-')?;
            let round = match round.strip_prefix("round-") {
                Some(number) => number.parse().ok()?,
                None => usize::MAX,
            };
            Some((round, image.strip_suffix(".png")?.parse().ok()?))
        };
        let aside = image_of(&name, BY_HAND).filter(|_| are_shown);
        let Some((rank, image)) = aside.map(|image| (0, image)).or_else(of_made) else {
            continue;
        };
        if found.get(&image).is_none_or(|(before, _)| *before <= rank) {
            found.insert(image, (rank, name));
        }
    }
    let mut drawn = BTreeMap::new();
    for (image, (_, name)) in found {
        drawn.insert(image, bring(page, &name).await?);
    }
    Ok(drawn)
}

/// Sets everything that was drawn aside, for the masks of the next run.
pub(super) fn set_aside(
    store: &mut KeptStore,
    drawn: BTreeMap<usize, Vec<u8>>,
    classes: &[String],
) -> Result<()> {
    store.forget(BY_HAND);
    if !drawn.is_empty() {
        write_classes(store, classes)?;
    }
    drawn.into_iter().try_for_each(|(image, png)| store.write(&format!("{BY_HAND}{image}.png"), &png))
}

/// Puts what was drawn into the place of the masks that `events` tell of: in their files, in what is counted of them,
/// and on the page. Gives the images with the IoU that they have now; see [`told`].
pub(super) async fn put_back(
    page: &mut Page<'_>,
    dataset: &Dataset,
    round: Option<usize>,
    events: &[Event],
    files: &mut [(String, Vec<u8>)],
    confusion: &mut Confusion,
) -> Result<Vec<(usize, Option<f64>)>> {
    let drawn = of_round(page, round, &dataset.classes).await?;
    let classes = dataset.classes.len();
    let mut put = Vec::new();
    for event in events {
        let Event::MaskReady { image, width, height, .. } = event else { continue };
        let (Some(png), Some(item)) = (drawn.get(image), dataset.items.get(*image)) else { continue };
        let name = format!("{}.png", item.stem);
        let Some((_, file)) = files.iter_mut().find(|(path, _)| *path == name) else { continue };
        let mask = match read(png, item, classes, (*width, *height)) {
            Ok(mask) => mask,
            Err(error) => {
                page.emit(Event::Warning { message: format!("A mask drawn by hand is lost: {error}") });
                continue;
            }
        };
        let made = decode::mask(&MemoryBlob::new(std::mem::replace(file, png.clone())), &item.path)?;
        keep(&mut page.store, round, *image, png)?;
        let after = counted(item, &mask, classes)?;
        if let (Some(before), Some(after)) = (counted(item, &made, classes)?, &after) {
            confusion.take_back(&before);
            confusion.merge(after);
        }
        put.push((*image, after.and_then(|own| own.miou())));
        page.emit(instead(event.clone(), mask, classes));
    }
    Ok(put)
}

/// Tells of masks that were [put back](put_back), before it is told that all are there.
pub(super) fn told(
    page: &mut Page<'_>,
    dataset: &Dataset,
    round: Option<usize>,
    put: Vec<(usize, Option<f64>)>,
    confusion: &Confusion,
    looked_at_truth: bool,
) {
    let score = (confusion.images() > 0).then(|| confusion.score(&dataset.classes, looked_at_truth));
    for (image, miou) in put {
        page.emit(Event::MaskCorrected { round, image, miou, score: score.clone() });
    }
}

/// A mask as it was drawn, of `width` and `height` pixels.
fn read(png: &[u8], item: &Item, classes: usize, size: (usize, usize)) -> Result<LabelMap> {
    let mask = decode::mask(&MemoryBlob::new(png.to_vec()), &item.path)?;
    refuse_unknown(&mask, classes, &item.path)?;
    match (mask.width, mask.height) == size {
        true => Ok(mask),
        false => Err(Error::Format {
            path: item.path.clone(),
            reason: "the mask drawn by hand has another size".into(),
        }),
    }
}

/// The event of a mask, telling of another.
fn instead(mut event: Event, mask: LabelMap, classes: usize) -> Event {
    if let Event::MaskReady { labels, shares, doubt, .. } = &mut event {
        let covered = mask.shares(classes).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        *shares = covered.map(|(class, share)| (class as u16, share)).collect();
        *doubt = None;
        *labels = mask.labels;
    }
    event
}
