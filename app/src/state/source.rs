//! Photos and labels: opened, left, shown.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Source, State};
use crate::browser::files::{self, Dropped, PickedFile};
use crate::browser::window;
use crate::model::pictures::Pictures;
use crate::model::run::Stage;
use crate::model::{Model, Part, data, suggest};
use crate::protocol::Command;

impl State {
    /// Takes what was dropped, folders and all.
    pub fn drop_files(self, dropped: Dropped) {
        self.change(&[Part::Data], |model| model.data = data::Data::Collecting(0));
        spawn_local(async move {
            let found =
                |count| self.change(&[Part::Data], |model| model.data = data::Data::Collecting(count));
            let files = dropped.walk(found).await;
            // Meanwhile the user may have cancelled.
            if self.peek(|model| matches!(model.data, data::Data::Collecting(_))) {
                self.open_files(files);
            }
        });
    }

    /// Takes picked files.
    pub fn open_files(self, files: Vec<PickedFile>) {
        if files.is_empty() {
            let message = "There are no files in what you gave.".to_string();
            return self.change(&[Part::Data], |model| model.data = data::Data::Failed(message));
        }
        self.open(Source::Files(files));
    }

    /// Takes the built-in set.
    pub fn open_sample(self) {
        let images = self.peek(|model| suggest::sample_images(model.device.as_ref()));
        self.open(Source::Sample(images));
    }

    pub(super) fn open(self, source: Source) {
        if self.peek(|model| model.kept.open().is_some()) {
            self.leave_kept();
        }
        self.change(&Part::ALL, Model::clear_data);
        self.source.set_value(Some(source));
        self.send_source();
    }

    pub(super) fn send_source(self) {
        let Some(source) = self.source.get_value() else { return };
        let (name, command, payload) = match source {
            Source::Sample(images) => (
                data::SAMPLE.into(),
                Command::OpenSample { images, size: suggest::SAMPLE_SIDE, seed: 0 },
                None,
            ),
            Source::Files(files) => {
                let paths: Vec<String> = files.iter().map(|picked| picked.path.clone()).collect();
                (data::common_name(&paths), Command::OpenFiles, Some(files::payload(&files)))
            }
        };
        self.change(&[Part::Data], |model| model.data.start_reading(name));
        self.send(command, payload);
    }

    /// Back to the empty first section and the list of projects. A run that is kept is stopped first, so that
    /// nothing of it is lost; who asks twice does not want to wait for that.
    pub fn choose_other(self) {
        let can_stop = |model: &Model| {
            matches!(model.run.stage, Stage::Training | Stage::Pausing | Stage::Paused | Stage::Stopping)
                && model.kept.following().is_some()
                && model.trainer.is_ready()
        };
        let mut is_leaving = true;
        if self.peek(can_stop) {
            self.keeping.update_value(|keeping| {
                is_leaving = std::mem::replace(&mut keeping.is_leaving, true);
            });
        }
        if is_leaving { self.leave() } else { self.stop() }
    }

    /// A run that was stopped to leave it has ended, `is_safe` if its last checkpoint was written as far as it can be.
    pub(super) fn leave_once_stopped(self, is_safe: bool) {
        let has_ended =
            |model: &Model| !model.run.stage.is_active() && (is_safe || model.kept.following().is_none());
        if self.keeping.with_value(|keeping| keeping.is_leaving) && self.peek(has_ended) {
            self.leave();
        }
    }

    /// A trainer that is busy is replaced: that is the quickest way to make it stop.
    fn leave(self) {
        self.keeping.update_value(|keeping| keeping.is_leaving = false);
        let busy = self.peek(Model::is_working);
        self.forget_data();
        if busy {
            self.start_again();
        }
        window::go_to("data");
    }

    /// No data set is open any more; its project waits in the list.
    pub(super) fn forget_data(self) {
        self.source.set_value(None);
        self.leave_kept();
        self.change(&Part::ALL, Model::clear_data);
        self.form.update(|form| form.touched = false);
    }

    /// Asks for small pictures that are not there yet.
    pub fn want_pictures(&self, images: &[usize]) {
        let mut missing = Vec::new();
        self.model.update_value(|model| missing = model.pictures.ask(images));
        if !missing.is_empty() {
            self.send(Command::Thumbnails { images: missing, side: Pictures::SIDE }, None);
        }
    }

    /// Shows one image in large, of a list that one turns the pages of.
    pub fn enlarge(&self, image: usize, in_line: Vec<usize>) {
        self.in_line.set_value(in_line);
        self.turn_to(image);
    }

    /// Shows another one of the list.
    pub fn turn_to(&self, image: usize) {
        self.change(&[Part::Thumbnails], |model| model.pictures.ask_large(image));
        self.send(Command::Thumbnails { images: vec![image], side: Pictures::LARGE_SIDE }, None);
        self.enlarged.set(Some(image));
    }
}
