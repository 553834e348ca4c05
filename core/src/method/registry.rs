//! All methods, one line each: what the command line, `run.json`, the form and the run's loop know them by.

use serde::{Deserialize, Serialize};

use super::Method;
#[cfg(feature = "network")]
use super::{LearnerConfig, Setup};

/// `Name "id" "title" folder: field Settings;`. A folder has `METHOD`, its [`Method`], and, with the feature
/// `network`, `config`, which gives the [`LearnerConfig`] of its own network.
macro_rules! methods {
    ($($(#[$about:meta])* $name:ident $id:literal $title:literal $folder:ident: $settings:ident;)*) => {
        /// A method.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum MethodName {
            $($(#[$about])* #[serde(rename = $id)] $name,)*
        }

        /// The settings of every method.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct MethodSettings {
            $($(#[$about])* pub $folder: super::$folder::$settings,)*
        }

        impl MethodName {
            /// All methods, in the order they are offered.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The name on the command line and in `run.json`.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The name that people know it by.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What is known of it without a tensor.
            pub fn method(self) -> &'static dyn Method {
                match self { $(Self::$name => &super::$folder::METHOD,)* }
            }

            /// Does something with the method's own network.
            #[cfg(feature = "network")]
            pub fn with<V: Visitor>(self, setup: &Setup<'_>, visitor: V) -> V::Output {
                match self { $(Self::$name => visitor.visit(super::$folder::config(setup)),)* }
            }
        }
    };
}

methods! {
    /// Spatial-BCE (Wu et al., ECCV 2022), started from the plain classifier.
    SpatialBce "spatial-bce" "Spatial-BCE" spatial_bce: SpatialBceSettings;
    /// Plain class activation maps: global average pooling and a linear classifier.
    Cam "cam" "CAM only" cam: CamSettings;
    /// Adversarial erasing (Stammes et al., ICDIP 2021): two networks against each other.
    AdversarialErasing "adversarial-erasing" "Adversarial erasing" adversarial_erasing: AdversarialErasingSettings;
    /// Adaptive affinity and label reassign (Zhang, Peng et al., ACM MM 2021): one stage.
    AdaptiveAffinity "adaptive-affinity" "Adaptive affinity" adaptive_affinity: AdaptiveAffinitySettings;
    /// Box2Seg (Kulharia et al., ECCV 2020): learns from boxes.
    Box2Seg "box2seg" "Box2Seg (boxes)" box2seg: Box2SegSettings;
    /// The second stage: a segmentation network that learns from masks (DeepLab's head).
    Deeplab "deeplab" "Segmenter" deeplab: DeepLabSettings;
}

// Not derived: which one is usual is said here, not by the order.
#[allow(clippy::derivable_impls)]
impl Default for MethodName {
    fn default() -> Self {
        Self::SpatialBce
    }
}

/// What can be done with a network of any method.
#[cfg(feature = "network")]
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<C: LearnerConfig>(self, config: C) -> Self::Output;
}
