//! A project in one file: begun in one place, finished in another.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use zip::write::SimpleFileOptions;

use crate::data::{IMAGES, Sample, inspect, zip_folder};
use crate::process::{file_names, run};

const TRAIN: &str =
    "train {data} --out {run} --backbone tiny --device cpu --batch 2 --size 64 --seed 3 --method cam";
const CARD: &[u8] = br#"{"format": "tag2mask-project", "version": 1, "name": "x", "program": "x"}"#;

/// The tensors of a weights file, by name.
fn tensors(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(file).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.iter().map(|(name, tensor)| (name.to_owned(), tensor.data().to_vec())).collect()
}

/// The files of a folder with their bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    file_names(folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(&name)).unwrap())).collect()
}

fn archive(file: &Path, entries: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(file).unwrap());
    for (path, bytes) in entries {
        zip.start_file(*path, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[cfg(unix)]
#[test]
fn a_run_that_was_packed_ends_elsewhere_where_it_would_have_ended() {
    use std::process::{Command, Stdio};

    use crate::interrupt::wait_for;
    use crate::process::{arguments, events, events_of, program};

    let sample = Sample::new();
    let (data, begun) = (sample.data(), sample.path("begun"));
    let line = format!("{TRAIN} --epochs 20");
    let mut child = program()
        .args(arguments(&line, &[("data", &data), ("run", &begun)]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    wait_for(&mut child, &begun, |event| event["event"] == "losses");
    assert!(
        Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap().success()
    );
    child.wait().unwrap();
    assert_eq!(events_of(&events(&begun), "training-finished").count(), 0, "it stopped in the middle");

    let project = sample.path("project.zip");
    let paths = [("run", begun.as_path()), ("data", data.as_path()), ("out", project.as_path())];
    let packed = run("pack {run} {data} --out {out} --json", &paths).succeeded().json();
    assert_eq!((packed["name"].as_str(), packed["images"].as_u64()), (Some("project"), Some(IMAGES as u64)));

    // Without the project the run cannot go on in a new folder; with it, it does, without the photos' folder.
    let moved = sample.path("moved");
    fs::rename(&data, &moved).unwrap();
    let (ended, whole) = (sample.path("ended"), sample.path("whole"));
    let paths = [("data", project.as_path()), ("run", ended.as_path())];
    let said = run(&format!("{line} --resume"), &paths).succeeded();
    assert!(said.stderr.contains("goes on in"), "{}", said.stderr);
    let resumed = events(&ended);
    let start = events_of(&resumed, "run-started").nth(1).expect("the second start is told");
    assert!(start["done_steps"].as_u64().unwrap() > 0, "{start}");
    fs::rename(&moved, &data).unwrap();
    run(&line, &[("data", &data), ("run", &whole)]).succeeded();
    let [ended_weights, whole_weights] =
        [&ended, &whole].map(|run| tensors(&run.join("weights.safetensors")));
    assert_eq!(ended_weights, whole_weights);

    // Once there is a run in the folder, that one goes on: the project does not replace it.
    let before = contents(&ended);
    run(&format!("{line} --resume"), &paths).succeeded();
    assert_eq!(contents(&ended)["weights.safetensors"], before["weights.safetensors"]);
}

#[test]
fn a_project_stands_for_its_run_its_photos_and_its_masks() {
    let sample = Sample::new();
    let (data, trained, masks) = (sample.data(), sample.path("run"), sample.path("drawn"));
    run(&format!("{TRAIN} --epochs 1"), &[("data", &data), ("run", &trained)]).succeeded();
    let paths = [("run", trained.as_path()), ("data", data.as_path()), ("out", masks.as_path())];
    let draw = "masks {run} {data} --out {out} --scales 1 --device cpu";
    run(draw, &paths).succeeded();

    let project = sample.path("cells.zip");
    let paths = [("run", trained.as_path()), ("data", &data), ("masks", &masks), ("out", &project)];
    run("pack {run} {data} --masks {masks} --name cells! --out {out}", &paths).succeeded();
    let again = sample.path("again.zip");
    let paths = [("project", project.as_path()), ("out", again.as_path())];
    run("pack {project} {project} --masks {project} --name cells! --out {out}", &paths).succeeded();
    assert_eq!(fs::read(&again).unwrap(), fs::read(&project).unwrap(), "a packed project packs to itself");

    let (given, packed) = (inspect(&data), inspect(&project));
    assert_eq!(given["images"], packed["images"]);
    assert_eq!((&given["classes"], &given["with_mask"]), (&packed["classes"], &packed["with_mask"]));
    let redrawn = sample.path("redrawn");
    let paths = [("run", project.as_path()), ("data", project.as_path()), ("out", redrawn.as_path())];
    run(draw, &paths).succeeded();
    assert_eq!(contents(&redrawn), contents(&masks));
    let network = sample.path("network.onnx");
    run("onnx {run} --out {out}", &[("run", &project), ("out", &network)]).succeeded();
    let exported = sample.path("exported");
    let paths = [("project", project.as_path()), ("out", exported.as_path())];
    run("export {project} {project} --format index-png --out {out}", &paths).succeeded();
    let score = |masks: &Path, truth: &Path| {
        run("eval {masks} {truth} --json", &[("masks", masks), ("truth", truth)]).succeeded().json()
    };
    assert_eq!(score(&project, &project), score(&masks, &data.join("masks")));

    // Everything of the run was packed.
    let unpacked = sample.path("unpacked");
    run("unpack {project} --out {out}", &[("project", &project), ("out", &unpacked)]).succeeded();
    assert_eq!(contents(&unpacked.join("run")), contents(&trained));
    assert_eq!(contents(&unpacked.join("masks")), contents(&masks));
    assert_eq!(contents(&unpacked.join("data/images")), contents(&data.join("images")));
    run("unpack {project} --out {out}", &[("project", &project), ("out", &unpacked)])
        .failed(1, &["not empty"]);
}

#[test]
fn what_does_not_belong_together_is_not_packed() {
    let sample = Sample::new();
    let (data, trained, out) = (sample.data(), sample.path("run"), sample.path("x.zip"));
    let paths = [("run", trained.as_path()), ("data", data.as_path()), ("out", out.as_path())];
    let pack = "pack {run} {data} --out {out}";
    fs::create_dir(&trained).unwrap();
    run(pack, &paths).failed(1, &["no run is here"]);
    run(&format!("{TRAIN} --epochs 1"), &paths).succeeded();
    fs::remove_file(data.join("images/field_000.png")).unwrap();
    run(pack, &paths).failed(1, &["learns from 12 photos", "has 11"]);
    assert!(!out.exists());
}

#[test]
fn hostile_projects_are_refused_before_anything_is_written() {
    let sample = Sample::new();
    let (project, out) = (sample.path("hostile.zip"), sample.path("out"));
    let paths = [("project", project.as_path()), ("out", out.as_path())];
    let lines = [
        "unpack {project} --out {out}",
        "inspect {project}",
        "onnx {project} --out {out}",
        "train {project} --out {out} --resume",
    ];
    for path in ["../evil.png", "/tmp/evil.png", "run/../../evil.json", "data\\..\\..\\evil.png"] {
        archive(&project, &[("project.json", CARD), ("run/run.json", b"{}"), (path, b"x")]);
        for line in lines {
            run(line, &paths).failed(1, &["the path ", "evil"]);
            assert!(!out.exists(), "{line}");
        }
    }
    let zeros = vec![0; 260 << 20];
    let photo = fs::read(sample.data().join("images/field_000.png")).unwrap();
    let entries: [(&str, &[u8]); 5] = [
        ("project.json", CARD),
        ("data/labels.csv", b"image,labels\nfield_000.png,cell\n"),
        ("data/field_000.png", &photo),
        ("run/run.json", b"{}"),
        ("run/weights.safetensors", &zeros),
    ];
    archive(&project, &entries);
    for line in [lines[0], lines[3]] {
        run(line, &paths).failed(1, &["the unpacked project is 261 MB, more than the limit of 256 MB"]);
        assert!(!out.exists(), "{line}");
    }
    let newer = String::from_utf8(CARD.to_vec()).unwrap().replace(": 1", ": 7");
    archive(&project, &[("project.json", newer.as_bytes())]);
    run(lines[0], &paths).failed(1, &["of version 7"]);
    // A set of photos is no project.
    zip_folder(&sample.data(), "", &project);
    run(lines[0], &paths).failed(1, &["holds no project"]);
    run(lines[2], &paths).failed(1, &["no trained run is here"]);
}
