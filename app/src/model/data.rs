//! The data set as the page knows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tag2mask_core::dataset::{Problem, ProblemKind, Summary};

use super::order;
use super::text;

/// What the built-in set is called.
pub const SAMPLE: &str = "Sample set";

/// Where the first section stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Data {
    /// Nothing yet.
    #[default]
    Empty,
    /// A dropped folder is being walked through; files found so far.
    Collecting(usize),
    /// The trainer reads it.
    Reading {
        /// What the user gave: "Sample set", "photos.zip", "photos".
        name: String,
        /// Files read.
        done: usize,
        /// Files in all; 0 until known.
        total: usize,
        /// Estimate, seconds.
        seconds_left: Option<f64>,
    },
    /// It can be trained on.
    Ready {
        /// What the user gave.
        name: String,
        /// The facts.
        summary: Arc<Summary>,
    },
    /// It cannot be used, and why.
    Failed(String),
}

impl Data {
    /// Whether work is under way.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Collecting(_) | Self::Reading { .. })
    }

    /// The facts, once read.
    pub fn summary(&self) -> Option<&Arc<Summary>> {
        match self {
            Self::Ready { summary, .. } => Some(summary),
            _ => None,
        }
    }

    /// The files are on their way to the trainer.
    pub fn start_reading(&mut self, name: String) {
        *self = Self::Reading { name, done: 0, total: 0, seconds_left: None };
    }

    /// Takes the trainer's progress.
    pub fn progress(&mut self, now_done: usize, now_total: usize, left: Option<f64>) {
        if let Self::Reading { done, total, seconds_left, .. } = self {
            (*done, *total, *seconds_left) = (now_done, now_total, left);
        }
    }

    /// The trainer has read it.
    pub fn read(&mut self, summary: Summary) {
        let name = match self {
            Self::Reading { name, .. } | Self::Ready { name, .. } => std::mem::take(name),
            _ => String::new(),
        };
        *self = Self::Ready { name, summary: Arc::new(summary) };
    }

    /// Its labels or classes have changed.
    pub fn change(&mut self, now: Arc<Summary>) {
        if let Self::Ready { summary, .. } = self {
            *summary = now;
        }
    }
}

/// Problems of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ProblemGroup {
    /// What they have in common, with their number: "3 images cannot be read".
    pub title: String,
    /// File and reason, by file.
    pub problems: Vec<Problem>,
}

/// Problems by kind, kinds in their declared order, files in alphabetical order.
pub fn problem_groups(problems: &[Problem]) -> Vec<ProblemGroup> {
    let mut by_kind: BTreeMap<ProblemKind, Vec<Problem>> = BTreeMap::new();
    for problem in problems {
        by_kind.entry(problem.kind).or_default().push(problem.clone());
    }
    by_kind
        .into_iter()
        .map(|(kind, mut problems)| {
            order::sort_by(&mut problems, |a, b| a.path.cmp(&b.path));
            let count: usize = problems.iter().map(|problem| problem.count).sum();
            ProblemGroup { title: kind_title(kind, count as u64), problems }
        })
        .collect()
}

fn kind_title(kind: ProblemKind, number: u64) -> String {
    match kind {
        ProblemKind::UnreadableImage => format!("{} cannot be read", text::count(number, "image", "images")),
        ProblemKind::LabelWithoutImage => {
            format!("{} without an image", text::count(number, "label", "labels"))
        }
        ProblemKind::ImageWithoutLabel => {
            format!("{} without a label", text::count(number, "image", "images"))
        }
        ProblemKind::Duplicate => text::count(number, "duplicate", "duplicates"),
        ProblemKind::BadLine => {
            format!("{} not understood", text::count(number, "line or entry", "lines or entries"))
        }
        ProblemKind::BadMask => {
            format!("{} cannot be used for scoring", text::count(number, "mask", "masks"))
        }
        ProblemKind::BadBox => {
            format!("{} with boxes that cannot be", text::count(number, "image", "images"))
        }
        ProblemKind::LabelFromMask => "labels taken from the supplied masks".to_owned(),
        ProblemKind::OtherLayout => {
            format!("{} set aside for a more explicit one", text::count(number, "file", "files"))
        }
        ProblemKind::OtherFile => format!("{} left aside", text::count(number, "other file", "other files")),
    }
}

