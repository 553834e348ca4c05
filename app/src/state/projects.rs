//! The list of projects: looked through, opened, renamed, deleted.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::State;
use crate::browser::{project, tabs, window};
use crate::disk::{self, lock, projects};
use crate::model::data::Data;
use crate::model::project::{Kept, Project};
use crate::model::projects::{Standing, Storage};
use crate::model::{Model, Part};

/// Why a project is opened.
#[derive(Clone, Copy, PartialEq)]
enum Why {
    /// The user has pressed its button.
    Asked,
    /// This tab had it open before it was loaded again.
    Reloaded,
    /// The tab or the browser that had it open came to an end while it was trained.
    Interrupted,
    /// Another tab has it open: it is only looked at.
    Elsewhere,
}

/// A project that was being trained when its tab ended, by whatever cause; of several the one saved last.
async fn interrupted() -> Option<String> {
    let mut training = projects::all().await;
    training.retain(|project| project.is_training);
    let open = lock::open_projects().await;
    // One that is open may be in a tab that is about to end.
    let gone = training.iter().position(|project| !open.contains(&project.id)).unwrap_or(0);
    training.into_iter().nth(gone).map(|project| project.id)
}

impl State {
    /// Asks the browser whether it keeps anything, and what. The project that this tab had open comes back,
    /// or else one whose training was interrupted.
    pub(super) fn look_for_projects(self) {
        spawn_local(async move {
            if !project::is_possible().await {
                return self.change(&[Part::Kept], |model| model.projects.storage = Storage::Impossible);
            }
            self.change(&[Part::Kept], |model| model.projects.storage = Storage::Possible);
            if let Err(error) = project::prepare().await {
                let reason = disk::reason(&error);
                self.tell(format!("What an earlier visit has left could not be put in order: {reason}"));
            }
            tabs::listen(move || self.look_again());
            // The user may have been quicker, and has data open.
            if self.keep_project().is_some() {
                return;
            }
            match tabs::open_before() {
                Some(id) => {
                    // Should it end the page again, the next load begins with the list.
                    tabs::remember_open(None);
                    self.open_project_of(id, Why::Reloaded).await;
                }
                None => {
                    self.look_again();
                    if let Some(id) = interrupted().await {
                        self.open_project_of(id, Why::Interrupted).await;
                    }
                }
            }
        });
    }

    /// Looks through the projects on the disk, and measures them. While one is open, nobody sees the list.
    pub(super) fn look_again(self) {
        if self.peek(|model| model.projects.storage != Storage::Possible || model.kept != Kept::Nothing) {
            return;
        }
        let mut look = 0;
        self.keeping.update_value(|keeping| {
            keeping.look = keeping.look.wrapping_add(1);
            look = keeping.look;
        });
        spawn_local(async move {
            // A later look has seen more.
            let is_latest = || self.keeping.with_value(|keeping| keeping.look == look);
            let (found, open) = (projects::all().await, lock::open_projects().await);
            if !is_latest() {
                return;
            }
            let ids: Vec<String> = found.iter().map(|project| project.id.clone()).collect();
            let copying: BTreeSet<String> = self.keeping.with_value(|keeping| keeping.copying.clone());
            self.change(&[Part::Kept], |model| model.projects.found(found, &open, &copying));
            let room = disk::room().await;
            self.change(&[Part::Kept], |model| model.projects.room = room);
            for id in ids {
                if !is_latest() {
                    return;
                }
                let bytes = project::bytes(&id).await;
                self.change(&[Part::Kept], |model| {
                    if let Some(entry) = model.projects.entry_mut(&id)
                        && bytes.is_some()
                    {
                        entry.bytes = bytes;
                    }
                });
            }
        });
    }

    /// Opens a project of the list.
    pub fn open_project(self, id: String) {
        self.open_soon(id, Why::Asked);
    }

    fn open_soon(self, id: String, why: Why) {
        spawn_local(async move { self.open_project_of(id, why).await });
    }

    async fn open_project_of(self, id: String, why: Why) {
        let claim = match why {
            Why::Asked => lock::claim(&id).await,
            Why::Reloaded | Why::Interrupted => lock::claim_again(&id).await,
            Why::Elsewhere => None,
        };
        self.open_claimed(id, why, claim).await;
    }

