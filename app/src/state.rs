//! The one store: the model made observable, and everything a user can do.

mod archive;
mod boxes;
mod kept;
mod labels;
mod new_photos;
mod projects;
mod public_weights;
mod results;
mod review;
mod run;
mod settings;
mod source;

pub use run::previews;

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use tag2mask_core::dataset::Summary;
use tag2mask_core::masks::LabelMap;
use tag2mask_core::run::settings::BackboneName;
use tag2mask_core::run::{Event, Settings};

use crate::browser::files::PickedFile;
use crate::browser::trainer::{News, Program, Trainer};
use crate::browser::{download, tabs, window};
use crate::model::box_editor::Editor;
use crate::model::form::Form;
use crate::model::label_grid::Grid;
use crate::model::mask_editor;
use crate::model::project::Kept;
use crate::model::trainer::Trainer as Health;
use crate::model::{Model, Part, data, device};
use crate::parts::opacity;
use crate::protocol::{Command, PROTOCOL_VERSION};

/// Where the data set came from, to give it to a fresh trainer again.
#[derive(Clone)]
enum Source {
    Files(Vec<PickedFile>),
    /// Of that many images.
    Sample(usize),
}

/// Handle to the store; copied freely.
#[derive(Clone, Copy)]
pub struct State {
    model: StoredValue<Model>,
    changes: StoredValue<Vec<RwSignal<u32>>>,
    /// The settings form.
    pub form: RwSignal<Form>,
    /// The photo whose boxes are being drawn.
    pub box_editor: RwSignal<Option<Editor>>,
    /// The photos that are being labelled.
    pub label_grid: RwSignal<Option<Grid>>,
    /// The image shown in large.
    pub enlarged: RwSignal<Option<usize>>,
    /// The images that one turns to from there.
    pub in_line: StoredValue<Vec<usize>>,
    /// The mask that is being corrected.
    pub mask_editor: RwSignal<Option<mask_editor::Editor>>,
    /// Opacity of masks over photos, percent.
    pub opacity: RwSignal<u32>,
    /// Whether masks are drawn as outlines.
    pub outline: RwSignal<bool>,
    /// Whether the guided start is shown, with the sample set.
    pub tour: RwSignal<bool>,
    /// Whether the next run learns from accepted masks, where there are any.
    pub learns_from_accepted: RwSignal<bool>,
    trainer: StoredValue<Option<Trainer>, LocalStorage>,
    program: StoredValue<Program>,
    source: StoredValue<Option<Source>, LocalStorage>,
    weights: StoredValue<Option<web_sys::File>, LocalStorage>,
    keeping: StoredValue<kept::Keeping, LocalStorage>,
    held: StoredValue<HashMap<BackboneName, public_weights::Held>, LocalStorage>,
}

impl State {
    /// An empty store; the trainer starts to load at once.
    pub fn new() -> Self {
        let state = Self {
            model: StoredValue::new(Model::default()),
            changes: StoredValue::new(Part::ALL.iter().map(|_| RwSignal::new(0)).collect()),
            form: RwSignal::new(Form::default()),
            box_editor: RwSignal::new(None),
            label_grid: RwSignal::new(None),
            enlarged: RwSignal::new(None),
            in_line: StoredValue::new(Vec::new()),
            mask_editor: RwSignal::new(None),
            opacity: RwSignal::new(opacity::START),
            outline: RwSignal::new(false),
            tour: RwSignal::new(true),
            learns_from_accepted: RwSignal::new(true),
            trainer: StoredValue::new_local(None),
            program: StoredValue::new(Program::Gpu),
            source: StoredValue::new_local(None),
            weights: StoredValue::new_local(None),
            keeping: StoredValue::new_local(kept::Keeping::default()),
            held: StoredValue::new_local(HashMap::new()),
        };
        state.spawn_trainer();
        state.look_for_projects();
        window::keep_focus();
        window::ask_before_leaving(move || {
            state.peek(|model| {
                let unsaved = model.results.saved.is_none();
                // A kept run can be taken up again, with its masks.
                let is_safe = model.kept.is_safe();
                let run = (model.run.stage.is_active() || (unsaved && model.run.has_network())) && !is_safe;
                let edits =
                    (model.boxes.are_unsaved() || model.labels.are_unsaved()) && model.kept.open().is_none();
                run || edits
                    || model.segmenter.is_busy()
                    || (unsaved && !is_safe && model.results.is_complete())
            })
        });
        state
    }

