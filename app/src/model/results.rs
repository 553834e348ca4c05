//! Masks and their scores as the page knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tag2mask_core::files::limits;
use tag2mask_core::masks::LabelMap;
use tag2mask_core::run::Event;
use tag2mask_core::run::event::{Phase, Score};
use tag2mask_core::run::settings::MaskSettings;

use super::order;
use super::review::{Filter, Review};
use super::small_mask::SmallMask;
use super::text;

/// One finished mask.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// For the screen.
    pub small: SmallMask,
    /// Classes in it and the share of the image that each covers.
    pub shares: Vec<(u16, f32)>,
    /// The background threshold of each of the image's classes.
    pub thresholds: Vec<(u16, f32)>,
    /// IoU of this image, percent.
    pub miou: Option<f64>,
    /// How much it is to be doubted, 0 to 1; `None` of one that was corrected by hand.
    pub doubt: Option<f32>,
}

/// The masks of one round's network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// By image.
    pub masks: BTreeMap<usize, Arc<Mask>>,
    /// How long they took, seconds, once all are there.
    pub seconds: Option<f64>,
    /// Against supplied masks, as they were made.
    pub score: Option<Score>,
    /// The same with those that were corrected by hand, once there is one.
    pub corrected_score: Option<Score>,
    /// What the user makes of them.
    pub review: Review,
    /// Masks that were corrected by hand, as they were drawn, with their images.
    corrected: Vec<(usize, SmallMask)>,
}

/// What the trainer does for the last section.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Work {
    /// Nothing.
    #[default]
    None,
    /// Masks are being made.
    Making {
        /// Images done.
        done: usize,
        /// Images in all; 0 until known.
        total: usize,
        /// Estimate, seconds.
        seconds_left: Option<f64>,
    },
    /// A file is being packed.
    Packing {
        /// What it holds: "the masks".
        what: &'static str,
        /// Entries done.
        done: usize,
        /// Entries in all; 0 until known.
        total: usize,
        /// Estimate, seconds, where it takes long.
        seconds_left: Option<f64>,
    },
}

/// The last section.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// What is under way.
    pub work: Work,
    /// The round whose masks are shown; `None` for those of what was learned until now.
    pub round: Option<usize>,
    /// Masks by round, as [`round`](Self::round).
    made: BTreeMap<Option<usize>, Made>,
    /// How they were made.
    settings: Option<MaskSettings>,
    /// Whether masks come that are all kept, and only told again.
    restores_all: bool,
    /// What went wrong last.
    pub failure: Option<String>,
    /// Name of the last file handed to the user.
    pub saved: Option<String>,
}

impl Made {
    /// Classes have other names.
    pub fn rename_classes(&mut self, classes: &[String]) {
        let scores = self.score.iter_mut().chain(&mut self.corrected_score);
        scores.for_each(|score| score.rename_classes(classes));
    }

    /// Other masks need other verdicts; but what was drawn by hand is not to be drawn again.
    fn forget(&mut self) {
        let corrected = std::mem::take(&mut self.corrected);
        // What somebody has drawn and then rejected stays rejected.
        let images = corrected.iter().map(|(image, _)| *image);
        let review = self.review.rejected_of(images);
        *self = Self { corrected, review, ..Self::default() };
    }
}

impl Results {
    /// Classes have other names.
    pub fn rename_classes(&mut self, classes: &[String]) {
        self.made.values_mut().for_each(|made| made.rename_classes(classes));
    }

    /// What the next run on the same photos starts with: nothing, but what was drawn by hand waits for its masks.
    pub fn next_run(&mut self) -> Self {
        let mut next = Self::default();
        let waiting = next.made.entry(None).or_default();
        for made in self.made.values_mut() {
            made.forget();
            for image in made.review.rejected() {
                waiting.review.reject(image);
            }
            for (image, mask) in std::mem::take(&mut made.corrected) {
                waiting.corrected.retain(|(other, _)| *other != image);
                waiting.corrected.push((image, mask));
            }
        }
        next
    }

