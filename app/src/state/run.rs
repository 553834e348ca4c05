//! Training: started, held, ended.

use leptos::prelude::*;

use super::State;
use crate::browser::window;
use crate::model::form::Form;
use crate::model::run::Stage;
use crate::model::{Model, Part, data};
use crate::protocol::{Command, GivenMasks};

impl State {
    /// Trains with the form's settings.
    pub fn train(self) {
        if self.is_read_only() {
            return;
        }
        let Some(summary) = self.peek(|model| model.data.summary().cloned()) else { return };
        let settings = Box::new(self.form.with_untracked(Form::settings));
        let given = self.given_masks();
        let stopped = |model: &Model| {
            given.is_none()
                && model.run.stage == Stage::Stopped
                && model.run.settings.as_ref() == Some(&settings)
                && !model.has_new_labels()
        };
        if self.peek(stopped) {
            self.go_on();
            return window::go_to("run");
        }
        let previews = data::preview_choice(&summary, previews());
        self.change(&Part::ALL, |model| {
            model.clear_run();
            model.run.start();
            model.boxes.run_starts();
            model.labels.run_starts();
        });
        self.want_pictures(&previews);
        let keep = self.keep_this_run();
        self.send(Command::Train { settings, previews, keep, given }, None);
        window::go_to("run");
    }

    /// Accepted masks that the next run will learn from; `None` where it will not.
    pub fn given_masks(&self) -> Option<GivenMasks> {
        if !self.learns_from_accepted.get_untracked() {
            return None;
        }
        self.peek(|model| {
            let images = model.results.shown()?.review.accepted();
            (!images.is_empty()).then_some(GivenMasks { round: model.results.round, images })
        })
    }

    /// Goes on with a run that was stopped: its settings again are what tells the trainer so.
    pub fn go_on(self) {
        if self.is_read_only() {
            return;
        }
        let (summary, settings) =
            self.peek(|model| (model.data.summary().cloned(), model.run.settings.clone()));
        let (Some(summary), Some(settings)) = (summary, settings) else { return };
        let previews = data::preview_choice(&summary, previews());
        self.change(&[Part::Run, Part::Results], |model| {
            model.run.go_on();
            model.results = model.results.next_run();
        });
        let keep = self.peek(|model| model.kept.following().map(|project| project.id.clone()));
        self.send(Command::Train { settings: Box::new(settings), previews, keep, given: None }, None);
    }

    /// Takes a run out of the comparison.
    pub fn forget_contender(self, index: usize) {
        self.change(&[Part::Compare], |model| model.compare.remove(index));
    }

    /// Waits after this step.
    pub fn pause(self) {
        self.set_stage(Stage::Pausing);
        self.note_training(false);
        self.send(Command::Pause, None);
    }

    /// Goes on.
    pub fn resume(self) {
        self.note_training(true);
        self.send(Command::Resume, None);
    }

    /// Ends after this step.
    pub fn stop(self) {
        self.set_stage(Stage::Stopping);
        self.note_training(false);
        self.send(Command::Stop, None);
    }

    fn set_stage(self, stage: Stage) {
        self.change(&[Part::Run], |model| model.run.stage = stage);
    }
}

/// Images of the live grid.
pub fn previews() -> usize {
    if window::is_wide() { 12 } else { 6 }
}
