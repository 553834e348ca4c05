//! A whole run: round 0 trains the plain classifier, whose masks give the first foreground shares;
//! each later round trains Spatial-BCE on the shares of the round before (METHODS §1, "Rounds").

mod segmenter;
mod shares;
mod start;

use burn::tensor::Device;
use web_time::Instant;

use super::checkpoint::{self, Position, RunCard, Stage, Trained};
use super::event::Event;
use super::host::Host;
use super::journal::Journal;
use super::preview::Previews;
use super::round::{Ended, Plan, train_round};
use super::settings::{MethodName, Settings};
use super::store::RunStore;
use crate::backbone::BackboneConfig;
use crate::backbone::weights::{FileSource, Given, NameList, RandomSource, Source, TensorFile};
use crate::dataset::Dataset;
use crate::dataset::batch::Sampler;
use crate::dataset::cache::{DEFAULT_BYTES, ImageCache};
use crate::dataset::targets::Targets;
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::memory::{Advice, Processor, Split, Work, advice, peak};
use crate::method::cam::CamConfig;
use crate::method::spatial_bce::{SpatialBce, SpatialBceConfig, from_cam};
use crate::method::{Learner, LearnerConfig};

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
    /// Masks to learn from: what [`MethodName::Deeplab`] needs, and no other method takes.
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
    if run.settings.method.learns_from_masks() != run.targets.is_some() {
        let reason = match run.targets {
            Some(_) => "only the method deeplab learns from masks",
            None => "the method deeplab learns from masks: give the folder that `tag2mask masks` wrote",
        };
        return Err(Error::Setting { name: "masks", reason: reason.into() });
    }
    share_batches(run)?;
    let masks = run.targets.map(|targets| targets.fingerprint(run.dataset)).transpose()?;
    let trained = if run.resume { Trained::load(store, None)? } else { None };
    if let Some(trained) = &trained {
        fits(&trained.card, run, masks)?;
    }
    let advice = advise(run, trained.as_ref().and_then(|trained| trained.card.split));
    if trained.is_none() {
        RunCard::new(run.settings, &run.dataset.classes, run.dataset.items.len())
            .with_masks(masks)
            .with_split(advice.fit.split)
            .save(store)?;
    }
    Session::new(run, advice, Journal { host, store }).run(trained).await
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

/// Several devices need an image each in every batch.
fn share_batches(run: &Run<'_>) -> Result<()> {
    let devices = run.compute.devices();
    let items = run.targets.map_or(run.dataset.items.len(), |targets| targets.items().len());
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
    if &card.settings != run.settings {
        return Err(Error::Setting {
            name: "resume",
            reason: "a run goes on with the settings in its run.json; start a new one to change them".into(),
        });
    }
    Ok(())
}

/// Whether pretrained weights have the tensor; heads are new.
fn is_of_backbone(name: &str) -> bool {
    !["cam.", "segmenter.", "head."].iter().any(|head| name.starts_with(head))
}

