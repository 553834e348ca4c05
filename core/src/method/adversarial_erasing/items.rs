//! What is erased: every class of every image, one at a time.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Pairs of an image and a class that it has. There is always one to work on: a batch without labels gives
/// its first image and class, which count for nothing, so that the same parameters learn from every part of
/// a batch.
pub struct Items {
    pairs: Vec<[usize; 2]>,
    /// Pairs that count.
    count: usize,
    classes: usize,
}

impl Items {
    /// Those of `labels`, `[N, classes]` row-major.
    pub fn of(labels: &[f32], classes: usize) -> Self {
        let classes = classes.max(1);
        let place = |index: usize| [index / classes, index % classes];
        let present = labels.iter().enumerate().filter(|(_, label)| **label > 0.5);
        let mut pairs: Vec<_> = present.map(|(index, _)| place(index)).collect();
        let count = pairs.len();
        if pairs.is_empty() {
            pairs.push([0, 0]);
        }
        Self { pairs, count, classes }
    }

    /// Pairs that count, over the `present` ones of the whole batch: the weight of these items' mean.
    pub fn share(&self, present: usize) -> f32 {
        self.count as f32 / present.max(1) as f32
    }

    /// Each item's image, by number.
    pub fn images(&self) -> impl Iterator<Item = usize> {
        self.pairs.iter().map(|&[image, _]| image)
    }

    /// Each item's class.
    pub fn classes(&self) -> impl Iterator<Item = usize> {
        self.pairs.iter().map(|&[_, class]| class)
    }

    /// The row of each item's image: `[N, …]` to `[P, …]`.
    pub fn rows<const D: usize>(&self, of: Tensor<D>) -> Tensor<D> {
        let device = of.device();
        of.select(0, indices(self.images(), &device))
    }

    /// The map of each item's class: `[N, C, h, w]` to `[P, 1, h, w]`. Can be learned through.
    pub fn maps(&self, of: Tensor<4>) -> Tensor<4> {
        let [count, classes, height, width] = of.dims();
        let device = of.device();
        let planes = self.pairs.iter().map(|[image, class]| image * classes + class);
        of.reshape([count * classes, 1, height, width]).select(0, indices(planes, &device))
    }

    /// 1 at each item's class, `[P, C]`; 0 where it counts for nothing.
    pub fn one_hot(&self, device: &Device) -> Tensor<2> {
        let mut values = vec![0.0f32; self.pairs.len() * self.classes];
        for (row, [_, class]) in values.chunks_exact_mut(self.classes).zip(&self.pairs).take(self.count) {
            row[*class] = 1.0;
        }
        Tensor::from_data(TensorData::new(values, [self.pairs.len(), self.classes]), device)
    }
}

fn indices(values: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = values.map(|value| value as i32).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_present_class_is_an_item_and_nothing_counts_for_nothing() {
        let device = Device::flex();
        let items = Items::of(&[0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 3);
        assert_eq!(items.images().zip(items.classes()).collect::<Vec<_>>(), [(0, 1), (0, 2), (2, 0)]);
        assert_eq!(items.share(6), 0.5);
        let values = |tensor: Tensor<4>| -> Vec<f32> { tensor.into_data().try_to_vec().unwrap() };
        let numbers: Vec<f32> = (0..18).map(|index| index as f32).collect();
        let numbers = Tensor::from_data(TensorData::new(numbers, [3, 3, 1, 2]), &device);
        assert_eq!(values(items.maps(numbers.clone())), [2.0, 3.0, 4.0, 5.0, 12.0, 13.0]);
        assert_eq!(values(items.rows(numbers))[12..], [12.0, 13.0, 14.0, 15.0, 16.0, 17.0]);
        let hot: Vec<f32> = items.one_hot(&device).into_data().try_to_vec().unwrap();
        assert_eq!(hot, [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);

        let none = Items::of(&[0.0; 6], 3);
        assert_eq!((none.images().count(), none.share(4)), (1, 0.0));
        let hot: Vec<f32> = none.one_hot(&device).into_data().try_to_vec().unwrap();
        assert_eq!(hot, [0.0; 3]);
    }
}