    /// The store of this page.
    pub fn use_here() -> Self {
        expect_context()
    }

    /// Reads the model and follows changes of `part`.
    pub fn read<T>(&self, part: Part, read: impl FnOnce(&Model) -> T) -> T {
        self.signal(part).track();
        self.model.with_value(read)
    }

    /// Reads the model without following it.
    pub fn peek<T>(&self, read: impl FnOnce(&Model) -> T) -> T {
        self.model.with_value(read)
    }

    /// A value computed from `part` that wakes its readers only when it differs.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        part: Part,
        read: impl Fn(&Model) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.read(part, &read))
    }

    fn signal(&self, part: Part) -> RwSignal<u32> {
        self.changes.with_value(|changes| changes[part as usize])
    }

    fn change(&self, parts: &[Part], change: impl FnOnce(&mut Model)) {
        self.model.update_value(change);
        for &part in parts {
            self.signal(part).update(|count| *count = count.wrapping_add(1));
        }
    }

    /// Names of the classes, which can be changed at any time.
    pub fn class_names(self) -> Memo<Vec<String>> {
        self.memo(Part::Data, |model| {
            model.data.summary().map(|summary| summary.classes.clone()).unwrap_or_default()
        })
    }

    /// The facts of the data set, once read.
    pub fn summary(&self) -> Option<Arc<Summary>> {
        self.read(Part::Data, |model| model.data.summary().cloned())
    }

    // The trainer.

    fn spawn_trainer(self) {
        self.change(&[Part::Trainer, Part::Device], |model| {
            model.trainer = Health::default();
            model.device = None;
        });
        let trainer = Trainer::start(self.program.get_value(), move |news| self.hear(news));
        trainer.send(&Command::Start { version: PROTOCOL_VERSION }, None);
        self.trainer.set_value(Some(trainer));
    }

    fn hear(self, news: News) {
        match news {
            News::Event(event) => self.apply(*event),
            News::File(name, file) => self.save_file(name, &file),
            News::NoGpu(reason) => self.go_on_without_gpu(reason),
            News::Died(reason) => {
                self.change(&Part::ALL, |model| model.trainer_died(reason));
                self.leave_once_stopped(true);
            }
            News::Loading(loaded, total) => self.health(Health::Loading { loaded, total }),
            News::Starting => self.health(Health::Starting),
            News::Ready | News::Answers => self.health(Health::Ready),
            News::Silent(seconds) => self.health(Health::Silent(seconds)),
        }
    }

    fn go_on_without_gpu(self, reason: String) {
        self.program.set_value(Program::Processor);
        let message = format!("The GPU could not be used, so the processor trains: {reason}");
        self.start_again();
        self.apply(Event::Warning { message });
    }

    /// Whether a GPU is asked for, and none is known to be missing.
    pub fn is_for_gpu(&self) -> bool {
        let on_processor = self.peek(|model| model.device.as_ref().is_some_and(device::is_cpu));
        self.program.get_value() == Program::Gpu && !on_processor
    }

    /// Trains on the processor from now on.
    pub fn use_processor(self) {
        self.program.set_value(Program::Processor);
        self.change(&Part::ALL, Model::clear_run);
        self.start_again();
    }

    fn health(self, health: Health) {
        self.change(&[Part::Trainer], |model| model.trainer = health);
    }

    fn save_file(self, name: String, file: &web_sys::Blob) {
        self.apply(match download::save_file(&name, file) {
            Ok(()) => Event::FileReady { name, bytes: Vec::new() },
            Err(_) => Event::Failed { message: format!("the browser could not save the file: {name}") },
        });
    }

    fn apply(self, event: Event) {
        let facts_for_settings = matches!(event, Event::DatasetRead { .. } | Event::DeviceReady { .. });
        let was_read = matches!(event, Event::DatasetRead { .. });
        let stopped = matches!(event, Event::Stopped { .. });
        let failed = matches!(event, Event::Failed { .. });
        let started = match &event {
            Event::RunStarted { settings, .. } if self.peek(|model| !model.segmenter.is_busy()) => {
                Some(settings.clone())
            }
            _ => None,
        };
        let kept = if let Event::Kept { ok } = event { Some(ok) } else { None };
        let masks_as = match &event {
            Event::MasksRestored { settings, .. } => Some(settings.clone()),
            _ => None,
        };
        if matches!(event, Event::Saved { .. }) {
            self.peek(|model| {
                if let Some(project) = model.kept.following() {
                    tabs::forget_tries(&project.id);
                }
            });
        }
        let event = match event {
            Event::MaskShown { round, image, width, height, labels } => {
                return self.open_mask(round, image, LabelMap { width, height, labels });
            }
            Event::ProjectRead { name, has_run, verdicts, labels_are_new } => {
                return self.take_up_archive(name, has_run, verdicts, labels_are_new);
            }
            event => event,
        };
        let are_made = matches!(event, Event::MasksFinished { .. });
        let mut changed = Vec::new();
        self.model.update_value(|model| changed = model.apply(event, window::now()));
        self.change(&changed, |_| ());
        if facts_for_settings {
            self.suggest();
        }
        if let Some(masks) = masks_as {
            // What is made next is made as these were.
            let settings = self.form.with_untracked(Form::settings);
            self.show_settings(&Settings { masks, ..settings });
        }
        if was_read {
            self.meet_kept();
        }
        if are_made {
            self.correct_again();
        }
        if let Some(settings) = started {
            self.show_settings(&settings);
        }
        if stopped || failed {
            self.go_on_if_interrupted();
        }
        if let Some(ok) = kept {
            self.follow_run(ok);
        }
        self.leave_once_stopped(failed || kept.is_some());
        if self.peek(|model| matches!(model.data, data::Data::Failed(_)) && model.kept.wanted().is_some()) {
            self.leave_kept();
        }
    }

    /// A run that was taken up brings its settings.
    fn show_settings(self, settings: &Settings) {
        if self.form.with_untracked(|form| &form.settings() != settings) {
            self.form.update(|form| {
                form.replace(settings.clone());
                form.touched = true;
            });
        }
    }

    fn send(&self, command: Command, payload: Option<wasm_bindgen::JsValue>) {
        self.trainer.with_value(|trainer| {
            if let Some(trainer) = trainer {
                trainer.send(&command, payload);
            }
        });
    }

    /// After a death: a fresh trainer gets the same data and weights.
    pub fn start_again(self) {
        let looked_at = self.peek(|model| {
            model.kept.project().filter(|project| project.is_elsewhere).map(|project| project.id.clone())
        });
        self.trainer.set_value(None);
        self.change(&Part::ALL, |model| {
            // The last ones may not have been written yet.
            if let Kept::Following(project) = &mut model.kept {
                project.take_edits(&model.boxes, &model.labels);
                project.take_verdicts(&model.results);
            }
            model.kept.want_again();
            // One that was silent has told nobody that it is gone.
            if model.is_working() {
                model.trainer_died("It was started again.".into());
            }
            model.pictures.forget_requests();
        });
        self.spawn_trainer();
        self.send_weights();
        match looked_at {
            // The other tab has gone on meanwhile.
            Some(id) => {
                self.forget_data();
                self.look_at_project(id);
            }
            None => self.send_source(),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
