//! From nothing to scored masks, command by command.

use std::path::Path;

use crate::data::{IMAGES, SIDE, Sample, inspect, zip_folder};
use crate::process::{events, events_of, file_names, run};

/// Small enough for seconds on one core, and through every stage of the method.
const TRAIN: &str = "train {data} --out {run} --method spatial-bce --backbone tiny --device cpu --epochs 1 --rounds 1 \
     --batch 4 --size 64 --seed 1";

#[test]
fn sample_to_scored_masks() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));

    let summary = inspect(&data);
    let classes: Vec<&str> =
        summary["classes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    assert!(classes.len() >= 2, "{summary}");
    assert_eq!(summary["images"].as_array().unwrap().len(), IMAGES);
    assert_eq!(summary["with_mask"], IMAGES);
    assert_eq!(summary["problems"], serde_json::json!([]));

    run(TRAIN, &[("data", &data), ("run", &out)]).succeeded();
    let settings: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    assert!(settings.to_string().contains("spatial-bce"), "{settings}");
    assert!(settings.to_string().contains("\"version\":"), "{settings}");
    let files = file_names(&out);
    assert!(files.iter().any(|name| name.ends_with(".safetensors")), "{files:?}");
    assert!(!files.iter().any(|name| name.contains("tmp") || name.starts_with('.')), "{files:?}");
    let events = events(&out);
    assert_eq!(events_of(&events, "round-started").count(), 2);
    assert_eq!(events_of(&events, "training-finished").count(), 1);
    for losses in events_of(&events, "losses") {
        for point in losses["points"].as_array().unwrap() {
            assert!(point["total"].as_f64().is_some_and(f64::is_finite), "{point}");
        }
    }

    let (masks, scores) = (sample.path("masks"), sample.path("scores"));
    let line = "masks {run} {data} --out {masks} --refine crf --threshold adaptive --scales 1 --scores {scores} --doubt {doubt}";
    let doubt = sample.path("doubt.csv");
    let paths = [("run", &out), ("data", &data), ("masks", &masks), ("scores", &scores), ("doubt", &doubt)];
    run(line, &paths.map(|(name, path)| (name, path.as_path()))).succeeded();
    check_doubt(&doubt);
    assert_eq!(
        std::fs::read_to_string(masks.join("classes.txt")).unwrap().lines().count(),
        classes.len() + 1
    );
    for image in summary["images"].as_array().unwrap() {
        let stem = image["stem"].as_str().unwrap();
        check_mask(&masks.join(format!("{stem}.png")), classes.len());
        check_scores(&scores.join(format!("{stem}.npy")), classes.len());
    }
    let channels = std::fs::read_to_string(scores.join("channels.txt")).unwrap();
    assert!(channels.lines().eq(classes.iter().copied()), "{channels}");

    let truth = data.join("masks");
    let paths = [("masks", masks.as_path()), ("truth", truth.as_path())];
    let table = sample.path("confusion.csv");
    let paths = [paths[0], paths[1], ("table", table.as_path())];
    let score = run("eval {masks} {truth} --json --confusion {table}", &paths).succeeded().json();
    assert_eq!(score["images"], IMAGES);
    check_confusion(&score, &table, classes.len());
    assert!(score["miou"].as_f64().is_some_and(|miou| (0.0..=100.0).contains(&miou)), "{score}");
    let iou = score["iou"].as_object().unwrap();
    assert_eq!(iou.len(), classes.len() + 1, "{score}");
    assert!(classes.iter().all(|class| iou.contains_key(*class)), "{score}");
}

/// A row a label, and in both forms the same; the diagonal gives the IoU.
fn check_confusion(score: &serde_json::Value, table: &Path, classes: usize) {
    let rows: Vec<Vec<u64>> = serde_json::from_value(score["confusion"].clone()).unwrap();
    assert!(rows.len() == classes + 1 && rows.iter().all(|row| row.len() == classes + 2), "{rows:?}");
    assert_eq!(rows.iter().flatten().sum::<u64>(), IMAGES as u64 * u64::from(SIDE).pow(2));
    let text = std::fs::read_to_string(table).unwrap();
    let counts =
        |line: &str| line.split(',').skip(1).map(|count| count.parse().unwrap()).collect::<Vec<u64>>();
    assert_eq!(text.lines().skip(1).map(counts).collect::<Vec<_>>(), rows);
    let own = rows[0][0] as f64;
    let union = rows[0].iter().sum::<u64>() + rows.iter().skip(1).map(|row| row[0]).sum::<u64>();
    let iou = score["iou"]["background"].as_f64().unwrap();
    assert!((iou - 100.0 * own / union as f64).abs() < 1e-9, "{score}");
}

/// One line an image, in range, the most doubtful first.
fn check_doubt(path: &Path) {
    let table = std::fs::read_to_string(path).unwrap();
    let (head, lines) = table.split_once('\n').unwrap();
    assert_eq!(head, "image,doubt,iou");
    let doubts: Vec<f64> =
        lines.lines().map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(doubts.len(), IMAGES);
    assert!(
        doubts.iter().all(|doubt| (0.0..=1.0).contains(doubt)) && doubts.is_sorted_by(|a, b| a >= b),
        "{table}"
    );
}

#[test]
fn truth_against_itself_is_perfect() {
    let sample = Sample::new();
    let truth = sample.data().join("masks");
    let classes = sample.path("classes.txt");
    std::fs::copy(sample.data().join("classes.txt"), &classes).unwrap();
    let paths = [("truth", truth.as_path()), ("classes", classes.as_path())];
    let score = run("eval {truth} {truth} --classes {classes} --json", &paths).succeeded().json();
    assert_eq!(score["miou"], 100.0, "{score}");
    assert_eq!(score["images"], IMAGES);
}

