//! The news of a run. The page, the CLI, `events.jsonl` and the tests consume this one type.

use serde::{Deserialize, Serialize};

use super::settings::{MaskSettings, Settings};
use crate::dataset::{Problem, Summary};

/// The compute device that a run uses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The adapter's own name, or "CPU".
    pub name: String,
    /// "webgpu", "vulkan", "metal", "cuda", "cpu".
    pub backend: String,
    /// Whether a GPU does the work (a software rasteriser does not count).
    pub hardware: bool,
    /// Largest single buffer that a kernel can see, bytes; `None` where there is no such limit.
    pub max_binding: Option<u64>,
    /// Largest buffer, bytes.
    pub max_buffer: Option<u64>,
    /// Memory that is free for a run, bytes; `None` where nobody tells, as no GPU does.
    #[serde(default)]
    pub memory: Option<u64>,
    /// Threads of a CPU; `None` of a GPU.
    #[serde(default)]
    pub threads: Option<usize>,
}

/// What a stretch of work is, for progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Reading headers and labels of a data set.
    Reading,
    /// Training steps.
    Training,
    /// Score maps and refinement of the training images, for the next round's shares.
    Shares,
    /// Masks cut out of boxes.
    BoxMasks,
    /// Masks for the user.
    Masks,
    /// Packing a zip.
    Packing,
}

/// Losses of one optimiser step, read from the device together with others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossPoint {
    /// Step within the round, from 0.
    pub step: usize,
    /// What is minimised.
    pub total: f32,
    /// Spatial-BCE (network or threshold step), or the classifier's loss in round 0.
    pub main: f32,
    /// The foreground-share term; 0 in round 0.
    pub share: f32,
    /// Mean activation of present classes, 0 to 1.
    pub activation: f32,
    /// Whether the threshold branch was trained, not the network.
    pub threshold_step: bool,
}

/// A training that has lost the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Collapse {
    /// Present classes have gone from their images.
    AllBackground,
    /// Present classes fill their images.
    AllForeground,
    /// Losses are no longer numbers.
    NotANumber,
}

/// IoU against supplied masks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Percent, mean over the classes that occur.
    pub miou: f64,
    /// Class name and percent, background first; `None` where the class occurs nowhere.
    pub iou: Vec<(String, Option<f64>)>,
    /// Images that were scored.
    pub images: usize,
    /// Whether the masks being scored were made with a look at the truth (a searched threshold).
    pub looked_at_truth: bool,
    /// Pixels by true label (rows) and drawn label (columns), background first in both; the last column is for what
    /// was drawn as no label. Empty in the logs of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confusion: Vec<Vec<u64>>,
}

impl Score {
    /// Gives the classes other names, in the same order, without the background.
    pub fn rename_classes(&mut self, classes: &[String]) {
        if self.iou.len() == classes.len() + 1 {
            self.iou.iter_mut().skip(1).zip(classes).for_each(|((own, _), name)| own.clone_from(name));
        }
    }

    /// [`Self::confusion`] by row: of the pixels of a true label, the share that was drawn as each label, 0 to 1.
    /// A row is `None` where the truth never has its label.
    pub fn confusion_shares(&self) -> Vec<Option<Vec<f64>>> {
        let share = |row: &Vec<u64>| {
            let all: u64 = row.iter().sum();
            (all > 0).then(|| row.iter().map(|&count| count as f64 / all as f64).collect())
        };
        self.confusion.iter().map(share).collect()
    }
}

