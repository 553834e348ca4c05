//! Several devices that train together. What has none but CPUs can show is that they learn what one learns.

use std::path::Path;

use crate::data::Sample;
use crate::process::{events, events_of, run};

const TRAIN: &str = "train {data} --out {run} --method spatial-bce --backbone tiny --epochs 2 --rounds 1 --batch 4 \
     --size 64 --seed 1 --set spatial_bce.cycle=2 --set spatial_bce.network_steps=1 --device";

/// Total loss of every step.
fn losses(run: &Path) -> Vec<f64> {
    let points = |losses: &serde_json::Value| losses["points"].as_array().unwrap().clone();
    events_of(&events(run), "losses").flat_map(points).map(|point| point["total"].as_f64().unwrap()).collect()
}

#[test]
fn several_devices_train_as_one() {
    let sample = Sample::new();
    let data = sample.data();
    let [one, two, three] = ["cpu", "cpu,cpu", "cpu,cpu,cpu"].map(|device| {
        let out = sample.path(&device.replace(',', "-"));
        run(&format!("{TRAIN} {device}"), &[("data", &data), ("run", &out)]).succeeded();
        let told = events(&out);
        let name = events_of(&told, "run-started").next().unwrap()["device"]["name"].to_string();
        let count = device.split(',').count();
        assert_eq!(name.contains(&format!("as {count} devices")), count > 1, "{name}");
        losses(&out)
    });
    // Steps of the network and of the threshold, in two rounds, with momentum between them.
    assert!(one.len() > 8, "{one:?}");
    for several in [two, three] {
        assert_eq!(several.len(), one.len());
        let far = one.iter().zip(&several).find(|(a, b)| (*a - *b).abs() > 1e-3 * a.abs());
        assert_eq!(far, None, "{one:?}\n{several:?}");
    }
}

#[test]
fn what_several_devices_cannot_do_is_said() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));
    let paths = [("data", data.as_path()), ("run", out.as_path())];
    let small = run("train {data} --out {run} --backbone tiny --batch 1 --size 64 --device cpu,cpu", &paths);
    small.failed(2, &["setting batch", "2 devices"]);
    run(&format!("{TRAIN} cuda:0,0"), &paths).failed(2, &["card 0 stands twice"]);
    run("masks {run} {data} --out {run} --device cpu,cpu", &paths).failed(1, &["run.json"]);
    run(&format!("{TRAIN} cpu"), &paths).succeeded();
    run("masks {run} {data} --out {run} --device cpu,cpu", &paths).failed(2, &["made on one"]);
}

#[cfg(not(feature = "cuda"))]
#[test]
fn cards_that_this_build_cannot_use_are_refused_before_anything_is_written() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));
    let refused = run(&format!("{TRAIN} cuda:0,1"), &[("data", &data), ("run", &out)]);
    refused.failed(1, &["cuda:0", "--features cuda"]);
    assert!(!out.exists());
}
