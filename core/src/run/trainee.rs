//! What a round trains, whatever its method: a network, its optimiser, and the devices that share the work.

use burn::tensor::{Device, Tensor};

use super::round::Plan;
use super::team::Team;
use crate::backbone::weights::{Parameters, Source, TensorFile};
use crate::dataset::batch::Batch as HostBatch;
use crate::error::Result;
use crate::method::registry::Visitor;
use crate::method::{Learner, LearnerConfig, Network, groups};
use crate::optim::Sgd;

/// A network that is being trained.
pub(super) trait Trainee {
    /// One step of the optimiser, at learning rate `rate`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when one of several devices failed.
    fn step(&mut self, batch: HostBatch, plan: &Plan<'_>, step: usize, rate: f64) -> Result<Told>;

    /// The network as it is now, without autodiff.
    fn network(&self) -> Box<dyn Network>;

    /// Its parameters.
    fn parameters(&self) -> Parameters;

    /// The optimiser.
    fn optimizer(&self) -> &Sgd;
}

/// What is told of a step, still on the device.
pub(super) struct Told {
    /// As [`super::step::Learned::losses`].
    pub(super) losses: Tensor<1>,
    /// Whether the threshold branch was trained.
    pub(super) threshold_step: bool,
}

/// The network of a round with the tensors of `source`; `momentum` is the optimiser's, where the
/// round goes on; `is_first` says that no network was trained before.
///
/// # Errors
/// As [`Source::take`], and [`crate::Error::Device`] when several devices cannot work together.
pub(super) fn begin(
    plan: &Plan<'_>,
    source: &mut dyn Source,
    momentum: Option<&TensorFile>,
    is_first: bool,
) -> Result<Box<dyn Trainee>> {
    plan.network.with(&plan.setup, Begin { plan, source, momentum, is_first })
}

struct Begin<'a, 'b> {
    plan: &'a Plan<'b>,
    source: &'a mut dyn Source,
    momentum: Option<&'a TensorFile>,
    is_first: bool,
}

impl Visitor for Begin<'_, '_> {
    type Output = Result<Box<dyn Trainee>>;

    fn visit<C: LearnerConfig>(self, config: C) -> Self::Output {
        let Self { plan, source, momentum, is_first } = self;
        let learner = match is_first {
            true => config.init_first(source, plan.device)?,
            false => config.init(source, plan.device)?,
        };
        let optimizer = |device: &Device| {
            let mut sgd = Sgd::new(plan.settings.optimizer.clone(), groups::<C::Learner>(&plan.names));
            if let Some(file) = momentum {
                sgd.load(file, &plan.names, device);
            }
            sgd
        };
        let sgd = optimizer(plan.device);
        let team = Team::start(&learner, plan, optimizer)?;
        Ok(Box::new(Apprentice { learner: Some(learner), sgd, team }))
    }
}

struct Apprentice<L> {
    /// Only a step takes it, and puts it back.
    learner: Option<L>,
    sgd: Sgd,
    team: Team,
}

impl<L: Learner> Apprentice<L> {
    fn learner(&self) -> &L {
        self.learner.as_ref().expect("a step puts the network back, or the training has ended")
    }
}

impl<L: Learner> Trainee for Apprentice<L> {
    fn step(&mut self, batch: HostBatch, plan: &Plan<'_>, step: usize, rate: f64) -> Result<Told> {
        self.learner = self.learner.take().map(|learner| learner.before(step));
        let learner = self.learner.as_ref().expect("a step puts the network back, or the training has ended");
        let learned = self.team.learn(learner, batch, plan, step, rate)?;
        if let Some(learner) = self.learner.take() {
            let mut learner = self.sgd.step(learner, learned.gradients, rate);
            if let Some(statistics) = learned.statistics {
                learner = learner.absorb(statistics);
            }
            self.learner = Some(learner);
        }
        Ok(Told { losses: learned.losses, threshold_step: learned.threshold_step })
    }

    fn network(&self) -> Box<dyn Network> {
        Box::new(self.learner().valid())
    }

    fn parameters(&self) -> Parameters {
        Parameters::of(self.learner())
    }

    fn optimizer(&self) -> &Sgd {
        &self.sgd
    }
}
