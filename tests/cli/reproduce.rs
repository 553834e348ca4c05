//! A benchmark from labels to report, stopped on the way.
#![cfg(unix)]

use std::process::{Command, Stdio};

use crate::benchmarks::{TRAINING, voc};
use crate::data::{IMAGES, Sample};
use crate::interrupt::wait_for;
use crate::process::{arguments, events, events_of, file_names, program, run};

const REPRODUCE: &str = "reproduce voc --root {root} --out {out} --train-split train --preset quick \
     --backbone tiny --size 64 --device cpu --batch 4 --epochs 24 --rounds 1 --set masks.scales=[1]";

#[test]
fn a_benchmark_goes_on_where_it_was_stopped_and_ends_in_a_report() {
    let sample = Sample::new();
    let root = voc(&sample);
    let out = sample.path("out");
    let paths = [("root", root.as_path()), ("out", out.as_path())];

    let mut child = program()
        .args(arguments(REPRODUCE, &paths))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    wait_for(&mut child, &out.join("spatial-bce"), |event| event["event"] == "losses");
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert!(child.wait().unwrap().code().is_some(), "it ends by itself");
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("0 of 5 parts are finished"), "{report}");
    assert!(report.contains("not finished") && report.contains("not run"), "{report}");

    let made = run(&format!("{REPRODUCE} --json"), &paths).succeeded();
    let made = made.json();
    assert_eq!(made["finished"], true);
    let events = events(&out.join("spatial-bce"));
    assert_eq!(events_of(&events, "run-started").count(), 2);
    let steps: Vec<u64> = events_of(&events, "losses")
        .filter(|event| event["round"] == 0)
        .flat_map(|event| event["points"].as_array().unwrap())
        .map(|point| point["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (0..48).collect::<Vec<_>>(), "each step once");
    for (folder, masks) in
        [("masks-round-0", TRAINING), ("masks-round-1", TRAINING), ("predictions", IMAGES - TRAINING)]
    {
        let names = file_names(&out.join(folder));
        assert_eq!(names.iter().filter(|name| name.ends_with(".png")).count(), masks, "{names:?}");
    }
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    for words in [
        "5 of 5 parts are finished",
        "| 70.0 | no |",
        "| not run | 71.3 |",
        "| aeroplane |",
        "\"backbone\": \"tiny\"",
        "8 images of 20 classes",
        "The settings are not the paper's",
        "Splits: train and val instead of train\\_aug and val",
        "CPU",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert!(!cfg!(target_os = "linux") || report.contains("MiB"), "{report}");
    // The figure is the one that `eval` finds.
    let predictions = out.join("predictions");
    let of_eval = [("root", root.as_path()), ("masks", predictions.as_path())];
    let score = run("eval {masks} {root} --split val --json", &of_eval).succeeded().json();
    let miou = format!("{:.1}", score["miou"].as_f64().unwrap());
    assert_eq!(made["parts"][4]["miou"], miou.as_str());
    for plot in ["losses.svg", "iou.svg"] {
        assert!(std::fs::read_to_string(out.join(plot)).unwrap().starts_with("<svg "));
    }

    // A part that lacks a mask makes that one, and nothing else.
    let names = file_names(&predictions);
    let lost = predictions.join(names.iter().find(|name| name.ends_with(".png")).unwrap());
    std::fs::remove_file(&lost).unwrap();
    std::fs::remove_file(predictions.join("stage.json")).unwrap();
    let again = run(REPRODUCE, &paths).succeeded();
    assert_eq!(again.stderr.matches("done before").count(), 4, "{}", again.stderr);
    assert!(lost.exists() && again.stdout.contains(&miou), "{}", again.stdout);
    run(&format!("{REPRODUCE} --seed 9"), &paths).failed(1, &["other settings", "reproduce.json"]);
    run(&format!("{REPRODUCE} --set method=cam"), &paths).failed(2, &["method"]);
    let wrong = REPRODUCE.replace("reproduce voc", "reproduce coco");
    run(&format!("{wrong} --val-split val"), &paths).failed(1, &["not laid out as COCO 2014"]);
    run(&REPRODUCE.replace("--train-split train ", ""), &paths).failed(2, &["train_aug", "train, val"]);
}
