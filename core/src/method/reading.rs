//! How a network's maps are read.

/// What a network's maps mean, and how they become labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// Class activation maps: what is above a part of a map's maximum is the class (METHODS §5).
    Activation {
        /// The usual part, 0 to 1: none is learned.
        threshold: f32,
    },
    /// Maps with a threshold that was learned for them (METHODS §1, "Inference").
    LearnedThreshold,
    /// Logits of a segmentation network, background first: the largest is the label. It needs no labels.
    Segmentation {
        /// What is known of a labelled image that limits the classes of its pixels.
        told: Told,
    },
}

/// What limits the labels of pixels in an image that a network learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// The image's labels: pixels have no other class.
    Labels,
    /// Its boxes: a pixel has a class only inside a box of that class.
    Boxes,
}

impl Reading {
    /// Whether photos that nobody labelled can be read.
    pub fn needs_no_labels(self) -> bool {
        matches!(self, Self::Segmentation { .. })
    }

    /// Whether there is a background threshold to choose.
    pub fn has_threshold(self) -> bool {
        !self.needs_no_labels()
    }

    /// The threshold to cut maps at where the network learned none; `None` where it did, or needs none.
    pub fn usual_threshold(self) -> Option<f32> {
        match self {
            Self::Activation { threshold } => Some(threshold),
            Self::LearnedThreshold | Self::Segmentation { .. } => None,
        }
    }
}
