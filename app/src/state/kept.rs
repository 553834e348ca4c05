//! The project of this page: taken up from an earlier visit, or made with the data set that was opened, and followed
//! while its run goes.
//!
//! One begins as a data set is opened, so that a reload comes back to it. If it is left before anything was done with it,
//! it goes again: a data set that was only looked at leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Source, State};
use crate::browser::{project, tabs, window};
use crate::disk::{self, lock, projects};
use crate::model::form::Form;
use crate::model::project::{Kept, Project, Source as KeptSource};
use crate::model::projects::{Standing, Storage};
use crate::model::run::Stage;
use crate::model::{Model, Part, data};
use crate::protocol::Command;

/// What this page does for its project.
#[derive(Default)]
pub(super) struct Keeping {
    /// Held while a project is open here, and until its photos are copied.
    pub(super) claims: BTreeMap<String, lock::Lock>,
    /// Projects whose photos are being copied.
    pub(super) copying: BTreeSet<String>,
    /// Whether the run goes on by itself once it is taken up: only a reload has interrupted it.
    pub(super) goes_on: bool,
    /// Whether the project is left as soon as its run has stopped.
    pub(super) is_leaving: bool,
    /// Whether the weights in use lie on the disk beside the project.
    pub(super) has_weights: bool,
    /// Projects that go as soon as no more photos are copied to them.
    discarded: BTreeSet<String>,
    /// Counts looks through the list.
    pub(super) look: u32,
    /// Whether `project.json` is being written, and whether it has to be once more.
    is_saving: bool,
    is_behind: bool,
    /// Whether drawn boxes will be written in a moment.
    has_boxes_to_save: bool,
}

