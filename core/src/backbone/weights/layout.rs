//! Names of tensors, from the layouts that weights come in to torchvision's, which the networks ask by.
//! Layouts are told apart by the names themselves.

use std::collections::HashMap;

/// What programs put in front of every name.
const PREFIXES: [&str; 2] = ["module.", "model."];

/// Tensors under the names that the networks ask by.
///
/// - `module.` and `model.`, where all names have it (networks saved from `DataParallel`), are taken off;
/// - timm's MobileNetV2 becomes torchvision's; its ResNets are named as torchvision's are.
pub(super) fn canonical<T>(tensors: HashMap<String, T>) -> HashMap<String, T> {
    let mut tensors = tensors;
    for prefix in PREFIXES {
        if !tensors.is_empty() && tensors.keys().all(|name| name.starts_with(prefix)) {
            let without = |(name, tensor): (String, T)| (name[prefix.len()..].to_owned(), tensor);
            tensors = tensors.into_iter().map(without).collect();
        }
    }
    if tensors.contains_key("conv_stem.weight") && tensors.contains_key("blocks.0.0.conv_dw.weight") {
        let renamed = |(name, tensor): (String, T)| (mobilenet_v2(&name).unwrap_or(name), tensor);
        tensors = tensors.into_iter().map(renamed).collect();
    }
    tensors
}

/// Blocks of each stage of MobileNetV2; torchvision counts them through, from 1.
const STAGES: [usize; 7] = [1, 2, 3, 4, 3, 3, 1];

/// torchvision's name of a tensor of timm's `mobilenetv2_100`.
fn mobilenet_v2(name: &str) -> Option<String> {
    let (layer, part) = name.rsplit_once('.')?;
    let ours = match layer {
        "conv_stem" => "features.0.0".to_owned(),
        "bn1" => "features.0.1".to_owned(),
        "conv_head" => "features.18.0".to_owned(),
        "bn2" => "features.18.1".to_owned(),
        "classifier" => "classifier.1".to_owned(),
        _ => {
            let mut parts = layer.strip_prefix("blocks.")?.split('.');
            let stage: usize = parts.next()?.parse().ok()?;
            let block: usize = parts.next()?.parse().ok()?;
            let place = 1 + STAGES.get(..stage)?.iter().sum::<usize>() + block;
            // The first stage's blocks do not expand, and so lack one convolution.
            let inner = match (stage, parts.next()?) {
                (0, "conv_dw") | (1.., "conv_pw") => "0.0",
                (0, "bn1") | (1.., "bn1") => "0.1",
                (0, "conv_pw") => "1",
                (0, "bn2") => "2",
                (_, "conv_dw") => "1.0",
                (_, "bn2") => "1.1",
                (_, "conv_pwl") => "2",
                (_, "bn3") => "3",
                _ => return None,
            };
            format!("features.{place}.conv.{inner}")
        }
    };
    Some(format!("{ours}.{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::BackboneConfig;
    use crate::backbone::weights::NameList;
    use crate::device::Compute;
    use crate::run::settings::BackboneName;

    #[test]
    fn a_prefix_goes_only_where_all_names_have_it() {
        let names = |names: &[&str]| {
            let all = names.iter().map(|name| ((*name).to_owned(), ())).collect();
            let mut found: Vec<String> = canonical(all).into_keys().collect();
            found.sort_unstable();
            found
        };
        assert_eq!(names(&["module.a", "module.b.c"]), ["a", "b.c"]);
        assert_eq!(names(&["module.a", "b"]), ["b", "module.a"]);
        assert_eq!(names(&["module.model.a"]), ["a"]);
        assert_eq!(names(&[]), [""; 0]);
    }

    /// timm's names, written down by its own structure.
    fn timm_names() -> Vec<String> {
        let mut layers = vec!["conv_stem".to_owned(), "bn1".into(), "conv_head".into(), "bn2".into()];
        for (stage, &blocks) in STAGES.iter().enumerate() {
            let parts: &[&str] = match stage {
                0 => &["conv_dw", "bn1", "conv_pw", "bn2"],
                _ => &["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"],
            };
            for block in 0..blocks {
                layers.extend(parts.iter().map(|part| format!("blocks.{stage}.{block}.{part}")));
            }
        }
        let parts = |layer: String| -> Vec<String> {
            let last = layer.rsplit('.').next().unwrap_or(&layer);
            let parts: &[&str] = match last.starts_with("bn") {
                true => &["weight", "bias", "running_mean", "running_var"],
                false => &["weight"],
            };
            parts.iter().map(|part| format!("{layer}.{part}")).collect()
        };
        layers.into_iter().flat_map(parts).collect()
    }

    #[test]
    fn timm_s_mobilenet_has_every_name_of_torchvision_s_once() {
        let all: HashMap<String, ()> = timm_names().into_iter().map(|name| (name, ())).collect();
        let count = all.len();
        let mut found: Vec<String> = canonical(all).into_keys().collect();
        let mut names = NameList::default();
        BackboneConfig::new(BackboneName::MobilenetV2, 16).init(&mut names, &Compute::cpu().device).unwrap();
        let mut expected: Vec<String> = names.entries.into_iter().map(|(name, _)| name).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(found.len(), count);
    }
}
