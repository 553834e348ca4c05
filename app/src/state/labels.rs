//! Labels and classes, changed on the page.

use leptos::prelude::*;
use tag2mask_core::export::{classes_txt, labels_csv};

use super::State;
use crate::browser::{download, window};
use crate::model::label_grid::{Filter, Grid};
use crate::model::labels::{Labels, Outcome};
use crate::model::{Model, Part};
use crate::protocol::Command;

impl State {
    /// Opens the photos, to label them.
    pub fn open_labels(self) {
        if self.is_read_only() {
            return;
        }
        if let Some(summary) = self.peek(|model| model.data.summary().cloned()) {
            self.label_grid.set(Some(Grid::new(&summary)));
            window::focus("label-grid".into());
        }
    }

    /// Changes labels or classes. The trainer gets them, and the project; what was learned with other classes goes, unless
    /// only their names are others.
    pub fn edit_labels(self, act: impl FnOnce(&mut Labels, &Model) -> Outcome) -> Outcome {
        let classes = |model: &Model| model.data.summary().map(|summary| summary.classes.clone());
        let before = self.peek(classes);
        let mut outcome = Outcome::default();
        self.model.update_value(|model| {
            let mut labels = std::mem::take(&mut model.labels);
            outcome = act(&mut labels, model);
            model.labels = labels;
            if outcome.changed {
                model.follow_labels();
            }
        });
        if !outcome.changed {
            return outcome;
        }
        let has_other_classes = self.peek(classes) != before;
        let concerns = has_other_classes && self.peek(Model::has_learned);
        self.change(if concerns { &Part::ALL } else { &[Part::Data, Part::Boxes] }, |model| {
            if concerns && !outcome.only_names {
                model.drop_run();
            } else if concerns {
                model.rename_classes();
            }
        });
        if has_other_classes {
            let summary = self.peek(|model| model.data.summary().cloned());
            self.label_grid.update(|grid| {
                if let (Some(grid), Some(summary)) = (grid, summary) {
                    let filter = match grid.filter() {
                        // Its place in the list may be another class's.
                        Filter::Class(_) => Filter::All,
                        other => other,
                    };
                    grid.show(filter, &summary);
                }
            });
        }
        self.send_labels();
        self.keep_soon();
        outcome
    }

    /// Drops what was learned with the classes as they are, so that these can be changed.
    pub fn drop_run(self) {
        self.change(&Part::ALL, Model::drop_run);
        self.send(Command::DropRun, None);
        self.send_labels();
        self.keep_soon();
    }

    /// Gives the trainer all labels that were changed.
    pub(super) fn send_labels(self) {
        let of = |model: &Model| (model.labels.changes().clone(), model.labels.are_new());
        let (relabel, are_new) = self.peek(of);
        if are_new || !relabel.is_empty() {
            self.send(Command::SetLabels { relabel }, None);
        }
    }

    /// Hands all labels to the user as a table; where it cannot tell the names of the classes, these beside it.
    pub fn save_labels(self) {
        let table = |model: &Model| {
            let summary = model.data.summary()?;
            let names = (!labels_csv::stands_alone(&summary.classes))
                .then(|| (classes_txt::NAME, classes_txt::encode(&summary.classes)));
            let table = Labels::csv(summary, &model.boxes).map_err(|error| error.to_string());
            Some(
                table
                    .map(|table| std::iter::once((labels_csv::NAME, table)).chain(names).collect::<Vec<_>>()),
            )
        };
        let saved = match self.peek(table) {
            Some(Ok(files)) => files.iter().try_for_each(|(name, bytes)| {
                download::save(name, bytes)
                    .map_err(|_| format!("the browser could not save the file: {name}"))
            }),
            Some(Err(message)) => Err(message),
            None => return,
        };
        self.change(&[Part::Notices, Part::Data], |model| match saved {
            Ok(()) => model.labels.saved(),
            Err(message) => model.notice(message),
        });
    }
}
