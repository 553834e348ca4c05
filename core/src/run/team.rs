//! Who computes a step: one device, or several that share each batch.

use burn::tensor::Device;

use super::round::Plan;
use super::step::{self, Learned};
#[cfg(feature = "cli")]
use super::workers::Workers;
use crate::dataset::batch::Batch as HostBatch;
use crate::error::Result;
use crate::method::Learner;
use crate::optim::Sgd;

/// The devices of a round.
pub(super) enum Team {
    /// One takes the whole batch.
    Alone,
    /// Each takes a part of the batch.
    #[cfg(feature = "cli")]
    Several(Box<Workers>),
}

impl Team {
    /// The team of [`Plan::compute`]. `optimizer` gives the optimiser as it is now, for a device with
    /// autodiff: those of the other devices take the same steps.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when several devices cannot work together.
    #[cfg_attr(not(feature = "cli"), expect(unused_variables, reason = "one device needs no copies"))]
    pub(super) fn start<L: Learner>(
        learner: &L,
        plan: &Plan<'_>,
        optimizer: impl Fn(&Device) -> Sgd,
    ) -> Result<Self> {
        #[cfg(feature = "cli")]
        if !plan.compute.others.is_empty() {
            return Ok(Self::Several(Box::new(Workers::start(learner, plan, optimizer)?)));
        }
        Ok(Self::Alone)
    }

    /// What the batch teaches. The other devices, if there are, go on to apply it at `rate`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when one of several devices failed.
    #[cfg_attr(not(feature = "cli"), expect(unused_variables, reason = "the caller applies what is learned"))]
    pub(super) fn learn<L: Learner>(
        &mut self,
        learner: &L,
        batch: HostBatch,
        plan: &Plan<'_>,
        step: usize,
        rate: f64,
    ) -> Result<Learned> {
        match self {
            Self::Alone => Ok(step::learn(learner, &batch, &plan.shares, step, plan.split, plan.device)),
            #[cfg(feature = "cli")]
            Self::Several(workers) => workers.learn(learner, batch, plan, step, rate),
        }
    }
}
