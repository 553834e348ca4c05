//! What the page knows, and how news changes it. No screen, no browser: everything here is tested
//! natively. `state.rs` makes it observable.

pub mod archive;
pub mod box_editor;
pub mod box_keys;
pub mod box_place;
pub mod boxes;
pub mod chart;
pub mod compare;
pub mod confusion;
pub mod data;
pub mod device;
pub mod download;
pub mod estimate;
pub mod fields;
pub mod form;
pub mod guide;
pub mod label_grid;
pub mod labels;
pub mod losses;
pub mod mask_editor;
pub mod mask_keys;
pub mod memory;
pub mod order;
pub mod overlay;
pub mod panels;
pub mod pictures;
pub mod project;
pub mod projects;
pub mod public_weights;
pub mod results;
pub mod review;
pub mod room;
pub mod rounds;
pub mod run;
pub mod segmenter;
pub mod small_mask;
pub mod suggest;
pub mod text;
pub mod trainer;
pub mod visible;
pub mod weights;

use tag2mask_core::run::Event;
use tag2mask_core::run::course::Course;
use tag2mask_core::run::event::{DeviceInfo, Phase};

/// A part of the model that is shown on its own: what changed, for whoever redraws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Whether the trainer is loading, ready, silent or gone.
    Trainer,
    /// The compute device.
    Device,
    /// The data set.
    Data,
    /// Boxes that were drawn.
    Boxes,
    /// Small pictures.
    Thumbnails,
    /// The run's stage and progress.
    Run,
    /// Loss points.
    Losses,
    /// Shares and thresholds of the classes, by step.
    Course,
    /// What the network sees now.
    Previews,
    /// Masks and scores.
    Results,
    /// The network for new photos, and those photos.
    Segmenter,
    /// Runs side by side.
    Compare,
    /// What the browser keeps.
    Kept,
    /// Public weights.
    Weights,
    /// Messages that belong to no section.
    Notices,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 15] = [
        Self::Trainer,
        Self::Device,
        Self::Data,
        Self::Boxes,
        Self::Thumbnails,
        Self::Run,
        Self::Losses,
        Self::Course,
        Self::Previews,
        Self::Results,
        Self::Segmenter,
        Self::Compare,
        Self::Kept,
        Self::Weights,
        Self::Notices,
    ];
}

/// Everything the page knows, except what is being typed into the form.
#[derive(Debug, Default)]
pub struct Model {
    /// Whether there is someone to do the work.
    pub trainer: trainer::Trainer,
    /// The compute device, once found.
    pub device: Option<DeviceInfo>,
    /// The data set.
    pub data: data::Data,
    /// Boxes that were drawn, beside those of the data set.
    pub boxes: boxes::Boxes,
    /// Labels and classes that were changed since the data set was read.
    pub labels: labels::Labels,
    /// Small pictures and previews.
    pub pictures: pictures::Pictures,
    /// The run.
    pub run: run::Run,
    /// Its losses.
    pub losses: losses::Losses,
    /// How its classes fare.
    pub course: Course,
    /// Masks.
    pub results: results::Results,
    /// Runs that were kept to be compared.
    pub compare: compare::Compare,
    /// The network for new photos.
    pub segmenter: segmenter::Segmenter,
    /// The project of this page.
    pub kept: project::Kept,
    /// The same as one file.
    pub archive: archive::Archive,
    /// All that are kept in this browser.
    pub projects: projects::Projects,
    /// Public weights.
    pub public_weights: public_weights::Downloads,
    /// Warnings, oldest first.
    pub notices: Vec<String>,
    /// Those of them that are of the data set and its project, whatever run comes next.
    lasting: Vec<String>,
}

impl Model {
    /// Most warnings kept.
    const NOTICES: usize = 20;

