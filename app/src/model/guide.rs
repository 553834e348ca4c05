//! The guided start: what to do next with the sample set, in a sentence or two.

use super::data::{Data, SAMPLE};
use super::review::Filter;
use super::run::Stage;
use super::{Model, text};

/// One stop of the tour.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// Its number, from 1.
    pub number: usize,
    /// The section that it is in.
    pub section: &'static str,
    /// What is to be done.
    pub title: &'static str,
    /// Why, and what will be seen.
    pub words: String,
}

/// Stops of the tour.
pub const STOPS: usize = 5;

/// Where the tour stands; `None` for data of the user's own.
pub fn stop(model: &Model) -> Option<Stop> {
    let Data::Ready { summary, name } = &model.data else { return None };
    if name != SAMPLE {
        return None;
    }
    let stop = |number, section, title, words: String| Some(Stop { number, section, title, words });
    let judged = model.results.shown().map_or(0, |made| {
        let all = made.masks.len();
        all - made.review.count(Filter::Open, all)
    });
    if model.results.is_complete() && judged > 0 {
        return stop(
            5,
            "results",
            "Take the masks with you",
            "Choose the format that your tools read and download them. A network that needs no labels can learn from them below; for photos of your own, go up to Choose other data.".into(),
        );
    }
    if model.results.is_complete() {
        return stop(
            4,
            "results",
            "Look where the network is in doubt",
            "Sort by doubt, below, and open the first mask. Accept or reject it there (keys A and R), or correct it by brush or by region (C).".into(),
        );
    }
    match model.run.stage {
        Stage::Stopped | Stage::Finished => stop(
            3,
            "results",
            "Make the masks",
            "Press Make masks: one for every photo, cut at the edges that the photo has.".into(),
        ),
        ref stage if stage.is_active() => stop(
            2,
            "run",
            "Watch it learn",
            "Colours show where the network sees each class by now: guesses at first, then regions. You can pause, or stop as soon as they look right.".into(),
        ),
        // What has failed says itself what to do.
        Stage::Failed(_) => None,
        _ => stop(
            1,
            "settings",
            "Train",
            format!(
                "These {} are drawings of blood cells. A label says which kinds are in a photo, none says where: that is what will be learned. The settings suit this set and your device: press Train.",
                text::count(summary.images.len() as u64, "photo", "photos")
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use tag2mask_core::run::Event;
    use tag2mask_core::run::settings::MaskSettings;

    use super::super::review::Verdict;
    use super::super::tests::summary;
    use super::*;

    #[test]
    fn it_leads_from_the_sample_set_to_masks() {
        let mut model = Model::default();
        assert_eq!(stop(&model), None);
        model.data.start_reading(SAMPLE.into());
        model.data.read(summary(6));
        let at = |model: &Model| stop(model).map(|stop| (stop.number, stop.section)).unwrap();
        assert_eq!(at(&model), (1, "settings"));
        assert!(stop(&model).unwrap().words.contains("These 6 photos"));
        model.run.start();
        assert_eq!(at(&model), (2, "run"));
        model.run.stage = Stage::Failed(String::new());
        assert_eq!(stop(&model), None);
        model.run.stage = Stage::Finished;
        assert_eq!(at(&model), (3, "results"));
        model.results.start(&MaskSettings::default());
        assert_eq!(at(&model), (3, "results"), "they are being made");
        let (shares, thresholds, labels) = (Vec::new(), Vec::new(), vec![0]);
        let (image, width, height, miou, doubt) = (0, 1, 1, None, None);
        model.results.apply(Event::MaskReady {
            image,
            width,
            height,
            shares,
            thresholds,
            miou,
            doubt,
            labels,
        });
        model.results.apply(Event::MasksFinished { images: 1, seconds: 1.0, score: None });
        assert_eq!(at(&model), (4, "results"));
        model.results.review_mut().unwrap().judge(0, Verdict::Accepted);
        assert_eq!(at(&model), (STOPS, "results"));
    }

    #[test]
    fn one_s_own_photos_are_left_alone() {
        let mut model = Model::default();
        model.data.start_reading("photos.zip".into());
        model.data.read(summary(6));
        assert_eq!(stop(&model), None);
    }
}
