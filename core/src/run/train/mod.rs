//! A whole run: the rounds of its method, one after the other, each from the network of the one before.

mod box_masks;
mod shares;
mod start;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use burn::tensor::Device;
use web_time::Instant;

use super::begun;
use super::checkpoint::{self, Position, RunCard, Trained};
use super::event::Event;
use super::host::Host;
use super::journal::Journal;
use super::preview::Previews;
use super::round::{Ended, Plan, train_round};
use super::settings::Settings;
use super::store::RunStore;
use super::trainee;
use crate::backbone::weights::{FileSource, Given, RandomSource, Source, TensorFile};
use crate::dataset::Dataset;
use crate::dataset::batch::Sampler;
use crate::dataset::cache::{DEFAULT_BYTES, ImageCache};
use crate::dataset::targets::Targets;
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::export::model::{self, ModelCard};
use crate::files::{FileSet, MemoryBlob};
use crate::memory::{Advice, Processor, Split, Work, advice, peak};
use crate::method::{
    MapHead, PortableHead, Preparation, Round, Setup, Supervision, adopt, map_head, names, pretrained,
};

/// What a run is given.
pub struct Run<'a> {
    /// The labelled images.
    pub dataset: &'a Dataset,
    /// All settings.
    pub settings: &'a Settings,
    /// The device.
    pub compute: &'a Compute,
    /// Pretrained backbone weights.
    pub weights: Option<&'a TensorFile>,
    /// Masks to learn from: what methods that learn from masks need, and what others may have of some images.
    pub targets: Option<&'a Targets>,
    /// Images to show while training.
    pub previews: &'a [usize],
    /// Whether to go on from what is in the store.
    pub resume: bool,
}

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All rounds are done.
    Finished,
    /// The host wanted to stop; the run can be resumed.
    Stopped,
}

/// Trains. What was learned is in the store at the end, and at every checkpoint before it.
///
/// # Errors
/// [`Error::Setting`] for settings that cannot run and masks that are missing, [`Error::NoData`] for a data set without classes,
/// [`Error::Weights`] for weights that do not fit, [`Error::Device`] when the device fails, and the
/// store's.
pub async fn train<H: Host, S: RunStore>(run: &Run<'_>, host: &mut H, store: &mut S) -> Result<Ending> {
    run.settings.check()?;
    if run.dataset.classes.is_empty() || run.dataset.items.is_empty() {
        return Err(Error::NoData { reason: "there is no image with a class to learn from".into() });
    }
    let method = run.settings.method;
    if method.learns_from_masks() && run.targets.is_none() {
        let id = method.id();
        let reason =
            format!("the method {id} learns from masks: give the folder that `tag2mask masks` wrote");
        return Err(Error::Setting { name: "masks", reason });
    }
    let given = given_masks(run, store)?;
    let run = &Run { targets: run.targets.or(given.as_ref()), ..*run };
    if items(run).is_empty() {
        let reason = "no image has a box: give them in boxes.csv, or take a method that learns from labels";
        return Err(Error::NoData { reason: reason.into() });
    }
    share_batches(run)?;
    let masks = run.targets.map(|targets| targets.fingerprint(run.dataset)).transpose()?;
    let trained = if run.resume { Trained::load(store, None)? } else { None };
    if let Some(trained) = &trained {
        fits(&trained.card, run, masks)?;
    }
    let advice = advise(run, trained.as_ref().and_then(|trained| trained.card.split));
    if trained.is_none() {
        begun::begin(store)?;
        if let Some(targets) = run.targets.filter(|_| !method.learns_from_masks()) {
            store.write(checkpoint::GIVEN_MASKS, &targets.pack(run.dataset)?)?;
        }
        RunCard::new(run.settings, &run.dataset.classes, run.dataset.items.len())
            .with_masks(masks)
            .with_split(advice.fit.split)
            .with_counts(run.dataset)
            .save(store)?;
    }
    Session::new(run, advice, Journal { host, store }).run(trained).await
}

