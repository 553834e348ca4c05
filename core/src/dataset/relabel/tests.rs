use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::dataset::sample::{self, SampleSettings};
use crate::dataset::{SuppliedMask, read};
use crate::files::FileSet;
use crate::masks::IGNORE;

fn dataset() -> Dataset {
    let files = sample::files(&SampleSettings { images: 8, size: 64, seed: 0 });
    read(&FileSet::memory(files), &mut |_, _| {}).unwrap()
}

fn counts(relabel: &Relabel, read: &Dataset) -> Vec<usize> {
    relabel.apply(read).summary().images_per_class
}

/// Everything about the data set that the changes can reach.
fn told(dataset: &Dataset) -> (Summary, Vec<Vec<u8>>) {
    let masks =
        dataset.items.iter().filter_map(|item| Some(item.mask.as_ref()?.decode(&item.path).unwrap().labels));
    (dataset.summary(), masks.collect())
}

/// Anything that a file may hold.
fn any(random: &mut ChaCha8Rng, images: usize) -> Relabel {
    let mut fate = || match random.random_range(0..5) {
        0 => Fate::Kept,
        1 => Fate::Removed,
        2 => {
            Fate::Named(["Leukocyte", "x", " ", "a\u{202e}b", "none", "X"][random.random_range(0..6)].into())
        }
        _ => Fate::Merged(random.random_range(0..9)),
    };
    let classes = (0..7).map(|_| fate()).collect();
    let labels =
        (0..4).map(|_| (random.random_range(0..2 * images), vec![7, random.random_range(0..9), 0, 0]));
    Relabel { classes, labels: labels.collect() }
}

#[test]
fn no_changes_change_nothing() {
    let read = dataset();
    let same = Relabel::default();
    assert!(same.is_empty());
    assert_eq!(told(&same.apply(&read)), told(&read));
    assert!(matches!(same.apply(&read).items[1].mask, Some(SuppliedMask::Png(_))), "not even wrapped");
    assert_eq!(same.apply_to_summary(&read.summary()), read.summary());
    // Classes that differ in case alone are as they were read.
    let twins = ["cat", "Cat"].map(str::to_owned);
    assert_eq!(ClassMap::new(&same, &twins).names(), twins);
}

#[test]
fn a_renamed_class_keeps_its_photos() {
    let read = dataset();
    let mut relabel = Relabel::default();
    relabel.rename(&read.classes, 1, "  white  cell\n").unwrap();
    let changed = relabel.apply(&read);
    assert_eq!(changed.classes, ["erythrocyte", "white cell", "bacillus"]);
    assert_eq!(counts(&relabel, &read), counts(&Relabel::default(), &read));
    assert_eq!(told(&changed).1, told(&read).1);
    relabel.rename(&read.classes, 1, "LEUKOCYTE").unwrap();
    assert_eq!(relabel.apply(&read).classes[1], "LEUKOCYTE", "of its own name the case may change");
    relabel.rename(&read.classes, 1, "leukocyte").unwrap();
    assert!(relabel.is_empty());
}

#[test]
fn names_that_cannot_be_are_refused_and_change_nothing() {
    let read = dataset().classes;
    let mut relabel = Relabel::default();
    for (name, fault) in [
        (" \u{200b}", NameFault::Empty),
        ("Background", NameFault::MeansNoClass),
        ("none", NameFault::MeansNoClass),
        ("bacillus ", NameFault::Taken(2)),
        ("BACILLUS", NameFault::Taken(2)),
    ] {
        assert_eq!(relabel.rename(&read, 0, name), Err(fault), "{name:?}");
        assert_eq!(relabel.add(&read, name), Err(fault), "{name:?}");
    }
    assert!(relabel.is_empty());
    assert_eq!(relabel.add(&read, "platelet"), Ok(3));
    assert_eq!(relabel.add(&read, "Platelet"), Err(NameFault::Taken(3)));
    relabel.remove(2);
    assert_eq!(relabel.add(&read, "bacillus"), Ok(4), "the name of a class that is gone is free");
    let many: Vec<String> = (0..254).map(|class| class.to_string()).collect();
    assert_eq!(Relabel::default().add(&many, "one more"), Err(NameFault::Full));
}

#[test]
fn a_merged_class_gives_away_all_it_has() {
    let read = dataset();
    let mut relabel = Relabel::default();
    relabel.merge(0, 2);
    let changed = relabel.apply(&read);
    assert_eq!(changed.classes, ["leukocyte", "bacillus"]);
    for (before, after) in read.items.iter().zip(&changed.items) {
        assert_eq!(after.labels.contains(&1), before.labels.contains(&0) || before.labels.contains(&2));
        assert_eq!(after.labels.contains(&0), before.labels.contains(&1));
        assert_eq!(after.boxes.len(), before.boxes.len());
        let masks =
            [before, after].map(|item| item.mask.as_ref().unwrap().decode(&item.path).unwrap().labels);
        let expected: Vec<u8> = masks[0].iter().map(|&label| [0, 2, 1, 2][usize::from(label)]).collect();
        assert_eq!(masks[1], expected);
    }
    let once = relabel.clone();
    relabel.merge(0, 2);
    relabel.merge(2, 2);
    assert_eq!(relabel, once, "twice is as once");
    // Into what is merged itself.
    relabel.merge(2, 1);
    assert_eq!(relabel.apply(&read).classes, ["leukocyte"]);
    assert!(relabel.apply(&read).items.iter().all(|item| item.labels.len() <= 1));
}

