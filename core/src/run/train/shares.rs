//! Foreground shares: how much of each image its classes cover, by the masks of the network so far.

use std::io::Cursor;

use super::Session;
use crate::dataset::{Dataset, Item};
use crate::error::Result;
use crate::export::zip::ZipPacker;
use crate::masks::{Confusion, LabelMap};
use crate::run::begun::{self, Begun, BegunMask};
use crate::run::checkpoint::{self, Shares, Trained};
use crate::run::event::{Event, Phase, Score};
use crate::run::host::{Control, Host};
use crate::run::make_masks::{Mask, MaskJob, make_masks};
use crate::run::settings::{MaskSettings, Threshold};
use crate::run::store::RunStore;

impl<H: Host, S: RunStore> Session<'_, H, S> {
    /// Foreground shares per item for `round`, from the store, or from the masks of the network that
    /// the round starts from. `None` when the host stopped it.
    pub(super) async fn shares_for(
        &mut self,
        round: usize,
        before: &Trained,
        scales: Vec<f64>,
    ) -> Result<Option<Vec<Vec<f32>>>> {
        let shares = match checkpoint::load_shares(self.journal.store, round)? {
            Some(shares) => {
                // A run that was killed right after they were written has left it.
                begun::end(self.journal.store)?;
                shares
            }
            None => match self.measure_shares(round, before, scales).await? {
                Some(shares) => shares,
                None => return Ok(None),
            },
        };
        let classes = self.classes();
        let of_item = |item: &Item| {
            let known = shares.get(&item.path).filter(|shares| shares.len() == classes);
            known.cloned().unwrap_or_else(|| vec![0.0; classes])
        };
        let mut shares: Vec<Vec<f32>> = self.run.dataset.items.iter().map(of_item).collect();
        // What is known need not be measured.
        if let Some(targets) = self.run.targets {
            for item in targets.items() {
                // One that cannot be decoded is told when it is to teach something.
                if let (Ok(Some(known)), Some(share)) =
                    (targets.shares(self.run.dataset, item), shares.get_mut(item))
                {
                    *share = known;
                }
            }
        }
        Ok(Some(shares))
    }

    async fn measure_shares(
        &mut self,
        round: usize,
        before: &Trained,
        scales: Vec<f64>,
    ) -> Result<Option<Shares>> {
        let settings = self.run.settings;
        let mask_settings = MaskSettings {
            scales,
            threshold: match settings.masks.threshold {
                // One that may have been chosen on the truth must not reach what is learned.
                Threshold::Fixed(_) => Threshold::Adaptive,
                learned => learned,
            },
            ..settings.masks.clone()
        };
        let dataset = self.run.dataset;
        let mut begun = Begun::take_up(self.journal.store, Phase::Shares, round, dataset)?;
        let mut measured = Measured::new(dataset);
        for mask in begun.masks(dataset) {
            if self.journal.host.breathe().await == Control::Stop {
                return Ok(None);
            }
            let BegunMask { item, png, labels, thresholds } = mask?;
            measured.add(item, &labels, &thresholds, &png)?;
        }
        let job = MaskJob {
            dataset,
            settings: &mask_settings,
            side: settings.size,
            keep_scores: false,
            search: false,
            phase: Phase::Shares,
            from: begun.next(),
        };
        let (store, host) = (&mut *self.journal.store, &mut *self.journal.host);
        let mut sink = |mask: Mask| {
            let png = begun.add(dataset, mask.item, &mask.labels, &mask.thresholds)?;
            measured.add(mask.item, &mask.labels, &mask.thresholds, &png)?;
            mask.next.map_or(Ok(()), |next| begun.reached(next, dataset, store))
        };
        if !make_masks(&job, before, self.run.compute, host, &mut sink).await? {
            begun.keep(dataset, self.journal.store)?;
            return Ok(None);
        }
        let Measured { shares, masks, confusion, thresholds, .. } = measured;
        let score = (confusion.images() > 0).then(|| confusion.score(&dataset.classes, false));
        checkpoint::save_masks(self.journal.store, round, &masks.finish()?.into_inner())?;
        checkpoint::save_shares(self.journal.store, round, &shares)?;
        begun::end(self.journal.store)?;
        self.tell_shares(round, &shares, &thresholds, score)?;
        Ok(Some(shares))
    }

    fn tell_shares(
        &mut self,
        round: usize,
        shares: &Shares,
        thresholds: &[(f32, usize)],
        score: Option<Score>,
    ) -> Result<()> {
        let mut sums = vec![(0.0f32, 0usize); self.classes()];
        for item in &self.run.dataset.items {
            let Some(shares) = shares.get(&item.path) else { continue };
            for &class in &item.labels {
                let sum = &mut sums[usize::from(class)];
                *sum = (sum.0 + shares[usize::from(class)], sum.1 + 1);
            }
        }
        let mean = |&(sum, count): &(f32, usize)| (count > 0).then(|| sum / count as f32);
        let per_class = thresholds.iter().map(mean).collect();
        self.journal.tell(Event::Thresholds { round, per_class })?;
        self.journal.tell(Event::SharesUpdated { round, mean: sums.iter().map(mean).collect(), score })
    }
}

/// What is counted of masks, one after the other.
struct Measured<'a> {
    dataset: &'a Dataset,
    shares: Shares,
    masks: ZipPacker<Cursor<Vec<u8>>>,
    confusion: Confusion,
    /// Sum and number of each class.
    thresholds: Vec<(f32, usize)>,
}

impl<'a> Measured<'a> {
    fn new(dataset: &'a Dataset) -> Self {
        let classes = dataset.classes.len();
        Self {
            dataset,
            shares: Shares::new(),
            masks: ZipPacker::new(Cursor::new(Vec::new())),
            confusion: Confusion::new(classes),
            thresholds: vec![(0.0, 0); classes],
        }
    }

    fn add(&mut self, item: usize, labels: &LabelMap, thresholds: &[f32], png: &[u8]) -> Result<()> {
        let facts = &self.dataset.items[item];
        if let Some(truth) = &facts.mask {
            self.confusion.accumulate(labels, &truth.decode(&facts.path)?, &facts.path)?;
        }
        for (&class, &threshold) in facts.labels.iter().zip(thresholds) {
            let sum = &mut self.thresholds[usize::from(class)];
            *sum = (sum.0 + threshold, sum.1 + 1);
        }
        self.shares.insert(facts.path.clone(), labels.shares(self.dataset.classes.len()));
        self.masks.add(&format!("{}.png", facts.stem), png)
    }
}