    /// Takes one piece of news at `now` (seconds, any origin); returns what changed.
    pub fn apply(&mut self, event: Event, now: f64) -> Vec<Part> {
        let Some(event) = self.segmenter.apply(event) else { return vec![Part::Segmenter] };
        let Some(event) = self.archive.apply(event) else { return vec![Part::Kept] };
        match event {
            Event::DeviceReady { device } => {
                self.device = Some(device);
                vec![Part::Device]
            }
            Event::DatasetRead { summary } => {
                self.data.read(summary);
                if let Some(summary) = self.data.summary() {
                    self.labels.read(summary.clone());
                }
                self.follow_labels();
                vec![Part::Data, Part::Boxes]
            }
            Event::Thumbnail { image, width, height, rgba } => {
                self.pictures.add_thumbnail(image, width, height, rgba);
                vec![Part::Thumbnails]
            }
            Event::Preview { image, round, step, width, height, labels, strength } => {
                self.pictures
                    .add_preview(image, pictures::Preview { round, step, width, height, labels, strength });
                vec![Part::Previews]
            }
            Event::Altered { image, side, rgba } => {
                self.pictures.add_altered(image, side, rgba);
                vec![Part::Previews]
            }
            Event::Progress { phase: Phase::Reading, done, total, seconds_left } => {
                self.data.progress(done, total, seconds_left);
                vec![Part::Data]
            }
            Event::Progress { phase: Phase::Masks | Phase::Packing, .. }
            | Event::MasksRestored { .. }
            | Event::MaskReady { .. }
            | Event::MaskCorrected { .. }
            | Event::MasksFinished { .. }
            | Event::FileReady { .. } => {
                // What was said of earlier masks is not said of those that have been made since.
                let is_restored = matches!(event, Event::MasksRestored { are_all: true, .. });
                self.results.apply(event);
                if is_restored {
                    let verdicts =
                        self.kept.project().map_or(&self.archive.verdicts, |project| &project.verdicts);
                    self.results.judge_again(verdicts);
                }
                vec![Part::Results]
            }
            Event::RunStarted { .. } | Event::RoundStarted { .. } | Event::Losses { .. } => {
                self.losses.apply(&event);
                self.run.apply(&event, now);
                self.course.apply(&event);
                let is_start = matches!(event, Event::RunStarted { .. });
                if is_start {
                    vec![Part::Losses, Part::Run, Part::Course]
                } else {
                    vec![Part::Losses, Part::Run]
                }
            }
            Event::Measured { .. } => {
                self.course.apply(&event);
                vec![Part::Course]
            }
            Event::SharesUpdated { .. } => {
                self.course.apply(&event);
                self.run.apply(&event, now);
                vec![Part::Course, Part::Run]
            }
            Event::Stopped { .. } if self.results.is_busy() => {
                self.results.cancel();
                vec![Part::Results]
            }
            Event::Warning { message } => {
                self.notice(message);
                vec![Part::Notices]
            }
            Event::Failed { message } => self.fail(message),
            other => {
                self.run.apply(&other, now);
                vec![Part::Run]
            }
        }
    }

    /// Takes over what the labels have become.
    pub fn follow_labels(&mut self) {
        let (Some(summary), Some(read)) = (self.labels.in_force(), self.labels.as_read()) else { return };
        overlay::keep_colors(self.labels.map().numbers());
        self.boxes.follow(self.labels.map().clone(), read.clone());
        self.data.change(summary);
    }

    /// Whether labels or boxes were changed since the run started: a run from here on is another one.
    pub fn has_new_labels(&self) -> bool {
        self.labels.are_new() || self.boxes.are_new()
    }

    /// Whether there is something that was learned with the classes as they are, or is being learned.
    pub fn has_learned(&self) -> bool {
        self.run.has_network()
            || self.run.stage.is_active()
            || self.results.has_masks()
            // A trainer that died has lost it, but the disk has not.
            || self.kept.is_safe()
            || self.segmenter.is_trained
            || self.segmenter.is_busy()
    }

    /// Classes have other names, also in what was learned.
    pub fn rename_classes(&mut self) {
        let names = self.labels.map().names();
        self.results.rename_classes(names);
        self.compare.rename_classes(names);
    }

