//! A run that ends while masks are made between its rounds goes on with the next image.

use super::*;
use crate::dataset::read;
use crate::dataset::sample::{self, SampleSettings};
use crate::method::MethodName;
use crate::run::event::Phase;
use crate::run::host::Control;
use crate::run::settings::BackboneName;
use crate::run::store::{BEGUN, MemoryStore};

/// More than two groups of images.
const IMAGES: usize = 20;

fn dataset() -> Dataset {
    let files = sample::files(&SampleSettings { images: IMAGES, size: 64, seed: 0 });
    read(&FileSet::memory(files), &mut |_, _| {}).unwrap()
}

fn settings(method: MethodName) -> Settings {
    let mut settings =
        Settings { method, backbone: BackboneName::Tiny, size: 64, batch: 10, ..Settings::default() };
    settings.methods.cam.epochs = 1;
    settings.methods.spatial_bce.rounds = 1;
    settings.methods.spatial_bce.epochs = 1;
    settings.methods.spatial_bce.share_scales = vec![1.0];
    settings.methods.box2seg.epochs = 2;
    settings
}

/// Wants to stop once a phase has come so far.
struct Guest {
    phase: Phase,
    stop_at: usize,
    /// How far the phase was, each time that it was told.
    told: Vec<usize>,
    events: Vec<Event>,
}

impl Guest {
    fn new(phase: Phase, stop_at: usize) -> Self {
        Self { phase, stop_at, told: Vec::new(), events: Vec::new() }
    }
}

impl Host for Guest {
    fn emit(&mut self, event: Event) {
        match event {
            Event::Progress { phase, done, .. } if phase == self.phase => self.told.push(done),
            Event::SharesUpdated { .. } | Event::Thresholds { .. } | Event::BoxMasksCut { .. } => {
                self.events.push(event);
            }
            _ => {}
        }
    }

    async fn breathe(&mut self) -> Control {
        if self.told.last().is_some_and(|&done| done >= self.stop_at) {
            Control::Stop
        } else {
            Control::Continue
        }
    }
}

fn go(
    dataset: &Dataset,
    method: MethodName,
    resume: bool,
    guest: &mut Guest,
    store: &mut MemoryStore,
) -> Ending {
    let (settings, compute) = (settings(method), Compute::cpu());
    let run = Run {
        dataset,
        settings: &settings,
        compute: &compute,
        weights: None,
        targets: None,
        previews: &[],
        resume,
    };
    pollster::block_on(train(&run, guest, store)).unwrap()
}

/// Stops in the phase, goes on, and compares with a run that was not stopped: what was made, what was told, and that
/// no image was worked on twice.
fn goes_on(method: MethodName, phase: Phase, made: &[&str]) {
    let dataset = dataset();
    let (mut whole, mut undisturbed) = (MemoryStore::default(), Guest::new(phase, usize::MAX));
    assert_eq!(go(&dataset, method, false, &mut undisturbed, &mut whole), Ending::Finished);
    // Of the images that have a box, where boxes are cut.
    let total = *undisturbed.told.last().unwrap();

    let (mut store, mut first) = (MemoryStore::default(), Guest::new(phase, 1));
    assert_eq!(go(&dataset, method, false, &mut first, &mut store), Ending::Stopped);
    let done = *first.told.last().unwrap();
    assert!(done < total);
    assert!(store.files.contains_key(BEGUN));
    let mut second = Guest::new(phase, usize::MAX);
    assert_eq!(go(&dataset, method, true, &mut second, &mut store), Ending::Finished);
    assert_eq!([first.told, second.told].concat(), undisturbed.told);
    assert_eq!(second.events, undisturbed.events);
    for name in made {
        assert_eq!(store.files.get(*name), whole.files.get(*name), "{name}");
    }
    assert!(!store.files.contains_key(BEGUN), "it is over");
}

#[test]
fn shares_are_measured_on_from_where_they_were() {
    goes_on(
        MethodName::SpatialBce,
        Phase::Shares,
        &[
            "shares-1.json",
            "masks-1.zip",
            "round-0.safetensors",
            "weights.safetensors",
            "optimizer.safetensors",
        ],
    );
}

#[test]
fn boxes_are_cut_on_from_where_they_were() {
    goes_on(MethodName::Box2Seg, Phase::BoxMasks, &["box-masks.zip", "weights.safetensors"]);
}

#[test]
fn masks_of_another_network_are_not_taken_up() {
    let dataset = dataset();
    let (mut store, mut first) = (MemoryStore::default(), Guest::new(Phase::Shares, 1));
    go(&dataset, MethodName::SpatialBce, false, &mut first, &mut store);
    // The same run from its start: other masks may come of it, for instance with other weights.
    let mut again = Guest::new(Phase::Shares, usize::MAX);
    go(&dataset, MethodName::SpatialBce, false, &mut again, &mut store);
    assert_eq!(again.told.len(), IMAGES.div_ceil(first.told[0]));

    // Damaged, it counts for nothing.
    let (mut store, mut first) = (MemoryStore::default(), Guest::new(Phase::Shares, 1));
    go(&dataset, MethodName::SpatialBce, false, &mut first, &mut store);
    store.files.get_mut(BEGUN).unwrap().truncate(200);
    let mut again = Guest::new(Phase::Shares, usize::MAX);
    assert_eq!(go(&dataset, MethodName::SpatialBce, true, &mut again, &mut store), Ending::Finished);
    assert_eq!(again.told.first(), first.told.first());
}

#[test]
fn cuts_of_other_boxes_are_not_taken_up() {
    let mut dataset = dataset();
    let (mut store, mut first) = (MemoryStore::default(), Guest::new(Phase::BoxMasks, 1));
    go(&dataset, MethodName::Box2Seg, false, &mut first, &mut store);
    // As many as before, so that the run's card is the same.
    let moved = dataset.items.iter_mut().flat_map(|item| &mut item.boxes).next().unwrap();
    moved.x1 -= 1.0;
    let mut again = Guest::new(Phase::BoxMasks, usize::MAX);
    assert_eq!(go(&dataset, MethodName::Box2Seg, true, &mut again, &mut store), Ending::Finished);
    assert_eq!(again.told.first(), first.told.first());
}
