//! What a training told: read from its log.

use std::path::Path;

use crate::error::Result;
use crate::run::event::{Event, Score};
use crate::run::store::{FolderStore, RunStore};

/// What is worth knowing of a training beside its figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts {
    /// Numbers that were learned.
    pub parameters: Option<usize>,
    /// Optimiser steps of all rounds.
    pub steps: Option<usize>,
    /// Images with a box, and the score of the masks cut out of the boxes.
    pub box_masks: Option<(usize, Option<Score>)>,
    /// Whether it lost the objects on the way.
    pub collapsed: bool,
}

impl Facts {
    /// What the log in a training's folder says; nothing where there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        let log = FolderStore::open(folder).read("events.jsonl")?.unwrap_or_default();
        let mut facts = Self::default();
        // The last line may be half written.
        for event in log.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()) {
            match event {
                Event::RunStarted { parameters, total_steps, .. } => {
                    (facts.parameters, facts.steps) = (Some(parameters), Some(total_steps));
                }
                Event::BoxMasksCut { images, score } => facts.box_masks = Some((images, score)),
                Event::Collapsed { .. } => facts.collapsed = true,
                _ => {}
            }
        }
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_boxes_are_found_in_the_log_and_half_a_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Facts::read(folder.path()).unwrap(), Facts::default());
        let cut = Event::BoxMasksCut { images: 4, score: None };
        let log = serde_json::to_string(&cut).unwrap() + "\n{\"event\":\"collap";
        std::fs::write(folder.path().join("events.jsonl"), log).unwrap();
        let facts = Facts::read(folder.path()).unwrap();
        assert_eq!(facts, Facts { box_masks: Some((4, None)), ..Facts::default() });
    }
}
