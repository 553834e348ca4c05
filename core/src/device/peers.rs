//! Several devices that compute one sum: what data-parallel training needs of them.
//!
//! On CUDA the sum is burn's own collective, which is NCCL's all-reduce: no device waits for the host. burn
//! 0.22 has no collective for another backend (its CPU backend leaves `all_reduce` unimplemented, and cubecl's
//! others refuse it), so elsewhere the threads meet and add up on the host. The first is compiled with every
//! build and **has never been run**: no machine with two cards was at hand. What it could get wrong is looked
//! for when a group starts ([`Peers::introduce`]) and in a round's first steps ([`Peers::agree`]).

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use burn::tensor::distributed::{ReduceOperation, all_reduce};
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{Error, Result};
use crate::tensor::read_all;

/// Largest relative difference of two devices that did the same. Cards of different kinds may add up in
/// another order.
const TOLERANCE: f32 = 1e-4;

/// One of several workers, each with a device and a thread of its own. When one is dropped, those that wait
/// for it, or will, get an error.
pub struct Peers {
    rank: usize,
    device: Device,
    meeting: Arc<Meeting>,
    /// All devices in one order, where burn adds up; `None` where the host does.
    collective: Option<Vec<Device>>,
}

impl Peers {
    /// Workers for `devices`, without autodiff, which must all be CUDA cards or all the CPU.
    pub fn group(devices: &[Device], on_cuda: bool) -> Vec<Self> {
        let meeting = Arc::new(Meeting::new(devices.len()));
        let of_device = |(rank, device): (usize, &Device)| Self {
            rank,
            device: device.clone(),
            meeting: Arc::clone(&meeting),
            collective: on_cuda.then(|| devices.to_vec()),
        };
        devices.iter().enumerate().map(of_device).collect()
    }

    /// The device of this worker, without autodiff.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The part of `count` things that this worker takes: the parts follow one another and differ by at most
    /// one.
    pub fn part(&self, count: usize) -> Range<usize> {
        let workers = self.meeting.workers;
        self.rank * count / workers..(self.rank + 1) * count / workers
    }

    /// The sum of `values`, `[n]`, over all workers, on this worker's device. All workers call it alike.
    ///
    /// # Errors
    /// [`Error::Device`] when a worker left, brought another length, or a device failed.
    pub fn sum(&self, values: Tensor<1>) -> Result<Tensor<1>> {
        let [length] = values.dims();
        let Some(devices) = &self.collective else {
            let own = pollster::block_on(read_all(vec![values]))?.concat();
            let all = self.exchange(length, own)?;
            let mut sum = vec![0.0; length];
            for (_, values) in all.iter() {
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            return Ok(Tensor::from_data(TensorData::new(sum, [length]), &self.device));
        };
        // NCCL waits for ever for a worker that left or that brings another length.
        self.exchange(length, Vec::new())?;
        Ok(all_reduce(values, ReduceOperation::Sum, devices.clone()).resolve())
    }

    /// What each worker brings to a sum of `length` numbers.
    fn exchange(&self, length: usize, own: Vec<f32>) -> Result<Brought> {
        let all = self.meeting.exchange(self.rank, (length, own))?;
        match all.iter().all(|&(of_worker, _)| of_worker == length) {
            true => Ok(all),
            false => {
                let lengths: Vec<usize> = all.iter().map(|&(length, _)| length).collect();
                Err(failed(format!("the devices have sums of different lengths: {lengths:?}")))
            }
        }
    }

    /// Whether adding up works: a sum of known numbers. Asked once, before anything is learned.
    ///
    /// # Errors
    /// [`Error::Device`] when it does not, and what may be missing.
    pub fn introduce(&self) -> Result<()> {
        let own = TensorData::new(vec![self.rank as f32 + 1.0, 1.0], [2]);
        // cubecl panics where it has no collectives; nothing else tells.
        let found = catch_unwind(AssertUnwindSafe(|| {
            let sum = self.sum(Tensor::from_data(own, &self.device))?;
            Ok(pollster::block_on(read_all(vec![sum]))?.concat())
        }));
        let workers = self.meeting.workers as f32;
        let reason = match found {
            Ok(Ok(sum)) if sum == [workers * (workers + 1.0) / 2.0, workers] => return Ok(()),
            Ok(Ok(sum)) => format!("{sum:?} is no sum"),
            Ok(Err(error)) if is_consequence(&error) => return Err(error),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "there is no way from one to the other".to_owned(),
        };
        let missing = if self.collective.is_some() { "; is NCCL (libnccl.so) installed?" } else { "" };
        Err(failed(format!("the devices cannot add up their gradients: {reason}{missing}")))
    }

    /// Whether all workers have the same `values`, `[n]`, as far as two sums over them tell.
    ///
    /// # Errors
    /// [`Error::Device`] when they do not, naming `what`: going on would train networks that drift apart.
    pub fn agree(&self, what: &str, values: Tensor<1>) -> Result<()> {
        let sums = Tensor::cat(vec![values.clone().abs().sum(), values.square().sum()], 0);
        let all = self.exchange(2, pollster::block_on(read_all(vec![sums]))?.concat())?;
        let all: Vec<&[f32]> = all.iter().map(|(_, sums)| sums.as_slice()).collect();
        let same = |a: &f32, b: &f32| a == b || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs());
        // Both no numbers: a network that blew up is found and told elsewhere.
        let as_first =
            |own: &&[f32]| own.iter().zip(all[0]).all(|(a, b)| same(a, b) || (a.is_nan() && b.is_nan()));
        if all.iter().all(as_first) {
            return Ok(());
        }
        Err(failed(format!("the devices do not agree about {what} ({all:?}); train on one of them")))
    }

