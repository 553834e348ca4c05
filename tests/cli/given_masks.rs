//! Masks of some photos, beside the labels of all: what somebody has looked at and found good.

use std::path::Path;

use crate::data::Sample;
use crate::process::{events, events_of, file_names, run};

const TRAIN: &str = "train {data} --out {run} --method spatial-bce --backbone tiny --device cpu --batch 4 --size 64 --seed 1 \
     --epochs 3 --rounds 1";

/// The first masks of a set, as somebody accepts them: no list of classes beside them.
fn accept(all: &Path, to: &Path, count: usize) {
    std::fs::create_dir(to).unwrap();
    let masks = file_names(all).into_iter().filter(|name| name.ends_with(".png"));
    for name in masks.take(count) {
        std::fs::copy(all.join(&name), to.join(&name)).unwrap();
    }
}

/// Whether two runs have the very same network.
fn same_weights(a: &Path, b: &Path) -> bool {
    let [a, b] = [a, b].map(|run| std::fs::read(run.join("weights.safetensors")).unwrap());
    a == b
}

#[test]
fn a_run_learns_from_labels_and_from_some_masks() {
    let sample = Sample::new();
    let (data, out, given) = (sample.data(), sample.path("run"), sample.path("given"));
    accept(&data.join("masks"), &given, 3);
    let paths = [("data", data.as_path()), ("run", out.as_path()), ("masks", given.as_path())];
    let trained = run(&format!("{TRAIN} --masks {{masks}}"), &paths).succeeded();
    assert!(trained.stderr.contains("3 of 12 images have a mask to learn from"), "{}", trained.stderr);
    let told = events(&out);
    assert_eq!(events_of(&told, "run-started").next().unwrap()["given_masks"], 3);

    // It is another run than one of labels only.
    let labels_only = sample.path("labels-only");
    run(TRAIN, &[("data", data.as_path()), ("run", labels_only.as_path())]).succeeded();
    assert!(!same_weights(&out, &labels_only));

    // The report says so, and masks are made as of any run.
    let report = sample.path("report.html");
    run("report {run} --out {out}", &[("run", out.as_path()), ("out", report.as_path())]).succeeded();
    let html = std::fs::read_to_string(report).unwrap();
    assert!(html.contains("of 3 photos masks that were accepted"), "the report says what was learned from");
    let masks = sample.path("masks");
    let paths = [("run", out.as_path()), ("data", data.as_path()), ("out", masks.as_path())];
    run("masks {run} {data} --out {out} --scales 1 --device cpu", &paths).succeeded();
}

#[test]
fn it_goes_on_with_the_masks_that_it_began_with() {
    let sample = Sample::new();
    let (data, whole, broken, given) =
        (sample.data(), sample.path("whole"), sample.path("broken"), sample.path("given"));
    accept(&data.join("masks"), &given, 4);
    let line = format!("{TRAIN} --masks {{masks}}");
    let paths = |out| [("data", data.as_path()), ("run", out), ("masks", given.as_path())];
    run(&line, &paths(whole.as_path())).succeeded();

    // As if it had ended right after its first round, and somewhere else, where nobody has the folder any more.
    std::fs::create_dir(&broken).unwrap();
    for name in ["run.json", "given-masks.zip", "round-0.safetensors"] {
        std::fs::copy(whole.join(name), broken.join(name)).unwrap();
    }
    std::fs::copy(whole.join("round-0.safetensors"), broken.join("weights.safetensors")).unwrap();
    let resume = "train {data} --out {run} --resume --device cpu";
    run(resume, &[("data", data.as_path()), ("run", broken.as_path())]).succeeded();
    assert!(same_weights(&whole, &broken));

    // With other masks it does not.
    let other = sample.path("other");
    accept(&data.join("masks"), &other, 5);
    let refused = run(
        &format!("{line} --resume"),
        &[("data", data.as_path()), ("run", broken.as_path()), ("masks", other.as_path())],
    );
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("other masks"), "{}", refused.stderr);
}

#[test]
fn every_method_learns_from_them() {
    for (method, others) in [
        ("cam", "labels"),
        ("adversarial-erasing", "labels"),
        ("adaptive-affinity", "labels"),
        ("box2seg", "boxes"),
    ] {
        let sample = Sample::new();
        let (data, given) = (sample.data(), sample.path("given"));
        accept(&data.join("masks"), &given, 6);
        let line = format!(
            "train {{data}} --out {{run}} --method {method} --backbone tiny --device cpu --batch 6 --size 64 --seed 1 --epochs 2"
        );
        let (with, without) = (sample.path("with"), sample.path("without"));
        let paths = [("data", data.as_path()), ("run", with.as_path()), ("masks", given.as_path())];
        let trained = run(&format!("{line} --masks {{masks}}"), &paths).succeeded();
        let told = format!("6 of 12 images have a mask to learn from, all others their {others}");
        assert!(trained.stderr.contains(&told), "{method}: {}", trained.stderr);
        run(&line, &[("data", data.as_path()), ("run", without.as_path())]).succeeded();
        assert!(!same_weights(&with, &without), "{method} has learned something else");
    }
}
