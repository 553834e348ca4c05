//! Training on several devices: each has a thread, a copy of the network and a part of every batch. What the
//! parts teach is added up ([`Peers::sum`]), so that all take the step that one device would take with the
//! whole batch, and stay alike.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use super::round::Plan;
use super::step::{LOSSES, Learned, Lesson};
use crate::dataset::batch::Batch as HostBatch;
use crate::device::peers::{Peers, is_consequence};
use crate::error::{Error, Result};
use crate::memory::Split;
use crate::method::Learner;
use crate::optim::Sgd;

/// Batches that may wait for a worker; it is never far behind, as every step's sum takes all of them.
const WAITING: usize = 2;

/// The worker that the caller is, and the others.
pub(super) struct Workers {
    peers: Peers,
    steps_done: usize,
    others: Vec<Other>,
}

/// A worker with a thread of its own.
struct Other {
    name: String,
    /// `None` when there is nothing more to come.
    tasks: Option<SyncSender<Task>>,
    thread: Option<JoinHandle<Result<()>>>,
}

/// A batch to learn from, and the learning rate to apply it at.
#[derive(Clone)]
struct Task {
    batch: Arc<HostBatch>,
    step: usize,
    rate: f64,
}

impl Workers {
    /// Starts a thread for each of the other devices, with copies of the network and of the optimiser.
    ///
    /// # Errors
    /// [`Error::Device`] when the devices cannot add up, or a thread cannot be started.
    pub(super) fn start<L: Learner>(
        learner: &L,
        plan: &Plan<'_>,
        optimizer: impl Fn(&Device) -> Sgd,
    ) -> Result<Self> {
        let compute = plan.compute;
        let devices: Vec<Device> = std::iter::once(&compute.device)
            .chain(&compute.others)
            .map(|device| device.clone().inner())
            .collect();
        let mut group = Peers::group(&devices, compute.info.backend == "cuda").into_iter();
        let none = || Error::Device { device: compute.info.name.clone(), reason: "there is none".into() };
        let mut workers = Self { peers: group.next().ok_or_else(none)?, steps_done: 0, others: Vec::new() };
        for peers in group {
            let device = peers.device().clone().autodiff();
            let name = format!("{}, the copy on number {}", compute.info.name, workers.others.len() + 2);
            let worker = Worker {
                learner: learner.clone().fork(&device),
                sgd: optimizer(&device),
                shares: plan.shares.clone(),
                split: plan.split,
                name: name.clone(),
                device,
                peers,
            };
            let (tasks, waiting) = sync_channel(WAITING);
            let thread =
                std::thread::Builder::new()
                    .name(name.clone())
                    .spawn(move || worker.run(&waiting))
                    .map_err(|error| Error::Device { device: name.clone(), reason: error.to_string() })?;
            workers.others.push(Other { name, tasks: Some(tasks), thread: Some(thread) });
        }
        let introduced = workers.peers.introduce();
        workers.or_cause(introduced)?;
        Ok(workers)
    }

    /// What the batch teaches, of which the caller's device takes its part with `learner`.
    ///
    /// # Errors
    /// [`Error::Device`] when a device failed, or when they do not agree.
    pub(super) fn learn<L: Learner>(
        &mut self,
        learner: &L,
        batch: HostBatch,
        plan: &Plan<'_>,
        step: usize,
        rate: f64,
    ) -> Result<Learned> {
        let task = Task { batch: Arc::new(batch), step, rate };
        for tasks in self.others.iter().filter_map(|other| other.tasks.as_ref()) {
            // Whoever does not take it has stopped, which the sum will say.
            let _ = tasks.send(task.clone());
        }
        let lesson = Lesson::new(&task.batch, &plan.shares, step, plan.split, plan.device);
        let learned = learn_part(learner, &lesson, &task.batch, &self.peers, self.steps_done);
        self.steps_done += 1;
        self.or_cause(learned)
    }

    /// The result; or, where it failed because another worker did, that worker's error.
    fn or_cause<T>(&mut self, result: Result<T>) -> Result<T> {
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let ended = self.end();
        Err(if is_consequence(&error) { ended.unwrap_or(error) } else { error })
    }

    /// Ends the threads; the first error that is not about another's.
    fn end(&mut self) -> Option<Error> {
        self.peers.leave();
        self.others.iter_mut().for_each(|other| other.tasks = None);
        let mut first = None;
        for other in &mut self.others {
            let Some(thread) = other.thread.take() else { continue };
            let error = match thread.join() {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(_) => {
                    Error::Device { device: other.name.clone(), reason: "its thread broke down".into() }
                }
            };
            if first.is_none() && !is_consequence(&error) {
                first = Some(error);
            }
        }
        first
    }
}

