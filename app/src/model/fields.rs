//! One table of all settings that the form shows: what they are called, in which unit, what they are
//! for, and how they are read from and written to [`Settings`].

use tag2mask_core::field;
use tag2mask_core::method::field::{always, number};
pub use tag2mask_core::method::{Field, Group, Kind};
use tag2mask_core::method::{MethodName, Reading, Supervision};
use tag2mask_core::run::Settings;
use tag2mask_core::run::settings::{BackboneName, Refine, Threshold};

/// Another network, with an output stride that it has.
fn take_backbone(settings: &mut Settings, backbone: BackboneName) {
    settings.backbone = backbone;
    let strides = backbone.output_strides();
    if !strides.contains(&settings.output_stride) {
        settings.output_stride = strides.first().copied().unwrap_or(settings.output_stride);
    }
}

/// Whether its maps are cut at a threshold that is learned with them.
fn learns_threshold(settings: &Settings) -> bool {
    settings.method.method().reading(settings) == Reading::LearnedThreshold
}

fn crf(settings: &Settings) -> bool {
    settings.masks.refine != Refine::None
}

/// The methods that the form offers: what learns from masks has a section of its own.
fn methods() -> Vec<(&'static str, &'static str)> {
    let offered = MethodName::ALL.into_iter().filter(|method| !method.learns_from_masks());
    offered.map(|method| (method.id(), method.title())).collect()
}

/// A method's name without what its title says it learns from.
pub fn bare_name(method: MethodName) -> &'static str {
    method.title().split(" (").next().unwrap_or_default()
}

/// What a method learns from, in words that follow its name.
pub fn learns_from(method: MethodName) -> &'static str {
    match method.method().supervision() {
        Supervision::Labels => "learns from labels: which classes are in a photo, not where.",
        Supervision::Boxes => "learns from boxes, drawn below or given as boxes.csv.",
        Supervision::Masks => "learns from masks.",
    }
}