    /// What the same run starts with when it is taken up again: what was drawn by hand waits for the masks that it was
    /// drawn over.
    pub fn drawn(&self) -> Self {
        let mut next = Self::default();
        for (&round, made) in &self.made {
            next.made.entry(round).or_default().corrected.clone_from(&made.corrected);
        }
        next
    }

    /// Longest side of a mask kept for the screen, pixels.
    const SIDE: usize = 512;

    /// Whether work is under way.
    pub fn is_busy(&self) -> bool {
        self.work != Work::None
    }

    /// What was made of the round that is shown.
    pub fn shown(&self) -> Option<&Made> {
        self.made.get(&self.round)
    }

    /// The mask of an image, of the round that is shown.
    pub fn mask(&self, image: usize) -> Option<&Arc<Mask>> {
        self.shown()?.masks.get(&image)
    }

    /// Whether any mask was made, of whatever round.
    pub fn has_masks(&self) -> bool {
        self.made.values().any(|made| !made.masks.is_empty())
    }

    /// Whether all masks of the round that is shown are there.
    pub fn is_complete(&self) -> bool {
        self.shown().is_some_and(|made| made.seconds.is_some())
    }

    /// Rounds that have all their masks, in order; the one that has learned most is last.
    pub fn complete_rounds(&self) -> Vec<(Option<usize>, &Made)> {
        let complete = |(&round, made): (&Option<usize>, _)| (round, made);
        let mut rounds: Vec<(Option<usize>, &Made)> =
            self.made.iter().map(complete).filter(|(_, made): &(_, &Made)| made.seconds.is_some()).collect();
        order::sort_by(&mut rounds, |(a, _), (b, _)| a.unwrap_or(usize::MAX).cmp(&b.unwrap_or(usize::MAX)));
        rounds
    }

    /// The user asked for masks of the round that is shown. Those that were made otherwise could not be
    /// compared with them, and go.
    pub fn start(&mut self, settings: &MaskSettings) {
        if self.settings.as_ref() != Some(settings) {
            self.made.values_mut().for_each(Made::forget);
            self.settings = Some(settings.clone());
        }
        self.work = Work::Making { done: 0, total: 0, seconds_left: None };
        let made = self.made.entry(self.round).or_default();
        // A making that goes on tells the same masks again: what was said of them stays.
        if made.seconds.is_some() || made.masks.is_empty() {
            made.forget();
        }
        self.restores_all = false;
        (self.failure, self.saved) = (None, None);
    }

    /// The user has ended what was under way, or masks were never all made.
    pub fn cancel(&mut self) {
        if matches!(self.work, Work::Packing { .. }) {
            self.work = Work::None;
            return;
        }
        let there = self.shown().map_or(0, |made| made.masks.len()) as u64;
        self.fail(match there {
            _ if self.restores_all => "Cancelled. The masks stay in this browser: load the page again to \
                                       see all of them, or make them anew."
                .to_string(),
            0 => "Cancelled: there are no masks yet.".to_string(),
            _ => format!(
                "{} there, not all. “Make masks” makes the others.",
                text::count(there, "mask is", "masks are")
            ),
        });
    }

    /// The user asked for a file.
    pub fn start_packing(&mut self, what: &'static str) {
        self.work = Work::Packing { what, done: 0, total: 0, seconds_left: None };
        self.failure = None;
        self.saved = None;
    }

    /// Work ended with an error; what is there stays.
    pub fn fail(&mut self, message: String) {
        self.work = Work::None;
        self.failure = Some(message);
    }

