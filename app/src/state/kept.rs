//! The run that the browser keeps: taken up from an earlier visit, followed while it goes.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tag2mask_core::dataset::Summary;

use super::{Source, State};
use crate::browser::project::{self, Claim};
use crate::browser::window;
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
    /// Whether the weights in use lie on the disk beside the kept run.
    pub(super) has_weights: bool,
    /// Whether `project.json` is being written, and whether it has to be once more.
    is_saving: bool,
    /// Whether drawn boxes will be written in a moment.
    has_boxes_to_save: bool,
    is_behind: bool,
}

impl State {
    /// Looks for a run of an earlier visit.
    pub(super) fn look_for_kept(self) {
        spawn_local(async move {
            match project::claim().await {
                Claim::Ours => {}
                Claim::Elsewhere => return self.change(&[Part::Kept], |model| model.kept = Kept::Elsewhere),
                Claim::Impossible => {
                    return self.change(&[Part::Kept], |model| model.kept = Kept::Impossible);
                }
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
            KeptSource::Files { ref paths, ref folder, .. } => {
                let (paths, folder, mut project) = (paths.clone(), folder.clone(), project.clone());
                self.change(&[Part::Data], |model| model.data = data::Data::Collecting(0));
                spawn_local(async move {
                    let files = project::photos(&folder, &paths).await;
                    // Meanwhile the user may have thought otherwise.
                    let wanted = |model: &Model| {
                        matches!(model.kept, Kept::Wanted(_))
                            && matches!(model.data, data::Data::Collecting(_))
                    };
                    if !self.peek(wanted) {
                        return;
                    }
                    match files {
                        Some(files) => self.open(Source::Files { files, folder: Some(folder) }),
                        None => {
                            project.source = KeptSource::Files { paths, folder, is_kept: false };
                            self.change(&[Part::Kept, Part::Data], |model| {
                                model.kept = Kept::Wanted(project);
                                model.data = data::Data::Empty;
                            });
                        }
                    }
                });
            }
        }
    }

    /// Deletes the kept run.
    pub fn discard_kept(self) {
        self.change(&[Part::Kept], |model| model.kept = Kept::Leaving);
        let has_weights = self.keeping.with_value(|keeping| keeping.has_weights);
        self.keeping.update_value(|keeping| {
            (keeping.run, keeping.has_weights) = (keeping.run.wrapping_add(1), false);
        });
        if has_weights {
            self.weights.set_value(None);
            self.form.update(crate::model::form::Form::forget_weights);
        }
        spawn_local(async move {
            if let Err(error) = project::forget(|_| false).await {
                self.tell(format!("Not all of the kept run could be deleted: {}", disk::reason(&error)));
            }
            self.change(&[Part::Kept], |model| {
                // Meanwhile another run may have started.
                if model.kept == Kept::Leaving {
                    model.kept = Kept::Nothing;
                }
            });
        });
    }

    fn tell(self, message: String) {
        self.change(&[Part::Notices], |model| model.notice(message));
    }

    /// A data set was read: if it is what the wanted run learns from, the trainer takes the run up.
    pub(super) fn meet_kept(self) {
        let Some(summary) = self.peek(|model| model.data.summary().cloned()) else { return };
        let mut met = Ok(false);
        self.change(&[Part::Kept], |model| met = model.kept.meets(&summary));
        match met {
            Ok(false) => self.send_boxes(),
            Err(message) => {
                self.send_boxes();
                self.tell(message);
            }
            Ok(true) => {
                self.change(&Part::ALL, |model| {
                    model.clear_run();
                    model.run.start();
                });
                self.fetch_kept_weights();
                self.restore_with_boxes();
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
                self.keeping.update_value(|keeping| keeping.has_weights = true);
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
        let (source, folder, files) = match self.source.get_value() {
            Some(Source::Sample(images)) => (KeptSource::Sample { images }, String::new(), Vec::new()),
            Some(Source::Files { files, folder }) => {
                let paths = files.iter().map(|picked| picked.path.clone()).collect();
                // Those that come from the disk stay where they are.
                let is_kept = folder.is_some();
                let folder = folder.unwrap_or_else(project::new_folder);
                let files = if is_kept { Vec::new() } else { files };
                (KeptSource::Files { paths, folder: folder.clone(), is_kept }, folder, files)
            }
            None => return false,
        };
        let has_weights = keeping.has_weights && weights.is_some();
        let mut project = Project::new(name, source, summary, weights.as_ref().map(web_sys::File::name));
        self.peek(|model| project.take_boxes(&model.boxes));
        self.change(&[Part::Kept], |model| model.kept = Kept::Following(project));
        let run = keeping.run.wrapping_add(1);
        self.keeping.update_value(|keeping| keeping.run = run);
        spawn_local(async move {
            let kept = async {
                // Not its checkpoints: the trainer replaces them itself, and may have begun to.
                let run_name = disk::RUN.last().copied();
                project::forget(|name| {
                    Some(name) == run_name || name == folder || (has_weights && name == project::WEIGHTS)
                })
                .await?;
                if let Some(weights) = weights.filter(|_| !has_weights) {
                    project::keep_weights(&weights).await?;
                }
                let wanted = || self.keeping.with_value(|keeping| keeping.run == run);
                if files.is_empty() {
                    return Ok(project::Copied::Unwanted);
                }
                project::keep_photos(&folder, &files, wanted).await
            };
            let again = "to go on after a reload, you would have to give them again";
            match kept.await {
                Ok(project::Copied::All) => self.photos_are_kept(&folder),
                Ok(project::Copied::Unwanted) => {}
                Ok(project::Copied::NoRoom) => {
                    self.tell(format!("The browser has no room to keep the photos: {again}."));
                }
                Err(error) => {
                    self.tell(format!("The photos are not kept: {again} ({}).", disk::reason(&error)));
                }
            }
        });
        true
    }

    /// The trainer takes the run up with the boxes that it has learned from; where some were drawn later, they
    /// come after, as other ones.
    fn restore_with_boxes(self) {
        self.change(&[Part::Boxes], |model| {
            // Those of a page that goes on are at least as new.
            if let Kept::Following(project) = &model.kept
                && model.boxes.are_untouched()
            {
                model.boxes.restore(project.boxes.clone(), project.has_new_boxes);
            }
        });
        if self.peek(|model| model.boxes.are_new()) {
            self.send(Command::Restore, None);
            self.send_boxes();
        } else {
            self.send_boxes();
            self.send(Command::Restore, None);
        }
    }

    /// Writes drawn boxes beside the run, at most once a second.
    pub(super) fn keep_boxes(self) {
        let follows = self.peek(|model| model.kept.is_following());
        if !follows || self.keeping.with_value(|keeping| keeping.has_boxes_to_save) {
            return;
        }
        self.keeping.update_value(|keeping| keeping.has_boxes_to_save = true);
        let later = move || {
            self.keeping.update_value(|keeping| keeping.has_boxes_to_save = false);
            self.change(&[Part::Kept], |model| {
                if let Kept::Following(project) = &mut model.kept {
                    project.take_boxes(&model.boxes);
                }
            });
            self.save_project();
        };
        set_timeout(later, Duration::from_secs(1));
    }

    fn photos_are_kept(self, of: &str) {
        self.change(&[Part::Kept], |model| {
            if let Kept::Following(project) | Kept::Waiting(project) = &mut model.kept
                && let KeptSource::Files { is_kept, folder, .. } = &mut project.source
                && folder == of
            {
                *is_kept = true;
            }
        });
        self.save_project();
    }

    /// The user leaves this data set: its run can be taken up again, until another one starts.
    pub fn leave_kept(self) {
        self.change(&[Part::Kept], |model| {
            // The last ones may not have been written yet.
            if let Kept::Following(project) = &mut model.kept {
                project.take_boxes(&model.boxes);
            }
            if let Kept::Following(project) | Kept::Wanted(project) = &model.kept {
                let has_checkpoint = !project.progress.is_empty();
                model.kept = if has_checkpoint { Kept::Waiting(project.clone()) } else { Kept::Nothing };
            }
        });
    }

    /// Writes where the run stands, now that a checkpoint is on the disk; or that the run is kept no more.
    pub(super) fn follow_run(self, ok: bool) {
        self.change(&[Part::Kept, Part::Run], |model| match &mut model.kept {
            Kept::Following(project) if ok => project.follow(&model.run),
            Kept::Following(_) => model.kept = Kept::Nothing,
            _ => {}
        });
        self.save_project();
    }

    /// Writes `project.json`, once more if it has changed meanwhile. Before the first checkpoint there is
    /// nothing to take up.
    fn save_project(self) {
        let current = move || {
            self.peek(|model| match &model.kept {
                Kept::Following(project) | Kept::Waiting(project) if !project.progress.is_empty() => {
                    Some(project.clone())
                }
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
                    self.change(&[Part::Kept], |model| model.kept = Kept::Nothing);
                    self.tell(format!("This run is not kept in the browser: {}", disk::reason(&error)));
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