/// What there is: photos, classes, sizes, and what only some data sets have.
pub fn facts(summary: &Summary) -> Vec<String> {
    let mut facts = vec![
        text::count(summary.images.len() as u64, "photo", "photos"),
        text::count(summary.classes.len() as u64, "class", "classes"),
        size_range(summary),
    ];
    if summary.several_classes > 0 {
        facts.push(format!("{} with several classes", text::thousands(summary.several_classes as u64)));
    }
    if summary.with_mask > 0 {
        facts.push(format!("{} with a mask for scoring", text::thousands(summary.with_mask as u64)));
    }
    if summary.boxes > 0 {
        facts.push(text::count(summary.boxes as u64, "box", "boxes"));
    }
    facts
}

/// "320 × 240 pixels", or the smallest and the largest by area.
pub fn size_range(summary: &Summary) -> String {
    let area = |size: &(u32, u32)| u64::from(size.0) * u64::from(size.1);
    let sizes = || summary.images.iter().map(|image| (image.width, image.height));
    match (sizes().min_by_key(area), sizes().max_by_key(area)) {
        (Some(first), Some(last)) if first == last => format!("{} × {} pixels", first.0, first.1),
        (Some(first), Some(last)) => format!("{} × {} to {} × {} pixels", first.0, first.1, last.0, last.1),
        _ => String::new(),
    }
}

/// Images for the live grid: as even over the classes as can be, first those with fewest classes
/// (easiest to judge by eye), in order of the data set.
pub fn preview_choice(summary: &Summary, wanted: usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); summary.classes.len()];
    for (index, image) in summary.images.iter().enumerate() {
        for &label in &image.labels {
            if let Some(list) = by_class.get_mut(usize::from(label)) {
                list.push(index);
            }
        }
    }
    for list in &mut by_class {
        list.sort_by_key(|&index| (summary.images[index].labels.len(), index));
    }
    let deepest = by_class.iter().map(Vec::len).max().unwrap_or(0);
    'filled: for depth in 0..deepest {
        for list in &by_class {
            if let Some(&index) = list.get(depth)
                && !chosen.contains(&index)
            {
                chosen.push(index);
                if chosen.len() == wanted {
                    break 'filled;
                }
            }
        }
    }
    chosen.sort_unstable();
    chosen
}

/// The first part that all paths share, as a name for what was dropped.
pub fn common_name(paths: &[String]) -> String {
    match paths {
        [] => "nothing".into(),
        [only] => only.rsplit('/').next().unwrap_or(only).into(),
        [first, rest @ ..] => {
            let top = first.split('/').next().unwrap_or_default();
            let shared = first.contains('/')
                && rest.iter().all(|path| path.strip_prefix(top).is_some_and(|tail| tail.starts_with('/')));
            if shared { top.into() } else { text::count(paths.len() as u64, "file", "files") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::summary;

    #[test]
    fn problems_are_grouped_counted_and_sorted() {
        let problem = |path: &str, kind| Problem { count: 1, path: path.into(), kind, reason: String::new() };
        let groups = problem_groups(&[
            problem("z.jpg", ProblemKind::Duplicate),
            problem("b.jpg", ProblemKind::UnreadableImage),
            problem("a.jpg", ProblemKind::UnreadableImage),
        ]);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].title, "2 images cannot be read");
        assert_eq!(groups[0].problems[0].path, "a.jpg");
        assert_eq!(groups[1].title, "1 duplicate");
    }

    #[test]
    fn previews_are_spread_over_the_classes() {
        let summary = summary(30);
        let chosen = preview_choice(&summary, 6);
        assert_eq!(chosen.len(), 6);
        for class in 0..3 {
            assert_eq!(chosen.iter().filter(|&&i| summary.images[i].labels == [class]).count(), 2);
        }
        assert_eq!(preview_choice(&super::super::tests::summary(2), 12), vec![0, 1]);
    }

    #[test]
    fn previews_survive_labels_beyond_the_classes() {
        let mut summary = summary(3);
        summary.images[0].labels = vec![99];
        assert_eq!(preview_choice(&summary, 12), vec![1, 2]);
    }

    #[test]
    fn sizes_and_names() {
        let mut summary = summary(2);
        assert_eq!(size_range(&summary), "320 × 240 pixels");
        summary.images[0].width = 4000;
        assert_eq!(size_range(&summary), "320 × 240 to 4000 × 240 pixels");
        let names = |paths: &[&str]| common_name(&paths.iter().map(|p| p.to_string()).collect::<Vec<_>>());
        assert_eq!(names(&["photos/cat/1.jpg", "photos/dog/2.jpg"]), "photos");
        assert_eq!(names(&["a.zip"]), "a.zip");
        assert_eq!(names(&["a.jpg", "ab.jpg"]), "2 files");
        assert_eq!(names(&["cat/1.jpg", "cats/1.jpg"]), "2 files");
    }
}
