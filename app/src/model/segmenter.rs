//! The network that learns from the masks, and the new photos that it has seen, as the page knows them.

use std::sync::Arc;

use tag2mask_core::dataset::Problem;
use tag2mask_core::run::event::Phase;
use tag2mask_core::run::{Event, Settings};

use super::pictures::Picture;
use super::small_mask::SmallMask;

/// What is under way.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Work {
    /// Nothing.
    #[default]
    None,
    /// The network learns.
    Training(Progress),
    /// New photos are looked at.
    Predicting(Progress),
    /// A file is being packed.
    Packing(Progress),
}

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Steps or photos done.
    pub done: usize,
    /// Of so many; 0 until it is known.
    pub total: usize,
    /// Seconds, once they can be told.
    pub seconds_left: Option<f64>,
}

/// A photo that nobody labelled, and its mask.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPhoto {
    /// Its file name.
    pub name: String,
    /// The photo, small.
    pub picture: Arc<Picture>,
    /// Its mask, of the same size.
    pub mask: SmallMask,
    /// Classes in it, and the share that each covers.
    pub shares: Vec<(u16, f32)>,
}

/// The fifth section.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segmenter {
    /// What is under way.
    pub work: Work,
    /// Whether there is a network that can look at photos.
    pub is_trained: bool,
    /// What it was trained with.
    pub settings: Option<Settings>,
    /// Whether masks were made anew since.
    pub is_outdated: bool,
    /// Whether its training was stopped before its end.
    pub was_stopped: bool,
    /// The photos looked at, the first [`Self::KEPT`] of them.
    pub photos: Vec<Arc<NewPhoto>>,
    /// How many photos have a mask.
    pub masks: usize,
    /// Pixels of all photos that were given.
    pub pixels: u64,
    /// Files that could not be used.
    pub problems: Vec<Problem>,
    /// What went wrong last.
    pub failure: Option<String>,
    /// Name of the last file handed to the user.
    pub saved: Option<String>,
}

impl Segmenter {
    /// Photos that are kept for the screen: some 60 MB. Masks of all are packed.
    pub const KEPT: usize = 200;

    /// Whether the trainer works on it: its news are about this and nothing else.
    pub fn is_busy(&self) -> bool {
        self.work != Work::None
    }

    /// The user wants a network, or to go on with the one that was stopped.
    pub fn train(&mut self, settings: Settings) {
        let goes_on = self.was_stopped && !self.is_outdated && self.settings.as_ref() == Some(&settings);
        if !goes_on {
            *self = Self::default();
        }
        self.work = Work::Training(Progress::default());
        self.settings = Some(settings);
        (self.failure, self.saved) = (None, None);
    }

    /// Whether training with `settings` would give another network than there is.
    pub fn can_train_again(&self, settings: &Settings) -> bool {
        self.was_stopped || self.is_outdated || self.settings.as_ref() != Some(settings)
    }

    /// The user gave photos.
    pub fn predict(&mut self) {
        self.work = Work::Predicting(Progress::default());
        (self.failure, self.saved) = (None, None);
        self.photos.clear();
        self.problems.clear();
        self.masks = 0;
    }

    /// The user wants a file.
    pub fn pack(&mut self) {
        self.work = Work::Packing(Progress::default());
        (self.failure, self.saved) = (None, None);
    }

    /// Work ended with an error; what is there stays.
    pub fn fail(&mut self, message: String) {
        self.work = Work::None;
        self.failure = Some(message);
    }