    /// Forgets all that was learned with the classes as they are, and to compare it with.
    pub fn drop_run(&mut self) {
        self.clear_run();
        self.results = results::Results::default();
        self.compare = compare::Compare::default();
        self.labels.drop_run();
        if let project::Kept::Following(project) = &mut self.kept {
            project.run_starts(None);
        }
    }

    /// Whether the trainer has work to do, which other work must wait for.
    pub fn is_working(&self) -> bool {
        self.data.is_busy()
            || self.run.stage.is_active()
            || self.results.is_busy()
            || self.segmenter.is_busy()
            || self.archive.is_busy()
    }

    /// A failure belongs to the work that was under way.
    fn fail(&mut self, message: String) -> Vec<Part> {
        if self.data.is_busy() {
            self.data = data::Data::Failed(message);
            vec![Part::Data]
        } else if self.results.is_busy() {
            self.results.fail(message);
            vec![Part::Results]
        } else if self.run.stage.is_active() {
            self.run.fail(message);
            vec![Part::Run]
        } else {
            self.notice(message);
            vec![Part::Notices]
        }
    }

    /// Adds a warning once.
    pub fn notice(&mut self, message: String) {
        if !self.notices.contains(&message) {
            self.notices.push(message);
            let excess = self.notices.len().saturating_sub(Self::NOTICES);
            self.notices.drain(..excess);
        }
    }

    /// The same, of what a next run does not mend: what the browser has refused to keep.
    pub fn lasting_notice(&mut self, message: String) {
        self.lasting.retain(|notice| self.notices.contains(notice));
        self.lasting.push(message.clone());
        self.notice(message);
    }

    /// Forgets everything that a data set brought, before another one is read.
    pub fn clear_data(&mut self) {
        self.lasting.clear();
        self.data = data::Data::Empty;
        self.boxes = boxes::Boxes::default();
        self.labels = labels::Labels::default();
        overlay::keep_colors(&[]);
        self.pictures = pictures::Pictures::default();
        self.clear_run();
        self.results = results::Results::default();
        self.compare = compare::Compare::default();
        self.archive = archive::Archive::default();
    }

    /// Forgets a run and its masks, which stay to be compared with those of the next.
    pub fn clear_run(&mut self) {
        self.compare.keep(&self.run, &self.results);
        self.run = run::Run::default();
        self.losses = losses::Losses::default();
        self.course = Course::default();
        self.results = self.results.next_run();
        self.segmenter = segmenter::Segmenter::default();
        self.pictures.clear_previews();
        let lasting = &self.lasting;
        self.notices.retain(|notice| lasting.contains(notice));
    }

