//! Small trees in the layouts of PASCAL VOC and COCO.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::data::{IMAGES, SIDE, Sample, inspect};
use crate::pipeline::pixels;
use crate::process::{file_names, run};

/// Classes of VOC with the values that the sample set's masks have.
const VOC_CLASSES: [&str; 3] = ["aeroplane", "bicycle", "bird"];
/// Images that are learned from; the others are scored.
pub const TRAINING: usize = 8;

/// An image of the sample set: its file, its stem, and its classes.
struct Image {
    file: PathBuf,
    stem: String,
    labels: Vec<usize>,
}

fn images(sample: &Sample) -> Vec<Image> {
    let summary = inspect(&sample.data());
    let of = |image: &Value| Image {
        file: sample.data().join(image["path"].as_str().unwrap()),
        stem: image["stem"].as_str().unwrap().to_owned(),
        labels: image["labels"].as_array().unwrap().iter().map(|l| l.as_u64().unwrap() as usize).collect(),
    };
    summary["images"].as_array().unwrap().iter().map(of).collect()
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    write(to, std::fs::read(from).unwrap());
}

/// The sample set as VOC has it.
pub fn voc(sample: &Sample) -> PathBuf {
    let root = sample.path("VOCdevkit").join("VOC2012");
    let images = images(sample);
    for image in &images {
        copy(&image.file, &root.join("JPEGImages").join(name(&image.file)));
        let mask = format!("{}.png", image.stem);
        copy(&sample.data().join("masks").join(&mask), &root.join("SegmentationClass").join(&mask));
        let edges = "<xmin>1</xmin><ymin>3</ymin><xmax>20</xmax><ymax>64</ymax>";
        let objects = image.labels.iter().map(|&label| {
            format!("<object><name>{}</name><bndbox>{edges}</bndbox></object>", VOC_CLASSES[label])
        });
        let xml = format!("<annotation>{}</annotation>", objects.collect::<String>());
        write(&root.join("Annotations").join(format!("{}.xml", image.stem)), xml);
    }
    for (split, part) in [("train", &images[..TRAINING]), ("val", &images[TRAINING..])] {
        let list: String = part.iter().map(|image| image.stem.clone() + "\n").collect();
        write(&root.join("ImageSets/Segmentation").join(format!("{split}.txt")), list);
    }
    root
}

/// The sample set as COCO has it: each class of an image one object, its pixels as runs.
fn coco(sample: &Sample) -> PathBuf {
    let root = sample.path("coco");
    let all = images(sample);
    for (split, part) in [("train2014", &all[..TRAINING]), ("val2014", &all[TRAINING..])] {
        let (mut images, mut annotations) = (Vec::new(), Vec::new());
        for (id, image) in part.iter().enumerate() {
            copy(&image.file, &root.join(split).join(name(&image.file)));
            images.push(json!({"id": id, "file_name": name(&image.file), "width": SIDE, "height": SIDE}));
            let mask = pixels(&sample.data().join("masks").join(format!("{}.png", image.stem)));
            for &label in &image.labels {
                annotations.push(json!({
                    "id": annotations.len(), "image_id": id, "category_id": 10 * label + 1, "iscrowd": 0,
                    "bbox": [0.0, 0.0, SIDE, 9.5],
                    "segmentation": {"size": [SIDE, SIDE], "counts": runs(&mask, label as u8 + 1)},
                }));
            }
        }
        let categories: Vec<Value> =
            VOC_CLASSES.iter().enumerate().map(|(i, name)| json!({"id": 10 * i + 1, "name": name})).collect();
        let file = json!({"images": images, "annotations": annotations, "categories": categories});
        write(&root.join("annotations").join(format!("instances_{split}.json")), file.to_string());
    }
    root
}

/// Lengths of runs without and with a label, in turn, down the columns.
fn runs(mask: &[u8], label: u8) -> Vec<usize> {
    let side = SIDE as usize;
    let mut lengths = vec![0];
    for inside in (0..side * side).map(|at| mask[at % side * side + at / side] == label) {
        if inside != (lengths.len() % 2 == 0) {
            lengths.push(0);
        }
        *lengths.last_mut().unwrap() += 1;
    }
    lengths
}

#[test]
fn coco_is_read_trained_on_and_scored() {
    let sample = Sample::new();
    let root = coco(&sample);
    let (out, masks, truth) = (sample.path("run"), sample.path("masks"), sample.data().join("masks"));
    let paths = [
        ("root", root.as_path()),
        ("run", out.as_path()),
        ("masks", masks.as_path()),
        ("truth", truth.as_path()),
    ];
    let summary = run("inspect {root} --split train2014 --json", &paths).succeeded().json();
    assert_eq!(summary["layout"], "coco");
    assert_eq!(summary["classes"], json!(VOC_CLASSES));
    assert_eq!((&summary["with_mask"], &summary["problems"]), (&json!(TRAINING), &json!([])));
    let labels = summary["images"].as_array().unwrap().iter().map(|i| i["labels"].as_array().unwrap().len());
    assert_eq!(summary["boxes"], labels.sum::<usize>());
    let text = run("inspect {root}", &paths).succeeded().stdout;
    assert!(text.contains(&format!("{IMAGES} images in 3 classes: COCO's annotations")), "{text}");
    assert!(text.contains("boxes"), "{text}");
    run("inspect {root} --split val2017", &paths).failed(2, &["train2014, val2014"]);

    // What is painted from the runs is what they were made of.
    let score = run("eval {truth} {root} --split val2014 --json", &paths).succeeded().json();
    assert_eq!((&score["miou"], &score["images"]), (&json!(100.0), &json!(IMAGES - TRAINING)));
    let train = "train {root} --split train2014 --out {run} --method cam --backbone tiny --device cpu --epochs 1 \
                 --batch 4 --size 64";
    run(train, &paths).succeeded();
    let line =
        "masks {run} {root} --split val2014 --out {masks} --scales 1 --refine none --device cpu --json";
    let made = run(line, &paths).succeeded().json();
    let score = run("eval {masks} {root} --split val2014 --json", &paths).succeeded().json();
    assert_eq!(made["score"]["miou"], score["miou"]);
    // Masks of some images are no masks of the others.
    run("eval {masks} {root} --split train2014", &paths).failed(1, &["no predicted mask"]);
}

#[test]
fn boxes_of_voc_are_counted_and_bad_ones_listed() {
    let sample = Sample::new();
    let root = voc(&sample);
    let before = inspect(&root);
    let labels = before["images"].as_array().unwrap().iter().map(|i| i["labels"].as_array().unwrap().len());
    assert_eq!(before["boxes"], labels.sum::<usize>());
    let xml = root.join("Annotations").join(&file_names(&root.join("Annotations"))[0]);
    let text = std::fs::read_to_string(&xml).unwrap();
    let bad = "<object><name>bird</name><bndbox><xmin>9</xmin></bndbox></object></annotation>";
    write(&xml, text.replace("</annotation>", bad));
    let after = inspect(&root);
    assert_eq!(after["boxes"], before["boxes"]);
    assert_eq!(after["problems"][0]["kind"], "bad-box", "{}", after["problems"]);
}