    /// Takes news that are about what is under way here; gives back all others.
    pub fn apply(&mut self, event: Event) -> Option<Event> {
        match (&mut self.work, event) {
            (Work::None, Event::SegmenterRestored { settings, step, is_finished }) => {
                *self = Self {
                    is_trained: is_finished || step > 0,
                    was_stopped: !is_finished,
                    settings: Some(*settings),
                    // Which masks it learned from only the trainer knows.
                    is_outdated: true,
                    ..Self::default()
                };
            }
            // The user was quicker, and wants another one.
            (_, Event::SegmenterRestored { .. }) => {}
            (Work::None, other) => return Some(other),
            (_, Event::Failed { message }) => self.fail(message),
            (Work::Packing(_), Event::FileReady { name, .. }) => {
                self.work = Work::None;
                self.saved = Some(name);
            }
            (Work::Packing(_), Event::Stopped { .. }) => self.work = Work::None,
            (
                Work::Packing(progress),
                Event::Progress { phase: Phase::Packing, done, total, seconds_left },
            ) => *progress = Progress { done, total, seconds_left },
            (Work::Packing(_), other) => return Some(other),
            (
                Work::Training(progress),
                Event::Progress { phase: Phase::Training, done, total, seconds_left },
            )
            | (
                Work::Predicting(progress),
                Event::Progress { phase: Phase::Masks, done, total, seconds_left },
            ) => {
                *progress = Progress { done, total, seconds_left };
            }
            (Work::Training(_), Event::TrainingFinished { .. }) => {
                self.work = Work::None;
                (self.is_trained, self.was_stopped) = (true, false);
            }
            (Work::Training(_), Event::Stopped { step, .. }) => {
                // A network that has not learned to the end can be tried all the same.
                (self.is_trained, self.was_stopped) = (step > 0, true);
                self.work = Work::None;
            }
            (Work::Training(_), Event::Collapsed { advice, .. }) => {
                return Some(Event::Warning { message: advice });
            }
            (
                Work::Training(_),
                Event::RunStarted { .. }
                | Event::RoundStarted { .. }
                | Event::RoundFinished { .. }
                | Event::Losses { .. }
                | Event::Measured { .. }
                | Event::Saved { .. },
            ) => {}
            (Work::Predicting(progress), Event::PhotosRead { problems, photos, pixels }) => {
                progress.total = photos;
                self.pixels = pixels;
                self.problems = problems;
            }
            (Work::Predicting(_), Event::PhotoReady { name, width, height, shares, rgba, labels }) => {
                self.masks += 1;
                if self.photos.len() < Self::KEPT {
                    let mask = SmallMask::new(width, height, &labels, usize::MAX);
                    let picture = Arc::new(Picture { width, height, rgba });
                    self.photos.push(Arc::new(NewPhoto { name, picture, mask, shares }));
                }
            }
            (Work::Predicting(_), Event::MasksFinished { .. } | Event::Stopped { .. }) => {
                self.work = Work::None;
            }
            (_, other) => return Some(other),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(name: &str) -> Event {
        Event::PhotoReady {
            name: name.into(),
            width: 2,
            height: 1,
            shares: vec![(0, 0.5)],
            rgba: vec![0; 8],
            labels: vec![0, 1],
        }
    }

    #[test]
    fn a_network_is_trained_and_sees_photos() {
        let mut segmenter = Segmenter::default();
        let finished = || Event::TrainingFinished { seconds: 1.0 };
        assert!(segmenter.apply(finished()).is_some(), "of the run, while nothing is under way here");
        segmenter.train(Settings::default());
        let progress = Event::Progress { phase: Phase::Training, done: 2, total: 9, seconds_left: None };
        assert!(segmenter.apply(progress).is_none());
        assert_eq!(segmenter.work, Work::Training(Progress { done: 2, total: 9, seconds_left: None }));
        assert!(segmenter.apply(finished()).is_none());
        assert!(segmenter.is_trained && !segmenter.is_busy());
        assert!(!segmenter.can_train_again(&Settings::default()), "nothing has changed");
        segmenter.predict();
        for number in 0..Segmenter::KEPT + 3 {
            segmenter.apply(photo(&number.to_string()));
        }
        segmenter.apply(Event::MasksFinished { images: 1, seconds: 1.0, score: None });
        assert_eq!((segmenter.photos.len(), segmenter.masks), (Segmenter::KEPT, Segmenter::KEPT + 3));
        assert_eq!(segmenter.photos[0].mask.labels(), [0, 1]);
        segmenter.predict();
        assert!(segmenter.photos.is_empty() && segmenter.is_trained);
    }

    #[test]
    fn a_kept_network_comes_back_as_it_was() {
        let settings = Box::new(Settings { seed: 7, ..Settings::default() });
        let restored =
            |step, is_finished| Event::SegmenterRestored { settings: settings.clone(), step, is_finished };
        for (step, is_finished, is_trained) in [(9, true, true), (3, false, true), (0, false, false)] {
            let mut segmenter = Segmenter::default();
            assert!(segmenter.apply(restored(step, is_finished)).is_none());
            assert!(segmenter.is_trained == is_trained && !segmenter.is_busy());
            assert!(segmenter.was_stopped != is_finished);
            assert!(segmenter.can_train_again(&settings), "its masks may be others now");
        }
        let mut segmenter = Segmenter::default();
        segmenter.train(Settings::default());
        assert!(segmenter.apply(restored(9, true)).is_none());
        assert!(segmenter.is_busy() && !segmenter.is_trained, "the user was quicker");
    }

    #[test]
    fn a_stopped_training_leaves_a_network_once_it_has_learned_anything() {
        for (done, trained) in [(0, false), (3, true)] {
            let mut segmenter = Segmenter::default();
            segmenter.train(Settings::default());
            segmenter.apply(Event::Progress { phase: Phase::Training, done, total: 9, seconds_left: None });
            segmenter.apply(Event::Stopped { round: 0, step: done });
            assert_eq!(
                (segmenter.is_trained, segmenter.was_stopped, segmenter.is_busy()),
                (trained, true, false)
            );
        }
    }

    #[test]
    fn other_work_s_news_pass_through() {
        let mut segmenter = Segmenter { is_trained: true, ..Segmenter::default() };
        let finished = || Event::MasksFinished { images: 1, seconds: 1.0, score: None };
        segmenter.pack();
        assert!(segmenter.apply(finished()).is_some(), "of the results");
        assert!(segmenter.apply(Event::TrainingFinished { seconds: 1.0 }).is_some(), "of the run");
        let progress = Event::Progress { phase: Phase::Packing, done: 1, total: 2, seconds_left: None };
        assert!(segmenter.apply(progress).is_none());
        assert_eq!(segmenter.work, Work::Packing(Progress { done: 1, total: 2, seconds_left: None }));
        assert!(segmenter.apply(Event::Stopped { round: 0, step: 0 }).is_none() && !segmenter.is_busy());
        segmenter.pack();
        assert!(segmenter.apply(Event::FileReady { name: "x.zip".into(), bytes: vec![] }).is_none());
        assert!(!segmenter.is_busy());
        segmenter.train(Settings::default());
        assert!(segmenter.apply(finished()).is_some());
    }

    #[test]
    fn going_on_keeps_what_is_there() {
        let mut segmenter = Segmenter::default();
        segmenter.train(Settings::default());
        segmenter.apply(Event::Stopped { round: 0, step: 5 });
        segmenter.predict();
        segmenter.apply(photo("a"));
        segmenter.apply(Event::MasksFinished { images: 1, seconds: 1.0, score: None });
        segmenter.train(Settings::default());
        segmenter.fail("lost".into());
        assert!(segmenter.is_trained && segmenter.masks == 1);
        segmenter.train(Settings { seed: 7, ..Settings::default() });
        assert!(!segmenter.is_trained && segmenter.masks == 0, "another network");
    }

    #[test]
    fn a_failure_leaves_what_is_there_and_thumbnails_pass_through() {
        let mut segmenter = Segmenter { is_trained: true, ..Segmenter::default() };
        segmenter.predict();
        let thumbnail = Event::Thumbnail { image: 0, width: 1, height: 1, rgba: vec![0; 4] };
        assert!(segmenter.apply(thumbnail).is_some());
        segmenter.apply(Event::Failed { message: "no photo".into() });
        assert_eq!(segmenter.failure.as_deref(), Some("no photo"));
        assert!(segmenter.is_trained && !segmenter.is_busy());
    }
}
