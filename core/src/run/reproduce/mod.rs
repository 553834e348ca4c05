//! A benchmark as published, from labels to the figure on its validation set: rounds of Spatial-BCE, masks
//! of the training images by the network of every round, a segmentation network that learns from the last
//! of them, and its masks of the validation images.
//!
//! Every part has a folder, and a record in it once it has been worked on. A part that is not finished goes
//! on where it was left.

mod benchmark;
mod plan;
mod plots;
mod report;

use std::path::{Path, PathBuf};

use web_time::Instant;

pub use self::benchmark::Benchmark;
pub use self::plan::Plan;
pub use self::report::Row;
use super::host::Host;
pub use super::parts::Record;
use super::parts::{draw, learn, trained};
use super::scorer::is_blind;
use super::settings::Settings;
use super::store::FolderStore;
use super::train::{Ending, Run};
use crate::backbone::weights::TensorFile;
use crate::dataset::Dataset;
use crate::dataset::targets::Targets;
use crate::device::Compute;
use crate::error::Result;
use crate::export::atomic;
use crate::files::FileSet;

/// A part of the work, in the order in which they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All rounds of Spatial-BCE.
    Train,
    /// Masks of the training images by the network of a round; round 0 is the plain classifier.
    Masks(usize),
    /// The segmentation network, which learns from the last masks.
    Segmenter,
    /// Its masks of the validation images, whose labels it is not told.
    Predict,
}

/// What a reproduction is given.
pub struct Reproduction<'a> {
    /// What is done, and with which settings.
    pub plan: &'a Plan,
    /// The folder for everything.
    pub out: &'a Path,
    /// Images to learn from.
    pub training: &'a Dataset,
    /// Images to be scored on.
    pub validation: &'a Dataset,
    /// The device.
    pub compute: &'a Compute,
    /// Pretrained weights of the backbone, of both networks.
    pub weights: Option<&'a TensorFile>,
}

impl Part {
    /// All parts of a plan.
    pub fn all(plan: &Plan) -> Vec<Self> {
        let masks = (0..plan.first.rounds().len()).map(Self::Masks);
        [Self::Train].into_iter().chain(masks).chain([Self::Segmenter, Self::Predict]).collect()
    }

    /// The name of its folder.
    pub fn folder(self) -> String {
        match self {
            Self::Train => "spatial-bce".into(),
            Self::Masks(round) => format!("masks-round-{round}"),
            Self::Segmenter => "segmenter".into(),
            Self::Predict => "predictions".into(),
        }
    }

    /// What it is called in reports.
    pub fn title(self) -> String {
        match self {
            Self::Train => "training of Spatial-BCE".into(),
            Self::Masks(0) => "masks by the plain classifier (round 0)".into(),
            Self::Masks(round) => format!("masks by Spatial-BCE, round {round}"),
            Self::Segmenter => "training of the second stage".into(),
            Self::Predict => "second stage".into(),
        }
    }
}

impl Reproduction<'_> {
    /// What is known of a part; `None` when it has not been worked on.
    ///
    /// # Errors
    /// [`crate::Error::Format`] for a damaged record, and [`crate::Error::Io`].
    pub fn record(&self, part: Part) -> Result<Option<Record>> {
        Record::load(&FolderStore::open(&self.folder(part)))
    }

    /// Does a part, or goes on with it, and keeps the record of it.
    ///
    /// # Errors
    /// Those of [`learn`] and [`draw`]; [`crate::Error::Format`] when the part before has not been done.
    pub async fn run(&self, part: Part, host: &mut impl Host) -> Result<Ending> {
        let started = Instant::now();
        let folder = self.folder(part);
        let before = self.record(part)?;
        let mut store = FolderStore::create(&folder)?;
        // What learned from masks that were cut with a look at the truth has looked at it too.
        let looked_at_truth = !is_blind(self.plan.first.masks.threshold);
        let (ending, scored) = match part {
            Part::Train => (self.learn(&mut store, &self.plan.first, None, host).await?, None),
            Part::Segmenter => {
                let masks = self.folder(Part::Masks(self.plan.first.rounds().len() - 1));
                let targets = Targets::read(&FileSet::open(&masks)?, self.training)?;
                (self.learn(&mut store, &self.plan.second, Some(&targets), host).await?, None)
            }
            Part::Masks(round) => {
                let trained = trained(&self.folder(Part::Train), Some(round))?;
                draw(self.training, &trained, &folder, self.compute, looked_at_truth, host).await?
            }
            Part::Predict => {
                let trained = trained(&self.folder(Part::Segmenter), None)?;
                let mut unlabelled = self.validation.clone();
                unlabelled.items.iter_mut().for_each(|item| item.labels.clear());
                draw(&unlabelled, &trained, &folder, self.compute, looked_at_truth, host).await?
            }
        };
        let mut record = before.unwrap_or_default();
        record.add(ending, started.elapsed().as_secs_f64(), self.compute, scored);
        record.save(&mut store)?;
        Ok(ending)
    }

    /// Writes `report.md` and its plots, of what has been done so far; the rows of its table.
    ///
    /// # Errors
    /// As [`record`](Self::record), and [`crate::Error::Io`].
    pub fn report(&self) -> Result<Vec<Row>> {
        let records = Part::all(self.plan)
            .into_iter()
            .map(|part| Ok((part, self.record(part)?)))
            .collect::<Result<Vec<_>>>()?;
        let rows = report::rows(self.plan, &records);
        for (name, plot) in [
            ("losses.svg", plots::losses(&self.folder(Part::Train), &self.folder(Part::Segmenter))?),
            ("iou.svg", plots::iou(&records)),
        ] {
            atomic::write(self.out.join(name), plot.as_bytes())?;
        }
        let text = report::text(self, &records, &rows)?;
        atomic::write(self.out.join("report.md"), text.as_bytes())?;
        Ok(rows)
    }

    fn folder(&self, part: Part) -> PathBuf {
        self.out.join(part.folder())
    }

    async fn learn(
        &self,
        store: &mut FolderStore,
        settings: &Settings,
        targets: Option<&Targets>,
        host: &mut impl Host,
    ) -> Result<Ending> {
        let run = Run {
            dataset: self.training,
            settings,
            compute: self.compute,
            weights: self.weights,
            targets,
            previews: &[],
            resume: false,
        };
        learn(run, store, host).await
    }
}