/// Masks that were given beside labels when the run started: it goes on with them, whoever has them still.
fn given_masks(run: &Run<'_>, store: &impl RunStore) -> Result<Option<Targets>> {
    if !run.resume || run.settings.method.learns_from_masks() {
        return Ok(None);
    }
    let Some(bytes) = store.read(checkpoint::GIVEN_MASKS)? else { return Ok(None) };
    let files = FileSet::archive(checkpoint::GIVEN_MASKS, Arc::new(MemoryBlob::new(bytes)))?;
    Targets::read(&files, run.dataset).map(Some)
}

/// How batches will be worked through: as `before`, where that still fits.
fn advise(run: &Run<'_>, before: Option<Split>) -> Advice {
    let (settings, device) = (run.settings, &run.compute.info);
    // Each of several cards takes a part of every batch.
    let batch = settings.batch.div_ceil(run.compute.devices());
    let of_device = Settings { batch, ..settings.clone() };
    let (classes, images) = (run.dataset.classes.len(), run.dataset.items.len());
    let mut advice = advice(&of_device, classes, images, device);
    if let Some(split) = before {
        let work = Work::of(&of_device, classes);
        let peak = |split| peak(&work, split, Processor::of(device));
        if peak(split) <= peak(advice.fit.split) {
            advice.fit.split = split;
        }
    }
    advice
}

/// The images that teach something.
fn items(run: &Run<'_>) -> Vec<usize> {
    let all = 0..run.dataset.items.len();
    match (run.targets, run.settings.method.method().supervision()) {
        (Some(targets), Supervision::Masks) => targets.items(),
        (_, Supervision::Boxes) => all.filter(|&item| !run.dataset.items[item].boxes.is_empty()).collect(),
        (_, Supervision::Labels | Supervision::Masks) => all.collect(),
    }
}

/// Several devices need an image each in every batch.
fn share_batches(run: &Run<'_>) -> Result<()> {
    let devices = run.compute.devices();
    let items = items(run).len();
    // Batches differ by at most one.
    let smallest = items / items.div_ceil(run.settings.batch).max(1);
    if devices > 1 && smallest < devices {
        return Err(Error::Setting {
            name: "batch",
            reason: format!(
                "{devices} devices need {devices} images a step; {items} images in batches of up to {} have \
                 {smallest}",
                run.settings.batch
            ),
        });
    }
    Ok(())
}

/// A run goes on only with the classes and settings it started with: the schedule depends on them.
fn fits(card: &RunCard, run: &Run<'_>, masks: Option<u64>) -> Result<()> {
    if card.masks != masks {
        return Err(Error::Setting {
            name: "masks",
            reason: "the run was started with other masks; go on with those, or start a new one".into(),
        });
    }
    if card.classes != run.dataset.classes {
        return Err(Error::NoData {
            reason: format!(
                "the run was started with the classes {}, this data set has {}",
                card.classes.join(", "),
                run.dataset.classes.join(", ")
            ),
        });
    }
    if card.images != run.dataset.items.len() {
        return Err(Error::NoData {
            reason: format!(
                "the run was started with {} photos, this data set has {}",
                card.images,
                run.dataset.items.len()
            ),
        });
    }
    if &card.settings != run.settings {
        return Err(Error::Setting {
            name: "resume",
            reason: "a run goes on with the settings in its run.json; start a new one to change them".into(),
        });
    }
    Ok(())
}

struct Session<'a, H: Host, S: RunStore> {
    run: &'a Run<'a>,
    journal: Journal<'a, H, S>,
    device: Device,
    rounds: Vec<Round>,
    cache: ImageCache,
    previews: Previews,
    items: Vec<usize>,
    steps_per_epoch: usize,
    advice: Advice,
}