impl Drop for Workers {
    /// What the threads say at the end was said before, or comes too late: every step was summed.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// A worker on its own thread.
struct Worker<L> {
    name: String,
    learner: L,
    sgd: Sgd,
    shares: Vec<Vec<f32>>,
    split: Split,
    device: Device,
    peers: Peers,
}

impl<L: Learner> Worker<L> {
    fn run(mut self, tasks: &Receiver<Task>) -> Result<()> {
        self.peers.introduce()?;
        let mut learner = self.learner;
        for (steps_done, Task { batch, step, rate }) in tasks.iter().enumerate() {
            learner = learner.before(step);
            let lesson = Lesson::new(&batch, &self.shares, step, self.split, &self.device);
            let learned = learn_part(&learner, &lesson, &batch, &self.peers, steps_done)?;
            learner = self.sgd.step(learner, learned.gradients, rate);
            if let Some(statistics) = learned.statistics {
                learner = learner.absorb(statistics);
            }
            self.device
                .flush()
                .map_err(|error| Error::Device { device: self.name.clone(), reason: format!("{error:?}") })?;
        }
        Ok(())
    }
}

/// What the batch teaches, of which this worker takes its part and gets the rest from its peers.
fn learn_part<L: Learner>(
    learner: &L,
    lesson: &Lesson<'_>,
    batch: &HostBatch,
    peers: &Peers,
    steps_done: usize,
) -> Result<Learned> {
    // Once with the weights that all were given, once with those that all came to.
    if steps_done < 2 {
        peers.agree("the weights", Tensor::cat(weights(learner), 0))?;
    }
    let images = peers.part(batch.items.len());
    let tally = lesson.tally(learner, images.clone()).map(|counts| peers.sum(counts)).transpose()?;
    let own = lesson.gradients(learner, images, tally);
    // One vector, so that there is one sum a step.
    let mut parts = gradients(learner, &own.gradients);
    parts.push(own.losses);
    let statistics = own.statistics.as_ref().map_or(0, |statistics| statistics.dims()[0]);
    parts.extend(own.statistics);
    let sum = peers.sum(Tensor::cat(parts, 0))?;
    if steps_done == 0 {
        peers.agree("the gradients", sum.clone())?;
    }
    let losses = sum.dims()[0] - LOSSES - statistics;
    Ok(Learned {
        losses: sum.clone().narrow(0, losses, LOSSES),
        gradients: apart(learner, &own.gradients, &sum),
        threshold_step: own.threshold_step,
        statistics: (statistics > 0).then(|| sum.narrow(0, losses + LOSSES, statistics)),
    })
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

/// Every parameter, flat, in the module's order, without autodiff.
fn weights<L: Learner>(learner: &L) -> Vec<Tensor<1>> {
    struct Weights(Vec<Tensor<1>>);
    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(flat(param.val().inner()));
        }
    }
    let mut weights = Weights(Vec::new());
    learner.visit(&mut weights);
    weights.0
}

/// Every gradient that there is, flat, in the module's order.
fn gradients<L: Learner>(learner: &L, of: &GradientsParams) -> Vec<Tensor<1>> {
    struct Gradients<'a>(&'a GradientsParams, Vec<Tensor<1>>);
    impl ModuleVisitor for Gradients<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(self.0.get::<D>(param.id).map(flat));
        }
    }
    let mut gradients = Gradients(of, Vec::new());
    learner.visit(&mut gradients);
    gradients.1
}

