//! Labels of the pixels that the classification branch is sure of (Araslanov & Roth, CVPR 2020; METHODS §3
//! [code]).

use burn::tensor::{Tensor, TensorData};

/// A pixel votes for the background above this part of the largest probability of background in the image.
const BACKGROUND_SHARE: f32 = 0.7;
/// The same for a class.
const CLASS_SHARE: f32 = 0.6;
/// A pixel votes above this probability only.
const LOWEST: f32 = 0.2;

/// Labels of pixels, and how sure each is.
#[derive(Debug, Clone)]
pub struct PseudoLabels {
    /// 1 at each pixel's label, `[N, C + 1, h, w]`, background first; all 0 where a pixel has none (255 in
    /// label maps).
    pub targets: Tensor<4>,
    /// The probability of the pixel's label, `[N, 1, h, w]`, 0 to 1; 0 where it has none. That it weighs
    /// pairs of pixels and embeddings is ours: METHODS §3 [ours].
    pub confidence: Tensor<4>,
}

impl PseudoLabels {
    /// Gives a pixel the label that it votes for, where that is exactly one.
    ///
    /// `masks`: `[N, C + 1, h, w]`, background first, untracked; 0 where a class is not in the image, which
    /// then gets no pixel.
    pub fn of(masks: Tensor<4>) -> Self {
        let labels = masks.dims()[1];
        let share = |label: usize| if label == 0 { BACKGROUND_SHARE } else { CLASS_SHARE };
        let shares = TensorData::new((0..labels).map(share).collect::<Vec<_>>(), [1, labels, 1, 1]);
        let shares = Tensor::<4>::from_data(shares, &masks.device());
        let thresholds = (masks.clone().max_dims(&[2, 3]) * shares).clamp_min(LOWEST);
        let votes = masks.clone().greater(thresholds.expand(masks.dims())).float();
        let single = votes.clone().sum_dim(1).equal_elem(1.0f32).float();
        let targets = votes * single;
        let confidence = (masks * targets.clone()).sum_dim(1);
        Self { targets, confidence }
    }

    /// These, but in images that have a mask, accepted or drawn, its labels with all confidence: ours.
    ///
    /// `given`: as [`targets`](Self::targets); all 0 in an image without a mask, and where a mask says nothing.
    pub fn with_given(self, given: Tensor<4>) -> Self {
        let known = given.clone().sum_dim(1);
        let others = known.clone().max_dims(&[2, 3]).neg() + 1.0;
        Self { targets: self.targets * others.clone() + given, confidence: self.confidence * others + known }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn labels(masks: &[f32], labels: usize) -> (Vec<f32>, Vec<f32>) {
        let shape = [1, labels, 1, masks.len() / labels];
        let masks = Tensor::from_data(TensorData::new(masks.to_vec(), shape), &Device::flex());
        let found = PseudoLabels::of(masks);
        let values = |x: Tensor<4>| x.into_data().try_to_vec::<f32>().unwrap();
        (values(found.targets), values(found.confidence))
    }

    #[test]
    fn one_vote_makes_a_label_and_two_make_none() {
        // Thresholds: background 0.7 · 0.9 = 0.63, the class 0.6 · 0.5 = 0.3, absent 0.2.
        let masks = [0.9, 0.5, 0.64, 0.1, 0.1, 0.5, 0.36, 0.29, 0.0, 0.0, 0.0, 0.0];
        let (targets, confidence) = labels(&masks, 3);
        assert_eq!(targets, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(confidence, [0.9, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn a_given_mask_stands_in_the_place_of_votes() {
        let tensor = |values: &[f32], shape: [usize; 4]| {
            Tensor::<4>::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
        };
        // Two images of two pixels; of the first one pixel is given, of the second nothing.
        let voted = PseudoLabels {
            targets: tensor(&[1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0], [2, 2, 1, 2]),
            confidence: tensor(&[0.5, 0.6, 0.7, 0.8], [2, 1, 1, 2]),
        };
        let found = voted.with_given(tensor(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [2, 2, 1, 2]));
        let values = |x: Tensor<4>| x.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values(found.targets), [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        assert_eq!(values(found.confidence), [1.0, 0.0, 0.7, 0.8]);
    }

    #[test]
    fn nobody_votes_for_what_is_nowhere_likely() {
        let (targets, confidence) = labels(&[0.19, 0.1, 0.05, 0.2], 2);
        assert_eq!((targets, confidence), (vec![0.0; 4], vec![0.0; 2]));
    }
}
