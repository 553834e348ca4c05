//! What a training step is expected to take in memory, against what it takes: every allocation of steps on
//! the CPU is counted. A program of its own, since the account is the whole program's.

#[path = "../core/benches/memory/mod.rs"]
mod account;

use burn::tensor::Device;
use tag2mask_core::backbone::weights::RandomSource;
use tag2mask_core::dataset::batch::Batch;
use tag2mask_core::memory::{Processor, Split, Work, peak, weights};
use tag2mask_core::method::registry::Visitor;
use tag2mask_core::method::{LearnerConfig, Setup, Supervision, groups};
use tag2mask_core::optim::Sgd;
use tag2mask_core::run::Settings;
use tag2mask_core::run::settings::{BackboneName, MethodName, OptimizerSettings};
use tag2mask_core::run::step::learn;

#[global_allocator]
static ALLOCATOR: account::Counting = account::Counting;

const THREADS: usize = 2;

/// Most bytes at once in a step, once there are velocities.
fn measured(work: &Work, split: Split) -> usize {
    let Work { backbone, output_stride, .. } = *work;
    let settings = Settings { backbone, output_stride, ..Settings::default() };
    let setup = Setup { settings: &settings, classes: work.classes, steps_per_epoch: 1 };
    work.method.with(&setup, Steps { work, split })
}

struct Steps<'a> {
    work: &'a Work,
    split: Split,
}

impl Visitor for Steps<'_> {
    type Output = usize;

    fn visit<C: LearnerConfig>(self, config: C) -> usize {
        steps(&config, self.work, self.split)
    }
}

/// A step of each kind that methods have, but for the first ones, which warm up.
const STEPS: [usize; 3] = [100, 100, 120];

fn steps<C: LearnerConfig>(config: &C, work: &Work, split: Split) -> usize {
    let Work { batch: images, classes, side, method, .. } = *work;
    let device = Device::flex().autodiff();
    let labels: Vec<f32> = (0..images * classes).map(|index| f32::from(index % classes == 0)).collect();
    let shares: Vec<Vec<f32>> =
        labels.chunks(classes).map(|labels| labels.iter().map(|label| label * 0.2).collect()).collect();
    let boxes = match method.method().supervision() {
        Supervision::Boxes => vec![1.0; images * (classes + 1) * (side / 4).pow(2)],
        Supervision::Labels | Supervision::Masks => Vec::new(),
    };
    let targets = if method.method().supervision() != Supervision::Labels {
        vec![1; images * (side / 4).pow(2)]
    } else {
        Vec::new()
    };
    let batch = Batch {
        items: (0..images).collect(),
        side,
        images: (0..images * 3 * side * side).map(|index| (index % 97) as f32 / 48.0 - 1.0).collect(),
        labels,
        seeds: vec![1; images],
        targets,
        boxes,
    };
    // Photos are the host's, and there before the step.
    let before = account::restart();
    let mut learner = config.init(&mut RandomSource::new(0), &device).unwrap();
    let mut sgd =
        Sgd::new(OptimizerSettings::default(), groups::<C::Learner>(&config.names(&device).unwrap()));
    let mut peak = 0;
    for step in STEPS {
        account::restart();
        let learned = learn(&learner, &batch, &shares, step, split, &device);
        learner = sgd.step(learner, learned.gradients, 1e-4);
        peak = peak.max(account::peak() - before);
    }
    peak
}

#[test]
fn predictions_are_within_a_fifth_of_what_steps_take() {
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().unwrap();
    let work = |backbone: BackboneName, method, side, batch| Work {
        backbone,
        output_stride: if backbone.trains_from_scratch() { 8 } else { backbone.output_strides()[0] },
        method,
        classes: 14,
        side,
        batch,
    };
    use BackboneName::{MobilenetV2, Resnet18, Resnet38, Resnet50, Tiny};
    use MethodName::{AdaptiveAffinity, AdversarialErasing, Box2Seg, Cam, Deeplab, SpatialBce};
    let whole = |work: Work, recompute| (work, Split { micro_batch: work.batch, recompute });
    let cases = [
        whole(work(Tiny, SpatialBce, 160, 8), false),
        whole(work(Tiny, SpatialBce, 160, 8), true),
        whole(work(MobilenetV2, SpatialBce, 112, 8), false),
        whole(work(MobilenetV2, SpatialBce, 112, 8), true),
        whole(work(MobilenetV2, SpatialBce, 224, 1), false),
        (work(MobilenetV2, SpatialBce, 160, 4), Split { micro_batch: 2, recompute: false }),
        whole(work(MobilenetV2, Cam, 112, 4), false),
        whole(work(MobilenetV2, Deeplab, 112, 4), false),
        whole(work(MobilenetV2, AdversarialErasing, 112, 4), false),
        whole(work(MobilenetV2, Box2Seg, 112, 4), false),
        whole(work(MobilenetV2, AdaptiveAffinity, 112, 4), false),
        whole(work(Tiny, AdaptiveAffinity, 128, 8), false),
        whole(work(Tiny, Box2Seg, 128, 8), false),
        whole(work(Resnet18, SpatialBce, 160, 4), false),
        whole(work(Resnet18, SpatialBce, 160, 4), true),
        whole(work(Resnet50, SpatialBce, 112, 1), false),
        whole(work(Resnet50, SpatialBce, 112, 4), false),
        whole(work(Resnet50, SpatialBce, 112, 4), true),
        (work(Resnet50, SpatialBce, 112, 4), Split { micro_batch: 1, recompute: true }),
        whole(work(Resnet38, SpatialBce, 64, 1), false),
        whole(work(Resnet38, SpatialBce, 64, 1), true),
    ];
    let mut wrong = Vec::new();
    for (work, split) in cases {
        let predicted = peak(&work, split, Processor::Cpu { threads: THREADS });
        let measured = measured(&work, split);
        let off = 100.0 * (predicted as f64 / measured as f64 - 1.0);
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        let line = format!(
            "{} {} {} px x{} by {}{}: predicted {:.0}, took {:.0} MiB ({off:+.0} %), weights {:.0}",
            work.backbone.id(),
            work.method.id(),
            work.side,
            work.batch,
            split.micro_batch,
            if split.recompute { " computed twice" } else { "" },
            mib(predicted as f64),
            mib(measured as f64),
            mib(weights(&work) as f64),
        );
        println!("{line}");
        if off.abs() > 20.0 {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
