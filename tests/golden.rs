//! Reference tensors, computed elsewhere in float64: our losses, gradients, random field and networks
//! must reproduce them. `TAG2MASK_GOLDEN` names a folder with others of the same layout.

use std::path::PathBuf;

use burn::tensor::Device;
use safetensors::SafeTensors;
use tag2mask_core::conformance::check;

/// Tensors that files of each prefix hold. `features_stride16` comes where torchvision can dilate.
const LAYOUT: [(&str, &[&str]); 12] = [
    (
        "spatial_bce_",
        &[
            "logits",
            "threshold_logits",
            "labels",
            "foreground",
            "network_loss",
            "network_grad_logits",
            "threshold_loss",
            "threshold_grad_threshold_logits",
            "kl_loss",
            "kl_grad_logits",
        ],
    ),
    (
        "adversarial_erasing_",
        &[
            "features",
            "channel_weights",
            "image",
            "target_class",
            "labels",
            "localizer_logits",
            "adversary_logits",
            "cotangent_erased",
            "attention",
            "mask",
            "erased",
            "attention_mining_loss",
            "regularization_loss",
            "localizer_bce",
            "adversary_loss",
            "grad_regularization_features",
            "grad_erased_features",
        ],
    ),
    (
        "box2seg_",
        &[
            "seg_logits",
            "attention_logits",
            "embeddings",
            "boxes",
            "grabcut",
            "grabcut_loss",
            "foreground_loss",
            "background_loss",
            "filling_rate_loss",
            "affinity_loss",
            "grad_seg_logits",
            "grad_attention_logits",
            "grad_embeddings",
        ],
    ),
    ("adaptive_affinity_", &["logits", "labels", "confidence", "loss", "grad_logits"]),
    ("ngwp_", &["class_logits", "score", "grad_sum_score_class_logits"]),
    ("pamr_", &["image", "masks", "refined"]),
    ("dense_crf_", &["image", "labels", "q"]),
    ("mobilenet_v2_forward", &["input", "features_stride32"]),
    ("resnet18_forward", &["input", "features_stride32"]),
    ("resnet50_forward", &["input", "features_stride32"]),
    ("resnet101_forward", &["input", "features_stride32"]),
    ("resnet38_forward", &["input", "scores", "threshold_logits"]),
];

/// The files whose names start with `prefix`, as name and content, by name. There is at least one.
#[track_caller]
fn golden_files(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let folder = match std::env::var_os("TAG2MASK_GOLDEN") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden")),
    };
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{error}: {}", folder.display()));
    let mut files: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, _)| name.starts_with(prefix) && name.ends_with(".safetensors"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no file {prefix}*.safetensors: {}", folder.display());
    files.into_iter().map(|(name, path)| (name, std::fs::read(path).unwrap())).collect()
}

#[test]
fn golden_files_hold_their_tensors() {
    for (prefix, tensors) in LAYOUT {
        for (name, bytes) in golden_files(prefix) {
            let file = SafeTensors::deserialize(&bytes).unwrap_or_else(|error| panic!("{error}: {name}"));
            for tensor in tensors {
                assert!(file.tensor(tensor).is_ok(), "no tensor {tensor}: {name}");
            }
        }
    }
}

/// Computes every file of a prefix on the CPU; all figures within their tolerances.
#[track_caller]
fn reproduces(prefix: &str) {
    for (name, bytes) in golden_files(prefix) {
        let measured = pollster::block_on(check(&name, &bytes, &Device::flex())).unwrap();
        assert!(!measured.is_empty(), "nothing was compared: {name}");
        for each in measured {
            println!("{name}: {} {:.2e}", each.what, each.error);
            assert!(
                each.passes(),
                "{} is off by {:e}, more than {:e}: {name}",
                each.what,
                each.error,
                each.tolerance
            );
        }
    }
}

#[test]
fn golden_spatial_bce() {
    reproduces("spatial_bce_");
}

#[test]
fn golden_adversarial_erasing() {
    reproduces("adversarial_erasing_");
}

#[test]
fn golden_box2seg() {
    reproduces("box2seg_");
}

#[test]
fn golden_adaptive_affinity() {
    reproduces("adaptive_affinity_");
}

#[test]
fn golden_ngwp() {
    reproduces("ngwp_");
}

#[test]
fn golden_pamr() {
    reproduces("pamr_");
}

#[test]
fn golden_dense_crf() {
    reproduces("dense_crf_");
}

#[test]
fn golden_mobilenet_v2() {
    reproduces("mobilenet_v2_forward");
}

#[test]
fn golden_resnet_18() {
    reproduces("resnet18_forward");
}

#[test]
fn golden_resnet_50() {
    reproduces("resnet50_forward");
}

#[test]
fn golden_resnet_101() {
    reproduces("resnet101_forward");
}

#[test]
fn golden_resnet_38() {
    reproduces("resnet38_forward");
}
