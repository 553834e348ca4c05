//! A project that the browser keeps: what is written beside its files, and what can be done with it on the next
//! visit.

use serde::{Deserialize, Serialize};
use tag2mask_core::dataset::{Relabel, Summary};

use super::boxes::{Boxes, Drawn};
use super::labels::Labels;
use super::order;
use super::results::Results;
use super::run::{Run, Stage};
use super::text;

/// Layout of `project.json`; others are not read.
const VERSION: u32 = 1;
/// Most letters of a name.
const NAME: usize = 80;

/// What a project learns from, to give it to a trainer again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Source {
    /// The built-in set, of that many images.
    Sample { images: usize },
    /// The user's files, by their paths.
    Files {
        /// In the order in which they are numbered on the disk.
        paths: Vec<String>,
        /// The folder of the project that is for them.
        folder: String,
        /// Whether their bytes are kept, too; without them the user has to give them again.
        is_kept: bool,
    },
}

/// `project.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// The name of its folder, of ours. Not in the file: the folder says it.
    #[serde(skip)]
    pub id: String,
    /// Layout of this file.
    pub version: u32,
    /// What the user calls it; at first what was given: "Sample set", "photos.zip".
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
    /// Whether it was being trained at its last checkpoint, and nobody has paused or stopped it.
    #[serde(default)]
    pub is_training: bool,
    /// When this was written, seconds since 1970.
    #[serde(default)]
    pub saved: f64,
    /// Boxes that were drawn, by the photo's index.
    #[serde(default)]
    pub boxes: Drawn,
    /// Whether they were drawn after the run had started to learn from others.
    #[serde(default)]
    pub has_new_boxes: bool,
    /// Labels and classes that were changed.
    #[serde(default, skip_serializing_if = "Relabel::is_empty")]
    pub relabel: Relabel,
    /// Whether they were changed after the run had started to learn from others.
    #[serde(default)]
    pub has_new_labels: bool,
    /// Whether its run is still to be taken up from the archive that its photos came in.
    #[serde(default)]
    pub takes_up: bool,
    /// Whether nothing was done with it yet: it was only opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_fresh: bool,
    /// Whether the disk knows of its run: a reload would bring it back.
    #[serde(skip)]
    pub is_noted: bool,
    /// Whether another tab has it open: here it is only looked at.
    #[serde(skip)]
    pub is_elsewhere: bool,
    /// What was said of the masks of each round, a letter an image.
    #[serde(default)]
    pub verdicts: Vec<(Option<usize>, String)>,
}

impl Project {
    /// A project of a data set, before any run.
    pub fn new(id: String, name: String, source: Source, summary: &Summary) -> Self {
        Self {
            id,
            version: VERSION,
            name,
            source,
            photos: summary.images.len(),
            fingerprint: fingerprint(summary),
            weights: None,
            progress: String::new(),
            is_finished: false,
            is_training: false,
            saved: 0.0,
            boxes: Drawn::new(),
            has_new_boxes: false,
            relabel: Relabel::default(),
            has_new_labels: false,
            takes_up: false,
            is_fresh: true,
            is_noted: false,
            is_elsewhere: false,
            verdicts: Vec::new(),
        }
    }

    /// Reads the `project.json` of the folder `id`; `None` for a damaged one, or one of another version of the page.
    pub fn parse(id: &str, bytes: &[u8]) -> Option<Self> {
        let project: Self = serde_json::from_slice(bytes).ok()?;
        let is_noted = project.has_run();
        (project.version == VERSION).then(|| Self { id: id.into(), is_noted, ..project })
    }

    /// A name that the user has typed; `false`, and nothing changed, where there is nothing in it.
    pub fn rename(&mut self, name: &str) -> bool {
        let name: String = name.trim().chars().filter(|letter| !letter.is_control()).take(NAME).collect();
        let is_name = !name.is_empty();
        if is_name {
            self.name = name;
        }
        is_name
    }

    /// A run starts, which takes the place of the one before.
    pub fn run_starts(&mut self, weights: Option<String>) {
        self.weights = weights;
        self.is_noted = false;
        self.progress.clear();
        self.verdicts.clear();
        (self.is_finished, self.is_training, self.takes_up, self.is_fresh) = (false, false, false, false);
    }

    /// Takes over where the run stands.
    pub fn follow(&mut self, run: &Run) {
        self.takes_up = false;
        self.is_finished = run.stage == Stage::Finished;
        self.is_training = matches!(run.stage, Stage::Starting | Stage::Training);
        self.progress = if self.is_finished {
            text::count(run.rounds as u64, "round", "rounds") + ", finished"
        } else {
            format!("{}, {}", run.round_label(), run.counter())
        };
    }