#[test]
fn a_removed_class_is_gone_and_its_pixels_count_nowhere() {
    let read = dataset();
    let mut relabel = Relabel::default();
    relabel.remove(1);
    let changed = relabel.apply(&read);
    assert_eq!(changed.classes, ["erythrocyte", "bacillus"]);
    let only = read.items.iter().position(|item| item.labels == [1]).unwrap();
    assert!(changed.items[only].labels.is_empty() && changed.items[only].boxes.is_empty());
    let mask = |dataset: &Dataset| dataset.items[only].mask.as_ref().unwrap().decode("").unwrap().labels;
    assert_eq!(
        mask(&changed),
        mask(&read).into_iter().map(|label| if label == 2 { IGNORE } else { label }).collect::<Vec<_>>()
    );
    let summary = changed.summary();
    assert_eq!(summary.without_class, read.summary().without_class + 1);
}

#[test]
fn a_photo_has_the_labels_that_were_set_and_those_of_its_boxes() {
    let mut read = dataset();
    read.items[0].boxes = vec![ObjectBox { class: 2, x0: 1.0, y0: 1.0, x1: 9.0, y1: 9.0 }];
    let mut relabel = Relabel::default();
    let added = relabel.add(&read.classes, "platelet").unwrap();
    let map = ClassMap::new(&relabel, &read.classes);
    relabel.set_labels(&map, 0, &read.items[0].labels, &[added, 0, added]);
    let changed = relabel.apply(&read);
    assert_eq!(changed.items[0].labels, [0, 2, 3]);
    assert_eq!(changed.summary().images_per_class[3], 1);
    assert_eq!(changed.items[1].labels, read.items[1].labels);
    relabel.merge(added, 1);
    assert_eq!(relabel.apply(&read).items[0].labels, [0, 1, 2], "labels go the way of their classes");
    let as_read = read.items[0].labels.clone();
    let map = ClassMap::new(&relabel, &read.classes);
    relabel.set_labels(&map, 0, &as_read, &as_read);
    assert!(relabel.labels.is_empty(), "as it was read it needs no entry");
}

#[test]
fn whatever_a_file_says_labels_are_classes_that_are_there() {
    let mut read = dataset();
    read.items[2].boxes = vec![ObjectBox { class: 1, x0: 1.0, y0: 1.0, x1: 9.0, y1: 9.0 }];
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..2000 {
        let relabel = any(&mut random, read.items.len());
        let changed = relabel.apply(&read);
        let (summary, masks) = told(&changed);
        assert_eq!(summary, relabel.apply_to_summary(&read.summary()), "{relabel:?}");
        let classes = changed.classes.len();
        assert!(
            changed
                .classes
                .iter()
                .all(|name| read.classes.contains(name) || clean(name).as_ref() == Some(name))
        );
        for item in &changed.items {
            assert!(
                item.labels
                    .iter()
                    .chain(item.boxes.iter().map(|object| &object.class))
                    .all(|&label| usize::from(label) < classes),
                "{relabel:?}"
            );
            assert!(item.labels.is_sorted_by(|a, b| a < b), "{relabel:?}");
        }
        assert!(
            masks.concat().iter().all(|&label| label == IGNORE || usize::from(label) <= classes),
            "{relabel:?}"
        );
        let text = serde_json::to_string(&relabel).unwrap();
        assert_eq!(serde_json::from_str::<Relabel>(&text).unwrap(), relabel);
    }
}

#[test]
fn boxes_go_to_numbers_and_back() {
    let mut relabel = Relabel::default();
    relabel.remove(1);
    let map = ClassMap::new(&relabel, &["a", "b", "c"].map(str::to_owned));
    let object = |class| ObjectBox { class, x0: 0.0, y0: 0.0, x1: 1.0, y1: 1.0 };
    let all = [object(2), object(1), object(0), object(77)];
    assert_eq!(map.boxes(&all), [object(1), object(0)]);
    assert_eq!(map.numbered(&map.boxes(&all)), [object(2), object(0)]);
    assert!(map.numbered(&[object(2)]).is_empty());
    assert!(!map.is_plain());
    // A class of the same name as one that is gone is another one.
    relabel = Relabel::default();
    let read = ["a".to_owned()];
    relabel.remove(0);
    relabel.add(&read, "a").unwrap();
    let map = ClassMap::new(&relabel, &read);
    assert!(map.names() == read && !map.is_plain() && map.boxes(&[object(0)]).is_empty());
    relabel = Relabel::default();
    relabel.add(&read, "b").unwrap();
    assert!(ClassMap::new(&relabel, &read).is_plain());
}

#[test]
fn a_supplied_mask_with_a_value_that_never_was_one_stays_an_error() {
    let mask = crate::masks::LabelMap { width: 2, height: 1, labels: vec![1, 4] };
    let png = crate::export::palette_png::encode(&mask).unwrap();
    let mut read = dataset();
    read.items[0].mask = Some(SuppliedMask::Png(std::sync::Arc::new(crate::files::MemoryBlob::new(png))));
    let mut relabel = Relabel::default();
    relabel.add(&read.classes, "platelet").unwrap();
    let changed = relabel.apply(&read);
    let error = changed.items[0].mask.as_ref().unwrap().decode("masks/1.png").unwrap_err().to_string();
    assert_eq!(error, "the truth holds label 4, but the classes ended at 3 when it was read: masks/1.png");
}
