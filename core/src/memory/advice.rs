//! What a run will take on a device, in numbers and in a sentence, before it starts.

use super::fit::{Fit, Limits, fit, largest_tensor, side_that_fits};
use super::{Processor, Work, networks};
use crate::dataset::cache::DEFAULT_BYTES;
use crate::run::Settings;
use crate::run::event::DeviceInfo;

/// What a GPU is taken to have where nobody tells, as browsers and drivers do not: cards with less are
/// rare, and on those with more the smaller parts of a batch cost little time.
pub const ASSUMED_GPU: u64 = 4 << 30;

/// What a run will take.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// How its steps will be done. The bytes are all that the device holds for the run.
    pub fit: Fit,
    /// Why it may fail, and what would fit; `None` where all is well.
    pub warning: Option<String>,
}

impl Processor {
    /// What computes on a device.
    pub fn of(device: &DeviceInfo) -> Self {
        match device.threads {
            Some(threads) => Self::Cpu { threads: threads.max(1) },
            None => Self::Gpu,
        }
    }
}

impl Limits {
    /// What a device can hold. `memory` is what the user allows, GiB, 0 where that is left open.
    pub fn of(device: &DeviceInfo, memory: f64) -> Self {
        let assumed = (Processor::of(device) == Processor::Gpu).then_some(ASSUMED_GPU);
        let allowed = (memory > 0.0).then(|| (memory * f64::from(1 << 30)) as u64);
        Self { memory: allowed.or(device.memory).or(assumed), tensor: device.max_binding }
    }
}

/// How a run with these settings on `images` images of `classes` classes will do its steps, and what it will
/// take.
pub fn advice(settings: &Settings, classes: usize, images: usize, device: &DeviceInfo) -> Advice {
    let work = Work::of(settings, classes);
    let processor = Processor::of(device);
    let limits = Limits::of(device, settings.memory);
    let beside = |work: &Work| beside(work, settings, images, device);
    let net = |work: &Work| Limits {
        memory: limits.memory.map(|memory| memory.saturating_sub(beside(work))),
        ..limits
    };
    let mut found = fit(&work, processor, net(&work));
    found.bytes += beside(&work);
    let warning = (!found.fits).then(|| {
        let side = side_that_fits(&work, processor, net(&work));
        // The form asks for the size; the largest training side follows from it.
        let size =
            side.map(|side| side * settings.size / work.side.max(1) / 32 * 32).filter(|&size| size > 0);
        sentence(settings, &work, found.bytes, limits, size, device)
    });
    Advice { fit: found, warning }
}

/// What is in memory all the time beside a step. On a GPU nothing is: the rest is the host's.
fn beside(work: &Work, settings: &Settings, images: usize, device: &DeviceInfo) -> u64 {
    if Processor::of(device) == Processor::Gpu {
        return 0;
    }
    let (all, trainable) = networks::weights(work);
    let file = if work.backbone.trains_from_scratch() { 0 } else { all };
    let photos =
        ((images * 3) as u64).saturating_mul((2 * work.side as u64).pow(2)).min(DEFAULT_BYTES as u64);
    // Two batches: the one at work and the next.
    let batches = 2 * 4 * 3 * work.batch as u64 * (work.side as u64).pow(2);
    // A browser has no disk: what a run has saved so far stays, and each round leaves its network.
    let rounds = settings.rounds().len() as u64;
    let saved = if cfg!(target_arch = "wasm32") { all * (1 + rounds) + trainable } else { 0 };
    file + photos + batches + saved
}