    /// Takes over which boxes were drawn and which labels were changed.
    pub fn take_edits(&mut self, boxes: &Boxes, labels: &Labels) {
        (self.boxes, self.has_new_boxes) = (boxes.drawn(), boxes.are_new());
        (self.relabel, self.has_new_labels) = (labels.changes().clone(), labels.are_new());
    }

    /// Takes over what was said of masks. Rounds that have none yet keep what was said of them: they may be on
    /// their way from the disk.
    pub fn take_verdicts(&mut self, results: &Results) {
        for (round, letters) in results.verdicts() {
            self.verdicts.retain(|(other, _)| *other != round);
            self.verdicts.push((round, letters));
        }
        self.verdicts.retain(|(_, letters)| !letters.is_empty());
        order::sort_by(&mut self.verdicts, Ord::cmp);
    }

    /// "64 photos · Round 2 of 3: Spatial-BCE, step 120 of 600".
    pub fn in_words(&self) -> String {
        let photos = text::count(self.photos as u64, "photo", "photos");
        let boxes = self.boxes.values().map(Vec::len).sum::<usize>() as u64;
        match (self.has_run(), boxes) {
            (true, _) => format!("{photos} · {}", self.progress),
            (false, 0) => format!("{photos} · not trained yet"),
            (false, _) => format!("{photos} · {} drawn, not trained yet", text::count(boxes, "box", "boxes")),
        }
    }

    /// Whether there is a checkpoint to go on from.
    pub fn has_run(&self) -> bool {
        !self.progress.is_empty()
    }

    /// Whether it is of no use: nothing was done with it, and it has no photos.
    pub fn is_empty(&self) -> bool {
        self.is_fresh && self.lacks_photos()
    }

    /// Whether the user has to give the photos again.
    pub fn lacks_photos(&self) -> bool {
        matches!(self.source, Source::Files { is_kept: false, .. })
    }
}

/// The project of this page.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Kept {
    /// None is open, or nothing can be kept.
    #[default]
    Nothing,
    /// The user wants this one; its photos are on their way, or asked for.
    Wanted(Project),
    /// It is kept as it goes.
    Following(Project),
    /// It is shown as the disk has it, and nothing is kept: another tab does that.
    Looking(Project),
}

impl Kept {
    /// The project that is kept as it goes.
    pub fn following(&self) -> Option<&Project> {
        match self {
            Self::Following(project) => Some(project),
            _ => None,
        }
    }

    /// The project whose data set is open, kept as it goes or looked at.
    pub fn open(&self) -> Option<&Project> {
        match self {
            Self::Following(project) | Self::Looking(project) => Some(project),
            _ => None,
        }
    }

    /// Whether it is only looked at.
    pub fn is_read_only(&self) -> bool {
        self.project().is_some_and(|project| project.is_elsewhere)
    }

    /// Whether the run of this page would survive its end: a checkpoint of it is there, and the card tells of it.
    pub fn is_safe(&self) -> bool {
        self.open().is_some_and(|project| project.has_run() && project.is_noted)
    }

    /// The project, wanted or open.
    pub fn project(&self) -> Option<&Project> {
        match self {
            Self::Nothing => None,
            Self::Wanted(project) | Self::Following(project) | Self::Looking(project) => Some(project),
        }
    }

    /// The project that the user wants.
    pub fn wanted(&self) -> Option<&Project> {
        match self {
            Self::Wanted(project) => Some(project),
            _ => None,
        }
    }

    /// A fresh trainer gets the same data set, and takes the run up from its last checkpoint.
    pub fn want_again(&mut self) {
        if let Self::Following(project) = self
            && project.has_run()
        {
            *self = Self::Wanted(project.clone());
        }
    }

    /// A data set was read: `Ok(true)` if it is the one of the wanted project, `Err` with what to tell the user if
    /// it is another one.
    ///
    /// # Errors
    /// A sentence for the user; the project waits in the list.
    pub fn meets(&mut self, summary: &Summary) -> Result<bool, String> {
        let Self::Wanted(project) = self else { return Ok(false) };
        if project.fingerprint == fingerprint(summary) {
            let project = project.clone();
            *self = if project.is_elsewhere { Self::Looking(project) } else { Self::Following(project) };
            return Ok(true);
        }
        let message = format!(
            "These are not the photos of the project {} ({}). It stays as it is, and these will be one of their own.",
            project.name,
            text::count(project.photos as u64, "photo", "photos")
        );
        *self = Self::Nothing;
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
        Project::new("1a".into(), "photos".into(), Source::Sample { images: 6 }, &summary(6))
    }

