//! The benchmarks that figures were published for.

use serde::{Deserialize, Serialize};

use crate::dataset::Layout;
use crate::error::{Error, Result};

/// A benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Benchmark {
    /// PASCAL VOC 2012 with its augmented training list.
    Voc,
    /// COCO 2014.
    Coco,
}

impl Benchmark {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Voc, Self::Coco];

    /// The name on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Voc => "voc",
            Self::Coco => "coco",
        }
    }

    /// The name in reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::Voc => "PASCAL VOC 2012",
            Self::Coco => "COCO 2014",
        }
    }

    /// How its data are laid out.
    pub fn layout(self) -> Layout {
        match self {
            Self::Voc => Layout::Voc,
            Self::Coco => Layout::Coco,
        }
    }

    /// The split that is learned from, as published.
    pub fn training_split(self) -> &'static str {
        match self {
            Self::Voc => "train_aug",
            Self::Coco => "train2014",
        }
    }

    /// The split that is scored.
    pub fn validation_split(self) -> &'static str {
        match self {
            Self::Voc => "val",
            Self::Coco => "val2014",
        }
    }

    /// Published mIoU of the second stage on the validation split, percent (METHODS §1, "Published"; Wu et
    /// al., ECCV 2022, as others quote it).
    pub fn published(self) -> f64 {
        match self {
            Self::Voc => 70.0,
            Self::Coco => 35.2,
        }
    }

    /// Published mIoU on a test set whose truth only the benchmark's own server has.
    pub fn published_test(self) -> Option<f64> {
        match self {
            Self::Voc => Some(71.3),
            Self::Coco => None,
        }
    }
}

impl std::str::FromStr for Benchmark {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|each| each.id() == text).ok_or_else(|| Error::Setting {
            name: "benchmark",
            reason: format!("\"{text}\" is not known; choose one of voc, coco"),
        })
    }
}
