//! How a batch has to be worked through so that it fits, and which size would fit where none does.

use super::ledger::Ledger;
use super::tape::Tape;
use super::{Processor, Split, Work, networks, peak, weights};

/// What a device can hold, bytes; `None` where that is unknown, or without a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of everything at once.
    pub memory: Option<u64>,
    /// Of one tensor.
    pub tensor: Option<u64>,
}

/// How a step will be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// The way.
    pub split: Split,
    /// What it takes at its peak.
    pub bytes: u64,
    /// Whether that is within the limits. Where nothing is, this is the way that takes least.
    pub fits: bool,
}

/// The way that costs least time within the limits: the whole batch at once; else the largest equal parts
/// that fit; else parts whose activations are computed again, which takes a third longer.
pub fn fit(work: &Work, processor: Processor, limits: Limits) -> Fit {
    let batch = work.batch.max(1);
    let tensor_of_one = largest_tensor(work);
    let at_once = limits.tensor.map_or(batch, |tensor| (tensor / tensor_of_one.max(1)) as usize);
    let least = Split { micro_batch: 1, recompute: true };
    let within = |bytes: u64| limits.memory.is_none_or(|memory| bytes <= memory);
    if at_once > 0 {
        for recompute in [false, true] {
            for parts in 1..=batch {
                let micro_batch = batch.div_ceil(parts);
                let grows = parts > 1 && batch.div_ceil(parts - 1) == micro_batch;
                if grows || micro_batch > at_once {
                    continue;
                }
                let split = Split { micro_batch, recompute };
                let bytes = peak(work, split, processor);
                if within(bytes) {
                    return Fit { split, bytes, fits: true };
                }
            }
        }
    }
    Fit { split: least, bytes: peak(work, least, processor), fits: false }
}

/// The largest side below the given one, a multiple of 32, at which it fits.
pub fn side_that_fits(work: &Work, processor: Processor, limits: Limits) -> Option<usize> {
    let sides = (1..work.side.div_ceil(32)).rev().map(|count| count * 32);
    sides.into_iter().find(|&side| fit(&Work { side, ..*work }, processor, limits).fits)
}

/// Bytes of the largest tensor that one image becomes.
pub fn largest_tensor(work: &Work) -> u64 {
    forward(work, 1, Processor::Gpu).0
}

/// Pixels of the largest image that maps can be made of.
pub fn most_pixels(work: &Work, processor: Processor, limits: Limits) -> usize {
    let side = 512;
    let (tensor, peak) = forward(&Work { side, ..*work }, 1, processor);
    let within = |limit: Option<u64>, bytes: u64| {
        limit.map_or(f64::INFINITY, |limit| limit as f64 * (side * side) as f64 / bytes.max(1) as f64)
    };
    let memory = limits.memory.map(|memory| memory.saturating_sub(weights(work)));
    within(limits.tensor, tensor).min(within(memory, peak)) as usize
}

/// Images of a square of the work's side that maps can be made of at once, up to `most`; 1 where even that
/// is too much.
pub fn at_once(work: &Work, most: usize, processor: Processor, limits: Limits) -> usize {
    let fits = |images: usize| {
        let (tensor, peak) = forward(work, images, processor);
        limits.tensor.is_none_or(|limit| tensor <= limit)
            && limits.memory.is_none_or(|limit| weights(work) + peak <= limit)
    };
    (1..=most).rev().find(|&images| fits(images)).unwrap_or(1)
}

/// Bytes of the largest tensor and of the peak, weights aside.
fn forward(work: &Work, images: usize, processor: Processor) -> (u64, u64) {
    let ledger = Ledger::default();
    let mut tape = Tape::new(ledger.clone(), images, processor);
    networks::forward(work, &mut tape);
    (tape.largest(), processor.held(ledger.peak()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::paper;
    use super::*;
    use crate::run::settings::BackboneName;

    const GPU: Processor = Processor::Gpu;

    fn memory(bytes: u64) -> Limits {
        Limits { memory: Some(bytes), tensor: None }
    }

    #[test]
    fn parts_come_before_computing_twice() {
        let whole = fit(&paper(), GPU, Limits::default());
        assert_eq!(whole.split, Split { micro_batch: 12, recompute: false });
        let parts = fit(&paper(), GPU, memory(4 << 30));
        assert!(parts.fits && !parts.split.recompute && parts.bytes <= 4 << 30, "{parts:?}");
        assert!((1..12).contains(&parts.split.micro_batch));
        let least = peak(&paper(), Split { micro_batch: 1, recompute: false }, GPU);
        let twice = fit(&paper(), GPU, memory(least - 1));
        assert!(twice.fits && twice.split.recompute, "{twice:?}");
        let none = fit(&paper(), GPU, memory(1 << 30));
        assert!(!none.fits && none.split == Split { micro_batch: 1, recompute: true }, "{none:?}");
    }

    #[test]
    fn a_small_binding_splits_the_batch() {
        let work =
            Work { backbone: BackboneName::Resnet18, output_stride: 16, side: 448, batch: 12, ..paper() };
        // The stem's output: 64 channels of half the side.
        assert_eq!(largest_tensor(&work), 64 * 224 * 224 * 4);
        let found = |tensor: u64| fit(&work, GPU, Limits { memory: None, tensor: Some(tensor) });
        assert_eq!(found(128 << 20).split.micro_batch, 6, "equal parts of at most 10");
        assert!(!found(1).fits);
    }

    #[test]
    fn a_size_that_fits_is_found_where_there_is_one() {
        let large = Work { side: 1024, ..paper() };
        let side = side_that_fits(&large, GPU, memory(4 << 30)).unwrap();
        assert!(side.is_multiple_of(32) && (369..1024).contains(&side), "{side}");
        assert!(!fit(&Work { side: side + 32, ..large }, GPU, memory(4 << 30)).fits);
        assert_eq!(side_that_fits(&large, GPU, memory(1 << 30)), None);
    }

    #[test]
    fn maps_are_made_of_as_many_images_as_the_device_takes() {
        let work = Work { side: 738, ..paper() };
        let limits = Limits { memory: Some(4 << 30), tensor: Some(512 << 20) };
        // 64 channels of the whole side, at the stem.
        assert_eq!(at_once(&work, 8, GPU, limits), 3);
        assert_eq!(at_once(&work, 8, GPU, Limits { memory: None, tensor: Some(1) }), 1);
        let pixels = most_pixels(&work, GPU, Limits { memory: None, tensor: Some(128 << 20) });
        assert_eq!(pixels, (128 << 20) / (64 * 4));
        assert_eq!(most_pixels(&work, GPU, Limits::default()), usize::MAX);
    }
}
