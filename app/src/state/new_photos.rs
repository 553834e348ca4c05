//! The network for new photos, and their masks.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tag2mask_core::run::Settings;

use super::State;
use crate::browser::files::{self, Dropped, PickedFile};
use crate::model::download::Download;
use crate::model::{Model, Part, suggest};
use crate::protocol::Command;

impl State {
    /// Trains a network on the masks that were made, or goes on with the one that was stopped.
    pub fn train_segmenter(self) {
        if self.peek(Model::is_working) || self.is_read_only() {
            return;
        }
        let Some(settings) = untrack(|| self.segmenter_settings()) else { return };
        self.change(&[Part::Segmenter], |model| model.segmenter.train(settings.clone()));
        let (round, rejected) = self.peek(|model| {
            let rejected = model.results.shown().map(|made| made.review.rejected());
            (model.results.round, rejected.unwrap_or_default())
        });
        self.send(Command::TrainSegmenter { settings: Box::new(settings), round, rejected }, None);
    }

    /// What a network for new photos would be trained with; `None` before there is a run.
    pub fn segmenter_settings(self) -> Option<Settings> {
        let run = self.read(Part::Run, |model| model.run.settings.clone())?;
        Some(self.form.with(|form| suggest::segmenter(&run, &form.settings())))
    }

    /// Ends what the trainer does for new photos; what is there stays.
    pub fn stop_segmenter(self) {
        self.send(Command::Stop, None);
    }

    /// Takes photos without labels, dropped.
    pub fn drop_photos(self, dropped: Dropped) {
        spawn_local(async move { self.predict(dropped.walk(|_| ()).await) });
    }

    /// Makes masks of photos without labels.
    pub fn predict(self, photos: Vec<PickedFile>) {
        if self.peek(Model::is_working) {
            return;
        }
        if photos.is_empty() {
            let message = "There are no files in what you gave.".to_string();
            return self.change(&[Part::Segmenter], |model| model.segmenter.fail(message));
        }
        let settings = self.form.with_untracked(|form| form.settings().masks);
        self.change(&[Part::Segmenter], |model| model.segmenter.predict());
        self.send(Command::Predict { settings }, Some(files::payload(&photos)));
    }

    /// Packs the network for new photos and hands it to the user.
    pub fn pack_segmenter(self) {
        self.pack_new(Command::PackSegmenter);
    }

    /// Packs the masks of new photos in a format, with the photos if they are wanted, or their score maps, and hands
    /// them to the user.
    pub fn pack_predictions(self, wanted: Download, photos: bool) {
        self.pack_new(match wanted {
            Download::Masks(format) => {
                let photos = photos && format.has_photos();
                Command::PackPredictions { format: format.id().into(), photos }
            }
            Download::ScoreMaps => Command::PackNewScores,
        });
    }

    fn pack_new(self, command: Command) {
        if self.peek(Model::is_working) {
            return;
        }
        self.change(&[Part::Segmenter], |model| model.segmenter.pack());
        self.send(command, None);
    }
}
