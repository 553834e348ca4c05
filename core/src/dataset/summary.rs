//! The facts of a data set, without its bytes.

use super::{Dataset, ImageSummary, Item, Summary};

impl Dataset {
    /// What `inspect` prints and the page shows.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            layout: self.layout,
            finding: self.finding.clone(),
            classes: self.classes.clone(),
            images_per_class: Vec::new(),
            without_class: 0,
            several_classes: 0,
            with_mask: self.items.iter().filter(|item| item.mask.is_some()).count(),
            boxes: 0,
            images: self.items.iter().map(ImageSummary::from).collect(),
            problems: self.problems.clone(),
        };
        summary.count();
        summary
    }
}

impl Summary {
    /// Counts labels and boxes of its images.
    pub(super) fn count(&mut self) {
        self.images_per_class = vec![0; self.classes.len()];
        for &label in self.images.iter().flat_map(|image| &image.labels) {
            if let Some(count) = self.images_per_class.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        self.without_class = self.images.iter().filter(|image| image.labels.is_empty()).count();
        self.several_classes = self.images.iter().filter(|image| image.labels.len() > 1).count();
        self.boxes = self.images.iter().map(|image| image.boxes.len()).sum();
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
