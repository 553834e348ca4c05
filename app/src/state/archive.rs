//! A project as one file: packed for the user, taken up where the data set that was read is one.

use super::State;
use tag2mask_core::dataset::Relabel;

use crate::browser::window;
use crate::model::project::Kept;
use crate::model::{Model, Part, data};
use crate::protocol::Command;

impl State {
    /// Packs everything into one file for the user.
    pub fn pack_project(self) {
        if self.peek(Model::is_working) {
            return;
        }
        let (name, verdicts, round) = self.peek(|model| {
            let name = match &model.data {
                data::Data::Ready { name, .. } => name.clone(),
                _ => String::new(),
            };
            match model.kept.open().cloned() {
                Some(mut project) => {
                    project.take_verdicts(&model.results);
                    (project.name, project.verdicts, model.results.round)
                }
                None => (name, model.results.verdicts(), model.results.round),
            }
        });
        self.change(&[Part::Kept], |model| model.archive.start());
        self.send(Command::PackProject { name, verdicts, round }, None);
    }

    /// Ends the packing; there will be no file.
    pub fn stop_packing(self) {
        self.send(Command::Stop, None);
    }

    /// The data set that was read is that of a project's archive: its run is taken up here, unless the project is one
    /// of this browser's already.
    pub(super) fn take_up_archive(
        self,
        name: String,
        has_run: bool,
        verdicts: Vec<(Option<usize>, String)>,
        labels_are_new: bool,
    ) {
        // One that was begun with this archive just now is not; one that was interrupted in the middle of that is taken up
        // again.
        let is_here = |model: &Model| match &model.kept {
            Kept::Nothing => false,
            kept => kept
                .following()
                .is_none_or(|project| !project.is_fresh && (!project.takes_up || project.has_run())),
        };
        if self.peek(is_here) {
            return;
        }
        self.change(&[Part::Data, Part::Kept], |model| {
            if let Kept::Following(project) = &mut model.kept {
                project.rename(&name);
            }
            if let data::Data::Ready { name: shown, .. } = &mut model.data {
                *shown = name;
            }
        });
        if !has_run {
            return self.save_project();
        }
        let keep = self.keep_what_is_done();
        self.change(&Part::ALL, |model| {
            model.clear_run();
            model.run.start();
            match &mut model.kept {
                Kept::Following(project) => (project.verdicts, project.takes_up) = (verdicts, true),
                // Nothing is kept here: they wait for their masks.
                _ => model.archive.verdicts = verdicts,
            }
            if labels_are_new {
                model.labels.restore(Relabel::default(), true);
            }
        });
        self.save_project();
        self.send(Command::TakeUp { keep }, None);
        window::go_to("run");
    }
}