fn sentence(
    settings: &Settings,
    work: &Work,
    bytes: u64,
    limits: Limits,
    size: Option<usize>,
    device: &DeviceInfo,
) -> String {
    let name = settings.backbone.id();
    let what = format!("{name} at {} pixels", settings.size);
    let tensor = largest_tensor(work);
    let needs = match limits.tensor.filter(|&limit| tensor > limit) {
        Some(limit) => format!(
            "{what} needs one tensor of {}, and this device takes no more than {} at once",
            gigabytes(tensor),
            gigabytes(limit)
        ),
        None => {
            let needs = format!("{what} needs about {} of memory, one image at a time", gigabytes(bytes));
            match limits.memory.filter(|_| settings.memory > 0.0 || device.memory.is_some()) {
                Some(memory) => format!("{needs}, and there are {}", gigabytes(memory)),
                None => format!("{needs}: a GPU with less will fail"),
            }
        }
    };
    let instead = match size {
        Some(size) => format!("a size of {size} would fit"),
        None => "no size would fit: take a smaller network".into(),
    };
    format!("{needs}; {instead}")
}

/// "1.9 GB", "640 MB" (decimal).
pub fn gigabytes(bytes: u64) -> String {
    match bytes {
        0..950_000_000 => format!("{} MB", bytes.div_ceil(10_000_000) * 10),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::settings::{AugmentSettings, BackboneName};

    fn paper(size: usize) -> Settings {
        let backbone = BackboneName::Resnet38;
        Settings { backbone, output_stride: 8, size, batch: 12, ..Settings::default() }
    }

    fn cpu(memory: u64) -> DeviceInfo {
        let (memory, threads) = (Some(memory), Some(2));
        DeviceInfo { backend: "cpu".into(), memory, threads, ..DeviceInfo::default() }
    }

    fn warning(settings: &Settings, device: &DeviceInfo) -> Option<String> {
        advice(settings, 20, 100, device).warning
    }

    #[test]
    fn a_gpu_of_unknown_size_is_used_with_care() {
        let gpu = DeviceInfo::default();
        let found = advice(&paper(369), 20, 100, &gpu);
        assert!(found.warning.is_none() && found.fit.bytes <= ASSUMED_GPU, "{found:?}");
        assert!(found.fit.split.micro_batch < 12);
        // One that is known to be larger takes the batch at once.
        let known = Settings { memory: 24.0, ..paper(369) };
        assert_eq!(advice(&known, 20, 100, &gpu).fit.split.micro_batch, 12);
        let text = warning(&paper(1024), &gpu).unwrap();
        assert!(text.starts_with("resnet-38 at 1024 pixels needs about "), "{text}");
        assert!(text.contains("a GPU with less will fail; a size of "), "{text}");
    }

    #[test]
    fn what_is_free_on_a_cpu_is_the_limit() {
        assert_eq!(warning(&paper(369), &cpu(16 << 30)), None);
        let text = warning(&paper(369), &cpu(1 << 30)).unwrap();
        assert!(text.contains("and there are 1.1 GB; no size would fit: take a smaller network"), "{text}");
        // The weights file and the photos are in the same memory.
        let found = advice(&paper(369), 20, 100, &cpu(16 << 30));
        let work = Work::of(&paper(369), 20);
        let processor = Processor::Cpu { threads: 2 };
        assert!(found.fit.bytes > super::super::peak(&work, found.fit.split, processor) + 420_000_000);
    }

    #[test]
    fn a_tensor_that_a_kernel_cannot_see_is_told() {
        let gpu = DeviceInfo { max_binding: Some(128 << 20), ..DeviceInfo::default() };
        let text = warning(&paper(1024), &gpu).unwrap();
        assert!(text.contains("one tensor of 270 MB, and this device takes no more than 140 MB"), "{text}");
        let size = text.split("a size of ").nth(1).unwrap().split(' ').next().unwrap();
        assert_eq!(warning(&paper(size.parse().unwrap()), &gpu), None);
    }

    #[test]
    fn the_size_that_fits_is_the_one_to_enter() {
        let scales = vec![0.75, 1.0, 1.25];
        let augment = AugmentSettings { scales, ..AugmentSettings::default() };
        let settings = Settings { augment, ..paper(1024) };
        let text = warning(&settings, &DeviceInfo::default()).unwrap();
        let size: usize =
            text.split("a size of ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert_eq!(warning(&Settings { size, ..settings }, &DeviceInfo::default()), None);
    }
}