    /// Wakes those that wait for this worker, with an error.
    pub fn leave(&self) {
        self.meeting.leave();
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Whether the error only says that another worker had one.
pub fn is_consequence(error: &Error) -> bool {
    matches!(error, Error::Device { reason, .. } if reason == LEFT)
}

const LEFT: &str = "another of the devices stopped";

fn failed(reason: String) -> Error {
    Error::Device { device: "several".into(), reason }
}

/// What each worker brought, in their order: a length, and as many numbers or none.
type Brought = Arc<Vec<(usize, Vec<f32>)>>;

/// Where the workers' threads wait for each other and see what each brought.
struct Meeting {
    workers: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Exchanges that all workers came to.
    finished: u64,
    bringing: Vec<(usize, Vec<f32>)>,
    arrived: usize,
    brought: Brought,
    left: bool,
}

impl Meeting {
    fn new(workers: usize) -> Self {
        let state = State { bringing: vec![(0, Vec::new()); workers], ..State::default() };
        Self { workers, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The state can be read after a panic: it is changed only where nothing panics.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchange(&self, rank: usize, own: (usize, Vec<f32>)) -> Result<Brought> {
        let mut state = self.lock();
        if state.left {
            return Err(failed(LEFT.into()));
        }
        state.bringing[rank] = own;
        state.arrived += 1;
        if state.arrived == self.workers {
            let empty = vec![(0, Vec::new()); self.workers];
            state.brought = Arc::new(std::mem::replace(&mut state.bringing, empty));
            state.arrived = 0;
            state.finished += 1;
            self.changed.notify_all();
            return Ok(Arc::clone(&state.brought));
        }
        // The next exchange ends only when this worker has come to it, so what was brought stays.
        let this = state.finished;
        let waits = |state: &mut State| state.finished == this && !state.left;
        let state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        match state.finished == this {
            true => Err(failed(LEFT.into())),
            false => Ok(Arc::clone(&state.brought)),
        }
    }

    fn leave(&self) {
        self.lock().left = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of `count` workers on the CPU makes of it.
    fn each<T: Send>(count: usize, work: impl Fn(Peers) -> T + Sync) -> Vec<T> {
        let group = Peers::group(&vec![Device::flex(); count], false);
        std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = group.into_iter().map(|peers| scope.spawn(move || work(peers))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn tensor(values: &[f32]) -> Tensor<1> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex())
    }

    #[test]
    fn every_worker_has_the_sum_time_after_time() {
        let found = each(3, |peers| {
            peers.introduce().unwrap();
            let steps = (0..20).map(|step| {
                let own = tensor(&[peers.rank as f32, step as f32]);
                peers.sum(own).unwrap().into_data().try_to_vec::<f32>().unwrap()
            });
            steps.collect::<Vec<_>>()
        });
        let expected: Vec<Vec<f32>> = (0..20).map(|step| vec![3.0, 3.0 * step as f32]).collect();
        assert_eq!(found, vec![expected; 3]);
    }

    #[test]
    fn parts_cover_a_batch_once() {
        for (count, workers) in [(8, 2), (5, 3), (3, 3), (2, 3)] {
            let parts: Vec<Range<usize>> = each(workers, |peers| peers.part(count));
            assert_eq!(parts.iter().cloned().flatten().collect::<Vec<_>>(), (0..count).collect::<Vec<_>>());
            let sizes = || parts.iter().map(ExactSizeIterator::len);
            assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1, "{parts:?}");
        }
    }

    #[test]
    fn nobody_waits_for_a_worker_that_left() {
        let found = each(3, |peers| match peers.rank {
            1 => None,
            _ => Some(peers.sum(tensor(&[1.0])).map(|_| ()).unwrap_err()),
        });
        assert!(found.iter().flatten().all(is_consequence), "{found:?}");
    }

    #[test]
    fn what_differs_is_refused() {
        let uneven = each(2, |peers| peers.sum(tensor(&vec![1.0; 2 + peers.rank])).map(|_| ()).unwrap_err());
        assert!(uneven.iter().all(|error| error.to_string().contains("[2, 3]")), "{uneven:?}");
        let differing = each(2, |peers| peers.agree("the weights", tensor(&[1.0 + peers.rank as f32])));
        assert!(differing.iter().all(|found| {
            found.as_ref().unwrap_err().to_string().contains("do not agree about the weights")
        }));
        let same = each(2, |peers| peers.agree("the weights", tensor(&[1.0, -2.0, f32::NAN])));
        assert!(same.iter().all(Result::is_ok));
    }

    #[test]
    fn a_device_without_collectives_is_told_to_have_none() {
        // burn has none for the CPU; when it gets one, the sum on the host can go.
        let mut alone = Peers::group(&[Device::flex()], true);
        let error = alone.remove(0).introduce().unwrap_err().to_string();
        assert!(error.contains("cannot add up") && error.contains("NCCL"), "{error}");
    }
}
