//! One table of all settings that the form shows: what they are called, in which unit, what they are
//! for, and how they are read from and written to [`Settings`].

use tag2mask_core::run::Settings;
use tag2mask_core::run::settings::{BackboneName, MethodName, Refine, Threshold};

/// Where a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// At once.
    Main,
    /// Under "More".
    Network,
    /// Under "More".
    FirstRound,
    /// Under "More".
    SpatialBce,
    /// Under "More".
    Optimizer,
    /// Under "More".
    Photos,
    /// Beside "Train a segmenter".
    Segmenter,
    /// Beside "Make masks".
    Masks,
    /// Beside "Make masks".
    Crf,
}

impl Group {
    /// The groups under "More", in order.
    pub const MORE: [Self; 5] =
        [Self::Network, Self::FirstRound, Self::SpatialBce, Self::Optimizer, Self::Photos];
    /// The groups beside "Train a segmenter".
    pub const SEGMENTER: [Self; 1] = [Self::Segmenter];
    /// The groups beside "Make masks", in order.
    pub const MASKS: [Self; 2] = [Self::Masks, Self::Crf];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Main => "Settings",
            Self::Network => "Network and batches",
            Self::FirstRound => "Round 1: classifier",
            Self::SpatialBce => "Later rounds: Spatial-BCE",
            Self::Optimizer => "Optimiser",
            Self::Photos => "Random changes to photos",
            Self::Segmenter => "Learning from masks",
            Self::Masks => "From scores to masks",
            Self::Crf => "Edge refinement (dense CRF)",
        }
    }
}

/// How a field is filled in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// One of these: value, and what the user reads.
    Choice(&'static [(&'static str, &'static str)]),
    /// Yes or no.
    Toggle,
    /// A number; the step of the arrows ("any" for none).
    Number(&'static str),
    /// Numbers with commas between.
    Numbers,
}

/// One setting.
#[derive(Clone, Copy)]
pub struct Field {
    /// Unique; also the element's id.
    pub id: &'static str,
    /// Where it is shown.
    pub group: Group,
    /// Its name.
    pub label: &'static str,
    /// Its unit, or empty.
    pub unit: &'static str,
    /// One line: what it does.
    pub help: &'static str,
    /// How it is filled in.
    pub kind: Kind,
    /// Its name in [`Settings::check`]'s errors.
    pub setting: &'static str,
    /// Its value as text.
    pub get: fn(&Settings) -> String,
    /// Takes a text; says what is wrong with it.
    pub set: fn(&mut Settings, &str) -> Result<(), String>,
    /// Whether it has a meaning with these settings.
    pub shown: fn(&Settings) -> bool,
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("needs a number".into());
    }
    text.parse().map_err(|_| {
        if text.parse::<f64>().is_ok() {
            "must be a whole number, 0 or more".into()
        } else {
            "is not a number".into()
        }
    })
}

/// Another network, with an output stride that it has.
fn take_backbone(settings: &mut Settings, backbone: BackboneName) {
    settings.backbone = backbone;
    let strides = backbone.output_strides();
    if !strides.contains(&settings.output_stride) {
        settings.output_stride = strides.first().copied().unwrap_or(settings.output_stride);
    }
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    text.split([',', ' ', ';']).filter(|part| !part.is_empty()).map(number).collect()
}

