//! Small pictures and previews, in bounded number.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// An image as the screen wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// RGBA, row-major.
    pub rgba: Vec<u8>,
}

/// What the network sees in one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Round, from 0.
    pub round: usize,
    /// Step of the round.
    pub step: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Strongest present class + 1, or 0.
    pub labels: Vec<u8>,
    /// Its strength, 0 to 255.
    pub strength: Vec<u8>,
}

/// Pictures by image index.
#[derive(Debug, Default)]
pub struct Pictures {
    thumbnails: HashMap<usize, Arc<Picture>>,
    /// When an image was last asked for.
    wanted: HashMap<usize, u64>,
    clock: u64,
    asked: HashSet<usize>,
    large_wanted: Option<usize>,
    large: Option<Arc<Picture>>,
    previews: BTreeMap<usize, Arc<Preview>>,
    altered: BTreeMap<usize, Arc<Picture>>,
}

impl Pictures {
    /// Longest side of a small picture, pixels.
    pub const SIDE: usize = 320;
    /// Longest side of the one large picture, pixels.
    pub const LARGE_SIDE: usize = 1280;
    /// Most small pictures kept: some 60 MB.
    const KEPT: usize = 192;

    /// Of `images`, those that must be asked for; they count as asked from now on. What is seen was asked for
    /// last, and goes last.
    pub fn ask(&mut self, images: &[usize]) -> Vec<usize> {
        self.clock += 1;
        self.wanted.extend(images.iter().map(|&image| (image, self.clock)));
        images
            .iter()
            .copied()
            .filter(|image| !self.thumbnails.contains_key(image) && self.asked.insert(*image))
            .collect()
    }

    /// Asks for one image in large.
    pub fn ask_large(&mut self, image: usize) {
        self.large_wanted = Some(image);
        self.large = None;
    }

    /// Takes a picture that came.
    pub fn add_thumbnail(&mut self, image: usize, width: usize, height: usize, rgba: Vec<u8>) {
        if width == 0 || height == 0 || rgba.len() != width * height * 4 {
            return;
        }
        let picture = Arc::new(Picture { width, height, rgba });
        if self.large_wanted == Some(image) && self.large.as_ref().is_none_or(|large| large.width < width) {
            self.large = Some(picture.clone());
        }
        if width.max(height) > Self::SIDE {
            return;
        }
        self.asked.remove(&image);
        self.thumbnails.insert(image, picture);
        while self.thumbnails.len() > Self::KEPT {
            let asked_at = |&&image: &&usize| (self.wanted.get(&image).copied().unwrap_or(0), image);
            let Some(&oldest) = self.thumbnails.keys().min_by_key(asked_at) else { break };
            self.thumbnails.remove(&oldest);
        }
    }

    /// The small picture of an image.
    pub fn thumbnail(&self, image: usize) -> Option<Arc<Picture>> {
        self.thumbnails.get(&image).cloned()
    }

    /// The large picture, if it is this image's; the small one until then.
    pub fn large(&self, image: usize) -> Option<Arc<Picture>> {
        let large = self.large.clone().filter(|_| self.large_wanted == Some(image));
        large.or_else(|| self.thumbnail(image))
    }

    /// Takes what the network sees now.
    pub fn add_preview(&mut self, image: usize, preview: Preview) {
        let pixels = preview.width * preview.height;
        if pixels > 0 && preview.labels.len() == pixels && preview.strength.len() == pixels {
            self.previews.insert(image, Arc::new(preview));
        }
    }

    /// What the network saw last in an image.
    pub fn preview(&self, image: usize) -> Option<Arc<Preview>> {
        self.previews.get(&image).cloned()
    }

    /// Takes what the method makes of an image now.
    pub fn add_altered(&mut self, image: usize, side: usize, rgba: Vec<u8>) {
        if side > 0 && rgba.len() == side * side * 4 {
            self.altered.insert(image, Arc::new(Picture { width: side, height: side, rgba }));
        }
    }

    /// What the method made of an image last.
    pub fn altered(&self, image: usize) -> Option<Arc<Picture>> {
        self.altered.get(&image).cloned()
    }

    /// Whether the method changes images.
    pub fn has_altered(&self) -> bool {
        !self.altered.is_empty()
    }

    /// Forgets the previews, before another run.
    pub fn clear_previews(&mut self) {
        self.previews.clear();
        self.altered.clear();
    }

    /// What was asked of a trainer that is gone will not come.
    pub fn forget_requests(&mut self) {
        self.asked.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_asked_for_once_and_kept_in_bounded_number() {
        let mut pictures = Pictures::default();
        assert_eq!(pictures.ask(&[1, 2, 2]), vec![1, 2]);
        assert_eq!(pictures.ask(&[1, 3]), vec![3]);
        pictures.add_thumbnail(1, 1, 1, vec![0; 4]);
        assert!(pictures.ask(&[1]).is_empty());
        pictures.forget_requests();
        assert_eq!(pictures.ask(&[1, 2]), vec![2]);
        for image in 0..1000 {
            pictures.add_thumbnail(image, 1, 1, vec![0; 4]);
        }
        assert_eq!(pictures.thumbnails.len(), Pictures::KEPT);
        assert!(pictures.thumbnail(999).is_some());
        assert!(pictures.thumbnail(3).is_some(), "of those that were asked for, one is left");
        pictures.ask(&(5000..5200).collect::<Vec<_>>());
        (5000..5100).for_each(|image| pictures.add_thumbnail(image, 1, 1, vec![0; 4]));
        assert!((5000..5100).all(|image| pictures.thumbnail(image).is_some()), "what is seen stays");
        assert_eq!(pictures.ask(&[0]), vec![0], "what was dropped is asked for again");
    }

    #[test]
    fn pictures_of_the_wrong_length_are_refused() {
        let mut pictures = Pictures::default();
        pictures.add_thumbnail(0, 2, 2, vec![0; 4]);
        assert!(pictures.thumbnail(0).is_none());
        let preview =
            Preview { round: 0, step: 0, width: 2, height: 2, labels: vec![0; 4], strength: vec![0; 3] };
        pictures.add_preview(0, preview);
        assert!(pictures.preview(0).is_none());
        pictures.add_altered(0, 2, vec![0; 15]);
        assert!(!pictures.has_altered());
    }

    #[test]
    fn the_large_picture_replaces_the_small_one() {
        let mut pictures = Pictures::default();
        pictures.add_thumbnail(5, 320, 1, vec![0; 1280]);
        pictures.ask_large(5);
        assert_eq!(pictures.large(5).map(|p| p.width), Some(320));
        pictures.add_thumbnail(5, 640, 1, vec![0; 2560]);
        assert_eq!(pictures.large(5).map(|p| p.width), Some(640));
        assert_eq!(pictures.thumbnail(5).map(|p| p.width), Some(320));
    }
}
