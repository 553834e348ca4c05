//! The form, and the weights file that belongs to it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::State;
use crate::browser::files;
use crate::model::fields::Field;
use crate::model::{suggest, weights};
use crate::protocol::Command;

impl State {
    /// The user has changed a field.
    pub fn enter(self, field: &'static Field, text: String) {
        self.form.update(|form| form.enter(field, text));
        if self.form.with_untracked(|form| form.weights.is_none()) {
            self.weights.set_value(None);
        }
        if field.id == "backbone" && !self.form.with_untracked(|form| form.touched) {
            self.suggest();
        }
    }

    /// Back to the values that data and device suggest.
    pub fn reset_settings(self) {
        self.form.update(|form| form.touched = false);
        self.suggest();
    }

    pub(super) fn suggest(self) {
        self.form.update(|form| {
            if !form.touched {
                self.peek(|model| {
                    if let Some(summary) = model.data.summary() {
                        let valid = form.valid();
                        let (backbone, method) = (valid.backbone, valid.method);
                        let device = model.device.as_ref();
                        form.replace(suggest::settings(summary, device, method, backbone));
                    }
                });
            }
        });
    }

    /// Takes a weights file, after a look at its first bytes.
    pub fn choose_weights(self, file: web_sys::File) {
        self.keeping.update_value(|keeping| keeping.has_weights = false);
        spawn_local(async move {
            let start = files::start_of(&file, 16).await.unwrap_or_default();
            let size = file.size() as u64;
            let fault = weights::fault(&file.name(), size, &start);
            let fine = fault.is_none();
            self.form.update(|form| {
                form.forget_weights();
                form.weights = fine.then(|| (file.name(), size));
                form.weights_fault = fault;
            });
            self.weights.set_value(fine.then_some(file));
            self.send_weights();
        });
    }

    pub(super) fn send_weights(self) {
        let Some(file) = self.weights.get_value() else { return };
        self.form.update(|form| form.weights_are_coming = true);
        spawn_local(async move {
            let bytes = files::bytes_of(&file).await;
            self.form.update(|form| form.weights_are_coming = false);
            match bytes {
                Ok(bytes) => self.send(Command::Weights { name: file.name() }, Some(bytes)),
                Err(_) => self.form.update(|form| {
                    form.forget_weights();
                    form.weights_fault = Some("The file could not be read; it may have been moved.".into());
                }),
            }
        });
    }
}
