//! The facts of a data set, without its bytes.

use super::{Dataset, ImageSummary, Item, Summary};

impl Dataset {
    /// What `inspect` prints and the page shows.
    pub fn summary(&self) -> Summary {
        let mut images_per_class = vec![0; self.classes.len()];
        for &label in self.items.iter().flat_map(|item| &item.labels) {
            if let Some(count) = images_per_class.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        let count = |what: fn(&Item) -> bool| self.items.iter().filter(|item| what(item)).count();
        Summary {
            layout: self.layout,
            finding: self.finding.clone(),
            classes: self.classes.clone(),
            images_per_class,
            without_class: count(|item| item.labels.is_empty()),
            several_classes: count(|item| item.labels.len() > 1),
            with_mask: count(|item| item.mask.is_some()),
            boxes: self.items.iter().map(|item| item.boxes.len()).sum(),
            images: self.items.iter().map(ImageSummary::from).collect(),
            problems: self.problems.clone(),
        }
    }
}

impl From<&Item> for ImageSummary {
    fn from(item: &Item) -> Self {
        Self {
            path: item.path.clone(),
            stem: item.stem.clone(),
            width: item.width,
            height: item.height,
            labels: item.labels.clone(),
            boxes: item.boxes.clone(),
        }
    }
}
