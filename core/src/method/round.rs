//! What a method trains, round by round.

use super::MethodName;
use crate::masks::grabcut::GrabCutSettings;

/// One training: a network, for how long, and what must be known before.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Whose network is trained.
    pub network: MethodName,
    /// What the round is called.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub purpose: &'static str,
    /// Passes over the data.
    pub epochs: usize,
    /// Learning rate of the backbone.
    pub learning_rate: f64,
    /// What is made before the first step.
    pub preparation: Preparation,
}

/// What a round learns from beside images and labels, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Preparation {
    /// Nothing else.
    Nothing,
    /// Masks by the network of the round before, of which the share of the image that each class covers is
    /// taken.
    Shares {
        /// As [`MaskSettings::scales`](crate::run::settings::MaskSettings::scales).
        scales: Vec<f64>,
    },
    /// Masks that the user gives.
    GivenMasks,
    /// Masks cut out of boxes.
    BoxMasks(GrabCutSettings),
}
