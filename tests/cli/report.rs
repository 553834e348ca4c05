//! `tag2mask report`.

use crate::data::{IMAGES, Sample};
use crate::process::{events, events_of, run};

const TRAIN: &str = "train {data} --out {run} --method spatial-bce --backbone tiny --device cpu --epochs 1 --rounds 1 \
     --batch 4 --size 64 --seed 1";

#[test]
fn a_run_its_masks_and_its_project_have_a_report() {
    let sample = Sample::new();
    let paths = ["data", "run", "masks", "html", "project"].map(|name| {
        (
            name,
            match name {
                "data" => sample.data(),
                "html" => sample.path("report.html"),
                "project" => sample.path("project.zip"),
                other => sample.path(other),
            },
        )
    });
    let paths = paths.each_ref().map(|(name, path)| (*name, path.as_path()));
    let [data, out, _, html, _] = paths.map(|(_, path)| path);
    run(TRAIN, &paths).succeeded();
    // Photos are watched while it trains: shares from the start, thresholds where they are learned.
    let events = events(out);
    let measured: Vec<_> = events_of(&events, "measured").collect();
    let of_round = |round: u64| measured.iter().filter(move |event| event["round"] == round);
    assert!(of_round(0).count() > 0 && of_round(1).count() > 0, "{measured:?}");
    assert!(of_round(0).all(|event| event["thresholds"] == serde_json::json!([])), "{measured:?}");
    let last = of_round(1).next_back().unwrap();
    for values in [&last["shares"], &last["thresholds"]] {
        let values = values.as_array().unwrap();
        assert!(
            !values.is_empty() && values.iter().all(|pair| (0.0..=1.0).contains(&pair[1].as_f64().unwrap()))
        );
    }

    let said = run("report {run} --out {html} --json", &paths).succeeded().json();
    let text = std::fs::read_to_string(html).unwrap();
    assert_eq!(said["bytes"], text.len());
    for expected in
        [format!("{IMAGES} photos of"), "finished; ".into(), "<svg".into(), "labels only</dd>".into()]
    {
        assert!(text.contains(&expected), "{expected}: {text}");
    }
    assert!(!text.contains("<img"), "{text}");

    run("masks {run} {data} --out {masks} --scales 1 --refine none --device cpu", &paths).succeeded();
    run("report {run} --out {html} --masks {masks} --data {data}", &paths).succeeded();
    let with_masks = std::fs::read_to_string(html).unwrap();
    for expected in [
        "finished masks",
        "Confusion",
        "<img src=\"data:image/png;base64,",
        "gave this figure, and nothing else",
    ] {
        assert!(with_masks.contains(expected), "{expected}: {with_masks}");
    }
    assert!(!with_masks.contains("<script") && !with_masks.contains("may have been chosen on it"));
    assert!(!with_masks.contains(data.to_str().unwrap()), "a path of this machine is told");

    run("pack {run} {data} --masks {masks} --out {project}", &paths).succeeded();
    run("report {project} --out {html}", &paths).succeeded();
    assert_eq!(std::fs::read_to_string(html).unwrap(), with_masks);
}

#[test]
fn what_is_no_run_has_no_report() {
    let sample = Sample::new();
    let (data, html) = (sample.data(), sample.path("report.html"));
    let paths = [("data", data.as_path()), ("html", html.as_path())];
    let failed = run("report {data} --out {html}", &paths);
    assert_eq!((failed.code, html.exists()), (1, false));
    assert!(failed.stderr.contains("no run is here"), "{}", failed.stderr);
    // Masks are of photos.
    assert_eq!(run("report {data} --out {html} --masks {data}", &paths).code, 2);
}
