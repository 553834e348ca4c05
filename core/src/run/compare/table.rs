//! One row a method: its figures over all seeds.

use super::Comparison;
use super::figures::{Figures, Masks};
use super::statistics::Spread;
use crate::run::settings::MethodName;

/// A figure, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// Over the seeds that are finished.
    Known(Spread),
    /// Masks were made, and there is no truth to score them.
    NoTruth,
    /// Nothing is finished yet.
    NotDone,
    /// The method cannot do it, or there is nothing to do it with.
    None,
}

impl Figure {
    /// The figure, where there is one.
    pub fn known(self) -> Option<Spread> {
        match self {
            Self::Known(spread) => Some(spread),
            Self::NoTruth | Self::NotDone | Self::None => None,
        }
    }

    /// As text, with so many digits behind the point.
    pub fn text(self, digits: usize) -> String {
        match self {
            Self::Known(spread) => spread.text(digits),
            Self::NoTruth => "no truth".into(),
            Self::NotDone => "not done".into(),
            Self::None => "–".into(),
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is of.
    pub title: String,
    /// The method.
    pub method: MethodName,
    /// Whether its network made the masks; otherwise they were cut out of boxes, before it was trained.
    pub trained: bool,
    /// mIoU in percent, by [`Masks::DRAWN`].
    pub miou: [Figure; 3],
    /// IoU of each label in percent, background first, by [`Masks::DRAWN`].
    pub iou: Vec<[Option<Spread>; 3]>,
    /// Seconds of training.
    pub training: Option<Spread>,
    /// Seconds for the masks of the training photos.
    pub masks: Option<Spread>,
    /// The most memory of any seed, bytes.
    pub peak_memory: Option<u64>,
}

/// The rows of all methods, and of the masks that were cut out of boxes.
pub(super) fn rows(work: &Comparison<'_>, figures: &[Figures]) -> Vec<Row> {
    let labels = work.training.classes.len() + 1;
    let mut rows = Vec::new();
    for &method in work.plan.methods.keys() {
        let own: Vec<&Figures> = figures.iter().filter(|figures| figures.method == method).collect();
        rows.push(Row {
            title: method.title().to_owned(),
            method,
            trained: true,
            miou: Masks::DRAWN.map(|masks| miou(&own, masks)),
            iou: (0..labels).map(|label| Masks::DRAWN.map(|masks| iou(&own, masks, label))).collect(),
            training: Spread::of(own.iter().filter_map(|figures| figures.training_seconds())),
            masks: Spread::of(own.iter().filter_map(|f| f.of(Masks::Training)).map(|record| record.seconds)),
            peak_memory: own.iter().filter_map(|figures| figures.peak()).max(),
        });
        if own.iter().any(|figures| figures.facts.box_masks.is_some()) {
            let only_first = |figure| [figure, Figure::None, Figure::None];
            rows.push(Row {
                title: Masks::Boxes.title().to_owned(),
                method,
                trained: false,
                miou: only_first(miou(&own, Masks::Boxes)),
                iou: (0..labels).map(|label| [iou(&own, Masks::Boxes, label), None, None]).collect(),
                training: None,
                masks: None,
                peak_memory: None,
            });
        }
    }
    rows
}

fn miou(own: &[&Figures], masks: Masks) -> Figure {
    let scores = own.iter().filter_map(|figures| figures.score(masks)).map(|score| score.miou);
    if let Some(spread) = Spread::of(scores) {
        return Figure::Known(spread);
    }
    let finished = |figures: &&Figures| figures.of(masks).is_some() || masks == Masks::Boxes;
    let wanted = |figures: &&Figures| figures.masks.iter().any(|(known, _)| *known == masks);
    match (own.iter().any(finished), own.iter().any(wanted)) {
        (true, _) => Figure::NoTruth,
        (false, true) => Figure::NotDone,
        (false, false) => Figure::None,
    }
}

fn iou(own: &[&Figures], masks: Masks, label: usize) -> Option<Spread> {
    let score = own.iter().filter_map(|figures| figures.score(masks));
    Spread::of(score.filter_map(|score| score.iou.get(label)?.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::compare::figures::tests::figures;

    #[test]
    fn a_row_is_over_its_seeds_and_says_what_is_not_there() {
        let seeds = [40.0, 44.0].map(|value| figures(MethodName::Box2Seg, 0, value, "cow"));
        let own: Vec<&Figures> = seeds.iter().collect();
        assert_eq!(miou(&own, Masks::Training).text(1), "42.0 ± 2.8");
        assert_eq!(miou(&own, Masks::Boxes).text(1), "42.0 ± 2.8");
        assert_eq!(miou(&own, Masks::LeftOut), Figure::NotDone);
        assert_eq!(miou(&own, Masks::Untold), Figure::None);
        assert_eq!(iou(&own, Masks::Training, 1).unwrap().mean, 32.0);
        assert_eq!(iou(&own, Masks::Training, 2), None);
        let mut blind = figures(MethodName::Cam, 0, 1.0, "cow");
        blind.masks[0].1.as_mut().unwrap().score = None;
        assert_eq!(miou(&[&blind], Masks::Training), Figure::NoTruth);
    }
}