/// One piece of news. Byte fields are left out of JSON and travel beside it: see [`Event::bytes`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A device is ready.
    DeviceReady { device: DeviceInfo },
    /// A data set was read.
    DatasetRead { summary: Summary },
    /// The data set that was read is that of a project's archive.
    ProjectRead {
        /// What its owner calls it.
        name: String,
        /// Whether it brings a run, to be taken up.
        has_run: bool,
        /// This and the next as in [`ProjectCard`](crate::files::ProjectCard).
        verdicts: Vec<(Option<usize>, String)>,
        labels_are_new: bool,
    },
    /// A small picture of an image: RGBA, row-major.
    Thumbnail {
        image: usize,
        width: usize,
        height: usize,
        #[serde(skip)]
        rgba: Vec<u8>,
    },
    /// A run starts, or goes on from a checkpoint.
    RunStarted {
        settings: Box<Settings>,
        device: DeviceInfo,
        /// Trainable numbers.
        parameters: usize,
        /// Images sent through the network at once; smaller than the batch where memory calls for it.
        micro_batch: usize,
        /// Whether activations are computed again for the gradients, where memory calls for that.
        #[serde(default)]
        recompute: bool,
        /// What training is expected to take at its peak, bytes.
        #[serde(default)]
        memory: u64,
        /// Steps of all rounds.
        total_steps: usize,
        /// Steps already done, when resumed.
        done_steps: usize,
        /// Images whose masks were given, to be learned from beside the labels of all others.
        #[serde(default)]
        given_masks: usize,
    },
    /// A round starts. Round 0 is the plain classifier.
    RoundStarted { round: usize, rounds: usize, epochs: usize, steps: usize },
    /// Losses since the last such event, in order.
    Losses { round: usize, points: Vec<LossPoint>, learning_rate: f64 },
    /// How far a phase is.
    Progress {
        phase: Phase,
        done: usize,
        total: usize,
        /// Estimate for this phase, seconds; `None` until it can be told.
        seconds_left: Option<f64>,
    },
    /// What the network sees now in one image: per pixel the strongest present class (0 = none of
    /// them above its threshold, else `c + 1`) and its strength, 0 to 255, both row-major.
    Preview {
        image: usize,
        round: usize,
        step: usize,
        width: usize,
        height: usize,
        #[serde(skip)]
        labels: Vec<u8>,
        #[serde(skip)]
        strength: Vec<u8>,
    },
    /// What the network makes of all previewed images together, before refinement.
    Measured {
        round: usize,
        step: usize,
        /// Class and the mean share of an image that is called it, 0 to 1, over those of the images that have it.
        shares: Vec<(u16, f32)>,
        /// Class and the background threshold that it was cut with, 0 to 1, mean over the same images; empty where
        /// the network learns none.
        thresholds: Vec<(u16, f32)>,
    },
    /// What the method makes of an image before it looks at it again: RGBA of a square, row-major, to be
    /// stretched to the image's shape.
    Altered {
        image: usize,
        side: usize,
        #[serde(skip)]
        rgba: Vec<u8>,
    },
    /// The foreground shares for the next round are known.
    SharesUpdated {
        round: usize,
        /// Mean share per class over the images that have it; `None` where no image has it.
        mean: Vec<Option<f32>>,
        /// IoU of these masks where truth was supplied. Nothing learns from it.
        score: Option<Score>,
    },
    /// Masks were cut out of boxes, to learn from.
    BoxMasksCut {
        /// Images that have a box.
        images: usize,
        /// IoU of these masks where truth was supplied. Nothing learns from it.
        score: Option<Score>,
    },
    /// The background threshold per class that the shares' masks were cut with, mean over images, 0 to 1:
    /// learned, or for the plain classifier of round 0 the preset one.
    Thresholds { round: usize, per_class: Vec<Option<f32>> },
    /// The objects are lost, and what to try.
    Collapsed { round: usize, step: usize, kind: Collapse, advice: String },
    /// A round ended.
    RoundFinished { round: usize, seconds: f64 },
    /// The user's wish to wait was followed.
    Paused { round: usize, step: usize },
    /// Work goes on.
    Resumed { round: usize, step: usize },
    /// A checkpoint was written: a run can go on from here.
    Saved { round: usize, step: usize },
    /// Whether the checkpoint has reached what outlives this process. Told where that is not the same as
    /// writing it: by a browser's trainer.
    Kept { ok: bool },
    /// The user's wish to stop was followed; the run can be resumed.
    Stopped { round: usize, step: usize },
    /// All rounds are done.
    TrainingFinished { seconds: f64 },
    /// Masks that were made before come back, each as `MaskReady`, and `MasksFinished` after the last: those of the
    /// network at the end of a round, or of what was learned until then.
    MasksRestored {
        round: Option<usize>,
        settings: MaskSettings,
        /// Whether they are all there: else their making was ended before.
        are_all: bool,
    },
    /// The network for new photos comes back, which was trained so, to its end or up to `step`.
    SegmenterRestored { settings: Box<Settings>, step: usize, is_finished: bool },
    /// One mask is ready: labels as in [`crate::masks::LabelMap`].
    MaskReady {
        image: usize,
        width: usize,
        height: usize,
        /// Classes in the mask and the share of the image that each covers.
        shares: Vec<(u16, f32)>,
        /// The background threshold of each of the image's classes, 0 to 1.
        thresholds: Vec<(u16, f32)>,
        /// IoU of this image alone, percent, where truth was supplied.
        miou: Option<f64>,
        /// How much the mask is to be doubted, 0 to 1: see [`crate::masks::doubt`]. `None` where nobody tells.
        #[serde(default)]
        doubt: Option<f32>,
        #[serde(skip)]
        labels: Vec<u8>,
    },
    /// The labels of a finished mask, bounded in size, to be corrected.
    MaskShown {
        /// Whose network had made it; `None` for what was learned until now.
        round: Option<usize>,
        image: usize,
        width: usize,
        height: usize,
        #[serde(skip)]
        labels: Vec<u8>,
    },
    /// A mask was corrected by hand.
    MaskCorrected {
        /// Whose network had made it; `None` for what was learned until now.
        round: Option<usize>,
        image: usize,
        /// IoU of this image alone, percent, where truth was supplied.
        miou: Option<f64>,
        /// Of all masks of the round, where truth was supplied.
        score: Option<Score>,
    },
    /// New photos were read: how many can be used, the pixels of all of them, and which files cannot.
    PhotosRead {
        photos: usize,
        #[serde(default)]
        pixels: u64,
        problems: Vec<Problem>,
    },
    /// The mask of a new photo is ready: the photo and its labels, both reduced to the same size.
    PhotoReady {
        name: String,
        width: usize,
        height: usize,
        /// Classes in the mask and the share of the photo that each covers.
        shares: Vec<(u16, f32)>,
        #[serde(skip)]
        rgba: Vec<u8>,
        #[serde(skip)]
        labels: Vec<u8>,
    },
    /// All masks are ready.
    MasksFinished { images: usize, seconds: f64, score: Option<Score> },
    /// A file for the user to keep.
    FileReady {
        name: String,
        #[serde(skip)]
        bytes: Vec<u8>,
    },
    /// Something was left out or went other than asked; work goes on.
    Warning { message: String },
    /// Work ended with an error.
    Failed { message: String },
}