struct Session<'a, H: Host, S: RunStore> {
    run: &'a Run<'a>,
    journal: Journal<'a, H, S>,
    device: Device,
    backbone: BackboneConfig,
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
        let items = match run.targets {
            Some(targets) => targets.items(),
            None => (0..run.dataset.items.len()).collect(),
        };
        Self {
            run,
            journal,
            device: run.compute.device.clone().autodiff(),
            backbone: BackboneConfig::new(settings.backbone, settings.output_stride),
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
            total_steps: self.steps_before(settings.rounds()),
            done_steps: self.steps_before(start.round) + start.step,
        })?;
        if let Some(message) = self.advice.warning.clone() {
            self.journal.tell(Event::Warning { message })?;
        }

        if settings.method == MethodName::Deeplab {
            let ended = self.segmenter(trained.as_ref(), start).await?;
            if ended == Ended::Finished {
                self.journal.tell(Event::TrainingFinished { seconds: started.elapsed().as_secs_f64() })?;
            }
            return Ok(if ended == Ended::Finished { Ending::Finished } else { Ending::Stopped });
        }
        let cam = CamConfig { backbone: self.backbone, classes: self.classes() };
        let mut stage_weights = trained;
        if start.round == 0 && start.step < self.steps_of(0) {
            let learner = match &stage_weights {
                Some(trained) => cam.init(&mut FileSource::all(&trained.weights), &self.device)?,
                None => cam.init(self.first_weights().as_mut(), &self.device)?,
            };
            let (_, ended) =
                self.round(learner, cam.names(&self.device)?, Stage::Cam, start, Vec::new()).await?;
            if ended == Ended::Stopped {
                return Ok(Ending::Stopped);
            }
            stage_weights = Trained::load(self.journal.store, None)?;
        }
        for round in start.round.max(1)..settings.rounds() {
            let before = stage_weights.take().ok_or_else(|| Error::Format {
                path: self.journal.store.describe("weights.safetensors"),
                reason: "the network of the round before is missing".into(),
            })?;
            let position =
                if before.position.round == round { before.position } else { Position { round, step: 0 } };
            if position.step >= self.steps_of(round) {
                stage_weights = Some(before);
                continue;
            }
            let Some(shares) = self.shares_for(round, &before).await? else {
                self.journal.tell(Event::Stopped { round, step: 0 })?;
                return Ok(Ending::Stopped);
            };
            let (learner, names) = self.spatial_bce(&before, &shares).await?;
            // As large as the network, which has its tensors now.
            drop(before);
            let (_, ended) = self.round(learner, names, Stage::SpatialBce, position, shares).await?;
            if ended == Ended::Stopped {
                return Ok(Ending::Stopped);
            }
            stage_weights = Trained::load(self.journal.store, None)?;
        }
        self.journal.tell(Event::TrainingFinished { seconds: started.elapsed().as_secs_f64() })?;
        Ok(Ending::Finished)
    }

    fn classes(&self) -> usize {
        self.run.dataset.classes.len()
    }

    fn steps_of(&self, round: usize) -> usize {
        self.run.settings.epochs_of(round) * self.steps_per_epoch
    }

    fn steps_before(&self, round: usize) -> usize {
        (0..round).map(|round| self.steps_of(round)).sum()
    }

    fn spatial_bce_config(&self) -> SpatialBceConfig {
        let settings = self.run.settings.spatial_bce.clone();
        SpatialBceConfig { backbone: self.backbone, classes: self.classes(), settings }
    }

    fn count_parameters(&self) -> Result<usize> {
        let count = |names: NameList| {
            let sizes = names.entries.iter().filter(|(name, _)| !name.contains("running_"));
            sizes.map(|(_, shape)| shape.iter().product::<usize>()).sum()
        };
        Ok(count(match self.run.settings.method {
            MethodName::Cam => {
                CamConfig { backbone: self.backbone, classes: self.classes() }.names(&self.device)?
            }
            MethodName::SpatialBce => self.spatial_bce_config().names(&self.device)?,
            MethodName::Deeplab => self.segmenter_config().names(&self.device)?,
        }))
    }

    /// Weights of the first round: the backbone from the file when there is one, the head at random.
    fn first_weights(&mut self) -> Box<dyn Source + 'a> {
        let seed = self.run.settings.seed;
        match self.run.weights {
            Some(file) => Box::new(FileSource::with_random_rest(file, seed, is_of_backbone)),
            None => Box::new(Given::new([self.mean_color()], RandomSource::new(seed))),
        }
    }

    /// The Spatial-BCE network: as it was, or started from the plain classifier.
    async fn spatial_bce(&mut self, before: &Trained, shares: &[Vec<f32>]) -> Result<(SpatialBce, NameList)> {
        let config = self.spatial_bce_config();
        let names = config.names(&self.device)?;
        let learner = match before.stage {
            Stage::SpatialBce | Stage::Deeplab => {
                config.init(&mut FileSource::all(&before.weights), &self.device)?
            }
            Stage::Cam => {
                let cam = CamConfig { backbone: self.backbone, classes: self.classes() };
                let learner = cam.init(&mut FileSource::all(&before.weights), &self.run.compute.device)?;
                let start = self.head_start(&learner, shares).await?;
                let tensors = cam.names(&self.device)?.read(&learner).await?;
                let seed = self.run.settings.seed;
                let known = from_cam(tensors, &start, seed)?;
                let mut source = Given::new(known, RandomSource::new(seed));
                config.init(&mut source, &self.device)?
            }
        };
        Ok((learner, names))
    }

    async fn round<L: Learner>(
        &mut self,
        learner: L,
        names: NameList,
        stage: Stage,
        position: Position,
        shares: Vec<Vec<f32>>,
    ) -> Result<(L, Ended)> {
        let started = Instant::now();
        let settings = self.run.settings;
        let Position { round, step } = position;
        let steps = self.steps_of(round);
        let epochs = settings.epochs_of(round);
        self.journal.tell(Event::RoundStarted { round, rounds: settings.rounds(), epochs, steps })?;
        let plan = Plan {
            dataset: self.run.dataset,
            settings,
            compute: self.run.compute,
            device: &self.device,
            stage,
            round,
            start_step: step,
            steps,
            steps_before: self.steps_before(round),
            steps_of_all: self.steps_before(settings.rounds()),
            rate: settings.rate_of(round),
            split: self.advice.fit.split,
            items: self.items.clone(),
            targets: self.run.targets,
            shares,
            names,
            optimizer: checkpoint::load_optimizer(self.journal.store, position)?,
        };
        let result =
            train_round(learner, plan, &mut self.previews, &mut self.cache, &mut self.journal).await?;
        if result.1 == Ended::Finished {
            self.journal.tell(Event::RoundFinished { round, seconds: started.elapsed().as_secs_f64() })?;
        }
        Ok(result)
    }
}
