//! The one store: the model made observable, and everything a user can do.

mod archive;
mod boxes;
mod kept;
mod labels;
mod projects;
mod public_weights;
mod review;

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tag2mask_core::dataset::Summary;
use tag2mask_core::export::Format;
use tag2mask_core::masks::LabelMap;
use tag2mask_core::run::settings::BackboneName;
use tag2mask_core::run::{Event, Settings};

use crate::browser::files::{self, Dropped, PickedFile};
use crate::browser::trainer::{News, Program, Trainer};
use crate::browser::{download, tabs, window};
use crate::model::box_editor::Editor;
use crate::model::fields::Field;
use crate::model::form::Form;
use crate::model::label_grid::Grid;
use crate::model::mask_editor;
use crate::model::pictures::Pictures;
use crate::model::project::Kept;
use crate::model::run::Stage;
use crate::model::trainer::Trainer as Health;
use crate::model::{Model, Part, data, device, suggest, weights};
use crate::parts::opacity;
use crate::protocol::{Command, GivenMasks, PROTOCOL_VERSION};

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
                let edits = (model.boxes.are_unsaved() || model.labels.are_unsaved())
                    && model.kept.following().is_none();
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
        self.send_source();
    }

    // Data.

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

    fn open(self, source: Source) {
        if self.peek(|model| model.kept.following().is_some()) {
            self.leave_kept();
        }
        self.change(&Part::ALL, Model::clear_data);
        self.source.set_value(Some(source));
        self.send_source();
    }

    fn send_source(self) {
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
    fn leave_once_stopped(self, is_safe: bool) {
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
        self.source.set_value(None);
        self.leave_kept();
        self.change(&Part::ALL, Model::clear_data);
        self.form.update(|form| form.touched = false);
        if busy {
            self.start_again();
        }
        window::go_to("data");
    }

    // Pictures.

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

    // Settings.

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

    fn suggest(self) {
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

    fn send_weights(self) {
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

    // The run.

    /// Trains with the form's settings.
    pub fn train(self) {
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
        let takes_masks = self.form.with_untracked(|form| form.valid().method.method().takes_masks());
        if !takes_masks || !self.learns_from_accepted.get_untracked() {
            return None;
        }
        self.peek(|model| {
            let images = model.results.shown()?.review.accepted();
            (!images.is_empty()).then_some(GivenMasks { round: model.results.round, images })
        })
    }

    /// Goes on with a run that was stopped: its settings again are what tells the trainer so.
    pub fn go_on(self) {
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

    // Results.

    /// Makes masks of all images, with the network of the round that is shown.
    pub fn make_masks(self) {
        let settings = self.form.with_untracked(|form| form.settings().masks);
        let round = self.peek(|model| model.results.round);
        self.change(&[Part::Results, Part::Segmenter], |model| {
            model.results.start(&settings);
            model.segmenter.is_outdated = model.segmenter.is_trained;
        });
        self.send(Command::Masks { settings, round }, None);
    }

    /// Shows the masks of another round.
    pub fn show_round(self, round: Option<usize>) {
        self.change(&[Part::Results, Part::Segmenter], |model| {
            if model.results.round != round {
                (model.results.round, model.results.saved, model.results.failure) = (round, None, None);
                model.segmenter.is_outdated = model.segmenter.is_trained;
            }
        });
    }

    /// Ends the making of masks; those that are there stay.
    pub fn stop_masks(self) {
        self.send(Command::Stop, None);
    }

    // New photos.

    /// Trains a network on the masks that were made, or goes on with the one that was stopped.
    pub fn train_segmenter(self) {
        if self.peek(Model::is_working) {
            return;
        }
        let Some(settings) = untrack(|| self.segmenter_settings()) else { return };
        self.change(&[Part::Segmenter], |model| model.segmenter.train(settings.clone()));
        let (round, rejected) = self.peek(|model| {
            let rejected = model.results.shown().map(|made| made.review.rejected());
            (model.results.round, rejected.unwrap_or_default())
        });
        self.send(Command::TrainSegmenter { settings: Box::new(settings), round, rejected }, None);
    }

    /// What a network for new photos would be trained with; `None` before there is a run.
    pub fn segmenter_settings(self) -> Option<Settings> {
        let run = self.read(Part::Run, |model| model.run.settings.clone())?;
        Some(self.form.with(|form| suggest::segmenter(&run, &form.settings())))
    }

    /// Ends what the trainer does for new photos; what is there stays.
    pub fn stop_segmenter(self) {
        self.send(Command::Stop, None);
    }

    /// Takes photos without labels, dropped.
    pub fn drop_photos(self, dropped: Dropped) {
        spawn_local(async move { self.predict(dropped.walk(|_| ()).await) });
    }

    /// Makes masks of photos without labels.
    pub fn predict(self, photos: Vec<PickedFile>) {
        if self.peek(Model::is_working) {
            return;
        }
        if photos.is_empty() {
            let message = "There are no files in what you gave.".to_string();
            return self.change(&[Part::Segmenter], |model| model.segmenter.fail(message));
        }
        let settings = self.form.with_untracked(|form| form.settings().masks);
        self.change(&[Part::Segmenter], |model| model.segmenter.predict());
        self.send(Command::Predict { settings }, Some(files::payload(&photos)));
    }

    /// Packs the network for new photos and hands it to the user.
    pub fn pack_segmenter(self) {
        self.pack_new(Command::PackSegmenter);
    }

    /// Packs the masks of new photos in a format, with the photos if they are wanted, and hands them to the user.
    pub fn pack_predictions(self, format: Format, photos: bool) {
        let photos = photos && format.has_photos();
        self.pack_new(Command::PackPredictions { format: format.id().into(), photos });
    }

    fn pack_new(self, command: Command) {
        if self.peek(Model::is_working) {
            return;
        }
        self.change(&[Part::Segmenter], |model| model.segmenter.pack());
        self.send(command, None);
    }

    /// Packs the masks in a format, with the photos if they are wanted, and hands them to the user.
    pub fn pack_masks(self, format: Format, photos: bool) {
        self.change(&[Part::Results], |model| model.results.start_packing("the masks"));
        let round = self.peek(|model| model.results.round);
        let photos = photos && format.has_photos();
        self.send(Command::PackMasks { round, format: format.id().into(), photos }, None);
    }

    /// Packs the network and hands it to the user.
    pub fn pack_run(self) {
        self.change(&[Part::Results], |model| model.results.start_packing("the network"));
        self.send(Command::PackRun, None);
    }

    /// Writes a report of the run, with the masks that are shown, and hands it to the user.
    pub fn pack_report(self) {
        self.change(&[Part::Results], |model| model.results.start_packing("the report"));
        let round = self.peek(|model| model.results.round);
        self.send(Command::PackReport { round }, None);
    }
}

/// Images of the live grid.
pub fn previews() -> usize {
    if window::is_wide() { 12 } else { 6 }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
