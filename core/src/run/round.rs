//! One round: the loop over steps. Nothing in it waits for the device but the read of losses, every
//! few steps, and the preview.

use burn::tensor::{Device, Tensor};
use web_time::Instant;

use super::checkpoint::{self, Position};
use super::event::{Collapse, Event, LossPoint, Phase};
use super::host::Host;
use super::journal::Journal;
use super::pace::Pace;
use super::preview::Previews;
use super::saving::Saving;
use super::settings::Settings;
use super::step::LOSSES;
use super::store::RunStore;
use super::trainee::{Told, Trainee};
use super::watch::{Watch, advice};
use crate::backbone::weights::NameList;
use crate::dataset::Dataset;
use crate::dataset::batch::{Batch as HostBatch, Sampler, make_batch, training_side};
use crate::dataset::cache::ImageCache;
use crate::dataset::targets::Targets;
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::memory::Split;
use crate::method::{MethodName, Setup, Supervision};
use crate::optim::polynomial;
use crate::tensor::read_all;

/// Losses are read when this many steps wait, or as many as a device does in [`READ_SECONDS`]: a slow one
/// must not fall far behind, as news, pictures and the wish to stop wait for what is queued.
const READ_STEPS: usize = 10;
const READ_SECONDS: f64 = 0.5;

/// What a round is given.
pub(super) struct Plan<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) settings: &'a Settings,
    pub(super) compute: &'a Compute,
    pub(super) device: &'a Device,
    /// Whose network is trained.
    pub(super) network: MethodName,
    pub(super) setup: Setup<'a>,
    pub(super) round: usize,
    pub(super) start_step: usize,
    pub(super) steps: usize,
    /// Steps of earlier rounds and of all rounds, for progress.
    pub(super) steps_before: usize,
    pub(super) steps_of_all: usize,
    pub(super) rate: f64,
    pub(super) split: Split,
    /// Items to learn from.
    pub(super) items: Vec<usize>,
    /// Masks to learn from; `None` where images teach as a whole.
    pub(super) targets: Option<&'a Targets>,
    /// `[items][classes]`; empty in round 0.
    pub(super) shares: Vec<Vec<f32>>,
    pub(super) names: NameList,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All steps are done.
    Finished,
    /// The host wanted to stop; a checkpoint was written.
    Stopped,
}

/// A step whose losses are still on the device, [`LOSSES`] of them.
struct Waiting {
    step: usize,
    told: Told,
}

/// Trains the network from `start_step` to the end of the round.
pub(super) async fn train_round<H: Host, S: RunStore>(
    mut trainee: Box<dyn Trainee>,
    mut plan: Plan<'_>,
    previews: &mut Previews,
    cache: &mut ImageCache,
    journal: &mut Journal<'_, H, S>,
) -> Result<Ended> {
    let Plan { dataset, settings, round, steps, targets, .. } = plan;
    // Each round sees the images in an order of its own.
    let seed = settings.seed.wrapping_add((round as u64) << 32);
    let sampler = Sampler::new(std::mem::take(&mut plan.items), settings.batch, seed);
    let learns_from_boxes = plan.network.method().supervision() == Supervision::Boxes;
    let mut reported = std::collections::BTreeSet::new();
    let mut prepare = |step: usize, journal: &mut Journal<'_, H, S>| -> Result<HostBatch> {
        let items = sampler.batch_items(step);
        let side = training_side(settings.size, &settings.augment, seed, step);
        let (mut batch, mut problems) =
            make_batch(dataset, cache, &items, side, &settings.augment, seed, step)?;
        if let Some(targets) = targets {
            let (with_targets, bad) = batch.with_targets(targets, dataset, &settings.augment, seed, step);
            batch = with_targets;
            problems.extend(bad);
        }
        if learns_from_boxes {
            batch = batch.with_boxes(dataset, &settings.augment, seed, step);
        }
        for problem in problems {
            if reported.insert(problem.path.clone()) {
                journal.tell(Event::Warning { message: format!("{}: {}", problem.reason, problem.path) })?;
            }
        }
        Ok(batch)
    };

    // What was made on the way to this round is not needed again, and the device keeps it until told. Not in a
    // browser: buffers that are let go of live on until its garbage collector comes by, and the next round
    // would make new ones beside them (twice the peak, counted in Chromium).
    #[cfg(not(target_arch = "wasm32"))]
    plan.compute.device.memory_cleanup();
    let reading = plan.network.method().reading(settings);
    let mut watch = Watch::new(mean_share(dataset, &plan.shares), reading.needs_no_labels());
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut pace = Pace::start();
    let mut saving = Saving::begin();
    let mut next = None;
    for step in plan.start_step..steps {
        if !journal.goes_on(round, step).await? {
            let points = read(waiting).await?;
            if !points.is_empty() {
                report_collapses(&points, &mut watch, round, step, journal)?;
                let learning_rate = polynomial(plan.rate, step, steps, settings.optimizer.power);
                journal.tell(Event::Losses { round, points, learning_rate })?;
            }
            save(trainee.as_ref(), &plan, step, journal).await?;
            journal.tell(Event::Stopped { round, step })?;
            return Ok(Ended::Stopped);
        }
        let batch = match next.take() {
            Some(batch) => batch,
            None => prepare(step, journal)?,
        };
        let rate = polynomial(plan.rate, step, steps, settings.optimizer.power);
        waiting.push(Waiting { step, told: trainee.step(batch, &plan, step, rate)? });
        // Hand the queued kernels over, so that they run while the next batch is decoded.
        plan.device.flush().map_err(|error| lost(plan.compute, format!("{error:?}")))?;
        if step + 1 < steps {
            next = Some(prepare(step + 1, journal)?);
        }

        let is_last = step + 1 == steps;
        let enough = pace.units_in(READ_SECONDS).clamp(1, READ_STEPS);
        // What is saved has been looked at: a network of no numbers must not replace a good one.
        let save_is_due = saving.is_due() && !is_last;
        if waiting.len() >= enough || pace.elapsed() > READ_SECONDS || is_last || save_is_due {
            let count = waiting.len();
            let points = read(std::mem::take(&mut waiting)).await?;
            pace.measure(count);
            report_collapses(&points, &mut watch, round, step, journal)?;
            journal.tell(Event::Losses { round, points, learning_rate: rate })?;
            let (done, total) = (plan.steps_before + step + 1, plan.steps_of_all);
            let seconds_left = pace.seconds_left(total - done);
            journal.tell(Event::Progress { phase: Phase::Training, done, total, seconds_left })?;
        }
        if previews.are_due() || (is_last && !previews.is_empty()) {
            let when = (settings.size, round, step);
            let network = trainee.network();
            for event in previews.make(network.as_ref(), reading, dataset, plan.compute, when).await? {
                journal.tell(event)?;
            }
            pace.skip();
        }
        if save_is_due {
            let started = Instant::now();
            save(trainee.as_ref(), &plan, step + 1, journal).await?;
            journal.tell(Event::Saved { round, step: step + 1 })?;
            saving.wrote(started);
            pace.skip();
        }
    }
    save(trainee.as_ref(), &plan, steps, journal).await?;
    journal.tell(Event::Saved { round, step: steps })?;
    Ok(Ended::Finished)
}

