//! What the page and the trainer say to each other.
//!
//! The page posts `{ json: <Command>, payload }`, where `payload` is structured-clone data that JSON
//! cannot carry (`File`s, the weights). The trainer posts `{ json: <core's Event>, buffers }`, where
//! `buffers` are transferred `ArrayBuffer`s in the order of `Event::bytes`.

use serde::{Deserialize, Serialize};
use tag2mask_core::dataset::{ObjectBox, Relabel};
use tag2mask_core::run::Settings;
use tag2mask_core::run::settings::MaskSettings;

/// Raised when a page and a trainer of different builds could misunderstand each other.
pub const PROTOCOL_VERSION: u32 = 8;

/// Masks that were accepted, to learn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GivenMasks {
    /// Whose network made them; `None` for what was learned until now.
    pub round: Option<usize>,
    /// The images that they are of.
    pub images: Vec<usize>,
}

/// What the page asks of the trainer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// First of all: find the device. Answered by `DeviceReady` or `Failed`.
    Start { version: u32 },
    /// Read the dropped files: `payload` is an array of `{ path, file }`. Answered by `DatasetRead`.
    OpenFiles,
    /// Make and read the built-in sample set. Answered by `DatasetRead`.
    OpenSample { images: usize, size: usize, seed: u64 },
    /// Small pictures of these images. Each is answered by `Thumbnail`.
    Thumbnails { images: Vec<usize>, side: usize },
    /// Labels and classes from now on, as changes to the data set as it was read. With other classes, what was learned
    /// and made is dropped; with the same ones under other names, it takes these along.
    SetLabels { relabel: Relabel },
    /// Drop what was learned and made.
    DropRun,
    /// The boxes of an image from now on, their classes as numbers (see core's `relabel`). Its labels are those it has
    /// without them and the classes of its boxes. Answered by `Warning` where some cannot be.
    SetBoxes { image: usize, boxes: Vec<ObjectBox> },
    /// Take a weights file: `payload` is an `ArrayBuffer`.
    Weights { name: String },
    /// Take up the run of a project on the browser's disk, which learned from the open data set. Answered by its
    /// news, told again, with its `masks` if they are wanted, or by `Failed` when there is none; then by
    /// `SegmenterRestored` where there is a network for new photos. Of one that is only read nothing is written there.
    Restore { project: String, masks: bool, is_read_only: bool },
    /// Take up the run of the project's archive that the open data set came from (`ProjectRead`), and keep it in the
    /// project `keep` on the browser's disk. Answered by its news, told again, with its masks, or by `Failed`.
    TakeUp { keep: Option<String> },
    /// Train. `previews` are the images of the live grid; checkpoints go to the project `keep` on the browser's disk.
    /// With `given` masks it is a new run that learns from them, too.
    Train {
        settings: Box<Settings>,
        previews: Vec<usize>,
        keep: Option<String>,
        #[serde(default)]
        given: Option<GivenMasks>,
    },
    /// Wait after this step.
    Pause,
    /// Go on.
    Resume,
    /// End after this step; what was learned stays, and masks can be made.
    Stop,
    /// Make masks of all images with what was learned by the end of a round, or until now.
    Masks { settings: MaskSettings, round: Option<usize> },
    /// The labels of a mask of this round, reduced to `side` pixels at most. Answered by `MaskShown`.
    ShowMask { round: Option<usize>, image: usize, side: usize },
    /// A mask of this round as it was corrected by hand, of this size: `payload` is a `Uint8Array` of its labels,
    /// row-major. Answered by `MaskCorrected`.
    SetMask { round: Option<usize>, image: usize, width: usize, height: usize },
    /// Train a segmentation network on the masks that were made of this round, but those that were rejected.
    TrainSegmenter {
        settings: Box<Settings>,
        round: Option<usize>,
        #[serde(default)]
        rejected: Vec<usize>,
    },
    /// Make masks of photos without labels with it: `payload` as of `OpenFiles`. Answered by `PhotosRead`,
    /// a `PhotoReady` each, and `MasksFinished`.
    Predict { settings: MaskSettings },
    /// Pack the masks of new photos into a zip, in a format and with photos as `PackMasks` has it. Answered by
    /// `FileReady`.
    PackPredictions { format: String, photos: bool },
    /// Pack the segmentation network and its card. Answered by `FileReady`.
    PackSegmenter,
    /// Pack the masks of this round into a zip, in the format of that id (core's `export::Format`), with the
    /// photos where the format has a place for them. Answered by `FileReady`, or after `Stop` by `Stopped`.
    PackMasks { round: Option<usize>, format: String, photos: bool },
    /// Pack the score maps that the masks of this round were cut from, made anew, as NumPy's files. Answered by
    /// `FileReady`, or after `Stop` by `Stopped`.
    PackScores { round: Option<usize> },
    /// The same of the masks of new photos.
    PackNewScores,
    /// Pack everything into one zip under this name, that CLI and page take up again: photos, labels, boxes, the run,
    /// masks, those of this round for other programs, too, and what was said of them. Answered by `FileReady`, or
    /// after `Stop` by `Stopped`.
    PackProject { name: String, verdicts: Vec<(Option<usize>, String)>, round: Option<usize> },
    /// Pack the trained network (weights, settings). Answered by `FileReady`.
    PackRun,
    /// Write a report of the run and of the masks of this round, if they are there. Answered by a `FileReady` named
    /// `report.html`.
    PackReport { round: Option<usize> },
    /// Compute the reference tensors in `payload` (an array of `{ name, bytes }`) on this device.
    /// Answered by a `FileReady` named `conformance.json`.
    Conformance,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_labels_arrive_as_they_were_sent() {
        let relabel = Relabel { labels: [(7, vec![0, 2]), (0, Vec::new())].into(), ..Relabel::default() };
        let command = Command::SetLabels { relabel };
        let json = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), command, "{json}");
    }
}
