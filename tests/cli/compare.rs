//! Methods beside each other, and a report of them.

use std::path::Path;

use crate::data::{IMAGES, Sample};
use crate::process::{events, events_of, file_names, run};

const COMPARE: &str = "compare {data} --methods cam,box2seg --left-out 4 --out {out} --backbone tiny --size 64 \
     --device cpu --batch 4 --epochs 2 --set masks.scales=[1]";

/// The lines of `results.csv`, by column.
fn results(out: &Path) -> Vec<Vec<(String, String)>> {
    let mut table = csv::Reader::from_path(out.join("results.csv")).unwrap();
    let heads = table.headers().unwrap().clone();
    let named = |row: csv::StringRecord| {
        heads.iter().zip(&row).map(|(head, cell)| (head.to_owned(), cell.to_owned())).collect()
    };
    table.records().map(|row| named(row.unwrap())).collect()
}

fn cell<'a>(row: &'a [(String, String)], column: &str) -> &'a str {
    &row.iter().find(|(head, _)| head == column).unwrap_or_else(|| panic!("{column}")).1
}

#[test]
fn methods_are_compared_once_and_the_report_has_their_figures() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("compared"));
    let paths = [("data", data.as_path()), ("out", out.as_path())];
    let made = run(&format!("{COMPARE} --seeds 2 --json"), &paths).succeeded();
    assert!(made.stderr.contains("part 4 of 14, Box2Seg (boxes), seed 0: training"), "{}", made.stderr);
    let made = made.json();
    assert_eq!((&made["finished"], &made["passes"]), (&true.into(), &2.into()));
    assert_eq!(made["images"], serde_json::json!([IMAGES - IMAGES / 4, IMAGES / 4]));

    // Two seeds; three sets of masks by the network that needs no labels, and one by none.
    let rows = results(&out);
    let of = |method: &str, masks: &str| -> Vec<f64> {
        let wanted =
            |row: &&Vec<(String, String)>| cell(row, "method") == method && cell(row, "masks") == masks;
        rows.iter().filter(wanted).map(|row| cell(row, "miou").parse().unwrap()).collect()
    };
    assert_eq!(rows.len(), 2 * (2 + 4));
    for (method, masks) in [
        ("cam", "training photos"),
        ("cam", "left-out photos, labels told"),
        ("box2seg", "left-out photos, labels not told"),
        ("box2seg", "GrabCut masks of the boxes"),
    ] {
        assert_eq!(of(method, masks).len(), 2, "{method}, {masks}");
    }
    assert!(of("cam", "left-out photos, labels not told").is_empty());
    let first = &rows[0];
    assert!(cell(first, "training_seconds").parse::<f64>().unwrap() > 0.0);
    assert!(!cell(first, "iou background").is_empty() && !cell(first, "iou leukocyte").is_empty());
    assert!(!cfg!(target_os = "linux") || cell(first, "peak_mib").parse::<u64>().unwrap() > 10);
    // What cuts well along generated edges is told by its own figure.
    assert!(of("box2seg", "GrabCut masks of the boxes")[0] > 50.0);

    // The figures of the report are those of the table.
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    let text = |values: &[f64]| {
        let mean = (values[0] + values[1]) / 2.0;
        let deviation = (values[0] - values[1]).abs() / 2f64.sqrt();
        format!("<td>{mean:.1} ± {deviation:.1}</td>")
    };
    for (method, masks) in [
        ("cam", "training photos"),
        ("cam", "left-out photos, labels told"),
        ("box2seg", "left-out photos, labels not told"),
    ] {
        let figure = text(&of(method, masks));
        assert!(report.contains(&figure), "{method}, {masks}: {figure}");
    }
    // A photo, its truth and two methods; nothing is fetched.
    assert_eq!(report.matches("<img src=\"data:image/jpeg;base64,").count(), (IMAGES / 4) * 4);
    assert!(!report.contains("<script") && !report.contains("src=\"http") && !report.contains("href="));
    assert!(report.contains("one photo in 4") && report.contains("4 of 4 trainings"), "how far it is");
    for plot in ["miou.png", "iou.png", "time.png"] {
        assert!(std::fs::read(out.join(plot)).unwrap().starts_with(b"\x89PNG\r\n\x1a\n"), "{plot}");
    }

    // Of the photos that were left out nothing was told, and nothing was learned from them.
    let folder = out.join("box2seg/seed-1");
    let pngs = |name: &str| {
        let names = file_names(&folder.join(name)).into_iter();
        names.filter(|name| name.ends_with(".png")).collect::<Vec<_>>()
    };
    assert_eq!(pngs("masks-untold"), pngs("masks-left-out"));
    assert!(pngs("masks-training").iter().all(|name| !pngs("masks-untold").contains(name)));

    // The same command has nothing left to do; another seed goes on, other terms do not.
    let again = run(&format!("{COMPARE} --seeds 2"), &paths).succeeded();
    assert_eq!(again.stderr.matches("done before").count(), 14, "{}", again.stderr);
    assert!(again.stdout.contains("± is the standard deviation"), "{}", again.stdout);
    let events = events(&folder.join("run"));
    assert_eq!(events_of(&events, "run-started").count(), 1);
    assert_eq!(results(&out), rows);
    run(&format!("{COMPARE} --seeds 2 --left-out 3").replacen("--left-out 4 ", "", 1), &paths)
        .failed(1, &["other settings", "compare.json"]);
}

#[test]
fn a_comparison_says_what_it_cannot_compare() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("compared"));
    let paths = [("data", data.as_path()), ("out", out.as_path())];
    run(&format!("{COMPARE} --seed 3"), &paths).failed(2, &["--seeds"]);
    run(&format!("{COMPARE} --rounds 3"), &paths).failed(2, &["budget"]);
    run(&COMPARE.replace("cam,box2seg", "deeplab"), &paths).failed(2, &["learns from masks"]);
    run(&COMPARE.replace("cam,box2seg", "magic"), &paths).failed(2, &["magic", "spatial-bce"]);
    run(&COMPARE.replace("cam,box2seg", "spatial-bce").replace("--epochs 2", "--epochs 1"), &paths)
        .failed(2, &["the rounds of spatial-bce take 2 passes"]);
    run(&COMPARE.replace("--left-out 4", "--left-out 1"), &paths).failed(1, &["every photo is left out"]);
    std::fs::remove_file(data.join("boxes.csv")).unwrap();
    run(&COMPARE.replace("cam,box2seg", "box2seg"), &paths)
        .failed(2, &["Box2Seg (boxes) is left out: it learns from boxes", "none to compare"]);
    assert!(!out.exists(), "a comparison that cannot start leaves no folder");
    // Without truth there are no scores, and everything else; a hostile class stays a word.
    std::fs::remove_dir_all(data.join("masks")).unwrap();
    let labels = std::fs::read_to_string(data.join("labels.csv")).unwrap();
    std::fs::write(data.join("labels.csv"), labels.replace("leukocyte", "<script>x</script>")).unwrap();
    let classes = std::fs::read_to_string(data.join("classes.txt")).unwrap();
    std::fs::write(data.join("classes.txt"), classes.replace("leukocyte", "<script>x</script>")).unwrap();
    let made = run(&format!("{COMPARE} --seeds 1"), &paths).succeeded();
    assert!(made.stderr.contains("warning: Box2Seg") && made.stdout.contains("no truth"), "{}", made.stdout);
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(report.contains("&lt;script&gt;x&lt;/script&gt;") && !report.contains("<script"));
    assert!(report.contains("there is no mIoU") && report.contains("Box2Seg (boxes) is left out"));
}
