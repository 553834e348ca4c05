//! What is wrong with a data set, and what was done about it: listed, never fatal.

use serde::{Deserialize, Serialize};

/// What is wrong with a file or a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The image cannot be decoded, or is larger than the limit.
    UnreadableImage,
    /// A table or an annotation names an image that is not there.
    LabelWithoutImage,
    /// An image that nothing gives a label.
    ImageWithoutLabel,
    /// The same image twice, or two lines for one image.
    Duplicate,
    /// A line of a table, or an entry of another file, that cannot be understood.
    BadLine,
    /// A supplied mask that cannot be used for scoring.
    BadMask,
    /// A box around an object that cannot be one.
    BadBox,
    /// Labels that were taken from supplied masks, as nothing else names them.
    LabelFromMask,
    /// A file that labels could be read from, too, where a more explicit one is.
    OtherLayout,
    /// A file that is neither an image nor part of the layout.
    OtherFile,
}

/// One thing that is wrong: nearly always left out, as its reason says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file it is about.
    pub path: String,
    /// The kind.
    pub kind: ProblemKind,
    /// How many it stands for: entries of one file are told as one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: usize,
    /// One sentence: what is wrong and what was done.
    pub reason: String,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}