    /// The trainer is gone and with it the network: what was being done has failed, what was read and
    /// set stays.
    pub fn trainer_died(&mut self, reason: String) {
        self.trainer = trainer::Trainer::Dead(reason);
        self.pictures.forget_requests();
        if self.run.stage.is_active() || self.run.has_network() {
            self.run.fail(
                if self.kept.is_safe() {
                    "The trainer stopped. Start it again, and the run can go on from its last checkpoint."
                } else {
                    "The trainer stopped. What it had learned is lost; data and settings are kept."
                }
                .into(),
            );
        }
        if self.segmenter.is_busy() || self.segmenter.is_trained {
            let photos = std::mem::take(&mut self.segmenter.photos);
            self.segmenter = segmenter::Segmenter { masks: photos.len(), photos, ..Default::default() };
            let fate = if self.kept.is_safe() { "comes back with the run" } else { "is lost" };
            self.segmenter.fail(format!("The trainer stopped. The network for new photos {fate}."));
        }
        let undone = "The trainer stopped before this was done.";
        if self.results.is_busy() {
            self.results.fail(undone.into());
        }
        if self.archive.is_busy() {
            self.archive.fail(undone.into());
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tag2mask_core::dataset::{ImageSummary, Layout, Summary};
    use tag2mask_core::run::Settings;

    pub(crate) fn summary(images: usize) -> Summary {
        let images: Vec<ImageSummary> = (0..images)
            .map(|i| ImageSummary {
                path: format!("images/{i:03}.jpg"),
                stem: format!("{i:03}"),
                width: 320,
                height: 240,
                labels: vec![(i % 3) as u16],
                boxes: Vec::new(),
            })
            .collect();
        Summary {
            layout: Layout::LabelsTable,
            finding: String::new(),
            classes: vec!["cat".into(), "dog".into(), "sheep".into()],
            images_per_class: vec![images.len().div_ceil(3); 3],
            without_class: 0,
            several_classes: 0,
            with_mask: 0,
            boxes: 0,
            images,
            problems: Vec::new(),
        }
    }

    pub(crate) fn run_started(total_steps: usize) -> Event {
        Event::RunStarted {
            settings: Box::new(Settings::default()),
            device: DeviceInfo::default(),
            parameters: 1000,
            micro_batch: 8,
            recompute: false,
            memory: 0,
            total_steps,
            done_steps: 0,
            given_masks: 0,
        }
    }

    #[test]
    fn a_failure_lands_in_the_section_that_was_busy() {
        let mut model = Model::default();
        model.data.start_reading("photos".into());
        assert_eq!(model.apply(Event::Failed { message: "no usable data".into() }, 0.0), vec![Part::Data]);
        assert_eq!(model.data, data::Data::Failed("no usable data".into()));

        model.run.start();
        model.apply(run_started(100), 0.0);
        assert_eq!(model.apply(Event::Failed { message: "out of memory".into() }, 1.0), vec![Part::Run]);
        assert_eq!(model.run.stage, run::Stage::Failed("out of memory".into()));

        model.results.start(&Default::default());
        assert_eq!(model.apply(Event::Failed { message: "disk".into() }, 1.0), vec![Part::Results]);

        assert_eq!(model.apply(Event::Failed { message: "other".into() }, 1.0), vec![Part::Notices]);
        assert_eq!(model.notices, vec!["other".to_string()]);
    }

    #[test]
    fn the_data_set_survives_the_death_of_the_trainer() {
        let mut model = Model::default();
        model.data.start_reading("photos".into());
        model.apply(Event::DatasetRead { summary: summary(6) }, 0.0);
        model.run.start();
        model.trainer_died("out of memory".into());
        assert!(model.data.summary().is_some());
        assert!(matches!(model.run.stage, run::Stage::Failed(_)));
        assert_eq!(model.trainer, trainer::Trainer::Dead("out of memory".into()));
    }

    #[test]
    fn labels_reach_data_and_boxes_and_survive_another_reading() {
        let mut model = Model::default();
        model.data.start_reading("photos".into());
        model.apply(Event::DatasetRead { summary: summary(6) }, 0.0);
        assert!(!model.has_new_labels());
        model.labels.remove_class(0).unwrap();
        model.follow_labels();
        let classes = |model: &Model| model.data.summary().map(|summary| summary.classes.clone());
        assert_eq!(classes(&model), Some(vec!["dog".into(), "sheep".into()]));
        assert!(model.has_new_labels() && !model.has_learned());
        assert_eq!(overlay::class_css(0), {
            overlay::keep_colors(&[]);
            overlay::class_css(1)
        });
        model.apply(Event::DatasetRead { summary: summary(6) }, 0.0);
        assert_eq!(classes(&model).map(|classes| classes.len()), Some(2));
        model.clear_data();
        assert!(model.labels.as_read().is_none() && !model.has_new_labels());
    }

    #[test]
    fn warnings_are_kept_once_and_bounded() {
        let mut model = Model::default();
        for i in 0..100 {
            model.notice(format!("{i}"));
            model.notice(format!("{i}"));
        }
        assert_eq!(model.notices.len(), Model::NOTICES);
        assert_eq!(model.notices.last().map(String::as_str), Some("99"));
    }

    #[test]
    fn what_the_disk_refuses_is_told_whatever_run_comes_next() {
        let mut model = Model::default();
        model.notice("the learning rate is too high".into());
        model.lasting_notice("there is no room".into());
        model.clear_run();
        assert_eq!(model.notices, ["there is no room"]);
        model.clear_data();
        assert!(model.notices.is_empty());
    }
}
