//! The second stage: a network that learns from masks, and then needs no labels.

use std::collections::BTreeSet;

use crate::data::{IMAGES, Sample};
use crate::process::{events, events_of, file_names, run};

const TRAIN: &str = "train {data} --out {run} --method deeplab --masks {masks} --backbone tiny --device cpu \
     --epochs 30 --batch 4 --size 64 --seed 1";

#[test]
fn a_segmenter_learns_from_masks_and_needs_no_labels() {
    let sample = Sample::new();
    let (data, out, masks) = (sample.data(), sample.path("segmenter"), sample.data().join("masks"));
    // Only as fine as the real thing: learned from the exact masks.
    let paths = [("data", data.as_path()), ("run", out.as_path()), ("masks", masks.as_path())];
    let trained = run(TRAIN, &paths).succeeded();
    assert!(trained.stdout.contains("predict"), "{}", trained.stdout);
    let events = events(&out);
    assert_eq!(events_of(&events, "round-started").count(), 1);
    let losses: Vec<f64> = events_of(&events, "losses")
        .flat_map(|losses| losses["points"].as_array().unwrap().clone())
        .map(|point| point["total"].as_f64().unwrap())
        .collect();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let tenth = losses.len() / 10;
    assert!(mean(&losses[losses.len() - tenth..]) < 0.6 * mean(&losses[..tenth]), "{losses:?}");

    // The model and its card stand by themselves.
    let card: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("model.json")).unwrap()).unwrap();
    assert_eq!(card["backbone"], "tiny");
    assert_eq!(card["classes"][0], "background");
    let bytes = std::fs::read(out.join("model.safetensors")).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let inside: serde_json::Value =
        serde_json::from_str(&metadata.metadata().as_ref().unwrap()["card"]).unwrap();
    assert_eq!(inside, card);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let shape = file.tensor("segmenter.pyramid.3.weight").unwrap().shape().to_vec();
    assert_eq!(shape[0], card["classes"].as_array().unwrap().len());

    // With other masks it does not go on.
    let fewer = sample.path("fewer");
    std::fs::create_dir(&fewer).unwrap();
    for name in file_names(&masks).into_iter().skip(1) {
        std::fs::copy(masks.join(&name), fewer.join(&name)).unwrap();
    }
    let paths = [("data", data.as_path()), ("run", out.as_path()), ("masks", fewer.as_path())];
    let refused = run(&format!("{TRAIN} --resume"), &paths);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("other masks"), "{}", refused.stderr);

    // It has no threshold to be set, and makes masks of the labelled images without being told their labels.
    let of_data = sample.path("of-data");
    let paths = [("run", out.as_path()), ("data", data.as_path()), ("out", of_data.as_path())];
    let line = "masks {run} {data} --out {out} --scales 1 --device cpu";
    let refused = run(&format!("{line} --threshold 0.3"), &paths);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("no background threshold"), "{}", refused.stderr);
    let said = run(line, &paths).succeeded().stdout;
    assert!(said.contains("mIoU") && !said.contains("best fixed threshold"), "{said}");

    // Photos without labels, one of them damaged, in a folder of any name.
    let photos = sample.path("new").join("masks");
    std::fs::create_dir_all(&photos).unwrap();
    for name in file_names(&data.join("images")) {
        std::fs::copy(data.join("images").join(&name), photos.join(&name)).unwrap();
    }
    std::fs::write(photos.join("broken.jpg"), b"no image").unwrap();
    let predicted = sample.path("predicted");
    let paths = [("run", out.as_path()), ("photos", photos.as_path()), ("out", predicted.as_path())];
    let maps = sample.path("maps");
    let paths = [paths[0], paths[1], paths[2], ("maps", maps.as_path())];
    let line = "predict {run} {photos} --out {out} --scales 1 --device cpu --scores {maps}";
    let said = run(line, &paths).succeeded();
    assert!(said.stderr.contains("broken.jpg"), "{}", said.stderr);
    let refused = run("predict {run} {photos} --out {photos} --device cpu", &paths);
    assert!(refused.code == 2 && refused.stderr.contains("replace the photos"), "{}", refused.stderr);
    let pngs = file_names(&predicted).into_iter().filter(|name| name.ends_with(".png"));
    assert_eq!(pngs.collect::<BTreeSet<_>>().len(), IMAGES);
    let channels = std::fs::read_to_string(maps.join("channels.txt")).unwrap();
    assert!(channels.starts_with("background\n"), "{channels}");
    let npys = file_names(&maps).into_iter().filter(|name| name.ends_with(".npy"));
    assert_eq!(npys.count(), IMAGES);
    let paths = [("predicted", predicted.as_path()), ("truth", masks.as_path())];
    let score = run("eval {predicted} {truth} --json", &paths).succeeded().json();
    assert!(score["miou"].as_f64().unwrap() > 40.0, "{score}");
}

#[test]
fn a_segmenter_wants_masks_and_a_prediction_a_segmenter() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));
    let paths = [("data", data.as_path()), ("run", out.as_path())];
    let line = "train {data} --out {run} --method deeplab --backbone tiny --device cpu";
    let refused = run(line, &paths);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("--method deeplab") || refused.stderr.contains("deeplab learns from masks")
    );
    let refused = run("predict {run} {data} --out {run}", &paths);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("no segmentation network"), "{}", refused.stderr);
}