fn list(values: &[f64]) -> String {
    values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

const fn always(_: &Settings) -> bool {
    true
}

fn spatial(settings: &Settings) -> bool {
    settings.method == MethodName::SpatialBce
}

fn crf(settings: &Settings) -> bool {
    settings.masks.refine != Refine::None
}

/// Builds one entry; the last argument names the place in [`Settings`].
macro_rules! field {
    ($group:ident $id:literal $label:literal [$unit:literal] $help:literal, $kind:expr, $setting:literal, $shown:expr,
     number $($path:ident).+) => {
        Field {
            id: $id, group: Group::$group, label: $label, unit: $unit, help: $help, kind: $kind, setting: $setting,
            get: |s| s.$($path).+.to_string(),
            set: |s, text| { s.$($path).+ = number(text)?; Ok(()) },
            shown: $shown,
        }
    };
    ($group:ident $id:literal $label:literal [$unit:literal] $help:literal, $kind:expr, $setting:literal, $shown:expr,
     toggle $($path:ident).+) => {
        Field {
            id: $id, group: Group::$group, label: $label, unit: $unit, help: $help, kind: $kind, setting: $setting,
            get: |s| s.$($path).+.to_string(),
            set: |s, text| { s.$($path).+ = text == "true"; Ok(()) },
            shown: $shown,
        }
    };
    ($group:ident $id:literal $label:literal [$unit:literal] $help:literal, $kind:expr, $setting:literal, $shown:expr,
     numbers $($path:ident).+) => {
        Field {
            id: $id, group: Group::$group, label: $label, unit: $unit, help: $help, kind: $kind, setting: $setting,
            get: |s| list(&s.$($path).+),
            set: |s, text| { s.$($path).+ = numbers(text)?; Ok(()) },
            shown: $shown,
        }
    };
}

const WHOLE: Kind = Kind::Number("1");
const ANY: Kind = Kind::Number("any");

/// Every field, in the order they are shown.
pub static FIELDS: &[Field] = &[
    Field {
        id: "method",
        group: Group::Main,
        label: "Method",
        unit: "",
        help: "Spatial-BCE learns where to cut its maps; CAM alone is quicker.",
        kind: Kind::Choice(&[("spatial-bce", "Spatial-BCE"), ("cam", "CAM only")]),
        setting: "method",
        get: |s| s.method.id().into(),
        set: |s, text| text.parse().map(|method| s.method = method).map_err(|error| error.to_string()),
        shown: always,
    },
    Field {
        id: "backbone",
        group: Group::Main,
        label: "Network",
        unit: "",
        help: "Tiny learns from nothing; the others start from a weights file and suit real photos.",
        kind: Kind::Choice(&[
            ("tiny", "Tiny (no weights)"),
            ("mobilenet-v2", "MobileNetV2"),
            ("resnet-18", "ResNet-18"),
            ("resnet-50", "ResNet-50"),
            ("resnet-101", "ResNet-101"),
            ("resnet-38", "ResNet-38 (the paper's)"),
        ]),
        setting: "backbone",
        get: |s| s.backbone.id().into(),
        set: |s, text| {
            text.parse().map(|backbone| take_backbone(s, backbone)).map_err(|error| error.to_string())
        },
        shown: always,
    },
    field!(Main "size" "Size" ["pixels"] "Photos are resized to this square. Larger finds smaller things and takes longer.",
        Kind::Number("32"), "size", always, number size),
    field!(Main "cam-epochs" "Epochs, round 1" ["passes"] "How often each photo is seen while learning what is in it.",
        WHOLE, "epochs", always, number cam.epochs),
    field!(Main "epochs" "Epochs, later" ["passes"] "How often, in each later round, while learning where things are.",
        WHOLE, "epochs", spatial, number spatial_bce.epochs),
    field!(Network "batch" "Batch" ["photos"] "Photos per step. It is cut into smaller parts if memory is short.",
        WHOLE, "batch", always, number batch),
    Field {
        id: "output-stride",
        group: Group::Network,
        label: "Output stride",
        unit: "pixels",
        help: "Photo pixels per map pixel: 8 is finer, and about three times slower.",
        kind: Kind::Choice(&[("16", "16"), ("8", "8 (finer)")]),
        setting: "output-stride",
        get: |s| s.output_stride.to_string(),
        set: |s, text| number(text).map(|stride| s.output_stride = stride),
        shown: |s| s.backbone.output_strides().len() > 1,
    },
    field!(Network "seed" "Seed" [""] "The same seed and settings give the same run.", WHOLE, "seed", always, number seed),
    field!(FirstRound "cam-learning-rate" "Learning rate" [""] "Of the network's body; too high and the loss jumps.",
        ANY, "learning-rate", always, number cam.learning_rate),
    field!(FirstRound "cam-threshold" "Background" ["0 to 1"] "Map values below it count as background when shares are first measured.",
        Kind::Number("0.05"), "threshold", always, number cam.threshold),
    field!(SpatialBce "rounds" "Rounds" [""] "Object shares are measured anew before each.",
        WHOLE, "rounds", spatial, number spatial_bce.rounds),
    field!(SpatialBce "learning-rate" "Learning rate" [""] "Of the network's body.",
        ANY, "learning-rate", spatial, number spatial_bce.learning_rate),
    field!(SpatialBce "cycle" "Cycle" ["steps"] "One alternation between network and threshold.",
        WHOLE, "cycle", spatial, number spatial_bce.cycle),
    field!(SpatialBce "network-steps" "Network steps" ["of a cycle"] "The rest of each cycle trains the threshold.",
        WHOLE, "network-steps", spatial, number spatial_bce.network_steps),
    field!(SpatialBce "share-weight" "Share weight" [""] "How strongly regions are held to the measured share of the photo.",
        ANY, "share-weight", spatial, number spatial_bce.share_weight),
    field!(SpatialBce "share-margin" "Smallest share" ["0 to 0.5"] "A labelled object covers at least this much of its photo, and leaves as much.",
        ANY, "share-margin", spatial, number spatial_bce.share_margin),
    field!(Optimizer "momentum" "Momentum" ["0 to 1"] "How much of the last steps' direction is kept.",
        ANY, "momentum", always, number optimizer.momentum),
    field!(Optimizer "weight-decay" "Weight decay" [""] "Pulls weights towards zero.",
        ANY, "weight-decay", always, number optimizer.weight_decay),
    field!(Optimizer "power" "Decay power" [""] "How the learning rate falls over a round; 1 is a straight line.",
        ANY, "power", always, number optimizer.power),
    field!(Optimizer "head-factor" "New layers" ["times"] "Learning rate of new layers over that of the body.",
        ANY, "head-factor", always, number optimizer.head_factor),
    field!(Optimizer "max-gradient-norm" "Gradient limit" ["0 = none"] "Larger gradients are scaled down to it.",
        ANY, "max-gradient-norm", always, number optimizer.max_gradient_norm),
    field!(Photos "flip" "Mirror" [""] "Half of the photos are mirrored left to right.",
        Kind::Toggle, "flip", always, toggle augment.flip),
    field!(Photos "color" "Colour change" ["0 to 1"] "Largest change of brightness, contrast and saturation.",
        Kind::Number("0.05"), "color", always, number augment.color),
    field!(Photos "augment-scales" "Training sizes" ["× size"] "One is drawn per batch; several help with objects of many sizes.",
        Kind::Numbers, "scales", always, numbers augment.scales),
    field!(Segmenter "segmenter-epochs" "Epochs" ["passes"] "How often each photo and its mask is seen.",
        WHOLE, "epochs", always, number deeplab.epochs),
    field!(Segmenter "segmenter-learning-rate" "Learning rate" [""] "Of the network's body; too high and the loss jumps.",
        ANY, "learning-rate", always, number deeplab.learning_rate),
    Field {
        id: "threshold-kind",
        group: Group::Masks,
        label: "Threshold",
        unit: "",
        help: "Learned for each photo and class, with our correction or without it; or one for all.",
        kind: Kind::Choice(&[
            ("adaptive", "Learned"),
            ("published", "Learned, as published"),
            ("fixed", "One for all"),
        ]),
        setting: "threshold",
        get: |s| match s.masks.threshold {
            Threshold::Adaptive => "adaptive".into(),
            Threshold::Published => "published".into(),
            Threshold::Fixed(_) => "fixed".into(),
        },
        set: |s, text| {
            s.masks.threshold = match (text, s.masks.threshold) {
                ("fixed", Threshold::Fixed(value)) => Threshold::Fixed(value),
                ("fixed", _) => Threshold::Fixed(s.cam.threshold),
                ("published", _) => Threshold::Published,
                _ => Threshold::Adaptive,
            };
            Ok(())
        },
        shown: spatial,
    },
    Field {
        id: "threshold",
        group: Group::Masks,
        label: "Background threshold",
        unit: "0 to 1",
        help: "Lower makes larger objects.",
        kind: Kind::Number("0.05"),
        setting: "threshold",
        get: |s| {
            if let Threshold::Fixed(value) = s.masks.threshold { value.to_string() } else { "0.3".into() }
        },
        set: |s, text| {
            let value = number(text)?;
            if let Threshold::Fixed(old) = &mut s.masks.threshold {
                *old = value;
            }
            Ok(())
        },
        shown: |s| matches!(s.masks.threshold, Threshold::Fixed(_)),
    },
    Field {
        id: "refine",
        group: Group::Masks,
        label: "Edges",
        unit: "",
        help: "A dense CRF pulls masks to edges in the photo.",
        kind: Kind::Choice(&[("crf", "Follow the photo's edges"), ("none", "As the network draws them")]),
        setting: "refine",
        get: |s| if crf(s) { "crf".into() } else { "none".into() },
        set: |s, text| {
            s.masks.refine = if text == "none" { Refine::None } else { Refine::Crf };
            Ok(())
        },
        shown: always,
    },
    field!(Masks "scales" "Looks" ["× size"] "Each photo is looked at in these sizes; more is finer and slower.",
        Kind::Numbers, "scales", always, numbers masks.scales),
    field!(Masks "masks-flip" "Mirror" [""] "Also looks at the mirrored photo.", Kind::Toggle, "flip", always, toggle masks.flip),
    field!(Crf "iterations" "Iterations" ["1 to 100"] "Ten are enough in most cases.",
        WHOLE, "iterations", crf, number masks.crf.iterations),
    field!(Crf "certainty" "Certainty" ["0 to 1"] "How far the network's labels are believed.",
        ANY, "certainty", crf, number masks.crf.certainty),
    field!(Crf "gaussian-xy" "Smoothness reach" ["pixels"] "Neighbours this near should agree.",
        ANY, "gaussian-xy", crf, number masks.crf.gaussian_xy),
    field!(Crf "gaussian-weight" "Smoothness weight" [""] "How much they should.",
        ANY, "gaussian-weight", crf, number masks.crf.gaussian_weight),
    field!(Crf "bilateral-xy" "Colour reach" ["pixels"] "Pixels of like colour this near should agree.",
        ANY, "bilateral-xy", crf, number masks.crf.bilateral_xy),
    field!(Crf "bilateral-rgb" "Colour likeness" ["of 255"] "How far apart colours may be and still be alike.",
        ANY, "bilateral-rgb", crf, number masks.crf.bilateral_rgb),
    field!(Crf "bilateral-weight" "Colour weight" [""] "How much they should agree.",
        ANY, "bilateral-weight", crf, number masks.crf.bilateral_weight),
];

/// The field of that id.
pub fn field(id: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.id == id)
}

