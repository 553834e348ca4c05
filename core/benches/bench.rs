//! `cargo bench -p tag2mask-core` (with `--profile dev`, what the tests have built already): what a step, a
//! mask and a photo cost on this machine's CPU, and on its GPU where it has one; what memory a step takes;
//! and what the page weighs. A time is that of the whole operation, the device waited for.
//!
//! Kernel launches, read-backs and GPU memory are counted in a browser: `cargo xtask cost`.

#[path = "memory/mod.rs"]
mod account;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use divan::{Bencher, counter::ItemsCount};
use image::RgbImage;
use tag2mask_core::backbone::BackboneConfig;
use tag2mask_core::backbone::weights::RandomSource;
use tag2mask_core::dataset::batch::Batch;
use tag2mask_core::dataset::{ObjectBox, decode};
use tag2mask_core::device::{Compute, DeviceChoice};
use tag2mask_core::files::{Blob, MemoryBlob};
use tag2mask_core::masks::grabcut::GrabCutSettings;
use tag2mask_core::masks::{LabelMap, dense_crf, grabcut};
use tag2mask_core::memory::{self, Processor, Split, Work};
use tag2mask_core::method::spatial_bce::{SpatialBceConfig, SpatialBceSettings};
use tag2mask_core::method::{LearnerConfig, groups};
use tag2mask_core::optim::Sgd;
use tag2mask_core::run::settings::{BackboneName, CrfSettings, MethodName, OptimizerSettings};
use tag2mask_core::run::step::learn;

#[global_allocator]
static ALLOCATOR: account::Counting = account::Counting;

/// Most memory at once during the steps of each network on the CPU, bytes: predicted and measured.
static PEAKS: Mutex<BTreeMap<String, (u64, usize)>> = Mutex::new(BTreeMap::new());

/// Classes that the networks tell apart.
const CLASSES: usize = 14;

/// The paper's size and batch.
const PAPER: (usize, usize) = (369, 12);

