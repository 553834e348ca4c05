//! What the program says when it is asked wrongly, or for what cannot be.

use std::path::Path;

use crate::data::{Sample, inspect, one_tensor};
use crate::process::{run, tag2mask};

const COMMANDS: [&str; 15] = [
    "sample",
    "inspect",
    "train",
    "masks",
    "predict",
    "eval",
    "export",
    "report",
    "onnx",
    "pack",
    "unpack",
    "compare",
    "reproduce",
    "weights",
    "devices",
];

#[test]
fn help_and_version_are_no_errors() {
    let help = tag2mask(["--help"]).succeeded().stdout;
    for command in COMMANDS {
        assert!(help.contains(command), "{help}");
        let own = tag2mask([command, "--help"]).succeeded().stdout;
        assert!(own.contains("Examples:") && own.contains(&format!("tag2mask {command}")), "{own}");
    }
    let version = tag2mask(["--version"]).succeeded().stdout;
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    tag2mask(["--no-such-flag"]).failed(2, &["--no-such-flag"]);
    tag2mask(["paint"]).failed(2, &["paint"]);
    tag2mask(["train"]).failed(2, &["DATA", "--out"]);
    let here = Path::new(".");
    run("train {here} --out {here} --backbone vgg", &[("here", here)]).failed(2, &["vgg", "resnet-18"]);
    run("train {here} --out {here} --method magic", &[("here", here)]).failed(2, &["magic", "spatial-bce"]);
    run("train {here} --out {here} --device tpu", &[("here", here)]).failed(2, &["tpu"]);
    run("train {here} --out {here} --epochs many", &[("here", here)]).failed(2, &["many"]);
    run("masks {here} {here} --out {here} --refine polish", &[("here", here)]).failed(2, &["polish"]);
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty) = (folder.path().join("missing"), folder.path().join("empty"));
    std::fs::create_dir(&empty).unwrap();
    let paths = [("missing", missing.as_path()), ("empty", empty.as_path())];
    for line in [
        "inspect {missing}",
        "train {missing} --out {empty} --device cpu",
        "masks {missing} {empty} --out {empty}",
        "eval {missing} {empty}",
        "eval {empty} {missing} --json",
    ] {
        let finished = run(line, &paths).failed(1, &[missing.to_str().unwrap()]);
        assert_eq!(finished.stderr.trim_end().lines().count(), 1, "{line}: {}", finished.stderr);
    }
    run("inspect {empty}", &paths).failed(1, &["no usable data"]);
    run("train {empty} --out {missing} --device cpu", &paths).failed(1, &["no usable data"]);
    assert!(!missing.exists(), "a run that cannot start leaves no folder");
}

#[test]
fn a_folder_that_is_no_run_is_said_to_be_none() {
    let sample = Sample::new();
    let (data, masks) = (sample.data(), sample.path("masks"));
    run("masks {data} {data} --out {masks}", &[("data", &data), ("masks", &masks)]).failed(1, &["run.json"]);
}

#[test]
fn a_setting_out_of_range_is_named() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));
    for (setting, word) in [("--size 7", "size"), ("--batch 0", "batch"), ("--size 99999", "size")] {
        let line = format!("train {{data}} --out {{run}} --device cpu {setting}");
        let finished = run(&line, &[("data", &data), ("run", &out)]);
        assert!(matches!(finished.code, 1 | 2), "{setting}: {}", finished.stdout);
        assert!(finished.stderr.contains(word), "{setting}: {}", finished.stderr);
    }
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let sample = Sample::new();
    let (data, out, file) = (sample.data(), sample.path("run"), sample.path("other.safetensors"));
    let line =
        "train {data} --out {run} --backbone mobilenet-v2 --weights {file} --device cpu --size 64 --epochs 1";
    let paths = [("data", data.as_path()), ("run", out.as_path()), ("file", file.as_path())];
    let name = file.to_str().unwrap();
    run(line, &paths).failed(1, &[name]);
    std::fs::write(&file, b"not a weights file").unwrap();
    run(line, &paths).failed(1, &[name]);
    std::fs::write(&file, one_tensor("features.0.0.weight", &[32, 3, 5, 5])).unwrap();
    run(line, &paths).failed(1, &["features.", name]);
}

#[test]
fn bad_files_are_listed_and_left_out() {
    let sample = Sample::new();
    let data = sample.data();
    let before = inspect(&data);
    let images = before["images"].as_array().unwrap();
    let first = images[0]["path"].as_str().unwrap();
    std::fs::write(data.join(first), b"\x89PNG\r\n\x1a\nnot really").unwrap();
    let table = std::fs::read_to_string(data.join("labels.csv")).unwrap();
    std::fs::write(data.join("labels.csv"), format!("{table}\nnowhere.png,\n")).unwrap();

    let after = inspect(&data);
    assert_eq!(after["images"].as_array().unwrap().len(), images.len() - 1);
    let problems = after["problems"].as_array().unwrap();
    let has = |kind: &str, path: &str| {
        problems.iter().any(|p| p["kind"] == kind && p["path"].as_str().unwrap().contains(path))
    };
    assert!(has("unreadable-image", first), "{problems:?}");
    assert!(has("label-without-image", "nowhere.png"), "{problems:?}");
    // For people, the same.
    let text = run("inspect {data}", &[("data", &data)]).succeeded().stdout;
    assert!(text.contains(first) && text.contains("nowhere.png"), "{text}");
}

#[test]
fn devices_name_the_cpu() {
    let text = tag2mask(["devices"]).succeeded().stdout;
    assert!(text.to_lowercase().contains("cpu"), "{text}");
    let json = tag2mask(["devices", "--json"]).succeeded().json();
    assert!(json.to_string().contains("\"backend\":\"cpu\""), "{json}");
}
