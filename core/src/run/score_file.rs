//! Score maps of an image as a file for NumPy, map by map: all maps of a large photo together may be more than a
//! browser's memory holds.

use super::checkpoint::Trained;
use super::maps::ImageMaps;
use crate::export::{classes_txt, npy};

/// Beside such files: the name of each map, one per line, in their order.
pub const CHANNELS: &str = "channels.txt";

/// What a network says of every class at every pixel of an image, before thresholds and refinement; of a segmentation
/// network also of the background, first. Logits, float32, `[maps, height, width]`.
pub struct ScoreFile {
    maps: ImageMaps,
    width: usize,
    height: usize,
}

impl ScoreFile {
    pub(super) fn new(maps: ImageMaps, (width, height): (usize, usize)) -> Self {
        Self { maps, width, height }
    }

    /// Maps, height and width.
    pub fn shape(&self) -> [usize; 3] {
        [self.maps.channels(), self.height, self.width]
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        let values: u64 = self.shape().into_iter().map(|side| side as u64).product();
        npy::header_f32(&self.shape()).len() as u64 + values * size_of::<f32>() as u64
    }

    /// The file, in parts: its header, then a map each.
    pub fn parts(&self) -> impl Iterator<Item = Vec<u8>> {
        let map = |channel| {
            let map = self.maps.score_maps(&[channel as u16], self.width, self.height);
            npy::data_f32(&map.values)
        };
        std::iter::once(npy::header_f32(&self.shape())).chain((0..self.maps.channels()).map(map))
    }
}

/// [`CHANNELS`] of the maps of a network.
pub fn channels(trained: &Trained) -> Vec<u8> {
    let card = &trained.card;
    // Where nothing is cut at a threshold, the background has a map.
    let has_background = !trained.network.method().reading(&card.settings).has_threshold();
    names(&card.classes, has_background)
}

fn names(classes: &[String], has_background: bool) -> Vec<u8> {
    let named = classes_txt::encode(classes);
    let skipped = if has_background { 0 } else { classes_txt::BACKGROUND.len() + 1 };
    named[skipped..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_long_as_it_says_and_holds_map_after_map() {
        let maps = ImageMaps::of_one_view((2, 1), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let file = ScoreFile::new(maps, (2, 1));
        assert_eq!(file.shape(), [3, 1, 2]);
        let parts: Vec<Vec<u8>> = file.parts().collect();
        assert_eq!(parts.iter().map(|part| part.len() as u64).sum::<u64>(), file.bytes());
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[2], [3.0f32.to_le_bytes(), 4.0f32.to_le_bytes()].concat());
    }

    #[test]
    fn every_map_has_its_name() {
        let classes = ["cow".to_owned(), "näve".to_owned()];
        assert_eq!(names(&classes, false), "cow\nnäve\n".as_bytes());
        assert_eq!(names(&classes, true), "background\ncow\nnäve\n".as_bytes());
    }
}
