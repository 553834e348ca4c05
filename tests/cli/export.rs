//! Masks in the formats of other programs.

use std::path::Path;

use serde_json::Value;

use crate::data::{IMAGES, SIDE, Sample, zip_folder};
use crate::process::{file_names, run};

const FORMATS: [&str; 11] = [
    "index-png",
    "color-png",
    "voc",
    "coco-rle",
    "coco-polygons",
    "yolo-seg",
    "cvat-polygons",
    "cvat-masks",
    "labelme",
    "label-studio",
    "cut-outs",
];

/// The sample set's own masks, exported.
fn export(sample: &Sample, options: &str) -> std::path::PathBuf {
    let (data, masks, out) = (sample.data(), sample.data().join("masks"), sample.path("out"));
    let line = format!("export {{masks}} {{data}} --out {{out}} {options}");
    run(&line, &[("masks", &masks), ("data", &data), ("out", &out)]).succeeded();
    out
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_format_is_written_into_a_folder_of_its_name() {
    let sample = Sample::new();
    let out = export(&sample, &format!("--photos --format {}", FORMATS.join(",")));
    let photos = file_names(&sample.data().join("images"));
    let with = |ending: &str| -> Vec<String> {
        photos.iter().map(|name| format!("{}.{ending}", name.rsplit_once('.').unwrap().0)).collect()
    };
    assert_eq!(photos.len(), IMAGES);
    let mut index = with("png");
    index.push("classes.txt".into());
    assert_eq!(file_names(&out.join("index-png")), sorted(index));
    let mut color = with("png");
    color.push("colors.csv".into());
    assert_eq!(file_names(&out.join("color-png")), sorted(color));
    assert_eq!(file_names(&out.join("voc")), ["classes.txt", "labelmap.txt"]);
    assert_eq!(file_names(&out.join("voc/SegmentationClass")), with("png"));
    assert_eq!(file_names(&out.join("voc/ImageSets/Segmentation")), ["train.txt", "trainval.txt"]);
    assert_eq!(file_names(&out.join("yolo-seg")), ["data.yaml"]);
    assert_eq!(file_names(&out.join("yolo-seg/labels/train")), with("txt"));
    for copied in [
        "voc/JPEGImages",
        "coco-rle/train",
        "coco-polygons/train",
        "yolo-seg/images/train",
        "cvat-polygons/images",
        "cvat-masks/images",
        "label-studio/images",
    ] {
        assert_eq!(file_names(&out.join(copied)), photos, "{copied}");
    }
    let mut labelme = with("json");
    labelme.extend(photos.clone());
    assert_eq!(file_names(&out.join("labelme")), sorted(labelme));
    for format in ["coco-rle", "coco-polygons"] {
        let annotations = json(&out.join(format).join("annotations/instances_train.json"));
        assert_eq!(annotations["images"].as_array().unwrap().len(), IMAGES, "{format}");
        assert_eq!(annotations["images"][0]["file_name"], photos[0].as_str());
        assert!(annotations["annotations"].as_array().unwrap().len() >= IMAGES, "{format}");
    }
    for format in ["cvat-polygons", "cvat-masks"] {
        let text = std::fs::read_to_string(out.join(format).join("annotations.xml")).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let images: Vec<_> = document.descendants().filter(|node| node.has_tag_name("image")).collect();
        assert_eq!(images.len(), IMAGES, "{format}");
        assert!(images.iter().all(|image| image.attribute("width") == Some(SIDE.to_string().as_str())));
    }
    assert_eq!(json(&out.join("label-studio/tasks.json")).as_array().unwrap().len(), IMAGES);
    let classes = std::fs::read_dir(out.join("cut-outs")).unwrap().count();
    assert!(classes >= 2, "{classes}");
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn what_is_exported_scores_full_marks_against_its_masks() {
    let sample = Sample::new();
    let out = export(&sample, "--format index-png,coco-rle,coco-polygons --photos");
    let masks = sample.data().join("masks");
    let score = |line: &str, exported: &Path| {
        let paths = [("masks", masks.as_path()), ("exported", exported)];
        run(line, &paths).succeeded().json()["miou"].as_f64().unwrap()
    };
    let line = "eval {exported} {masks} --json";
    assert_eq!(score(line, &out.join("index-png")), 100.0);
    // Read back as a data set, whose masks are painted from the annotations.
    let line = "eval {masks} {exported} --split train --json";
    assert_eq!(score(line, &out.join("coco-rle")), 100.0);
    assert!(score(line, &out.join("coco-polygons")) >= 99.0);
}

#[test]
fn zips_are_read_and_the_same_files_are_written() {
    let sample = Sample::new();
    let (data, masks) = (sample.path("data.zip"), sample.path("masks.zip"));
    zip_folder(&sample.data(), "data/", &data);
    zip_folder(&sample.data().join("masks"), "masks/", &masks);
    let (from_zip, from_folder) = (sample.path("zipped"), export(&sample, "--format yolo-seg,coco-rle"));
    let paths = [("masks", masks.as_path()), ("data", data.as_path()), ("out", from_zip.as_path())];
    let line = "export {masks} {data} --format yolo-seg --format coco-rle --out {out} --json";
    let said = run(line, &paths).succeeded().json();
    assert_eq!(said["images"], IMAGES);
    assert_eq!(said["formats"], serde_json::json!(["coco-rle", "yolo-seg"]));
    for file in ["coco-rle/annotations/instances_train.json", "yolo-seg/data.yaml"] {
        assert_eq!(
            std::fs::read(from_zip.join(file)).unwrap(),
            std::fs::read(from_folder.join(file)).unwrap()
        );
    }
}

#[test]
fn names_from_outside_become_no_paths() {
    let sample = Sample::new();
    let list = sample.path("names.txt");
    std::fs::write(&list, "background\n../../../escaped\n<b a=\"c\">'\\\n.. \n").unwrap();
    let (data, masks, out) = (sample.data(), sample.data().join("masks"), sample.path("a/b/out"));
    let paths = [("masks", masks.as_path()), ("data", &data), ("out", &out), ("list", &list)];
    let line =
        format!("export {{masks}} {{data}} --classes {{list}} --out {{out}} --format {}", FORMATS.join(","));
    run(&line, &paths).succeeded();
    let folders = std::fs::read_dir(out.join("cut-outs")).unwrap();
    let mut names: Vec<String> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["_.._.._escaped", "_b a=_c__'_", "image"]);
    assert_eq!(std::fs::read_dir(sample.path("a")).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(sample.path("a/b")).unwrap().count(), 1);
    let annotations = json(&out.join("coco-rle/annotations/instances_train.json"));
    assert_eq!(annotations["categories"][0]["name"], "../../../escaped");
}

#[test]
fn what_cannot_be_exported_is_named() {
    let sample = Sample::new();
    let (data, masks, out) = (sample.data(), sample.data().join("masks"), sample.path("out"));
    let paths = [("masks", masks.as_path()), ("data", data.as_path()), ("out", out.as_path())];
    run("export {masks} {data} --out {out} --format magic", &paths)
        .failed(2, &["magic", "coco-rle", "labelme"]);
    run("export {masks} {data} --out {out}", &paths).failed(2, &["--format"]);
    run("export {masks} {data} --out {data} --format voc", &paths).failed(2, &["out", "another folder"]);
    run("export {out} {data} --out {out} --format voc", &paths).failed(1, &[out.to_str().unwrap()]);

    let first = file_names(&masks).remove(0);
    let kept = std::fs::read(masks.join(&first)).unwrap();
    std::fs::write(masks.join(&first), &kept[..kept.len() / 2]).unwrap();
    run("export {masks} {data} --out {out} --format coco-rle", &paths).failed(1, &[&first]);
    assert!(!out.join("coco-rle/annotations/instances_train.json").exists());
    // One that is missing or of no photo is told of, and the others are written.
    std::fs::rename(masks.join(&first), masks.join("other.png")).unwrap();
    let said = run("export {masks} {data} --out {out} --format coco-rle", &paths).succeeded();
    assert!(
        said.stderr.contains("1 masks are of no photo") && said.stderr.contains("other.png"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("1 photos have no mask"), "{}", said.stderr);
    std::fs::remove_file(data.join("classes.txt")).unwrap();
    run("export {masks} {data} --out {out} --format coco-rle", &paths).failed(1, &["--classes"]);
}