/// The fields that all methods have, in the order they are shown.
static COMMON: &[Field] = &[
    Field {
        id: "method",
        group: Group::Main,
        label: "Method",
        unit: "",
        help: "How it is learned where things are.",
        kind: Kind::Choice(methods),
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
        kind: Kind::Choice(|| {
            vec![
                ("tiny", "Tiny (no weights)"),
                ("mobilenet-v2", "MobileNetV2"),
                ("resnet-18", "ResNet-18"),
                ("resnet-50", "ResNet-50"),
                ("resnet-101", "ResNet-101"),
                ("resnet-38", "ResNet-38 (the paper's)"),
            ]
        }),
        setting: "backbone",
        get: |s| s.backbone.id().into(),
        set: |s, text| {
            text.parse().map(|backbone| take_backbone(s, backbone)).map_err(|error| error.to_string())
        },
        shown: always,
    },
    field!(Group::Main, "size" "Size" ["pixels"] "Photos are resized to this square. Larger finds smaller things and takes longer.",
        Kind::Number("32"), "size", always, number size),
    field!(Group::Network, "batch" "Batch" ["photos"] "Photos per step. It is cut into smaller parts if memory is short.",
        Kind::WHOLE, "batch", always, number batch),
    Field {
        id: "output-stride",
        group: Group::Network,
        label: "Output stride",
        unit: "pixels",
        help: "Photo pixels per map pixel: 8 is finer, and about three times slower.",
        kind: Kind::Choice(|| vec![("16", "16"), ("8", "8 (finer)")]),
        setting: "output-stride",
        get: |s| s.output_stride.to_string(),
        set: |s, text| number(text).map(|stride| s.output_stride = stride),
        shown: |s| s.backbone.output_strides().len() > 1,
    },
    field!(Group::Network, "seed" "Seed" [""] "The same seed and settings give the same run.", Kind::WHOLE, "seed", always, number seed),
    field!(Group::Optimizer, "momentum" "Momentum" ["0 to 1"] "How much of the last steps' direction is kept.",
        Kind::ANY, "momentum", always, number optimizer.momentum),
    field!(Group::Optimizer, "weight-decay" "Weight decay" [""] "Pulls weights towards zero.",
        Kind::ANY, "weight-decay", always, number optimizer.weight_decay),
    field!(Group::Optimizer, "power" "Decay power" [""] "How the learning rate falls over a round; 1 is a straight line.",
        Kind::ANY, "power", always, number optimizer.power),
    field!(Group::Optimizer, "head-factor" "New layers" ["times"] "Learning rate of new layers over that of the body.",
        Kind::ANY, "head-factor", always, number optimizer.head_factor),
    field!(Group::Optimizer, "max-gradient-norm" "Gradient limit" ["0 = none"] "Larger gradients are scaled down to it.",
        Kind::ANY, "max-gradient-norm", always, number optimizer.max_gradient_norm),
    field!(Group::Photos, "flip" "Mirror" [""] "Half of the photos are mirrored left to right.",
        Kind::Toggle, "flip", always, toggle augment.flip),
    field!(Group::Photos, "color" "Colour change" ["0 to 1"] "Largest change of brightness, contrast and saturation.",
        Kind::Number("0.05"), "color", always, number augment.color),
    field!(Group::Photos, "augment-scales" "Training sizes" ["× size"] "One is drawn per batch; several help with objects of many sizes.",
        Kind::Numbers, "scales", always, numbers augment.scales),
    Field {
        id: "threshold-kind",
        group: Group::Masks,
        label: "Threshold",
        unit: "",
        help: "Learned for each photo and class, with our correction or without it; or one for all.",
        kind: Kind::Choice(|| {
            vec![("adaptive", "Learned"), ("published", "Learned, as published"), ("fixed", "One for all")]
        }),
        setting: "threshold",
        get: |s| match s.masks.threshold {
            Threshold::Adaptive => "adaptive".into(),
            Threshold::Published => "published".into(),
            Threshold::Fixed(_) => "fixed".into(),
        },
        set: |s, text| {
            s.masks.threshold = match (text, s.masks.threshold) {
                ("fixed", Threshold::Fixed(value)) => Threshold::Fixed(value),
                ("fixed", _) => Threshold::Fixed(usual_threshold(s)),
                ("published", _) => Threshold::Published,
                _ => Threshold::Adaptive,
            };
            Ok(())
        },
        shown: learns_threshold,
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
        kind: Kind::Choice(|| {
            vec![("crf", "Follow the photo's edges"), ("none", "As the network draws them")]
        }),
        setting: "refine",
        get: |s| if crf(s) { "crf".into() } else { "none".into() },
        set: |s, text| {
            s.masks.refine = match s.method.method().supervision() {
                _ if text == "none" => Refine::None,
                // Boxes tell of edges, too.
                Supervision::Boxes => Refine::GrabCut,
                _ => Refine::Crf,
            };
            Ok(())
        },
        shown: always,
    },
    field!(Group::Masks, "scales" "Looks" ["× size"] "Each photo is looked at in these sizes; more is finer and slower.",
        Kind::Numbers, "scales", always, numbers masks.scales),
    field!(Group::Masks, "masks-flip" "Mirror" [""] "Also looks at the mirrored photo.", Kind::Toggle, "flip", always, toggle masks.flip),
    field!(Group::Crf, "iterations" "Iterations" ["1 to 100"] "Ten are enough in most cases.",
        Kind::WHOLE, "iterations", crf, number masks.crf.iterations),
    field!(Group::Crf, "certainty" "Certainty" ["0 to 1"] "How far the network's labels are believed.",
        Kind::ANY, "certainty", crf, number masks.crf.certainty),
    field!(Group::Crf, "gaussian-xy" "Smoothness reach" ["pixels"] "Neighbours this near should agree.",
        Kind::ANY, "gaussian-xy", crf, number masks.crf.gaussian_xy),
    field!(Group::Crf, "gaussian-weight" "Smoothness weight" [""] "How much they should.",
        Kind::ANY, "gaussian-weight", crf, number masks.crf.gaussian_weight),
    field!(Group::Crf, "bilateral-xy" "Colour reach" ["pixels"] "Pixels of like colour this near should agree.",
        Kind::ANY, "bilateral-xy", crf, number masks.crf.bilateral_xy),
    field!(Group::Crf, "bilateral-rgb" "Colour likeness" ["of 255"] "How far apart colours may be and still be alike.",
        Kind::ANY, "bilateral-rgb", crf, number masks.crf.bilateral_rgb),
    field!(Group::Crf, "bilateral-weight" "Colour weight" [""] "How much they should agree.",
        Kind::ANY, "bilateral-weight", crf, number masks.crf.bilateral_weight),
];

