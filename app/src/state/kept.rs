//! The run that the browser keeps: taken up from an earlier visit, followed while it goes.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tag2mask_core::dataset::Summary;
use tag2mask_core::run::Event;

use super::{Source, State};
use crate::browser::{project, window};
use crate::disk;
use crate::model::project::{Kept, Project, Source as KeptSource};
use crate::model::{Model, Part, data};
use crate::protocol::Command;

/// What this page does for its kept run.
#[derive(Clone, Copy, Default)]
pub(super) struct Keeping {
    /// Whether this tab is the one that may.
    pub(super) is_ours: bool,
    /// Counts runs, so that photos of an earlier one are copied no more.
    run: u32,
    /// Whether `project.json` is being written, and whether it has to be once more.
    is_saving: bool,
    is_behind: bool,
}

impl State {
    /// Looks for a run of an earlier visit.
    pub(super) fn look_for_kept(self) {
        spawn_local(async move {
            if !project::claim().await {
                return self.change(&[Part::Kept], |model| model.kept = Kept::Elsewhere);
            }
            self.keeping.update_value(|keeping| keeping.is_ours = true);
            if let Some(project) = project::load().await {
                self.change(&[Part::Kept], |model| {
                    if model.kept == Kept::Nothing {
                        model.kept = Kept::Waiting(project);
                    }
                });
            }
        });
    }

    /// Takes the kept run up: its photos first.
    pub fn take_up(self) {
        let Some(project) = self.peek(|model| model.kept.waiting().cloned()) else { return };
        self.change(&[Part::Kept], |model| model.kept = Kept::Wanted(project.clone()));
        match project.source {
            KeptSource::Sample { images } => self.open(Source::Sample(images)),
            // The card asks for them.
            KeptSource::Files { is_kept: false, .. } => {}
            KeptSource::Files { ref paths, .. } => {
                let (paths, mut project) = (paths.clone(), project.clone());
                spawn_local(async move {
                    match project::photos(&paths).await {
                        Some(files) => self.open(Source::Files(files)),
                        None => {
                            project.source = KeptSource::Files { paths, is_kept: false };
                            self.change(&[Part::Kept], |model| model.kept = Kept::Wanted(project));
                        }
                    }
                });
            }
        }
    }

    /// Deletes the kept run.
    pub fn discard_kept(self) {
        self.change(&[Part::Kept], |model| model.kept = Kept::Nothing);
        spawn_local(project::forget(true));
    }

    /// A data set was read: if it is what the wanted run learns from, the trainer takes the run up.
    pub(super) fn meet_kept(self) {
        let Some(summary) = self.peek(|model| model.data.summary().cloned()) else { return };
        let mut met = Ok(false);
        self.change(&[Part::Kept], |model| met = model.kept.meets(&summary));
        match met {
            Ok(false) => {}
            Err(message) => self.change(&[Part::Notices], |model| model.notice(message)),
            Ok(true) => {
                self.change(&Part::ALL, Model::clear_run);
                self.fetch_kept_weights();
                self.send(Command::Restore, None);
                window::go_to("run");
            }
        }
    }

    fn fetch_kept_weights(self) {
        let name = self.peek(|model| match &model.kept {
            Kept::Following(project) => project.weights.clone(),
            _ => None,
        });
        let Some(name) = name else { return };
        spawn_local(async move {
            // Gone or not: the run itself does not need it any more.
            if let Some(file) = project::weights(&name).await {
                self.choose_weights(file);
            }
        });
    }