impl State {
    /// Takes up a project that this tab has claimed, or looks at: its photos first.
    pub(super) fn take_up(self, project: Project) {
        self.change(&[Part::Kept], |model| model.kept = Kept::Wanted(project.clone()));
        let Project { id, source, .. } = project.clone();
        match source {
            KeptSource::Sample { images } => self.open(Source::Sample(images)),
            // The card asks for them.
            KeptSource::Files { is_kept: false, .. } => {}
            KeptSource::Files { paths, folder, .. } => {
                let mut project = project;
                self.change(&[Part::Data], |model| model.data = data::Data::Collecting(0));
                spawn_local(async move {
                    let files = project::photos(&id, &folder, &paths).await;
                    // Meanwhile the user may have thought otherwise.
                    let wanted = |model: &Model| {
                        model.kept.wanted().is_some_and(|wanted| wanted.id == id)
                            && matches!(model.data, data::Data::Collecting(_))
                    };
                    if !self.peek(wanted) {
                        return;
                    }
                    match files {
                        Some(files) => self.open(Source::Files(files)),
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

    /// A data set was read: if it is that of the wanted project, the trainer takes its run up.
    pub(super) fn meet_kept(self) {
        let Some(summary) = self.peek(|model| model.labels.as_read().cloned()) else { return };
        let mut met = Ok(false);
        self.change(&[Part::Kept], |model| met = model.kept.meets(&summary));
        match met {
            Ok(false) => {
                self.send_edits();
                self.keep_project();
            }
            Err(message) => {
                self.send_edits();
                self.keeping.update_value(|keeping| keeping.goes_on = false);
                self.let_go();
                self.tell(message);
                self.keep_project();
            }
            Ok(true) => {
                self.change(&[Part::Data], |model| {
                    if let (Some(project), data::Data::Ready { name, .. }) =
                        (model.kept.open(), &mut model.data)
                    {
                        name.clone_from(&project.name);
                    }
                });
                // A run that goes on by itself, and ends the page each time, must not do so at every load: it is noted
                // again with its first checkpoint.
                if self.keeping.with_value(|keeping| !keeping.goes_on) {
                    self.remember_open();
                }
                self.fetch_kept_weights();
                self.restore_with_edits();
                self.keep_source();
            }
        }
    }

    fn remember_open(self) {
        self.peek(|model| tabs::remember_open(model.kept.following().map(|project| project.id.as_str())));
    }

    fn fetch_kept_weights(self) {
        let Some((id, name)) = self.peek(|model| {
            let project = model.kept.following()?;
            Some((project.id.clone(), project.weights.clone()?))
        }) else {
            return;
        };
        spawn_local(async move {
            // Gone or not: the run itself does not need it any more.
            if let Some(file) = project::weights(&id, &name).await {
                self.choose_weights(file);
                self.keeping.update_value(|keeping| keeping.has_weights = true);
            }
        });
    }

    /// The trainer takes the run up with the labels and boxes that it has learned from; where some were changed later,
    /// they come after, as other ones. Its classes are those of the labels, however new these are.
    fn restore_with_edits(self) {
        self.change(&[Part::Data, Part::Boxes], |model| {
            // Those of a page that goes on are at least as new.
            if let Some(project) = model.kept.open() {
                if model.boxes.are_untouched() {
                    model.boxes.restore(project.boxes.clone(), project.has_new_boxes);
                }
                if model.labels.changes().is_empty() && !model.labels.are_new() {
                    model.labels.restore(project.relabel.clone(), project.has_new_labels);
                }
            }
            model.follow_labels();
        });
        let Some(project) = self.peek(|model| model.kept.open().cloned()) else { return };
        if !project.has_run() {
            return self.send_edits();
        }
        self.change(&Part::ALL, |model| {
            let drawn = model.results.drawn();
            model.clear_run();
            model.results = drawn;
            model.run.start();
        });
        // Those of a run that goes on are soon out of date.
        let masks = self.keeping.with_value(|keeping| !keeping.goes_on) || project.is_finished;
        let restore = Command::Restore { project: project.id, masks, is_read_only: project.is_elsewhere };
        if self.peek(Model::has_new_labels) {
            self.send_labels();
            self.send(restore, None);
            self.send_edits();
        } else {
            self.send_edits();
            self.send(restore, None);
        }
        window::go_to("run");
    }

    /// The run that was taken up stands at its checkpoint: it goes on where only a reload has interrupted it.
    pub(super) fn go_on_if_interrupted(self) {
        let mut goes_on = false;
        self.keeping.update_value(|keeping| goes_on = std::mem::take(&mut keeping.goes_on));
        let is_so = |model: &Model| model.run.stage == Stage::Stopped && !model.has_new_labels();
        if goes_on && self.peek(is_so) {
            self.go_on();
        }
    }

    /// A run starts: it takes the place of the project's run before. The project's name on the disk, if anything
    /// can be kept.
    pub(super) fn keep_this_run(self) -> Option<String> {
        let id = self.keep_what_is_done()?;
        let needs_weights = self.form.with_untracked(|form| !form.valid().backbone.trains_from_scratch());
        let weights = self.weights.get_value().filter(|_| needs_weights);
        let is_there = self.keeping.with_value(|keeping| keeping.has_weights) && weights.is_some();
        self.change(&[Part::Kept], |model| {
            if let Kept::Following(project) = &mut model.kept {
                project.run_starts(weights.as_ref().map(web_sys::File::name));
                project.take_edits(&model.boxes, &model.labels);
            }
        });
        self.save_project();
        let of = id.clone();
        if let Some(weights) = weights.filter(|_| !is_there) {
            spawn_local(async move {
                if let Err(error) = project::keep_weights(&of, &weights).await {
                    self.tell(format!("The weights file is not kept: {}", disk::reason(&error)));
                }
            });
        }
        Some(id)
    }

    /// Something is done with the project, which from now on stays until the user deletes it. Its name on the disk; `None`
    /// where nothing can be kept.
    pub(super) fn keep_what_is_done(self) -> Option<String> {
        let id = self.keep_project()?;
        let mut was_fresh = false;
        self.change(&[Part::Kept], |model| {
            if let Kept::Following(project) = &mut model.kept {
                was_fresh = std::mem::take(&mut project.is_fresh);
            }
        });
        if was_fresh {
            // Now that there is something to lose: some browsers ask the user.
            spawn_local(disk::ask_to_persist());
            // Where there was no room for them, the user has to hear of it.
            self.keep_source();
        }
        Some(id)
    }

    /// Makes the project of the open data set, unless it is there. Its name on the disk; `None` where nothing can be kept.
    pub(super) fn keep_project(self) -> Option<String> {
        if let Some(id) = self.peek(|model| model.kept.following().map(|project| project.id.clone())) {
            return Some(id);
        }
        // One that is wanted waits for the same data set.
        if self.peek(|model| model.projects.storage != Storage::Possible || model.kept != Kept::Nothing) {
            return None;
        }
        let (summary, name) = self.peek(|model| match &model.data {
            data::Data::Ready { name, .. } => Some((model.labels.as_read()?.clone(), name.clone())),
            _ => None,
        })?;
        let source = match self.source.get_value()? {
            Source::Sample(images) => KeptSource::Sample { images },
            Source::Files(files) => KeptSource::Files {
                paths: files.iter().map(|picked| picked.path.clone()).collect(),
                folder: project::PHOTOS.into(),
                is_kept: false,
            },
        };
        let id = project::new_id();
        let project = Project::new(id.clone(), name, source, &summary);
        self.change(&[Part::Kept], |model| model.kept = Kept::Following(project));
        self.keeping.update_value(|keeping| keeping.has_weights = false);
        self.remember_open();
        let of = id.clone();
        spawn_local(async move {
            let claim = lock::claim(&of).await;
            self.keeping.update_value(|keeping| keeping.claims.extend(claim.map(|claim| (of, claim))));
            self.save_project();
            self.keep_source();
            // It may have been left meanwhile; others hear of it in any case.
            self.let_go();
        });
        Some(id)
    }

    /// Copies the photos to the project, where they are not yet.
    fn keep_source(self) {
        let Some((id, folder)) = self.peek(|model| {
            let project = model.kept.following()?;
            match &project.source {
                KeptSource::Files { folder, is_kept: false, .. } => {
                    Some((project.id.clone(), folder.clone()))
                }
                _ => None,
            }
        }) else {
            return;
        };
        let Some(Source::Files(files)) = self.source.get_value() else { return };
        let mut is_first = false;
        self.keeping.update_value(|keeping| is_first = keeping.copying.insert(id.clone()));
        if !is_first {
            return;
        }
        // They may have been given in another order than the last time.
        let paths: Vec<String> = files.iter().map(|picked| picked.path.clone()).collect();
        spawn_local(async move {
            let again = "to open this project again, you would have to give them again";
            let is_discarded = || self.keeping.with_value(|keeping| keeping.discarded.contains(&id));
            match project::keep_photos(&id, &folder, &files, &|| !is_discarded()).await {
                _ if is_discarded() => {}
                Ok(true) => {
                    self.photos_are_kept(&id, KeptSource::Files { paths, folder, is_kept: true }).await
                }
                Ok(false) => {
                    self.tell(format!("The browser has no room to keep the photos: {again}."));
                }
                Err(error) => {
                    self.tell(format!("The photos are not kept: {again} ({}).", disk::reason(&error)));
                }
            }
            let mut goes = false;
            self.keeping.update_value(|keeping| {
                keeping.copying.remove(&id);
                goes = keeping.discarded.remove(&id);
            });
            if goes {
                self.discard(id).await;
            }
            self.let_go();
        });
    }

    /// Removes a project with which nothing was done. While its photos are being copied it waits for that.
    async fn discard(self, id: String) {
        let mut waits = false;
        self.keeping.update_value(|Keeping { copying, discarded, .. }| {
            waits = copying.contains(&id);
            if waits {
                discarded.insert(id.clone());
            }
        });
        if !waits && let Err(error) = projects::delete(&id).await {
            let reason = disk::reason(&error);
            self.tell(format!(
                "Photos that were only looked at could not be removed from the browser: {reason}"
            ));
        }
    }

    async fn photos_are_kept(self, id: &str, source: KeptSource) {
        let mut is_open = false;
        self.change(&[Part::Kept], |model| {
            if let Kept::Following(project) | Kept::Wanted(project) = &mut model.kept
                && project.id == id
            {
                project.source = source.clone();
                is_open = true;
            }
        });
        if is_open {
            return self.save_project();
        }
        // It was left meanwhile.
        if let Some(project) = projects::load(id).await {
            self.save(Project { source, ..project }).await;
        }
    }

    /// Writes drawn boxes, changed labels and verdicts to the project, at most once a second.
    pub(super) fn keep_soon(self) {
        if self.keep_what_is_done().is_none() || self.keeping.with_value(|keeping| keeping.has_boxes_to_save)
        {
            return;
        }
        self.keeping.update_value(|keeping| keeping.has_boxes_to_save = true);
        let later = move || {
            self.keeping.update_value(|keeping| keeping.has_boxes_to_save = false);
            self.change(&[Part::Kept], |model| {
                if let Kept::Following(project) = &mut model.kept {
                    project.take_edits(&model.boxes, &model.labels);
                    project.take_verdicts(&model.results);
                }
            });
            self.save_project();
        };
        set_timeout(later, Duration::from_secs(1));
    }

    /// The user leaves this data set: its project waits in the list.
    pub fn leave_kept(self) {
        let mut left = None;
        self.change(&[Part::Kept], |model| {
            // The last ones may not have been written yet.
            if let Kept::Following(mut project) = std::mem::take(&mut model.kept) {
                project.take_edits(&model.boxes, &model.labels);
                project.take_verdicts(&model.results);
                // It does not go on by itself.
                project.is_training = false;
                if let Some(entry) = model.projects.entry_mut(&project.id) {
                    entry.standing = Standing::Saving;
                }
                left = Some(project);
            }
        });
        tabs::remember_open(None);
        let mut had_weights = false;
        self.keeping.update_value(|keeping| {
            had_weights = std::mem::take(&mut keeping.has_weights);
            keeping.goes_on = false;
        });
        // Those of a project go with it.
        if had_weights {
            self.weights.set_value(None);
            self.form.update(Form::forget_weights);
        }
        match left {
            Some(project) if project.is_fresh => spawn_local(async move {
                self.discard(project.id).await;
                self.let_go();
            }),
            Some(project) => spawn_local(async move {
                self.save(project).await;
                self.let_go();
            }),
            None => self.let_go(),
        }
    }

    /// Gives projects back that are no longer open here, once their photos are copied: others may open them.
    fn let_go(self) {
        let open = self.peek(|model| model.kept.project().map(|project| project.id.clone()));
        self.keeping.update_value(|Keeping { claims, copying, .. }| {
            claims.retain(|id, _| open.as_ref() == Some(id) || copying.contains(id));
        });
        self.projects_have_changed();
    }

    /// Writes where the run stands, now that a checkpoint is on the disk, unless it was refused.
    pub(super) fn follow_run(self, ok: bool) {
        if self.peek(|model| model.kept.following().is_none() || model.run.stage == Stage::Idle) {
            return;
        }
        // The user hears of it, and the checkpoint before is still there.
        if !ok {
            return;
        }
        self.remember_open();
        self.change(&[Part::Kept, Part::Run], |model| {
            if let Kept::Following(project) = &mut model.kept {
                project.follow(&model.run);
                project.take_verdicts(&model.results);
            }
        });
        self.save_project();
    }

    /// Notes whether the run is under way by the user's wish: else a reload does not let it go on by itself.
    pub(super) fn note_training(self, is_training: bool) {
        self.change(&[Part::Kept], |model| {
            if let Kept::Following(project) = &mut model.kept {
                project.is_training = is_training;
            }
        });
        self.save_project();
    }

    /// Writes `project.json`, once more if it has changed meanwhile.
    pub(super) fn save_project(self) {
        let current = move || self.peek(|model| model.kept.following().cloned());
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
                self.save(project).await;
                if !self.keeping.with_value(|keeping| keeping.is_behind) {
                    break;
                }
                self.keeping.update_value(|keeping| keeping.is_behind = false);
            }
            self.keeping.update_value(|keeping| keeping.is_saving = false);
        });
    }

    pub(super) async fn save(self, project: Project) {
        let project = Project { saved: window::now(), ..project };
        let mut gave = Vec::new();
        let saved = projects::save(&project, &mut gave).await;
        if saved.is_ok() && project.has_run() {
            self.change(&[Part::Kept], |model| {
                if let Kept::Following(following) = &mut model.kept
                    && following.id == project.id
                {
                    following.is_noted = true;
                }
            });
        }
        for gift in gave {
            self.tell(gift.told());
        }
        if let Err(error) = saved {
            let reason = disk::reason(&error);
            self.tell(format!("Where this project stands could not be written in the browser: {reason}"));
        }
        tabs::tell_others();
    }

    pub(super) fn tell(self, message: String) {
        self.change(&[Part::Notices], |model| model.lasting_notice(message));
    }
}
