//! The one run that the browser keeps: what is written beside it, and what can be done with it on the next
//! visit.

use serde::{Deserialize, Serialize};
use tag2mask_core::dataset::Summary;

use super::boxes::{Boxes, Drawn};
use super::run::{Run, Stage};
use super::text;

/// Layout of `project.json`; others are not read.
const VERSION: u32 = 1;

/// What the run learns from, to give it to a trainer again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Source {
    /// The built-in set, of that many images.
    Sample { images: usize },
    /// The user's files, by their paths.
    Files {
        /// In the order in which they are numbered on the disk.
        paths: Vec<String>,
        /// The folder on the disk that is for them.
        folder: String,
        /// Whether their bytes are kept, too; without them the user has to give them again.
        is_kept: bool,
    },
}

/// `project.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Layout of this file.
    pub version: u32,
    /// What the user gave: "Sample set", "photos.zip".
    pub name: String,
    /// What it learns from.
    pub source: Source,
    /// Number of its photos.
    pub photos: usize,
    /// Tells this data set from others; see [`fingerprint`].
    pub fingerprint: String,
    /// Name of the weights file that is kept beside, if there is one.
    pub weights: Option<String>,
    /// Where the run stands: "Round 2 of 3: Spatial-BCE, step 120 of 600". Empty before its first checkpoint.
    pub progress: String,
    /// Whether it was trained to the end.
    pub is_finished: bool,
    /// Boxes that were drawn, by the photo's index.
    #[serde(default)]
    pub boxes: Drawn,
    /// Whether they were drawn after the run had started to learn from others.
    #[serde(default)]
    pub has_new_boxes: bool,
}

impl Project {
    /// The project of a run that starts.
    pub fn new(name: String, source: Source, summary: &Summary, weights: Option<String>) -> Self {
        Self {
            version: VERSION,
            name,
            source,
            photos: summary.images.len(),
            fingerprint: fingerprint(summary),
            weights,
            progress: String::new(),
            is_finished: false,
            boxes: Drawn::new(),
            has_new_boxes: false,
        }
    }

    /// Reads `project.json`; `None` for a damaged one, or one of another version of the page.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let project: Self = serde_json::from_slice(bytes).ok()?;
        (project.version == VERSION).then_some(project)
    }

    /// Takes over where the run stands.
    pub fn follow(&mut self, run: &Run) {
        self.is_finished = run.stage == Stage::Finished;
        self.progress = if self.is_finished {
            text::count(run.rounds as u64, "round", "rounds") + ", finished"
        } else {
            format!("{}, {}", run.round_label(), run.counter())
        };
    }

    /// Takes over which boxes were drawn.
    pub fn take_boxes(&mut self, boxes: &Boxes) {
        (self.boxes, self.has_new_boxes) = (boxes.drawn(), boxes.are_new());
    }

    /// "64 photos · Round 2 of 3: Spatial-BCE, step 120 of 600".
    pub fn in_words(&self) -> String {
        format!("{} · {}", text::count(self.photos as u64, "photo", "photos"), self.progress)
    }

    /// Whether the user has to give the photos again.
    pub fn lacks_photos(&self) -> bool {
        matches!(self.source, Source::Files { is_kept: false, .. })
    }
}

/// What the page knows of the kept run.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Kept {
    /// Nothing is kept, or it is not known yet.
    #[default]
    Nothing,
    /// Another tab keeps its run: this one keeps nothing.
    Elsewhere,
    /// The browser keeps nothing for this page.
    Impossible,
    /// A run of an earlier visit waits.
    Waiting(Project),
    /// The user wants it; its photos are on their way, or asked for.
    Wanted(Project),
    /// It is being deleted.
    Leaving,
    /// The run of this page is kept as it goes.
    Following(Project),
}

impl Kept {
    /// Whether the run of this page is kept as it goes.
    pub fn is_following(&self) -> bool {
        matches!(self, Self::Following(_))
    }

    /// Whether the run of this page would survive its end: a checkpoint of it is there.
    pub fn is_safe(&self) -> bool {
        matches!(self, Self::Following(project) if !project.progress.is_empty())
    }

    /// The card, while a run waits.
    pub fn waiting(&self) -> Option<&Project> {
        match self {
            Self::Waiting(project) | Self::Wanted(project) => Some(project),
            _ => None,
        }
    }