    /// A run starts: from now on it is the one that is kept. `true` if this tab may.
    pub(super) fn keep_this_run(self, summary: &Arc<Summary>) -> bool {
        let keeping = self.keeping.get_value();
        if !keeping.is_ours {
            return false;
        }
        let name = self.peek(|model| match &model.data {
            data::Data::Ready { name, .. } => name.clone(),
            _ => String::new(),
        });
        let needs_weights = self.form.with_untracked(|form| !form.valid().backbone.trains_from_scratch());
        let weights = self.weights.get_value().filter(|_| needs_weights);
        let (source, files) = match self.source.get_value() {
            Some(Source::Sample(images)) => (KeptSource::Sample { images }, Vec::new()),
            Some(Source::Files(files)) => {
                let paths = files.iter().map(|picked| picked.path.clone()).collect();
                (KeptSource::Files { paths, is_kept: false }, files)
            }
            None => return false,
        };
        let project = Project::new(name, source, summary, weights.as_ref().map(web_sys::File::name));
        self.change(&[Part::Kept], |model| model.kept = Kept::Following(project));
        let run = keeping.run.wrapping_add(1);
        self.keeping.update_value(|keeping| keeping.run = run);
        spawn_local(async move {
            // Not its checkpoints: the trainer replaces them itself, and may have begun to.
            project::forget(false).await;
            let kept = async {
                if let Some(weights) = weights {
                    project::keep_weights(&weights).await?;
                }
                let wanted = || self.keeping.with_value(|keeping| keeping.run == run);
                project::keep_photos(&files, wanted).await
            };
            match kept.await {
                Ok(true) => self.photos_are_kept(),
                Ok(false) => {}
                Err(error) => {
                    let message = format!(
                        "The photos could not be kept in the browser; to go on after a reload you would have to give them again: {}",
                        disk::reason(&error)
                    );
                    self.change(&[Part::Notices], |model| model.notice(message));
                }
            }
        });
        true
    }

    fn photos_are_kept(self) {
        self.change(&[Part::Kept], |model| {
            if let Kept::Following(Project { source: KeptSource::Files { is_kept, .. }, .. }) =
                &mut model.kept
            {
                *is_kept = true;
            }
        });
        self.save_project();
    }

    /// The user leaves this data set: its run can be taken up again, until another one starts.
    pub(super) fn leave_kept(self) {
        self.change(&[Part::Kept], |model| {
            if let Kept::Following(project) | Kept::Wanted(project) = &model.kept {
                let has_checkpoint = !project.progress.is_empty();
                model.kept = if has_checkpoint { Kept::Waiting(project.clone()) } else { Kept::Nothing };
            }
        });
    }

    /// Writes where the run stands, when there is a new checkpoint.
    pub(super) fn follow_run(self, event: &Event) {
        let is_checkpoint =
            matches!(event, Event::Saved { .. } | Event::Stopped { .. } | Event::TrainingFinished { .. });
        if is_checkpoint && self.peek(|model| model.kept.is_following()) {
            self.change(&[Part::Kept], |model| {
                if let Kept::Following(project) = &mut model.kept {
                    project.follow(&model.run);
                }
            });
            self.save_project();
        }
    }

    /// Writes `project.json`, once more if it has changed meanwhile. Before the first checkpoint there is
    /// nothing to take up.
    fn save_project(self) {
        let current = move || {
            self.peek(|model| match &model.kept {
                Kept::Following(project) if !project.progress.is_empty() => Some(project.clone()),
                _ => None,
            })
        };
        if current().is_none() {
            return;
        }
        let is_saving = self.keeping.with_value(|keeping| keeping.is_saving);
        self.keeping.update_value(|keeping| (keeping.is_saving, keeping.is_behind) = (true, is_saving));
        if is_saving {
            return;
        }
        spawn_local(async move {
            while let Some(project) = current() {
                if let Err(error) = project::save(&project).await {
                    let message = format!("This run is not kept in the browser: {}", disk::reason(&error));
                    self.change(&[Part::Notices], |model| model.notice(message));
                }
                if !self.keeping.with_value(|keeping| keeping.is_behind) {
                    break;
                }
                self.keeping.update_value(|keeping| keeping.is_behind = false);
            }
            self.keeping.update_value(|keeping| keeping.is_saving = false);
        });
    }
}