    /// Takes news of masks and files; others change nothing.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Progress { phase: Phase::Masks, done: now, total: all, seconds_left: left } => {
                if let Work::Making { done, total, seconds_left } = &mut self.work {
                    (*done, *total, *seconds_left) = (now, all, left);
                }
            }
            Event::Progress { phase: Phase::Packing, done: now, total: all, seconds_left: left } => {
                if let Work::Packing { done, total, seconds_left, .. } = &mut self.work {
                    (*done, *total, *seconds_left) = (now, all, left);
                }
            }
            Event::MasksRestored { round, settings, are_all } => {
                self.round = round;
                self.start(&settings);
                self.restores_all = are_all;
            }
            Event::MaskReady { image, width, height, shares, thresholds, miou, doubt, labels } => {
                let small = SmallMask::new(width, height, &labels, Self::SIDE);
                let mask = Mask { small, shares, thresholds, miou, doubt };
                self.made.entry(self.round).or_default().masks.insert(image, Arc::new(mask));
            }
            Event::MasksFinished { seconds, score, .. } => {
                self.work = Work::None;
                let made = self.made.entry(self.round).or_default();
                (made.seconds, made.score) = (Some(seconds), score);
            }
            Event::MaskCorrected { round, image, miou, score } => {
                let Some(made) = self.made.get_mut(&round) else { return };
                made.corrected_score = score;
                let Some(mask) = made.masks.get_mut(&image) else { return };
                Arc::make_mut(mask).miou = miou;
                // Over an earlier mask of the photo: what is shown is what was drawn.
                if !made.review.is_corrected(image) {
                    made.corrected.retain(|(other, _)| *other != image);
                    made.corrected.push((image, mask.small.clone()));
                    made.review.was_corrected(image);
                }
            }
            Event::FileReady { name, .. } => {
                self.work = Work::None;
                self.saved = Some(name);
            }
            _ => {}
        }
    }

    /// Verdicts on the masks of every round that has them all, to be kept: of others, the disk may have earlier ones.
    pub fn verdicts(&self) -> Vec<(Option<usize>, String)> {
        let letters = |(&round, made): (&Option<usize>, &Made)| (round, made.review.letters());
        self.made.iter().filter(|(_, made)| made.seconds.is_some()).map(letters).collect()
    }

    /// Takes up kept verdicts on the masks of the round that is shown.
    pub fn judge_again(&mut self, kept: &[(Option<usize>, String)]) {
        let of_round = kept.iter().find(|(round, _)| *round == self.round);
        if let (Some((_, letters)), Some(review)) = (of_round, self.review_mut()) {
            *review = Review::of_letters(letters);
        }
    }

    /// Verdicts on the masks of the round that is shown, to be changed.
    pub fn review_mut(&mut self) -> Option<&mut Review> {
        self.made.get_mut(&self.round).map(|made| &mut made.review)
    }

    /// A mask was corrected by hand and is accepted.
    pub fn correct(&mut self, round: Option<usize>, image: usize, map: &LabelMap) {
        let Some(made) = self.made.get_mut(&round) else { return };
        let Some(mask) = made.masks.get_mut(&image) else { return };
        let shares = map.shares(limits::CLASSES).into_iter().enumerate().filter(|&(_, share)| share > 0.0);
        *mask = Arc::new(Mask {
            small: SmallMask::new(map.width, map.height, &map.labels, Self::SIDE),
            shares: shares.map(|(class, share)| (class as u16, share)).collect(),
            thresholds: mask.thresholds.clone(),
            miou: None,
            doubt: None,
        });
        made.corrected.retain(|(other, _)| *other != image);
        made.corrected.push((image, SmallMask::new(map.width, map.height, &map.labels, usize::MAX)));
        made.review.correct(image);
        self.saved = None;
    }

    /// Masks of the round that is shown that were corrected before it was made anew, and now are not.
    pub fn to_correct_again(&self) -> Vec<(usize, LabelMap)> {
        let Some(made) = self.shown() else { return Vec::new() };
        let lost = |(image, _): &&(usize, SmallMask)| {
            !made.review.is_corrected(*image) && made.masks.contains_key(image)
        };
        let map = |(image, mask): &(usize, SmallMask)| {
            (*image, LabelMap { width: mask.width, height: mask.height, labels: mask.labels() })
        };
        made.corrected.iter().filter(lost).map(map).collect()
    }

    /// Images in the order of the gallery: those that the filter shows, optionally only those whose mask shows
    /// `class`.
    pub fn gallery(&self, class: Option<usize>, order: Order, filter: Filter) -> Vec<usize> {
        let Some(Made { masks, review, .. }) = self.shown() else { return Vec::new() };
        let shows =
            |mask: &Mask| class.is_none_or(|class| mask.shares.iter().any(|(c, _)| usize::from(*c) == class));
        let is_shown = |(image, mask): &(&usize, &Arc<Mask>)| shows(mask) && filter.shows(review.of(**image));
        let mut images: Vec<usize> = masks.iter().filter(is_shown).map(|(&image, _)| image).collect();
        if order != Order::Name {
            let key = |image: &usize| match order {
                // Nobody has to look again at what was corrected.
                Order::Doubt => -masks[image].doubt.map_or(-1.0, f64::from),
                _ => masks[image].miou.unwrap_or(f64::INFINITY),
            };
            images.sort_by(|a, b| key(a).total_cmp(&key(b)));
        }
        if order == Order::Best {
            let unscored =
                images.iter().position(|image| masks[image].miou.is_none()).unwrap_or(images.len());
            images[..unscored].reverse();
        }
        images
    }
}