#[test]
fn the_fixed_threshold_moves_the_masks() {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));
    let train = TRAIN.replace("spatial-bce", "cam");
    run(&train, &[("data", &data), ("run", &out)]).succeeded();
    assert_eq!(events_of(&events(&out), "round-started").count(), 1);
    let foreground = |threshold: &str| {
        let masks = sample.path(threshold);
        let line = format!(
            "masks {{run}} {{data}} --out {{masks}} --refine none --scales 1 --threshold {threshold}"
        );
        run(&line, &[("run", &out), ("data", &data), ("masks", &masks)]).succeeded();
        let names = file_names(&masks);
        let masks = names.iter().filter(|name| name.ends_with(".png")).map(|name| pixels(&masks.join(name)));
        masks.flatten().filter(|&label| label != 0).count()
    };
    let (low, high) = (foreground("0.05"), foreground("0.95"));
    assert!(low > high, "{low} pixels of foreground at 0.05, {high} at 0.95");
}

#[test]
fn the_same_seed_makes_the_same_sample() {
    let sample = Sample::new();
    let read = |data: &Path| {
        let names = file_names(&data.join("images"));
        names.iter().map(|name| std::fs::read(data.join("images").join(name)).unwrap()).collect::<Vec<_>>()
    };
    let sample_with = |name: &str, seed: u64| {
        let data = sample.path(name);
        let line = format!("sample {{data}} --images {IMAGES} --size {SIDE} --seed {seed}");
        run(&line, &[("data", &data)]).succeeded();
        read(&data)
    };
    let first = read(&sample.data());
    assert!(first == sample_with("again", 7), "the same seed, other images");
    assert!(first != sample_with("other", 8), "another seed, the same images");
}

#[test]
fn a_zip_is_read_like_its_folder() {
    let sample = Sample::new();
    let mut of_folder = inspect(&sample.data());
    for (name, prefix) in [("flat.zip", ""), ("nested.zip", "photos/")] {
        let zip = sample.path(name);
        zip_folder(&sample.data(), prefix, &zip);
        let mut of_zip = inspect(&zip);
        for summary in [&mut of_folder, &mut of_zip] {
            // Paths tell the zip's own folder; everything else must agree.
            for image in summary["images"].as_array_mut().unwrap() {
                let path = image["path"].as_str().unwrap();
                image["path"] = path.strip_prefix(prefix).unwrap_or(path).into();
            }
        }
        assert_eq!(of_folder, of_zip, "{name}");
    }
}

/// One palette image, of the photo's size, with known labels.
#[track_caller]
fn check_mask(file: &Path, classes: usize) {
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).unwrap()));
    let reader = decoder.read_info().unwrap();
    let info = reader.info();
    assert_eq!((info.width, info.height), (SIDE, SIDE), "{}", file.display());
    assert_eq!(info.color_type, png::ColorType::Indexed, "{}", file.display());
    // The VOC colour map: background black, the first class dark red.
    assert_eq!(info.palette.as_ref().unwrap()[..6], [0, 0, 0, 128, 0, 0], "{}", file.display());
    assert!(pixels(file).iter().all(|&label| usize::from(label) <= classes), "{}", file.display());
}

/// Label indices of a mask, a byte each.
pub fn pixels(file: &Path) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).unwrap()));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let depth = frame.bit_depth as usize;
    let per_row = frame.width as usize;
    // Labels may be packed, several to a byte, the leftmost in the highest bits.
    let label = |row: &[u8], x: usize| {
        row[x * depth / 8] >> (8 - depth - x * depth % 8) & ((1u16 << depth) - 1) as u8
    };
    bytes.chunks(frame.line_size).flat_map(|row| (0..per_row).map(move |x| label(row, x))).collect()
}

/// `.npy` (version 1): float32, class × row × column, finite.
#[track_caller]
fn check_scores(file: &Path, classes: usize) {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{error}: {}", file.display()));
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0, "the data is aligned");
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(header.contains("'descr': '<f4'") && header.contains("'fortran_order': False"), "{header}");
    assert!(header.contains(&format!("({classes}, {SIDE}, {SIDE})")), "{header}");
    let data = &bytes[10 + length..];
    assert_eq!(data.len(), 4 * classes * (SIDE * SIDE) as usize);
    let (values, _) = data.as_chunks::<4>();
    assert!(values.iter().all(|value| f32::from_le_bytes(*value).is_finite()));
}

#[test]
fn the_searched_threshold_is_the_best_of_all_and_says_that_it_looked() {
    let sample = Sample::new();
    let (data, out, masks) = (sample.data(), sample.path("run"), sample.path("masks"));
    run(&TRAIN.replace("spatial-bce", "cam"), &[("data", &data), ("run", &out)]).succeeded();
    let paths = [("run", out.as_path()), ("data", data.as_path()), ("masks", masks.as_path())];
    let line = "masks {run} {data} --out {masks} --scales 1 --threshold 0.5 --search --json";
    let report = run(line, &paths).succeeded().json();
    let best = &report["best_fixed_refined"];
    assert_eq!(best["score"]["looked_at_truth"], true, "{report}");
    assert_eq!(best["score"]["images"], IMAGES, "{report}");
    // 0.5 is one of those that are tried.
    assert!(best["score"]["miou"].as_f64() >= report["score"]["miou"].as_f64(), "{report}");
    let report = run(&format!("{line} --refine none"), &paths).succeeded().json();
    assert!(report["best_fixed_refined"].is_null() && report["best_fixed"].is_object(), "{report}");
}