impl<'a, H: Host, S: RunStore> Session<'a, H, S> {
    fn new(run: &'a Run<'a>, advice: Advice, journal: Journal<'a, H, S>) -> Self {
        let settings = run.settings;
        let largest = settings.augment.scales.iter().copied().fold(1.0, f64::max);
        let largest_side = (settings.size as f64 * largest).ceil() as usize;
        let items = items(run);
        Self {
            run,
            journal,
            device: run.compute.device.clone().autodiff(),
            rounds: settings.rounds(),
            // Images are kept a little larger than they are used: resizing twice blurs.
            cache: ImageCache::new(DEFAULT_BYTES, (2 * largest_side) as u32),
            previews: Previews::new(run.dataset, run.previews, 2 * settings.size),
            steps_per_epoch: Sampler::new(items.clone(), settings.batch, 0).steps_per_epoch(),
            items,
            advice,
        }
    }

    async fn run(mut self, trained: Option<Trained>) -> Result<Ending> {
        let started = Instant::now();
        let settings = self.run.settings;
        let start = trained.as_ref().map_or(Position { round: 0, step: 0 }, |trained| trained.position);
        let parameters = self.count_parameters()?;
        self.journal.tell(Event::RunStarted {
            settings: Box::new(settings.clone()),
            device: self.run.compute.info.clone(),
            parameters,
            micro_batch: self.advice.fit.split.micro_batch,
            recompute: self.advice.fit.split.recompute,
            memory: self.advice.fit.bytes,
            total_steps: self.steps_before(self.rounds.len()),
            done_steps: self.steps_before(start.round) + start.step,
            given_masks: self.run.targets.map_or(0, |targets| targets.items().len()),
        })?;
        if let Some(message) = self.advice.warning.clone() {
            self.journal.tell(Event::Warning { message })?;
        }

        let mut before = trained;
        for round in start.round..self.rounds.len() {
            let position = match &before {
                Some(before) if before.position.round == round => before.position,
                _ => Position { round, step: 0 },
            };
            if position.step < self.steps_of(round) {
                let Some(material) = self.prepare(round, before.as_ref()).await? else {
                    self.journal.tell(Event::Stopped { round, step: 0 })?;
                    return Ok(Ending::Stopped);
                };
                let ended = self.round(position, before.take(), material).await?;
                before = Trained::load(self.journal.store, None)?;
                if ended == Ended::Stopped {
                    // What it has learned can be used.
                    self.export(before.as_ref())?;
                    return Ok(Ending::Stopped);
                }
            }
        }
        self.export(before.as_ref())?;
        self.journal.tell(Event::TrainingFinished { seconds: started.elapsed().as_secs_f64() })?;
        Ok(Ending::Finished)
    }

    fn classes(&self) -> usize {
        self.run.dataset.classes.len()
    }

