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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    pub use crate::run::examples::tests::dataset;

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
}
