//! The methods: what each learns from, in which rounds, on which network and by which loss, how its maps
//! become masks, and which settings it has.
//!
//! Each has a folder and a line in [`registry`]; nothing outside asks which method it deals with.

pub mod adaptive_affinity;
pub mod adversarial_erasing;
pub mod box2seg;
pub mod cam;
pub mod deeplab;
pub mod field;
pub mod reading;
pub mod registry;
pub mod round;
pub mod situation;
pub mod spatial_bce;

#[cfg(feature = "network")]
mod given_masks;
#[cfg(feature = "network")]
mod learner;
#[cfg(feature = "network")]
mod map_head;
#[cfg(feature = "network")]
pub mod pyramid;

pub use field::{Field, Group, Kind};
#[cfg(feature = "network")]
pub use given_masks::mask_loss;
#[cfg(feature = "network")]
pub use learner::*;
#[cfg(feature = "network")]
pub use map_head::{MapHead, PortableHead};
pub use reading::{Reading, Told};
pub use registry::{MethodName, MethodSettings};
pub use round::{Preparation, Round};
pub use situation::Situation;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::memory::{Dry, Tape, Work};
use crate::run::Settings;

/// What a method has to be told of the images that it learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supervision {
    /// Which classes are in an image.
    Labels,
    /// Boxes around objects.
    Boxes,
    /// Masks, which another method may have made.
    Masks,
}

/// What is known of a method without a tensor.
pub trait Method: Sync {
    /// What it does, in a sentence.
    fn summary(&self) -> &'static str;

    /// Where it is published, and which parts of it are ours.
    fn source(&self) -> &'static str;

    /// What it learns from.
    fn supervision(&self) -> Supervision {
        Supervision::Labels
    }

    /// What is trained, one after the other.
    fn rounds(&self, settings: &Settings) -> Vec<Round>;

    /// How the maps of its own network become labels.
    fn reading(&self, settings: &Settings) -> Reading;

    /// Refuses settings of the method that cannot run.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for the first value out of its range.
    fn check(&self, settings: &Settings) -> Result<()>;

    /// Its settings as a form shows them, those of the rounds that it shares with other methods first.
    fn fields(&self) -> Vec<&'static [Field]>;

    /// Suggests its settings for a situation. Asked of every method, whichever is chosen.
    fn suggest(&self, settings: &mut Settings, situation: &Situation);

    /// Changes settings that are not its own, where it is chosen.
    fn suit(&self, _settings: &mut Settings) {}

    /// Its settings as published.
    fn publish(&self, settings: &mut Settings);

    /// Passes over the data in each of its rounds.
    fn set_epochs(&self, settings: &mut Settings, epochs: usize);

    /// Passes over the data in all of its rounds together: what it is compared with other methods on. Less
    /// than a pass in each round cannot be had: the sum of its rounds' says what has come of it.
    fn set_budget(&self, settings: &mut Settings, passes: usize) {
        self.set_epochs(settings, passes);
    }

    /// Numbers that stand on the features, or beside them, and learn.
    fn parameters(&self, work: &Work) -> usize;

    /// A step from features to what is differentiated, without tensors, for its memory.
    fn loss(&self, work: &Work, tape: &mut Tape, features: Dry) -> Dry;
}

impl MethodName {
    /// Whether masks have to be given to it.
    pub fn learns_from_masks(self) -> bool {
        self.method().supervision() == Supervision::Masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_s_last_round_trains_its_own_network() {
        let settings = Settings::default();
        for name in MethodName::ALL {
            let rounds = name.method().rounds(&settings);
            assert_eq!(rounds.last().map(|round| round.network), Some(name));
            assert!(!name.method().summary().is_empty() && name.method().source().contains("20"));
        }
    }

    #[test]
    fn a_budget_is_spent_by_every_method_and_passes_the_check() {
        for name in MethodName::ALL {
            for passes in [2, 3, 4, 10, 80] {
                let mut settings = Settings { method: name, ..Settings::default() };
                name.method().set_budget(&mut settings, passes);
                settings.check().unwrap();
                let spent: usize = settings.rounds().iter().map(|round| round.epochs).sum();
                assert_eq!(spent, passes, "{}", name.id());
            }
        }
        let mut settings = Settings::default();
        MethodName::SpatialBce.method().set_budget(&mut settings, 12);
        assert_eq!((settings.methods.cam.epochs, settings.methods.spatial_bce.epochs), (4, 8));
        MethodName::AdaptiveAffinity.method().set_budget(&mut settings, 12);
        assert_eq!(settings.methods.adaptive_affinity.warm_up, 4);
    }

    #[test]
    fn fields_are_unique_and_write_back_what_they_read() {
        let settings = Settings::default();
        let mut seen: Vec<(&str, *const Field)> = Vec::new();
        for field in MethodName::ALL.iter().flat_map(|name| name.method().fields()).flatten() {
            let mut copy = settings.clone();
            (field.set)(&mut copy, &(field.get)(&settings)).unwrap();
            assert_eq!(copy, settings, "{}", field.id);
            seen.push((field.id, field));
        }
        // Methods may share a round, and show its one field.
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.windows(2).all(|pair| pair[0].0 != pair[1].0), "two fields of one name");
    }
}
