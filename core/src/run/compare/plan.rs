//! What a comparison compares, and `compare.json`, so that it goes on with the same.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::backbone::weights::TensorFile;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::export::atomic;
use crate::run::checkpoint::{from_json, to_json};
use crate::run::parts::Fingerprint;
use crate::run::settings::{MethodName, Settings};
use crate::run::store::{FolderStore, RunStore};

const PLAN: &str = "compare.json";

/// What all methods share, and the settings of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the data set is called.
    pub data: String,
    /// The split of it, where it has splits.
    pub split: Option<String>,
    /// One photo in so many, by path, is left out of training; 0 = none.
    pub left_out: usize,
    /// Photos to learn from, and photos left out.
    pub images: [usize; 2],
    /// Passes over the photos that each method gets, in all its rounds together.
    pub passes: usize,
    /// Name of the file of pretrained weights.
    pub weights: Option<String>,
    /// Settings by method; the seed in them is of no account.
    pub methods: BTreeMap<MethodName, Settings>,
}

/// The plan as it is kept, with what it is carried out on.
#[derive(Serialize, Deserialize)]
struct Settled {
    #[serde(flatten)]
    plan: Plan,
    /// The [`Fingerprint`] of images, labels, boxes and weights.
    inputs: String,
}

impl Plan {
    /// Refuses what is not a comparison on the same terms.
    ///
    /// # Errors
    /// [`Error::Setting`] for a method that learns from given masks, for rounds that add up to another
    /// budget, and for settings that cannot run; [`Error::NoData`] without a photo to learn from.
    pub fn check(&self) -> Result<()> {
        for (method, settings) in &self.methods {
            if method.learns_from_masks() || settings.method != *method {
                let reason = format!("{} cannot be compared: it learns from masks of another", method.id());
                return Err(Error::Setting { name: "methods", reason });
            }
            settings.check()?;
            let spent: usize = settings.rounds().iter().map(|round| round.epochs).sum();
            if spent != self.passes {
                let (id, passes) = (method.id(), self.passes);
                let reason = format!("the rounds of {id} take {spent} passes, the others' {passes}");
                return Err(Error::Setting { name: "epochs", reason });
            }
        }
        if self.methods.is_empty() {
            return Err(Error::Setting { name: "methods", reason: "there is none to compare".into() });
        }
        if self.images[0] == 0 {
            let reason = "every photo is left out: give --left-out another number".into();
            return Err(Error::NoData { reason });
        }
        Ok(())
    }

    /// Keeps the plan in the folder, or finds it there, for these images and these weights. Methods may be
    /// added to what is there.
    ///
    /// # Errors
    /// Those of [`check`](Self::check); [`Error::Format`] when the folder holds another plan, or a damaged
    /// one; [`Error::Io`].
    pub fn settle(&self, out: &Path, dataset: &Dataset, weights: Option<&TensorFile>) -> Result<()> {
        self.check()?;
        let store = FolderStore::open(out);
        let path = store.describe(PLAN);
        let inputs = Fingerprint::default().dataset(dataset).boxes(dataset).weights(weights)?.text();
        let mut methods = self.methods.clone();
        if let Some(bytes) = store.read(PLAN)? {
            let before: Settled = from_json(&bytes, &path)?;
            // The folder of the data may have moved: what is in it has its fingerprint.
            let terms = |plan: &Self| Self { data: String::new(), methods: BTreeMap::new(), ..plan.clone() };
            let is_same = |(method, settings): (&MethodName, &Settings)| {
                self.methods.get(method).is_none_or(|own| own == settings)
            };
            if terms(&before.plan) != terms(self)
                || before.inputs != inputs
                || !before.plan.methods.iter().all(is_same)
            {
                return Err(Error::Format {
                    path,
                    reason: "the folder holds a comparison with other settings, data or weights; go on \
                             with those, or give another folder"
                        .into(),
                });
            }
            methods.extend(before.plan.methods);
        }
        let settled = Settled { plan: Self { methods, ..self.clone() }, inputs };
        atomic::write(&path, &to_json(&settled, &path)?)
    }

    /// The settings that a method runs with.
    pub(super) fn settings(&self, method: MethodName, seed: u64) -> Settings {
        let settings = self.methods.get(&method).cloned().unwrap_or_default();
        Settings { seed, ..settings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::compare::split::tests::dataset;

    fn plan(names: &[MethodName]) -> Plan {
        let settings = |&method: &MethodName| {
            let mut settings = Settings { method, ..Settings::default() };
            method.method().set_budget(&mut settings, 6);
            (method, settings)
        };
        Plan {
            data: "photos".into(),
            split: None,
            left_out: 6,
            images: [5, 1],
            passes: 6,
            weights: None,
            methods: names.iter().map(settings).collect(),
        }
    }

    #[test]
    fn only_methods_on_the_same_terms_are_compared() {
        plan(&[MethodName::Cam, MethodName::SpatialBce]).check().unwrap();
        let refused = |plan: Plan| plan.check().unwrap_err().to_string();
        assert!(refused(plan(&[MethodName::Deeplab])).contains("learns from masks"));
        assert!(refused(plan(&[])).contains("none to compare"));
        let mut longer = plan(&[MethodName::Cam]);
        longer.methods.get_mut(&MethodName::Cam).unwrap().methods.cam.epochs = 9;
        assert!(refused(longer).contains("the rounds of cam take 9 passes, the others' 6"));
        let mut short = plan(&[MethodName::SpatialBce]);
        MethodName::SpatialBce
            .method()
            .set_budget(short.methods.get_mut(&MethodName::SpatialBce).unwrap(), 1);
        assert!(refused(Plan { passes: 1, ..short }).contains("take 2 passes"));
        assert!(refused(Plan { images: [0, 6], ..plan(&[MethodName::Cam]) }).contains("left out"));
    }

    #[test]
    fn a_folder_takes_more_methods_and_no_other_terms() {
        let folder = tempfile::tempdir().unwrap();
        let cow: &[u16] = &[0];
        let data = dataset(&["cow"], &[cow; 6]);
        let settle = |plan: &Plan| plan.settle(folder.path(), &data, None);
        let first = plan(&[MethodName::Cam]);
        settle(&first).unwrap();
        settle(&plan(&[MethodName::SpatialBce])).unwrap();
        // The first has not been forgotten.
        let kept = std::fs::read_to_string(folder.path().join(PLAN)).unwrap();
        assert!(kept.contains("\"cam\":") && kept.contains("\"spatial-bce\":"), "{kept}");
        settle(&first).unwrap();
        let mut other = first.clone();
        other.methods.get_mut(&MethodName::Cam).unwrap().size = 96;
        for other in [other, Plan { left_out: 5, ..first.clone() }] {
            assert!(settle(&other).unwrap_err().to_string().contains("other settings"));
        }
        let none: &[u16] = &[];
        let relabelled = dataset(&["cow"], &[none; 6]);
        assert!(first.settle(folder.path(), &relabelled, None).is_err());
    }
}