/// A threshold to start from: the method's own, or the plain classifier's.
pub fn usual_threshold(settings: &Settings) -> f64 {
    let usual = settings.method.method().reading(settings).usual_threshold();
    usual.map_or(settings.methods.cam.threshold, |threshold| f64::from((threshold * 1e6).round()) / 1e6)
}

/// Every field, each once: the common ones, then those of the methods.
pub fn all() -> Vec<&'static Field> {
    let mut fields: Vec<&'static Field> = COMMON.iter().collect();
    for field in MethodName::ALL.iter().flat_map(|name| name.method().fields()).flatten() {
        // Methods that share a round share its fields.
        if fields.iter().all(|known| known.id != field.id) {
            fields.push(field);
        }
    }
    fields
}

/// The field of that id.
pub fn field(id: &str) -> Option<&'static Field> {
    all().into_iter().find(|field| field.id == id)
}

/// The fields of a group, in order.
pub fn of_group(group: Group) -> impl Iterator<Item = &'static Field> {
    all().into_iter().filter(move |field| field.group == group)
}

/// Whether a field has a meaning with these settings. The segmenter's are shown where it is offered.
pub fn is_shown(field: &Field, settings: &Settings) -> bool {
    let is_common = COMMON.iter().any(|common| common.id == field.id);
    let mut own = settings.method.method().fields().into_iter().flatten();
    let applies = is_common || field.group == Group::Segmenter || own.any(|own| own.id == field.id);
    applies && (field.shown)(settings)
}

/// The groups under "More", in order.
pub fn more() -> Vec<Group> {
    let mut groups = vec![Group::Network];
    for field in all() {
        if matches!(field.group, Group::Method(_)) && !groups.contains(&field.group) {
            groups.push(field.group);
        }
    }
    groups.extend([Group::Optimizer, Group::Photos]);
    groups
}

/// The groups beside "Train a segmenter".
pub const SEGMENTER: [Group; 1] = [Group::Segmenter];
/// The groups beside "Make masks", in order.
pub const MASKS: [Group; 2] = [Group::Masks, Group::Crf];

/// The heading of a group.
pub fn title(group: Group) -> &'static str {
    match group {
        Group::Main => "Settings",
        Group::Network => "Network and batches",
        Group::Method(heading) => heading,
        Group::Optimizer => "Optimiser",
        Group::Photos => "Random changes to photos",
        Group::Segmenter => "Learning from masks",
        Group::Masks => "From scores to masks",
        Group::Crf => "Edge refinement (dense CRF)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(id: &str) -> Vec<&'static str> {
        match field(id).map(|field| field.kind) {
            Some(Kind::Choice(choices)) => choices().into_iter().map(|(value, _)| value).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_field_writes_back_what_it_reads() {
        let mut settings = Settings::default();
        settings.masks.threshold = Threshold::Fixed(0.4);
        for field in all() {
            let mut copy = settings.clone();
            (field.set)(&mut copy, &(field.get)(&settings)).unwrap();
            assert_eq!(copy, settings, "{}", field.id);
        }
    }

    #[test]
    fn every_number_field_changes_the_settings() {
        let mut settings = Settings::default();
        settings.masks.threshold = Threshold::Fixed(0.4);
        for field in all().into_iter().filter(|field| matches!(field.kind, Kind::Number(_) | Kind::Numbers)) {
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
        let mut ids: Vec<_> = all().iter().map(|field| field.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all().len());
        assert_eq!(offered("backbone"), BackboneName::ALL.map(BackboneName::id));
        assert!(offered("method").len() >= 2 && !offered("method").contains(&"deeplab"));
    }

    #[test]
    fn only_fields_of_the_chosen_method_are_shown() {
        let shown = |method: MethodName| {
            let settings = Settings { method, ..Settings::default() };
            let shown = all().into_iter().filter(|field| is_shown(field, &settings));
            shown.map(|field| field.id).collect::<Vec<_>>()
        };
        assert!(shown(MethodName::SpatialBce).contains(&"cycle"));
        assert!(!shown(MethodName::Cam).contains(&"cycle") && shown(MethodName::Cam).contains(&"cam-epochs"));
    }
}