impl Event {
    /// The byte fields, in the order of their declaration: what a worker transfers beside the JSON.
    pub fn bytes(&mut self) -> Vec<&mut Vec<u8>> {
        match self {
            Self::Thumbnail { rgba, .. } => vec![rgba],
            Self::Preview { labels, strength, .. } => vec![labels, strength],
            Self::Altered { rgba, .. } => vec![rgba],
            Self::MaskReady { labels, .. } | Self::MaskShown { labels, .. } => vec![labels],
            Self::PhotoReady { rgba, labels, .. } => vec![rgba, labels],
            Self::FileReady { bytes, .. } => vec![bytes],
            _ => Vec::new(),
        }
    }

    /// Whether the event belongs in `events.jsonl`: pictures and files do not.
    pub fn is_logged(&self) -> bool {
        !matches!(
            self,
            Self::ProjectRead { .. }
                | Self::Thumbnail { .. }
                | Self::Preview { .. }
                | Self::Altered { .. }
                | Self::FileReady { .. }
                | Self::Progress { .. }
                | Self::Kept { .. }
                | Self::MasksRestored { .. }
                | Self::SegmenterRestored { .. }
                | Self::MaskReady { .. }
                | Self::MaskShown { .. }
                | Self::MaskCorrected { .. }
                | Self::DatasetRead { .. }
                | Self::PhotosRead { .. }
                | Self::PhotoReady { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_carries_everything_but_bytes() {
        let mut event = Event::Preview {
            image: 3,
            round: 1,
            step: 20,
            width: 2,
            height: 1,
            labels: vec![0, 1],
            strength: vec![9, 255],
        };
        let text = serde_json::to_string(&event).unwrap();
        assert!(!text.contains("strength"));
        let mut back: Event = serde_json::from_str(&text).unwrap();
        for (to, from) in back.bytes().into_iter().zip(event.bytes()) {
            *to = std::mem::take(from);
        }
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
        assert_eq!(back.bytes()[1], &vec![9, 255]);
    }

    #[test]
    fn confusion_is_told_by_row() {
        let score = Score { confusion: vec![vec![3, 1, 0], vec![0, 0, 0]], ..Score::default() };
        assert_eq!(score.confusion_shares(), [Some(vec![0.75, 0.25, 0.0]), None]);
        // Logs of earlier versions have none.
        let before = r#"{"miou":1.0,"iou":[],"images":1,"looked_at_truth":false}"#;
        assert!(serde_json::from_str::<Score>(before).unwrap().confusion.is_empty());
    }
}