/// The fields of a group, in order.
pub fn of_group(group: Group) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.group == group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tag2mask_core::run::settings::BackboneName;

    fn offers_everything() -> bool {
        let offered = |id: &str| match field(id).map(|field| field.kind) {
            Some(Kind::Choice(choices)) => choices.iter().map(|(value, _)| *value).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        // What learns from masks has a section of its own.
        let of_labels = MethodName::ALL.into_iter().filter(|method| !method.learns_from_masks());
        BackboneName::ALL.map(BackboneName::id).to_vec() == offered("backbone")
            && of_labels.map(MethodName::id).collect::<Vec<_>>() == offered("method")
    }

    #[test]
    fn every_field_writes_back_what_it_reads() {
        let mut settings = Settings::default();
        settings.masks.threshold = Threshold::Fixed(0.4);
        for field in FIELDS {
            let mut copy = settings.clone();
            (field.set)(&mut copy, &(field.get)(&settings)).unwrap();
            assert_eq!(copy, settings, "{}", field.id);
        }
    }

    #[test]
    fn every_number_field_changes_the_settings() {
        let mut settings = Settings::default();
        settings.masks.threshold = Threshold::Fixed(0.4);
        for field in FIELDS.iter().filter(|field| matches!(field.kind, Kind::Number(_) | Kind::Numbers)) {
            let mut copy = settings.clone();
            (field.set)(&mut copy, "7").unwrap();
            assert_ne!(copy, settings, "{}", field.id);
            assert!(
                (field.set)(&mut copy, "x").is_err() && (field.set)(&mut copy, "x, 1").is_err(),
                "{}",
                field.id
            );
        }
    }

    #[test]
    fn ids_are_unique_and_names_are_those_of_core() {
        let mut ids: Vec<_> = FIELDS.iter().map(|field| field.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), FIELDS.len());
        assert!(offers_everything());
    }
}