/// [`gradients`], put together to one vector, taken apart again; `like` are gradients of the same
/// parameters.
fn apart<L: Learner>(learner: &L, like: &GradientsParams, values: &Tensor<1>) -> GradientsParams {
    struct Apart<'a> {
        like: &'a GradientsParams,
        values: &'a Tensor<1>,
        start: usize,
        gradients: GradientsParams,
    }
    impl ModuleVisitor for Apart<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(like) = self.like.get::<D>(param.id) else { return };
            let shape = like.shape();
            let count = shape.num_elements();
            let part: Tensor<D> = self.values.clone().narrow(0, self.start, count).reshape(shape);
            self.gradients.register(param.id, part);
            self.start += count;
        }
    }
    let mut apart = Apart { like, values, start: 0, gradients: GradientsParams::new() };
    learner.visit(&mut apart);
    apart.gradients
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::settings::OptimizerSettings;
    use crate::run::step;
    use crate::run::step::tests::{Work, assert_close, five_images, for_each_learner, in_parts, values};

    /// What each of `workers` learns from the batch, of which `micro_batch` images go through at once.
    fn together<L: Learner>(
        learner: &L,
        step: usize,
        workers: usize,
        micro_batch: usize,
    ) -> Vec<(Vec<f32>, Vec<f32>)> {
        let (batch, shares) = five_images();
        let group = Peers::group(&vec![Device::flex(); workers], false);
        std::thread::scope(|scope| {
            let threads: Vec<_> = group
                .into_iter()
                .map(|peers| {
                    let (batch, shares) = (&batch, &shares);
                    let device = peers.device().clone().autodiff();
                    let learner = learner.clone().fork(&device);
                    scope.spawn(move || {
                        let lesson = Lesson::new(batch, shares, step, in_parts(micro_batch), &device);
                        let learned = learn_part(&learner, &lesson, batch, &peers, 0).unwrap();
                        values(&learner, &learned)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    struct Together;

    impl Work for Together {
        fn on<L: Learner>(&mut self, learner: &L, step: usize) {
            let (batch, shares) = five_images();
            let device = Device::flex().autodiff();
            let (gradients, losses) = values(
                learner,
                &step::learn(learner, &batch, &shares, step, in_parts(batch.items.len()), &device),
            );
            for (workers, micro_batch) in [(2, 5), (3, 5), (5, 5), (2, 2), (3, 1)] {
                let found = together(learner, step, workers, micro_batch);
                assert_eq!(found.len(), workers);
                for (of_worker, of_worker_losses) in &found {
                    assert_close(of_worker, &gradients, 1e-4);
                    assert_close(of_worker_losses, &losses, 1e-4);
                    assert_eq!(of_worker, &found[0].0, "workers must not drift apart by a bit");
                }
            }
        }
    }

    #[test]
    fn several_devices_learn_what_one_learns_from_the_whole_batch() {
        for_each_learner(Together);
    }

    /// The error of an optimiser's step that one of two workers takes at another rate.
    struct Drift(Vec<String>);

    impl Work for &mut Drift {
        fn on<L: Learner>(&mut self, learner: &L, step: usize) {
            let (batch, shares) = five_images();
            let names = groups_of(learner);
            let errors = std::thread::scope(|scope| {
                let threads: Vec<_> = Peers::group(&vec![Device::flex(); 2], false)
                    .into_iter()
                    .zip([0.001, 0.1])
                    .map(|(peers, rate)| {
                        let (batch, shares, names) = (&batch, &shares, names.clone());
                        let device = peers.device().clone().autodiff();
                        let learner = learner.clone().fork(&device);
                        scope.spawn(move || {
                            let lesson = Lesson::new(batch, shares, step, in_parts(5), &device);
                            let learned = learn_part(&learner, &lesson, batch, &peers, 0).unwrap();
                            let mut sgd = Sgd::new(OptimizerSettings::default(), names);
                            let learner = sgd.step(learner, learned.gradients, rate);
                            learn_part(&learner, &lesson, batch, &peers, 1).map(|_| ())
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            self.0.extend(errors.into_iter().map(|error| error.unwrap_err().to_string()));
        }
    }

    fn groups_of<L: Learner>(learner: &L) -> std::collections::HashMap<u64, crate::method::ParameterGroup> {
        struct Ids(Vec<u64>);
        impl ModuleVisitor for Ids {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.push(param.id.val());
            }
        }
        let mut ids = Ids(Vec::new());
        learner.visit(&mut ids);
        let group = crate::method::ParameterGroup { head: true, decay: false };
        ids.0.into_iter().map(|id| (id, group)).collect()
    }

    #[test]
    fn networks_that_drift_apart_are_found_before_the_second_step() {
        let mut drift = Drift(Vec::new());
        for_each_learner(&mut drift);
        assert_eq!(drift.0.len(), 20);
        assert!(
            drift.0.iter().all(|error| error.contains("do not agree about the weights")),
            "{:?}",
            drift.0
        );
    }

    #[test]
    fn the_error_told_is_that_of_the_device_that_failed() {
        let mut group = Peers::group(&vec![Device::flex(); 2], false).into_iter();
        let (own, other) = (group.next().unwrap(), group.next().unwrap());
        let thread = std::thread::spawn(move || {
            drop(other);
            Err(Error::Device { device: "card 1".into(), reason: "out of memory".into() })
        });
        let other = Other { name: "card 1".into(), tasks: None, thread: Some(thread) };
        let sum = own.sum(Tensor::ones([3], &Device::flex()));
        let mut workers = Workers { peers: own, steps_done: 0, others: vec![other] };
        let error = workers.or_cause(sum).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("out of memory"), "{error}");
    }
}