/// How the gallery is sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As in the data set.
    #[default]
    Name,
    /// What is to be doubted most first.
    Doubt,
    /// Lowest IoU first.
    Worst,
    /// Highest IoU first.
    Best,
}

/// One sentence on what a score has looked at.
pub fn score_note(score: &Score) -> &'static str {
    if score.looked_at_truth {
        "These figures compare with the masks you supplied. The threshold was set by hand: if these figures guided it, expect less on new photos."
    } else {
        "The masks you supplied were used only to compute these figures; nothing was trained or tuned on them."
    }
}

#[cfg(test)]
mod tests {
    use super::super::review::Verdict;
    use super::*;

    fn mask(image: usize, class: u16, miou: Option<f64>) -> Event {
        let (shares, thresholds) = (vec![(class, 0.5)], vec![(class, 0.4)]);
        let doubt = Some(0.1 * (image % 3) as f32);
        Event::MaskReady { image, width: 2, height: 1, shares, thresholds, miou, doubt, labels: vec![0, 1] }
    }

    #[test]
    fn the_gallery_is_filtered_and_sorted() {
        let mut results = Results::default();
        results.start(&MaskSettings::default());
        for (image, class, miou) in [(0, 0, Some(50.0)), (1, 1, Some(20.0)), (2, 0, None), (3, 0, Some(90.0))]
        {
            results.apply(mask(image, class, miou));
        }
        let all = |class, order| results.gallery(class, order, Filter::All);
        assert_eq!(all(None, Order::Name), vec![0, 1, 2, 3]);
        assert_eq!(all(Some(0), Order::Worst), vec![0, 3, 2]);
        assert_eq!(all(None, Order::Best), vec![3, 0, 1, 2]);
        assert_eq!(all(None, Order::Doubt), vec![2, 1, 0, 3]);
        assert!(all(Some(7), Order::Name).is_empty());
        results.review_mut().unwrap().judge(1, Verdict::Accepted);
        assert_eq!(results.gallery(None, Order::Name, Filter::Open), vec![0, 2, 3]);
        assert_eq!(results.gallery(None, Order::Name, Filter::Accepted), vec![1]);
    }

