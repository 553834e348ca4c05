//! `cargo bench -p tag2mask-core` (with `--profile dev`, what the tests have built already): what a step, a
//! mask and a photo cost on this machine's CPU, and on its GPU where it has one; what memory a step takes;
//! and what the page weighs. A time is that of the whole operation, the device waited for.
//!
//! Kernel launches, read-backs and GPU memory are counted in a browser: `cargo xtask cost`.

mod memory;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use burn::optim::GradientsParams;
use burn::tensor::Device;
use divan::{Bencher, counter::ItemsCount};
use image::RgbImage;
use tag2mask_core::backbone::BackboneConfig;
use tag2mask_core::backbone::weights::RandomSource;
use tag2mask_core::dataset::decode;
use tag2mask_core::device::{Compute, DeviceChoice};
use tag2mask_core::files::{Blob, MemoryBlob};
use tag2mask_core::masks::{LabelMap, dense_crf};
use tag2mask_core::method::spatial_bce::SpatialBceConfig;
use tag2mask_core::method::{Batch, Learner, LearnerConfig, Whole, groups};
use tag2mask_core::optim::Sgd;
use tag2mask_core::run::settings::{BackboneName, CrfSettings, OptimizerSettings, SpatialBceSettings};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Most memory at once during the steps of each network on the CPU, bytes.
static PEAKS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

fn main() {
    divan::main();
    let peaks = PEAKS.lock().expect("no bench panicked");
    if !peaks.is_empty() {
        println!("\npeak memory of a step on the CPU: network, photos, gradients and optimiser");
        for (name, bytes) in peaks.iter() {
            println!("{name:<28} {:>7.0} MiB", *bytes as f64 / f64::from(1 << 20));
        }
    }
    // Written by `cargo xtask dist`.
    let payload = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/payload.txt");
    match std::fs::read_to_string(payload) {
        Ok(sizes) => println!("\nwhat a browser loads\n{sizes}"),
        Err(_) => println!("\nwhat a browser loads: run `cargo xtask dist` first"),
    }
}

/// Network, side in pixels, images: what the page and the CLI offer out of the box.
const STEPS: [(BackboneName, usize, usize); 5] = [
    (BackboneName::Tiny, 64, 4),
    (BackboneName::Tiny, 128, 8),
    (BackboneName::MobilenetV2, 224, 8),
    (BackboneName::Resnet18, 224, 8),
    (BackboneName::Resnet50, 224, 2),
];

/// One Spatial-BCE step: forward, backward, update, and the read of its losses.
#[divan::bench(args = STEPS.map(|(name, side, images)| format!("{} {side} px x{images}", name.id())), sample_count = 5)]
fn step_cpu(bencher: Bencher<'_, '_>, name: &str) {
    let before = memory::restart();
    step(bencher, name, Compute::cpu().device);
    let peak = memory::peak().saturating_sub(before);
    PEAKS.lock().expect("no bench panicked").insert(name.to_owned(), peak);
}

/// The same on the GPU that `--device vulkan` would take; nothing where there is none.
#[divan::bench(args = STEPS.map(|(name, side, images)| format!("{} {side} px x{images}", name.id())), sample_count = 20)]
fn step_gpu(bencher: Bencher<'_, '_>, name: &str) {
    if let Ok(compute) = Compute::open(&DeviceChoice::Vulkan) {
        step(bencher, name, compute.device);
    }
}

fn step(bencher: Bencher<'_, '_>, name: &str, device: Device) {
    let classes = 14;
    let (backbone, side, images) = STEPS
        .into_iter()
        .find(|(backbone, side, images)| format!("{} {side} px x{images}", backbone.id()) == name)
        .expect("the names are made from the table");
    let stride = if backbone.trains_from_scratch() { 8 } else { 16 };
    let config = SpatialBceConfig {
        backbone: BackboneConfig::new(backbone, stride),
        classes,
        settings: SpatialBceSettings::default(),
    };
    let device = device.autodiff();
    let mut learner = config.init(&mut RandomSource::new(0), &device).expect("random weights fit");
    let names = config.names(&device).expect("names need no file");
    let mut sgd = Sgd::new(
        OptimizerSettings::default(),
        groups::<<SpatialBceConfig as LearnerConfig>::Learner>(&names),
    );
    let labels: Vec<f32> = (0..images * classes).map(|index| f32::from(index % classes == 0)).collect();
    let whole = Whole { images, present: images, pixels: 0, tally: None };
    bencher.counter(ItemsCount::new(images)).bench_local(|| {
        let pixels = (0..images * 3 * side * side).map(|index| (index % 97) as f32 / 48.0 - 1.0).collect();
        let shares = labels.iter().map(|label| label * 0.2).collect();
        let batch = Batch::new(pixels, labels.clone(), shares, side, classes, whole.clone(), &device);
        let loss = learner.loss(&batch, 0);
        let gradients = GradientsParams::from_grads(loss.total.backward(), &learner);
        learner = sgd.step(learner.clone(), gradients, 1e-4);
        let [main, ..] = loss.parts;
        main.into_scalar::<f32>()
    });
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

/// From a JPEG's bytes to pixels at 448.
#[divan::bench(args = [(320, 213), (4000, 3000)], sample_count = 10)]
fn decode(bencher: Bencher<'_, '_>, (width, height): (u32, u32)) {
    let mut bytes = std::io::Cursor::new(Vec::new());
    photo(width, height).write_to(&mut bytes, image::ImageFormat::Jpeg).expect("a JPEG can be written");
    let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(bytes.into_inner()));
    bencher.bench(|| decode::rgb(blob.as_ref(), "photo.jpg").map(|image| decode::resized(&image, 448, 448)));
}