    /// A fresh trainer gets the same data set, and takes the run up from its last checkpoint.
    pub fn want_again(&mut self) {
        if let Self::Following(project) = self
            && !project.progress.is_empty()
        {
            *self = Self::Wanted(project.clone());
        }
    }

    /// A data set was read: `Ok(true)` if it is the one that the wanted run learns from, `Err` with what to
    /// tell the user if it is another one.
    ///
    /// # Errors
    /// A sentence for the user; the run waits on.
    pub fn meets(&mut self, summary: &Summary) -> Result<bool, String> {
        let Self::Wanted(project) = self else { return Ok(false) };
        let mut project = project.clone();
        if project.fingerprint == fingerprint(summary) {
            *self = Self::Following(project);
            return Ok(true);
        }
        let message = format!(
            "These are not the photos that the kept run learned from ({}, {}). It stays kept until you train on others.",
            project.name,
            text::count(project.photos as u64, "photo", "photos")
        );
        // Should they have come from the disk, they are of no use there.
        if let Source::Files { is_kept, .. } = &mut project.source {
            *is_kept = false;
        }
        *self = Self::Waiting(project);
        Err(message)
    }
}

/// Tells data sets apart by paths, sizes and labels of their images (64-bit FNV-1a): a run goes on only with the
/// one that it started with, as it knows the images by their paths.
pub fn fingerprint(summary: &Summary) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for class in &summary.classes {
        add(class.as_bytes());
    }
    for image in &summary.images {
        add(image.path.as_bytes());
        add(&image.width.to_le_bytes());
        add(&image.height.to_le_bytes());
        for label in &image.labels {
            add(&label.to_le_bytes());
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::summary;
    use tag2mask_core::dataset::ObjectBox;

    fn project() -> Project {
        Project::new("photos".into(), Source::Sample { images: 6 }, &summary(6), None)
    }

    #[test]
    fn a_project_reads_back_and_others_are_left_alone() {
        let bytes = serde_json::to_vec(&project()).unwrap();
        assert_eq!(Project::parse(&bytes), Some(project()));
        let mut with_boxes = project();
        with_boxes.boxes.insert(3, vec![ObjectBox { class: 1, x0: 0.1, y0: 2.0, x1: 1.0 / 3.0, y1: 4.0 }]);
        assert_eq!(Project::parse(&serde_json::to_vec(&with_boxes).unwrap()), Some(with_boxes));
        let newer = serde_json::to_vec(&Project { version: VERSION + 1, ..project() }).unwrap();
        assert_eq!(Project::parse(&newer), None);
        assert_eq!(Project::parse(&bytes[..9]), None);
    }

    #[test]
    fn a_wanted_run_meets_its_own_photos_only() {
        let mut kept = Kept::Waiting(project());
        assert_eq!(kept.meets(&summary(6)), Ok(false), "nobody has asked for it");
        kept = Kept::Wanted(project());
        assert!(kept.meets(&summary(5)).unwrap_err().contains("photos, 6 photos"));
        assert!(kept.waiting().is_some());
        kept = Kept::Wanted(project());
        assert_eq!(kept.meets(&summary(6)), Ok(true));
        assert!(kept.is_following() && kept.waiting().is_none());
    }

    #[test]
    fn fingerprints_follow_paths_labels_and_sizes() {
        let same = fingerprint(&summary(6));
        assert_eq!(fingerprint(&summary(6)), same);
        let mut other = summary(6);
        other.images[2].labels = vec![0, 1];
        assert_ne!(fingerprint(&other), same);
        let mut moved = summary(6);
        moved.images[2].path = "elsewhere/002.jpg".into();
        assert_ne!(fingerprint(&moved), same);
    }

    #[test]
    fn the_card_says_where_it_stands() {
        let mut project = project();
        let mut run = Run::default();
        (run.round, run.rounds, run.done_steps, run.total_steps) = (1, 3, 120, 600);
        run.settings = Some(Default::default());
        project.follow(&run);
        assert_eq!(project.in_words(), "6 photos · Round 2 of 3: Spatial-BCE, step 120 of 600");
        run.stage = Stage::Finished;
        project.follow(&run);
        assert!(project.is_finished);
        assert_eq!(project.in_words(), "6 photos · 3 rounds, finished");
    }
}