    #[test]
    fn a_corrected_mask_is_shown_scored_and_survives_masks_made_anew() {
        let mut results = Results::default();
        let make = |results: &mut Results| {
            results.start(&MaskSettings::default());
            results.apply(mask(4, 0, Some(50.0)));
            results.apply(Event::MasksFinished { images: 1, seconds: 1.0, score: None });
        };
        make(&mut results);
        results.saved = Some("masks.zip".into());
        let drawn = LabelMap { width: 4, height: 1, labels: vec![2, 2, 2, 0] };
        results.correct(None, 4, &drawn);
        let corrected = results.mask(4).unwrap();
        assert_eq!((corrected.shares.as_slice(), corrected.doubt), (&[(1, 0.75)][..], None));
        assert_eq!(results.saved, None, "the file that was saved holds another mask");
        results.apply(Event::MaskCorrected { round: None, image: 4, miou: Some(80.0), score: None });
        assert_eq!(results.mask(4).unwrap().miou, Some(80.0));
        assert_eq!(results.gallery(None, Order::Name, Filter::Accepted), [4]);
        assert!(results.to_correct_again().is_empty());
        make(&mut results);
        assert_eq!(results.gallery(None, Order::Name, Filter::Open), [4]);
        assert_eq!(results.to_correct_again(), [(4, drawn)]);
        results.correct(Some(3), 4, &LabelMap::background(1, 1));
        assert_eq!(results.to_correct_again().len(), 1, "of a round without masks");
        results.start(&MaskSettings { flip: false, ..MaskSettings::default() });
        let mut results = results.next_run();
        assert!(!results.has_masks() && results.to_correct_again().is_empty() && !results.is_complete());
        make(&mut results);
        assert_eq!(results.to_correct_again().len(), 1, "of the next run, made otherwise");
    }

    #[test]
    fn work_ends_with_its_last_event() {
        let mut results = Results::default();
        results.start(&MaskSettings::default());
        results.apply(Event::Progress { phase: Phase::Masks, done: 1, total: 4, seconds_left: Some(2.0) });
        assert_eq!(results.work, Work::Making { done: 1, total: 4, seconds_left: Some(2.0) });
        results.apply(Event::MasksFinished { images: 4, seconds: 3.0, score: None });
        assert!(results.is_complete() && !results.is_busy());
        results.start_packing("the masks");
        results.apply(Event::FileReady { name: "masks.zip".into(), bytes: vec![] });
        assert_eq!(results.saved.as_deref(), Some("masks.zip"));
        assert!(results.is_complete(), "packing leaves the masks");
        results.start_packing("the score maps");
        results.apply(Event::Progress { phase: Phase::Packing, done: 1, total: 4, seconds_left: Some(2.0) });
        let what = "the score maps";
        assert_eq!(results.work, Work::Packing { what, done: 1, total: 4, seconds_left: Some(2.0) });
        results.cancel();
        assert!(results.is_complete() && !results.is_busy() && results.failure.is_none());
    }

    #[test]
    fn masks_that_come_back_say_of_which_round() {
        let mut results = Results::default();
        for round in [None, Some(1)] {
            results.apply(Event::MasksRestored { round, settings: MaskSettings::default(), are_all: true });
            assert!(results.is_busy());
            results.apply(mask(3, 0, None));
            results.apply(Event::MasksFinished { images: 1, seconds: 1.0, score: None });
        }
        assert_eq!(results.round, Some(1), "those that were made last");
        assert_eq!(results.complete_rounds().len(), 2);
    }

    #[test]
    fn masks_of_each_round_are_kept() {
        let mut results = Results::default();
        for round in [None, Some(0), Some(1)] {
            results.round = round;
            results.start(&MaskSettings::default());
            results.apply(mask(3, round.unwrap_or(2) as u16, None));
            results.apply(Event::MasksFinished { images: 1, seconds: 1.0, score: None });
        }
        let rounds: Vec<_> = results.complete_rounds().into_iter().map(|(round, _)| round).collect();
        assert_eq!(rounds, [Some(0), Some(1), None]);
        results.round = Some(0);
        assert_eq!(results.mask(3).map(|mask| mask.shares[0].0), Some(0));
        results.round = Some(5);
        assert!(results.mask(3).is_none() && results.has_masks() && !results.is_complete());
        results.round = None;
        results.start(&MaskSettings { flip: false, ..MaskSettings::default() });
        assert!(!results.has_masks(), "made otherwise");
    }
}