fn main() {
    divan::main();
    let peaks = PEAKS.lock().expect("no bench panicked");
    if !peaks.is_empty() {
        println!("\npeak memory of a step on the CPU, MiB                predicted  measured");
        for (name, &(predicted, measured)) in peaks.iter() {
            let off = 100.0 * (predicted as f64 / measured as f64 - 1.0);
            println!("{name:<50} {:>9.0} {:>9.0}  {off:+.0} %", mib(predicted), mib(measured as u64));
        }
    }
    predictions();
    // Written by `cargo xtask dist`.
    let payload = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/payload.txt");
    match std::fs::read_to_string(payload) {
        Ok(sizes) => println!("\nwhat a browser loads\n{sizes}"),
        Err(_) => println!("\nwhat a browser loads: run `cargo xtask dist` first"),
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What the paper's batch takes, whole and in parts.
fn predictions() {
    let (side, batch) = PAPER;
    println!(
        "\npredicted peak at {side} px on a GPU, its idle pages included, MiB: one image, the batch, its parts"
    );
    println!("                      1       {batch}   {batch} in parts   in parts, computed twice");
    for backbone in BackboneName::ALL {
        let of = |batch: usize, micro_batch: usize, recompute: bool| {
            let split = Split { micro_batch, recompute };
            mib(memory::peak(&work(backbone, side, batch), split, Processor::Gpu))
        };
        println!(
            "{:<14} {:>8.0} {:>8.0} {:>13.0} {:>26.0}",
            backbone.id(),
            of(1, 1, false),
            of(batch, batch, false),
            of(batch, 1, false),
            of(batch, 1, true)
        );
    }
}

/// A network, the side of its images in pixels, how many, and how they are worked through.
type Case = (BackboneName, usize, usize, Split);

/// What the page and the CLI offer out of the box; and the largest again with activations computed twice.
const STEPS: [Case; 7] = [
    (BackboneName::Tiny, 64, 4, whole(4)),
    (BackboneName::Tiny, 128, 8, whole(8)),
    (BackboneName::MobilenetV2, 224, 8, whole(8)),
    (BackboneName::Resnet18, 224, 8, whole(8)),
    (BackboneName::Resnet50, 224, 2, whole(2)),
    (BackboneName::MobilenetV2, 224, 8, Split { micro_batch: 8, recompute: true }),
    (BackboneName::Resnet50, 224, 2, Split { micro_batch: 2, recompute: true }),
];

/// The paper's size, one image at once: minutes in all.
const PAPER_STEPS: [Case; 8] = [
    (BackboneName::Tiny, PAPER.0, 1, whole(1)),
    (BackboneName::MobilenetV2, PAPER.0, 1, whole(1)),
    (BackboneName::Resnet18, PAPER.0, 1, whole(1)),
    (BackboneName::Resnet50, PAPER.0, 1, whole(1)),
    (BackboneName::Resnet101, PAPER.0, 1, whole(1)),
    (BackboneName::Resnet38, PAPER.0, 1, whole(1)),
    (BackboneName::Resnet38, PAPER.0, 1, Split { micro_batch: 1, recompute: true }),
    (BackboneName::Resnet38, PAPER.0, 2, whole(1)),
];

const fn whole(micro_batch: usize) -> Split {
    Split { micro_batch, recompute: false }
}

fn name((backbone, side, images, split): Case) -> String {
    let parts = if split.micro_batch < images { format!(" by {}", split.micro_batch) } else { String::new() };
    let twice = if split.recompute { ", computed twice" } else { "" };
    format!("{} {side} px x{images}{parts}{twice}", backbone.id())
}

fn case(wanted: &str) -> Case {
    let all = STEPS.into_iter().chain(PAPER_STEPS);
    all.into_iter().find(|&case| name(case) == wanted).expect("the names are made from the table")
}

fn work(backbone: BackboneName, side: usize, batch: usize) -> Work {
    let output_stride = if backbone.trains_from_scratch() { 8 } else { backbone.output_strides()[0] };
    Work { backbone, output_stride, method: MethodName::SpatialBce, classes: CLASSES, side, batch }
}

/// One Spatial-BCE step: forward, backward, update, and the read of its losses.
#[divan::bench(args = STEPS.map(name), sample_count = 5)]
fn step_cpu(bencher: Bencher<'_, '_>, name: &str) {
    step_and_peak(bencher, name);
}

/// The same at the paper's size, once each: `cargo bench -p tag2mask-core -- --ignored step_paper`.
#[divan::bench(args = PAPER_STEPS.map(name), sample_count = 1, sample_size = 1, ignore)]
fn step_paper(bencher: Bencher<'_, '_>, name: &str) {
    step_and_peak(bencher, name);
}

fn step_and_peak(bencher: Bencher<'_, '_>, name: &str) {
    let compute = Compute::cpu();
    let processor = Processor::of(&compute.info);
    let before = account::restart();
    step(bencher, name, compute.device);
    let measured = account::peak().saturating_sub(before);
    let (backbone, side, images, split) = case(name);
    let predicted = memory::peak(&work(backbone, side, images), split, processor);
    PEAKS.lock().expect("no bench panicked").insert(name.to_owned(), (predicted, measured));
}

/// The same on the GPU that `--device vulkan` would take; nothing where there is none.
#[divan::bench(args = STEPS.map(name), sample_count = 20)]
fn step_gpu(bencher: Bencher<'_, '_>, name: &str) {
    if let Ok(compute) = Compute::open(&DeviceChoice::Vulkan) {
        step(bencher, name, compute.device);
    }
}

fn step(bencher: Bencher<'_, '_>, name: &str, device: Device) {
    let (backbone, side, images, split) = case(name);
    let stride = work(backbone, side, images).output_stride;
    let config = SpatialBceConfig {
        backbone: BackboneConfig::new(backbone, stride),
        classes: CLASSES,
        settings: SpatialBceSettings::default(),
    };
    let device = device.autodiff();
    let learner = config.init(&mut RandomSource::new(0), &device).expect("random weights fit");
    let names = config.names(&device).expect("names need no file");
    let mut sgd = Sgd::new(
        OptimizerSettings::default(),
        groups::<<SpatialBceConfig as LearnerConfig>::Learner>(&names),
    );
    let labels: Vec<f32> = (0..images * CLASSES).map(|index| f32::from(index % CLASSES == 0)).collect();
    let shares: Vec<Vec<f32>> =
        labels.chunks(CLASSES).map(|labels| labels.iter().map(|label| label * 0.2).collect()).collect();
    let mut learner = Some(learner);
    let mut one = || {
        let batch = Batch {
            items: (0..images).collect(),
            side,
            images: (0..images * 3 * side * side).map(|index| (index % 97) as f32 / 48.0 - 1.0).collect(),
            labels: labels.clone(),
            seeds: vec![1; images],
            targets: Vec::new(),
            boxes: Vec::new(),
        };
        let network = learner.take().expect("it is put back");
        let learned = learn(&network, &batch, &shares, 0, split, &device);
        learner = Some(sgd.step(network, learned.gradients, 1e-4));
        learned.losses.into_data()
    };
    // From the second step on there are velocities.
    one();
    bencher.counter(ItemsCount::new(images)).bench_local(one);
}

/// A made photo with smooth areas, edges and noise.
fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 29;
        let inside = (x / 40 + y / 50) % 2 * 90;
        image::Rgb([(x * 255 / width) as u8, (inside + noise) as u8, (y * 255 / height) as u8])
    })
}

/// Ten mean-field iterations with the paper's settings.
#[divan::bench(args = [(320, 213), (640, 426)], sample_count = 10)]
fn dense_crf(bencher: Bencher<'_, '_>, (width, height): (u32, u32)) {
    let image = photo(width, height);
    let labels = (0..width * height).map(|pixel| ((pixel % width) * 3 / width) as u8).collect();
    let labels = LabelMap { width: width as usize, height: height as usize, labels };
    bencher.bench(|| dense_crf::refine(image.as_raw(), &labels, &[0, 1], &CrfSettings::default()));
}

/// Two boxes, of which one is nearly the photo, with the paper's settings.
#[divan::bench(args = [(320, 213), (640, 426)], sample_count = 10)]
fn grabcut(bencher: Bencher<'_, '_>, (width, height): (u32, u32)) {
    let image = photo(width, height);
    let object = |class, left: f32, right: f32| {
        let (width, height) = (width as f32, height as f32);
        ObjectBox { class, x0: left * width, y0: 0.1 * height, x1: right * width, y1: 0.9 * height }
    };
    let boxes = [object(0, 0.05, 0.95), object(1, 0.2, 0.5)];
    bencher.bench(|| grabcut::masks(&image, &boxes, &GrabCutSettings::default(), None));
}

/// From a JPEG's bytes to pixels at 448.
#[divan::bench(args = [(320, 213), (4000, 3000)], sample_count = 10)]
fn decode(bencher: Bencher<'_, '_>, (width, height): (u32, u32)) {
    let mut bytes = std::io::Cursor::new(Vec::new());
    photo(width, height).write_to(&mut bytes, image::ImageFormat::Jpeg).expect("a JPEG can be written");
    let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(bytes.into_inner()));
    bencher.bench(|| decode::rgb(blob.as_ref(), "photo.jpg").map(|image| decode::resized(&image, 448, 448)));
}
