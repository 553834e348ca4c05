//! Runs on the same photos, side by side: what each was, how good its masks are, and the masks.

use std::sync::Arc;

use tag2mask_core::run::Settings;

use super::results::{Made, Mask, Results};
use super::run::Run;

/// A run whose masks are all there.
#[derive(Debug, Clone, PartialEq)]
pub struct Contender {
    /// How it was trained.
    pub settings: Settings,
    /// How long that took, seconds.
    pub seconds: Option<f64>,
    /// Its masks.
    pub made: Made,
}

/// Runs that were kept when another one was started, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compare {
    kept: Vec<Contender>,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// "Spatial-BCE".
    pub title: String,
    /// "tiny, 96 px, seed 0".
    pub facts: String,
    /// How long training took, seconds.
    pub seconds: Option<f64>,
    /// Percent, where truth was supplied.
    pub miou: Option<f64>,
    /// The same by class, background first.
    pub iou: Vec<(String, Option<f64>)>,
    /// Whether it can be taken away; the run under way cannot.
    pub is_kept: bool,
}

impl Contender {
    /// The run that the page shows, once masks of all that it learned are there.
    fn of(run: &Run, results: &Results) -> Option<Self> {
        let settings = run.settings.clone()?;
        let (_, made) = results.complete_rounds().into_iter().find(|(round, _)| round.is_none())?;
        Some(Self { settings, seconds: run.seconds, made: made.clone() })
    }
}

impl Compare {
    /// Classes have other names.
    pub fn rename_classes(&mut self, classes: &[String]) {
        self.kept.iter_mut().for_each(|contender| contender.made.rename_classes(classes));
    }

    /// Runs kept at once: more do not fit beside each other.
    const KEPT: usize = 4;

    /// Keeps the run that the page shows, before another one takes its place. One with the same settings is
    /// replaced; of too many, the oldest goes.
    pub fn keep(&mut self, run: &Run, results: &Results) {
        let Some(contender) = Contender::of(run, results) else { return };
        self.kept.retain(|kept| kept.settings != contender.settings);
        self.kept.push(contender);
        if self.kept.len() > Self::KEPT {
            self.kept.remove(0);
        }
    }

    /// Takes one away.
    pub fn remove(&mut self, index: usize) {
        if index < self.kept.len() {
            self.kept.remove(index);
        }
    }

    /// Whether there is anything to compare with.
    pub fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// All that can be looked at: those that were kept, then the one that the page shows.
    fn all<'a>(&'a self, shown: &'a Option<Contender>) -> impl Iterator<Item = &'a Contender> {
        let new = shown.as_ref().filter(|shown| self.kept.iter().all(|kept| kept.settings != shown.settings));
        self.kept.iter().chain(new)
    }

    /// The table.
    pub fn columns(&self, run: &Run, results: &Results) -> Vec<Column> {
        let shown = Contender::of(run, results);
        let column = |(index, contender): (usize, &Contender)| {
            let Contender { settings, seconds, made } = contender;
            let score = made.score.as_ref();
            Column {
                title: settings.method.title().to_owned(),
                facts: format!("{}, {} px, seed {}", settings.backbone.id(), settings.size, settings.seed),
                seconds: *seconds,
                miou: score.map(|score| score.miou),
                iou: score.map(|score| score.iou.clone()).unwrap_or_default(),
                is_kept: index < self.kept.len(),
            }
        };
        self.all(&shown).enumerate().map(column).collect()
    }

    /// Images that all of them have a mask of.
    pub fn images(&self, run: &Run, results: &Results) -> Vec<usize> {
        let shown = Contender::of(run, results);
        let mut all = self.all(&shown);
        let Some(first) = all.next() else { return Vec::new() };
        let others: Vec<&Contender> = all.collect();
        let in_all = |image: &&usize| others.iter().all(|other| other.made.masks.contains_key(image));
        first.made.masks.keys().filter(in_all).copied().collect()
    }

    /// The mask of an image by the run in a column.
    pub fn mask(&self, run: &Run, results: &Results, column: usize, image: usize) -> Option<Arc<Mask>> {
        match self.kept.get(column) {
            Some(kept) => kept.made.masks.get(&image).cloned(),
            None => Contender::of(run, results)?.made.masks.get(&image).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tag2mask_core::method::MethodName;
    use tag2mask_core::run::Event;

    use super::*;

    fn finished(method: MethodName, seed: u64, images: usize) -> (Run, Results) {
        let mut run = Run::default();
        run.settings = Some(Settings { method, seed, ..Settings::default() });
        run.seconds = Some(12.0);
        let mut results = Results::default();
        results.start(&Default::default());
        for image in 0..images {
            results.apply(Event::MaskReady {
                image,
                width: 1,
                height: 1,
                shares: vec![],
                thresholds: vec![],
                miou: None,
                doubt: None,
                labels: vec![seed as u8],
            });
        }
        results.apply(Event::MasksFinished { images, seconds: 1.0, score: None });
        (run, results)
    }

    #[test]
    fn a_run_is_kept_when_the_next_one_takes_its_place() {
        let mut compare = Compare::default();
        let (first, of_first) = finished(MethodName::Cam, 1, 3);
        assert_eq!(compare.columns(&first, &of_first).len(), 1);
        compare.keep(&first, &of_first);
        // The same run again is no second column.
        assert_eq!(compare.columns(&first, &of_first).len(), 1);
        let (second, of_second) = finished(MethodName::AdversarialErasing, 2, 2);
        let columns = compare.columns(&second, &of_second);
        assert_eq!(columns.iter().map(|column| column.is_kept).collect::<Vec<_>>(), [true, false]);
        assert_eq!(columns[1].title, "Adversarial erasing");
        assert_eq!(compare.images(&second, &of_second), [0, 1], "what both have");
        let label = |column| compare.mask(&second, &of_second, column, 0).unwrap().small.labels();
        assert_eq!([label(0), label(1)], [[1], [2]]);
        assert!(compare.mask(&second, &of_second, 1, 2).is_none());
    }

    #[test]
    fn unfinished_runs_are_not_kept_and_few_are() {
        let mut compare = Compare::default();
        compare.keep(&Run::default(), &Results::default());
        assert!(!compare.has_kept());
        for seed in 0..9 {
            let (run, results) = finished(MethodName::Cam, seed, 1);
            compare.keep(&run, &results);
            compare.keep(&run, &results);
        }
        assert_eq!(compare.kept.len(), Compare::KEPT);
        assert_eq!(compare.kept[0].settings.seed, 5);
        compare.remove(0);
        compare.remove(9);
        assert_eq!(compare.kept.len(), Compare::KEPT - 1);
    }
}