async fn read(waiting: Vec<Waiting>) -> Result<Vec<LossPoint>> {
    let (facts, tensors): (Vec<_>, Vec<_>) =
        waiting.into_iter().map(|Waiting { step, told }| ((step, told.threshold_step), told.losses)).unzip();
    if tensors.is_empty() {
        return Ok(Vec::new());
    }
    // Put together on the device: one buffer to wait for, however many steps.
    let values = read_all(vec![Tensor::cat(tensors, 0)]).await?.concat();
    let point = |((step, threshold_step), values): ((usize, bool), &[f32])| {
        let value = |index: usize| values.get(index).copied().unwrap_or(f32::NAN);
        LossPoint {
            step,
            total: value(0),
            main: value(1),
            share: value(2),
            activation: value(3),
            threshold_step,
        }
    };
    Ok(facts.into_iter().zip(values.chunks(LOSSES)).map(point).collect())
}

fn report_collapses<H: Host, S: RunStore>(
    points: &[LossPoint],
    watch: &mut Watch,
    round: usize,
    step: usize,
    journal: &mut Journal<'_, H, S>,
) -> Result<()> {
    let Some(kind) = points.iter().find_map(|point| watch.see(point)) else { return Ok(()) };
    let advice = advice(kind);
    journal.tell(Event::Collapsed { round, step, kind, advice: advice.into() })?;
    if kind == Collapse::NotANumber {
        // Going on would only overwrite the last checkpoint with what cannot be used.
        return Err(Error::Setting { name: "learning-rate", reason: format!("training stopped: {advice}") });
    }
    Ok(())
}

async fn save<H: Host, S: RunStore>(
    trainee: &dyn Trainee,
    plan: &Plan<'_>,
    step: usize,
    journal: &mut Journal<'_, H, S>,
) -> Result<()> {
    let weights = plan.names.read(trainee.parameters()).await?;
    let optimizer = trainee.optimizer().save(&plan.names).await?;
    let position = Position { round: plan.round, step };
    checkpoint::save(journal.store, plan.network, position, &weights, &optimizer)?;
    if step == plan.steps {
        checkpoint::save_round(journal.store, plan.network, position, &weights)?;
    }
    Ok(())
}

fn mean_share(dataset: &Dataset, shares: &[Vec<f32>]) -> f32 {
    let of_present = shares
        .iter()
        .zip(&dataset.items)
        .flat_map(|(shares, item)| item.labels.iter().filter_map(|&class| shares.get(usize::from(class))));
    let (sum, count) = of_present.fold((0.0f32, 0usize), |(sum, count), share| (sum + share, count + 1));
    sum / count.max(1) as f32
}

fn lost(compute: &Compute, reason: String) -> Error {
    Error::Device { device: compute.info.name.clone(), reason }
}
