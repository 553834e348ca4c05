//! What suggestions depend on.

/// For what settings are suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// Whether the network learns from random weights.
    pub from_scratch: bool,
    /// Whether the device is one that takes minutes for what others do in seconds.
    pub slow: bool,
    /// Optimiser steps that show every image once.
    pub steps_per_epoch: usize,
}

impl Situation {
    /// The first of two values for a network that learns from random weights, the second for others.
    pub fn by_start<T>(&self, from_scratch: T, pretrained: T) -> T {
        if self.from_scratch { from_scratch } else { pretrained }
    }

    /// Epochs in which so many steps are done, 2 to 100. On a slow device half of them show something.
    pub fn epochs(&self, steps: usize) -> usize {
        let steps = if self.slow { steps / 2 } else { steps };
        steps.div_ceil(self.steps_per_epoch.max(1)).clamp(2, 100)
    }
}
