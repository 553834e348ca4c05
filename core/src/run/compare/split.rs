//! Which photos are learned from, and which are only drawn.

use crate::dataset::{Dataset, Item};

/// A data set in two: what is learned from, and every `k`-th photo by path, which is left out; with 0 none.
pub fn split(dataset: &Dataset, k: usize) -> [Dataset; 2] {
    let mut items: Vec<&Item> = dataset.items.iter().collect();
    items.sort_by(|a, b| a.path.cmp(&b.path));
    let of = |left_out: bool| Dataset {
        layout: dataset.layout,
        finding: dataset.finding.clone(),
        classes: dataset.classes.clone(),
        items: (1..)
            .zip(&items)
            .filter(|(number, _)| (k > 0 && number % k == 0) == left_out)
            .map(|(_, item)| (*item).clone())
            .collect(),
        // Of the whole, and told of once.
        problems: if left_out { Vec::new() } else { dataset.problems.clone() },
    };
    [of(false), of(true)]
}

/// Items to show: in turns the next of each class by path, until there are `most`.
pub(super) fn examples(dataset: &Dataset, most: usize) -> Vec<usize> {
    let of_class = |class: usize| {
        let has = move |&item: &usize| dataset.items[item].labels.iter().any(|&l| usize::from(l) == class);
        (0..dataset.items.len()).filter(has).collect::<Vec<_>>()
    };
    let mut waiting: Vec<_> = (0..dataset.classes.len()).map(|class| of_class(class).into_iter()).collect();
    // Those without a class come last.
    waiting.push((0..dataset.items.len()).collect::<Vec<_>>().into_iter());
    let mut chosen = Vec::new();
    while chosen.len() < most.min(dataset.items.len()) {
        let classes = waiting.len() - 1;
        for class in 0..waiting.len() {
            let is_rest = class == classes;
            if chosen.len() >= most || is_rest && waiting[..classes].iter().any(|items| items.len() > 0) {
                break;
            }
            if let Some(item) = waiting[class].find(|item| !chosen.contains(item)) {
                chosen.push(item);
            }
        }
    }
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dataset::Layout;
    use crate::files::MemoryBlob;

    /// Photos a0, a1, … of these labels, without bytes.
    pub fn dataset(classes: &[&str], labels: &[&[u16]]) -> Dataset {
        let item = |(index, labels): (usize, &&[u16])| Item {
            path: format!("images/a{index:02}.png"),
            stem: format!("a{index:02}"),
            width: 4,
            height: 3,
            labels: labels.to_vec(),
            image: Arc::new(MemoryBlob::new(Vec::new())),
            boxes: Vec::new(),
            mask: None,
        };
        Dataset {
            layout: Layout::LabelsTable,
            finding: String::new(),
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
            items: labels.iter().enumerate().map(item).collect(),
            problems: Vec::new(),
        }
    }

    fn stems(dataset: &Dataset) -> Vec<&str> {
        dataset.items.iter().map(|item| item.stem.as_str()).collect()
    }

    #[test]
    fn every_kth_photo_by_path_is_left_out_whatever_the_order() {
        let cow: &[u16] = &[0];
        let mut all = dataset(&["cow"], &[cow; 7]);
        let [training, left_out] = split(&all, 3);
        assert_eq!(stems(&left_out), ["a02", "a05"]);
        assert_eq!(stems(&training), ["a00", "a01", "a03", "a04", "a06"]);
        all.items.reverse();
        assert_eq!(stems(&split(&all, 3)[1]), ["a02", "a05"]);
        let [training, left_out] = split(&all, 0);
        assert_eq!((training.items.len(), left_out.items.len()), (7, 0));
        assert_eq!(split(&all, 1)[0].items.len(), 0);
    }

    #[test]
    fn examples_are_of_every_class_in_turns() {
        // Four of the first class, one of the second, one of both, one of none.
        let all = dataset(&["cow", "dog"], &[&[0], &[0], &[0], &[0], &[], &[1], &[0, 1]]);
        assert_eq!(examples(&all, 2), [0, 5]);
        assert_eq!(examples(&all, 4), [0, 1, 5, 6]);
        assert_eq!(examples(&all, 6), [0, 1, 2, 3, 5, 6]);
        assert_eq!(examples(&all, 9), [0, 1, 2, 3, 4, 5, 6]);
        assert!(examples(&dataset(&["cow"], &[]), 3).is_empty());
    }
}
