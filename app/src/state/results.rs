//! Masks of the data set, and what is packed of them.

use leptos::prelude::*;

use super::State;
use crate::model::Part;
use crate::model::download::Download;
use crate::protocol::Command;

impl State {
    /// Makes masks of all images, with the network of the round that is shown.
    pub fn make_masks(self) {
        if self.is_read_only() {
            return;
        }
        let settings = self.form.with_untracked(|form| form.settings().masks);
        let round = self.peek(|model| model.results.round);
        self.change(&[Part::Results, Part::Segmenter], |model| {
            model.results.start(&settings);
            model.segmenter.is_outdated = model.segmenter.is_trained;
        });
        self.send(Command::Masks { settings, round }, None);
    }

    /// Shows the masks of another round.
    pub fn show_round(self, round: Option<usize>) {
        self.change(&[Part::Results, Part::Segmenter], |model| {
            if model.results.round != round {
                (model.results.round, model.results.saved, model.results.failure) = (round, None, None);
                model.segmenter.is_outdated = model.segmenter.is_trained;
            }
        });
    }

    /// Ends the making of masks, those that are there stay; or the packing of a file.
    pub fn stop_masks(self) {
        self.send(Command::Stop, None);
    }

    /// Packs the masks in a format, with the photos if they are wanted, or their score maps, and hands them to the user.
    pub fn pack_masks(self, wanted: Download, photos: bool) {
        let round = self.peek(|model| model.results.round);
        let (what, command) = match wanted {
            Download::Masks(format) => {
                let photos = photos && format.has_photos();
                ("the masks", Command::PackMasks { round, format: format.id().into(), photos })
            }
            Download::ScoreMaps => ("the score maps", Command::PackScores { round }),
        };
        self.change(&[Part::Results], |model| model.results.start_packing(what));
        self.send(command, None);
    }

    /// Packs the network and hands it to the user.
    pub fn pack_run(self) {
        self.change(&[Part::Results], |model| model.results.start_packing("the network"));
        self.send(Command::PackRun, None);
    }

    /// Writes a report of the run, with the masks that are shown, and hands it to the user.
    pub fn pack_report(self) {
        self.change(&[Part::Results], |model| model.results.start_packing("the report"));
        let round = self.peek(|model| model.results.round);
        self.send(Command::PackReport { round }, None);
    }
}