    #[test]
    fn verdicts_of_rounds_that_are_still_on_the_disk_are_kept() {
        use tag2mask_core::run::Event;
        use tag2mask_core::run::settings::MaskSettings;
        let mut project = Project { verdicts: vec![(None, "a".into()), (Some(0), "-r".into())], ..project() };
        project.take_verdicts(&Results::default());
        assert_eq!(project.verdicts.len(), 2);
        let mut results = Results::default();
        results.apply(Event::MasksRestored {
            round: Some(0),
            settings: MaskSettings::default(),
            are_all: true,
        });
        let (shares, thresholds, labels) = (Vec::new(), Vec::new(), vec![0]);
        let (image, width, height, miou, doubt) = (0, 1, 1, None, None);
        results.apply(Event::MaskReady { image, width, height, shares, thresholds, miou, doubt, labels });
        results.judge_again(&project.verdicts);
        project.take_verdicts(&results);
        assert_eq!(project.verdicts, [(None, "a".into()), (Some(0), "-r".into())]);
    }

    #[test]
    fn a_project_reads_back_and_others_are_left_alone() {
        let bytes = serde_json::to_vec(&project()).unwrap();
        assert_eq!(Project::parse("1a", &bytes), Some(project()));
        assert_eq!(Project::parse("2b", &bytes).unwrap().id, "2b", "the folder says it");
        let mut with_boxes = project();
        with_boxes.boxes.insert(3, vec![ObjectBox { class: 1, x0: 0.1, y0: 2.0, x1: 1.0 / 3.0, y1: 4.0 }]);
        assert_eq!(Project::parse("1a", &serde_json::to_vec(&with_boxes).unwrap()), Some(with_boxes));
        let newer = serde_json::to_vec(&Project { version: VERSION + 1, ..project() }).unwrap();
        assert_eq!(Project::parse("1a", &newer), None);
        assert_eq!(Project::parse("1a", &bytes[..9]), None);
    }

    #[test]
    fn the_card_of_an_earlier_version_is_read() {
        let text = r#"{"version":1,"name":"photos.zip","source":{"kind":"files","paths":["a.jpg"],"folder":"photos-7",
            "is_kept":true},"photos":1,"fingerprint":"00","weights":null,"progress":"1 round, finished","is_finished":true}"#;
        let project = Project::parse("earlier-1", text.as_bytes()).unwrap();
        assert_eq!((project.name.as_str(), project.saved, project.has_run()), ("photos.zip", 0.0, true));
    }

    #[test]
    fn a_wanted_project_meets_its_own_photos_only() {
        let mut kept = Kept::Nothing;
        assert_eq!(kept.meets(&summary(6)), Ok(false), "nobody has asked for one");
        kept = Kept::Wanted(project());
        assert!(kept.meets(&summary(5)).unwrap_err().contains("photos (6 photos)"));
        assert_eq!(kept, Kept::Nothing);
        kept = Kept::Wanted(project());
        assert_eq!(kept.meets(&summary(6)), Ok(true));
        assert!(kept.following().is_some() && kept.wanted().is_none());
        kept = Kept::Wanted(Project { is_elsewhere: true, ..project() });
        assert_eq!(kept.meets(&summary(6)), Ok(true));
        assert!(kept.open().is_some() && kept.is_read_only());
        assert!(kept.following().is_none(), "another tab keeps it");
    }

    #[test]
    fn names_are_short_and_never_empty() {
        let mut project = project();
        assert!(!project.rename(" \n "));
        assert_eq!(project.name, "photos");
        assert!(project.rename(&format!("  blood\u{7} cells {}", "x".repeat(200))));
        assert!(project.name.starts_with("blood cells x"));
        assert_eq!(project.name.chars().count(), NAME);
    }

    #[test]
    fn another_run_takes_the_place_of_the_one_before() {
        let mut project = project();
        let mut run = Run::default();
        run.stage = Stage::Training;
        project.follow(&run);
        assert!(project.is_training && project.has_run());
        for stage in [Stage::Pausing, Stage::Paused, Stage::Stopping, Stage::Stopped] {
            run.stage = stage;
            project.follow(&run);
            assert!(!project.is_training, "the user wants it to wait");
        }
        run.stage = Stage::Finished;
        project.follow(&run);
        project.run_starts(None);
        assert!(!project.is_finished && !project.has_run());
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
        assert_eq!(project.in_words(), "6 photos · not trained yet");
        project.boxes.insert(3, vec![ObjectBox { class: 1, x0: 0.0, y0: 0.0, x1: 1.0, y1: 4.0 }]);
        assert_eq!(project.in_words(), "6 photos · 1 box drawn, not trained yet");
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
