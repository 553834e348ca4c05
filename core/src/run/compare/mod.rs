//! Methods beside each other: each is trained on the same photos for as many passes over them, from several
//! seeds, and draws the same photos.
//!
//! Every part has a folder, and a record in it once it has been worked on. A part that is not finished goes
//! on where it was left.

mod examples;
mod facts;
mod figures;
mod page;
mod page_tables;
mod plan;
mod plots;
mod split;
mod statistics;
mod table;

use std::path::{Path, PathBuf};

use web_time::Instant;

pub use self::figures::Masks;
pub use self::plan::Plan;
pub use self::split::split;
pub use self::statistics::Spread;
pub use self::table::Row;
use super::host::Host;
use super::parts::{self, Record};
use super::scorer::is_blind;
use super::settings::{MethodName, Settings};
use super::store::FolderStore;
use super::train::{Ending, Run};
use crate::backbone::weights::TensorFile;
use crate::dataset::{Dataset, Layout};
use crate::device::Compute;
use crate::error::Result;
use crate::export::{atomic, plot_png};

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The method.
    pub method: MethodName,
    /// The seed of its training.
    pub seed: u64,
    /// What of it.
    pub work: Work,
}

/// What is done with a method and a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// All its rounds.
    Training,
    /// Masks by what has been trained.
    Masks(Masks),
}

/// What a comparison is given.
pub struct Comparison<'a> {
    /// What all methods share, and the settings of each.
    pub plan: &'a Plan,
    /// Seeds 0 to this, without it.
    pub seeds: u64,
    /// The folder for everything.
    pub out: &'a Path,
    /// Photos to learn from.
    pub training: &'a Dataset,
    /// Photos that are only drawn.
    pub left_out: &'a Dataset,
    /// The device.
    pub compute: &'a Compute,
    /// Pretrained weights of the backbone, of all networks.
    pub weights: Option<&'a TensorFile>,
    /// What the reader of a report should know beside what it says anyway.
    pub notes: &'a [String],
}

impl Part {
    /// The name of its folder in the comparison's.
    pub fn folder(self) -> PathBuf {
        let name = match self.work {
            Work::Training => "run",
            Work::Masks(masks) => masks.folder(),
        };
        Path::new(self.method.id()).join(format!("seed-{}", self.seed)).join(name)
    }

    /// What it is called.
    pub fn title(self) -> String {
        let work = match self.work {
            Work::Training => "training".to_owned(),
            Work::Masks(masks) => format!("masks of the {}", masks.title()),
        };
        format!("{}, seed {}: {work}", self.method.title(), self.seed)
    }
}

impl Comparison<'_> {
    /// All parts, in the order in which they are done: one seed of all methods after the other.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for seed in 0..self.seeds {
            for (&method, settings) in &self.plan.methods {
                parts.push(Part { method, seed, work: Work::Training });
                let reading = method.method().reading(settings);
                for masks in Masks::DRAWN {
                    let wanted = match masks {
                        Masks::Untold => reading.needs_no_labels() && !self.left_out.items.is_empty(),
                        Masks::LeftOut => !self.left_out.items.is_empty(),
                        _ => true,
                    };
                    if wanted {
                        parts.push(Part { method, seed, work: Work::Masks(masks) });
                    }
                }
            }
        }
        parts
    }

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
    /// Those of [`parts::learn`] and [`parts::draw`]; [`crate::Error::Format`] when the method has not been
    /// trained.
    pub async fn run(&self, part: Part, host: &mut impl Host) -> Result<Ending> {
        let started = Instant::now();
        let folder = self.folder(part);
        let mut record = self.record(part)?.unwrap_or_default();
        let mut store = FolderStore::create(&folder)?;
        record.own_peak = parts::forget_peak();
        let settings = self.plan.settings(part.method, part.seed);
        let (ending, scored) = match part.work {
            Work::Training => {
                let run = Run {
                    dataset: self.training,
                    settings: &settings,
                    compute: self.compute,
                    weights: self.weights,
                    targets: None,
                    previews: &[],
                    resume: false,
                };
                (parts::learn(run, &mut store, host).await?, None)
            }
            Work::Masks(masks) => {
                let trained = self.folder(Part { work: Work::Training, ..part });
                let trained = parts::trained(&trained, None)?;
                let looked = looks_at_truth(&settings);
                let dataset = self.dataset(masks);
                parts::draw(&dataset, &trained, &folder, self.compute, looked, host).await?
            }
        };
        record.add(ending, started.elapsed().as_secs_f64(), self.compute, scored);
        record.save(&mut store)?;
        Ok(ending)
    }

    /// Writes `results.csv`, `report.html` and the plots, of what has been done so far; the rows of its
    /// table.
    ///
    /// # Errors
    /// As [`record`](Self::record), and those of writing.
    pub fn report(&self) -> Result<Vec<Row>> {
        let figures = self.figures()?;
        let rows = table::rows(self, &figures);
        let csv = figures::csv(&self.training.classes, &figures)?;
        atomic::write(self.out.join("results.csv"), &csv)?;
        let plots = plots::all(self, &rows);
        for (name, picture) in &plots {
            atomic::write(self.out.join(format!("{name}.png")), &plot_png::encode(picture)?)?;
        }
        let page = page::page(self, &figures, &rows, &plots)?;
        atomic::write(self.out.join("report.html"), page.as_bytes())?;
        Ok(rows)
    }

    fn folder(&self, part: Part) -> PathBuf {
        self.out.join(part.folder())
    }

    /// The photos that are drawn, with what is told of them.
    fn dataset(&self, masks: Masks) -> Dataset {
        match masks {
            Masks::Training | Masks::Boxes => self.training.clone(),
            Masks::LeftOut => self.left_out.clone(),
            Masks::Untold => {
                // As photos that nobody labelled: what is known of them is for scoring only.
                let mut untold = Dataset { layout: Layout::Photos, ..self.left_out.clone() };
                untold.items.iter_mut().for_each(|item| item.labels.clear());
                untold
            }
        }
    }
}

/// Whether a threshold of these settings may have been chosen with a look at the truth.
fn looks_at_truth(settings: &Settings) -> bool {
    settings.method.method().reading(settings).has_threshold() && !is_blind(settings.masks.threshold)
}