    fn setup(&self) -> Setup<'a> {
        let steps_per_epoch = self.steps_per_epoch;
        Setup { settings: self.run.settings, classes: self.run.dataset.classes.len(), steps_per_epoch }
    }

    fn steps_of(&self, round: usize) -> usize {
        self.rounds.get(round).map_or(0, |round| round.epochs) * self.steps_per_epoch
    }

    fn steps_before(&self, round: usize) -> usize {
        (0..round).map(|round| self.steps_of(round)).sum()
    }

    fn count_parameters(&self) -> Result<usize> {
        let names = names(self.run.settings.method, &self.setup(), &self.device)?;
        let sizes = names.entries.iter().filter(|(name, _)| !name.contains("running_"));
        Ok(sizes.map(|(_, shape)| shape.iter().product::<usize>()).sum())
    }

    /// What the round needs beside images and labels. `None` when the host stopped it.
    async fn prepare(&mut self, round: usize, before: Option<&Trained>) -> Result<Option<Material>> {
        Ok(match self.rounds[round].preparation.clone() {
            Preparation::Nothing | Preparation::GivenMasks => {
                Some(Material { targets: self.run.targets.cloned(), ..Material::default() })
            }
            Preparation::Shares { scales } => {
                let before = before.ok_or_else(|| self.no_network())?;
                let shares = self.shares_for(round, before, scales).await?;
                shares.map(|shares| Material { shares, targets: self.run.targets.cloned() })
            }
            Preparation::BoxMasks(cut) => {
                let cut = self.box_masks(&cut).await?;
                // What somebody has accepted is better than what was cut.
                let given = self.run.targets.cloned().unwrap_or_default();
                cut.map(|cut| Material { targets: Some(cut.with(&given)), ..Material::default() })
            }
        })
    }

    fn no_network(&self) -> Error {
        Error::Format {
            path: self.journal.store.describe("weights.safetensors"),
            reason: "the network of the round before is missing".into(),
        }
    }

    /// Trains a round from where it is, or from the network of the round `before`.
    async fn round(
        &mut self,
        position: Position,
        before: Option<Trained>,
        material: Material,
    ) -> Result<Ended> {
        let started = Instant::now();
        let settings = self.run.settings;
        let Position { round, step } = position;
        let steps = self.steps_of(round);
        let Round { network, epochs, learning_rate, .. } = self.rounds[round];
        self.journal.tell(Event::RoundStarted { round, rounds: self.rounds.len(), epochs, steps })?;
        let setup = self.setup();
        let names = names(network, &setup, &self.device)?;
        let adopted = match &before {
            Some(before) if before.network != network => {
                let seen = self.look(before, &material.shares).await?;
                let trained = before.named(&self::names(before.network, &setup, &self.device)?)?;
                Some(adopt(network, &setup, trained, &seen)?)
            }
            _ => None,
        };
        let mean_color = (before.is_none() && self.run.weights.is_none()).then(|| self.mean_color());
        let momentum = checkpoint::load_optimizer(self.journal.store, position)?;
        let plan = Plan {
            dataset: self.run.dataset,
            settings,
            compute: self.run.compute,
            device: &self.device,
            network,
            setup,
            round,
            start_step: step,
            steps,
            steps_before: self.steps_before(round),
            steps_of_all: self.steps_before(self.rounds.len()),
            rate: learning_rate,
            split: self.advice.fit.split,
            items: self.items.clone(),
            targets: material.targets.as_ref(),
            shares: material.shares,
            names,
        };
        let trainee = {
            let random = RandomSource::new(settings.seed);
            let mut source: Box<dyn Source> = match (adopted, &before, self.run.weights) {
                (Some(known), ..) => Box::new(Given::new(known, random)),
                (None, Some(before), _) => Box::new(FileSource::all(&before.weights)),
                (None, None, Some(file)) => {
                    let pretrained = pretrained(network, &setup, &plan.names);
                    let is_pretrained = move |name: &str| pretrained.contains(name);
                    Box::new(FileSource::with_random_rest(file, settings.seed, is_pretrained))
                }
                (None, None, None) => Box::new(Given::new(mean_color, random)),
            };
            trainee::begin(&plan, source.as_mut(), momentum.as_ref(), before.is_none())?
        };
        // As large as the network, which has its tensors now.
        drop((before, momentum));
        let ended =
            train_round(trainee, plan, &mut self.previews, &mut self.cache, &mut self.journal).await?;
        if ended == Ended::Finished {
            self.journal.tell(Event::RoundFinished { round, seconds: started.elapsed().as_secs_f64() })?;
        }
        Ok(ended)
    }

    /// Writes the model that another program can load, where the network is such a one.
    fn export(&mut self, trained: Option<&Trained>) -> Result<()> {
        let Some(trained) = trained else { return Ok(()) };
        let MapHead::Pyramid(PortableHead { rates, scale }) = map_head(trained.network, &self.setup()) else {
            return Ok(());
        };
        let card = ModelCard::new(self.run.settings, &self.run.dataset.classes, rates);
        model::save(self.journal.store, &card, &trained.weights, scale)
    }
}

/// What a round learns from, beside images and labels.
#[derive(Default)]
struct Material {
    /// `[items][classes]`; empty where none were measured.
    shares: Vec<Vec<f32>>,
    targets: Option<Targets>,
}
