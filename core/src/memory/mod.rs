//! What training takes in memory, said before it starts: a step is gone through without tensors, on the
//! shapes in [`crate::architecture`], and every allocation and release of it is counted. No tensor library
//! is needed for it.

mod advice;
mod fit;
mod ledger;
mod networks;
mod tape;

pub use advice::{ASSUMED_GPU, Advice, advice, gigabytes};
pub use fit::{Fit, Limits, at_once, fit, most_pixels, side_that_fits};

use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::run::Settings;
use crate::run::settings::{BackboneName, MethodName};
use ledger::Ledger;
pub use tape::{Dry, Tape};

/// Bytes of a number.
const NUMBER: u64 = 4;

/// What a GPU holds over what tensors take at their peak. The tensor library keeps memory in pages, in a
/// browser one a tensor, of which some lie idle: a plain classifier's steps in Chromium held 1.44 (`tiny`,
/// `mobilenet-v2` at 64 pixels), 1.53 (`resnet-18`) and 1.77 times (`mobilenet-v2` at 128 pixels) as much.
const PAGES: f64 = 1.5;

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// The feature network.
    pub backbone: BackboneName,
    /// Input pixels per feature pixel.
    pub output_stride: usize,
    /// What is learned on it.
    pub method: MethodName,
    /// Foreground classes.
    pub classes: usize,
    /// The largest side of a training image, pixels.
    pub side: usize,
    /// Images per optimiser step.
    pub batch: usize,
}

/// How a batch is worked through. The gradients are the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Images that go through the network at once, at most.
    pub micro_batch: usize,
    /// Whether activations are computed again for the gradients, instead of being kept.
    pub recompute: bool,
}

/// What computes: it decides what a convolution needs beside its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processor {
    /// The CPU, with this many threads.
    Cpu {
        /// At work at once.
        threads: usize,
    },
    /// A GPU.
    Gpu,
}

impl Processor {
    /// What it holds for tensors of so many bytes.
    fn held(self, bytes: u64) -> u64 {
        match self {
            Self::Cpu { .. } => bytes,
            Self::Gpu => (bytes as f64 * PAGES) as u64,
        }
    }
}

impl Work {
    /// What a run with these settings trains, where it takes most.
    pub fn of(settings: &Settings, classes: usize) -> Self {
        let largest = settings.augment.scales.iter().copied().fold(1.0, f64::max);
        Self {
            backbone: settings.backbone,
            output_stride: settings.output_stride,
            method: settings.method,
            classes,
            side: (settings.size as f64 * largest).ceil() as usize,
            batch: settings.batch,
        }
    }

    /// Channels of the features.
    pub fn channels(&self) -> usize {
        self.architecture().channels()
    }

    fn architecture(&self) -> Architecture {
        Architecture::of(self.backbone, self.output_stride)
    }
}

/// Features of images that a method makes itself.
pub(crate) fn features(work: &Work, tape: &mut Tape, images: Dry) -> Dry {
    networks::features(work, tape, images)
}

/// Bytes of all weights.
pub fn weights(work: &Work) -> u64 {
    networks::weights(work).0
}

/// Most bytes at once in a training step, from the second step on: weights, velocities, gradients,
/// activations, and what operations need while they run.
pub fn peak(work: &Work, split: Split, processor: Processor) -> u64 {
    let (all, trainable) = networks::weights(work);
    let images = split.micro_batch.clamp(1, work.batch.max(1));
    let ledger = Ledger::default();
    let _weights = ledger.hold(all);
    let _velocities = ledger.hold(trainable);
    // The sum over the parts, while the next part is at work.
    let adds = images < work.batch;
    let _sum = ledger.hold(if adds { trainable } else { 0 });
    let mut tape = Tape::new(ledger.clone(), images, processor);
    if split.recompute {
        networks::recomputed(work, &mut tape, adds);
    } else {
        networks::recorded(work, &mut tape);
    }
    // The optimiser goes from tensor to tensor, and works in place but for a copy.
    let _update = ledger.hold(networks::largest_weight(work));
    processor.held(ledger.peak())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's network and batch.
    pub(super) fn paper() -> Work {
        Work {
            backbone: BackboneName::Resnet38,
            output_stride: 8,
            method: MethodName::SpatialBce,
            classes: 20,
            side: 369,
            batch: 12,
        }
    }

    #[test]
    fn the_paper_s_batch_fits_eight_gibibytes_and_an_image_fits_four() {
        let of = |batch, micro_batch, recompute| {
            peak(&Work { batch, ..paper() }, Split { micro_batch, recompute }, Processor::Gpu)
        };
        let one = of(1, 1, false);
        assert!(one < 4 << 30, "{one}");
        let (parts, again) = (of(12, 1, false), of(12, 1, true));
        assert!(again < parts && parts < of(12, 4, false) && of(12, 4, false) < of(12, 12, false));
        assert!(parts < 8 << 30, "{parts}");
        // The sum of the gradients comes on top of what one image takes.
        assert!(parts > one);
    }

    #[test]
    fn what_learns_is_counted_as_the_networks_have_it() {
        // ResNet-50's body has 23.5 million weights, ResNet-38's 105 million.
        let of = |backbone, output_stride| weights(&Work { backbone, output_stride, ..paper() }) / 4;
        assert!((23_400_000..24_000_000).contains(&of(BackboneName::Resnet50, 16)));
        assert!((105_000_000..107_000_000).contains(&of(BackboneName::Resnet38, 8)));
    }
}