    async fn open_claimed(self, id: String, why: Why, claim: Option<lock::Lock>) {
        // As it is now: another tab may have had it.
        let is_elsewhere = why == Why::Elsewhere;
        let card = if claim.is_some() || is_elsewhere { projects::load(&id).await } else { None };
        // Meanwhile the user may have given other data.
        let is_free = |model: &Model| {
            model.kept == Kept::Nothing && matches!(model.data, Data::Empty | Data::Failed(_))
        };
        let may_try = |card: &Project| card.is_training && tabs::may_try(&id, &card.progress);
        let goes_on = matches!(why, Why::Reloaded | Why::Interrupted) && card.as_ref().is_some_and(may_try);
        // Its own tab may have stopped it meanwhile; and what ends the page must not keep the list from it.
        let card = card.filter(|_| goes_on || why != Why::Interrupted);
        match card {
            Some(card) if self.peek(is_free) => {
                self.keeping.update_value(|keeping| {
                    keeping.claims.extend(claim.map(|claim| (id, claim)));
                    keeping.goes_on = goes_on;
                });
                tabs::tell_others();
                // What the user takes from the list stays there.
                let is_fresh = card.is_fresh && why != Why::Asked;
                self.take_up(Project { is_fresh, is_elsewhere, ..card });
            }
            _ => {
                drop(claim);
                self.look_again();
            }
        }
    }

    /// Shows a project that another tab has open, as the disk has it.
    pub fn look_at_project(self, id: String) {
        self.open_soon(id, Why::Elsewhere);
    }

    /// Opens the project that is looked at, to change it; `said` has the reason where that cannot be.
    pub fn open_what_is_shown(self, said: WriteSignal<&'static str>) {
        let shown = move || {
            let is_ours = |model: &Model| {
                model.kept.open().filter(|project| project.is_elsewhere).map(|project| project.id.clone())
            };
            self.peek(is_ours)
        };
        let Some(id) = shown() else { return };
        // The same words once more would not be heard.
        said.set("");
        spawn_local(async move {
            let claim = lock::claim(&id).await;
            let is_there = claim.is_none() || projects::load(&id).await.is_some();
            // Meanwhile the user may have opened something else.
            if shown().as_ref() != Some(&id) {
                return;
            }
            match claim {
                None => said.set(
                    "The other tab still has it. Close that tab, or choose other data there, and press again.",
                ),
                Some(_) if !is_there => {
                    said.set("It is no longer kept in this browser. “Save as one file” keeps what you see.");
                }
                claim => {
                    self.choose_other();
                    self.open_claimed(id, Why::Asked, claim).await;
                }
            }
        });
    }

    /// Whether the project that is open can only be looked at.
    pub fn is_read_only(self) -> bool {
        self.peek(|model| model.kept.is_read_only())
    }

    /// Gives a project of the list another name.
    pub fn rename_project(self, id: String, name: String) {
        spawn_local(async move {
            let claim = lock::claim(&id).await;
            if claim.is_some()
                && let Some(mut card) = projects::load(&id).await
                && card.rename(&name)
            {
                self.save(card).await;
            }
            drop(claim);
            self.projects_have_changed();
        });
    }

    /// Deletes a project of the list. It stays there until it is gone from the disk.
    pub fn delete_project(self, id: String) {
        spawn_local(async move {
            let Some(claim) = lock::claim(&id).await else { return self.look_again() };
            self.change(&[Part::Kept], |model| {
                if let Some(entry) = model.projects.entry_mut(&id) {
                    entry.standing = Standing::Deleting;
                }
            });
            if let Err(error) = projects::delete(&id).await {
                let reason = disk::reason(&error);
                self.tell(format!(
                    "Not all of the project could be deleted; the rest goes when the page is loaded again: {reason}"
                ));
            }
            drop(claim);
            self.change(&[Part::Kept], |model| model.projects.gone(&id));
            // The button that had the focus is gone.
            window::focus("data".into());
            self.projects_have_changed();
        });
    }

    /// Looks again, here and in other tabs.
    pub(super) fn projects_have_changed(self) {
        self.look_again();
        tabs::tell_others();
    }
}
