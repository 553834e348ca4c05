//! Masks that a data set gives as outlines of objects.

use crate::masks::Objects;
use crate::masks::objects::Object;

/// Steps that painting the mask of an image may take, by its pixels: as objects overlap, and COCO's have up
/// to hundreds of points.
const STEPS_PER_PIXEL: u64 = 256;
/// Steps that it may take in any image, however small.
const LEAST_STEPS: u64 = 1 << 24;

/// Where the objects of an image are, as a data set gives them.
pub(super) struct GivenMask {
    /// The size that the file states, where it does: columns and rows, pixels.
    pub(super) size: Option<(i64, i64)>,
    /// The objects, or why they make no mask.
    pub(super) objects: Result<Vec<Object>, String>,
}

impl GivenMask {
    /// The mask of an image that turned out to be of this size.
    pub(super) fn of_size(self, width: u32, height: u32) -> Result<Objects, String> {
        let objects = self.objects?;
        if let Some((columns, rows)) = self.size.filter(|&size| size != (width.into(), height.into())) {
            return Err(format!(
                "The annotations say {columns} × {rows} pixels, the image has {width} × {height}."
            ));
        }
        if !objects.iter().all(|object| object.outline.is_of_size(width, height)) {
            return Err(format!("An outline is of another size than the image's {width} × {height} pixels."));
        }
        let most = (u64::from(width) * u64::from(height) * STEPS_PER_PIXEL).max(LEAST_STEPS);
        let steps = |object: &Object| object.outline.work(width as usize, height as usize);
        if objects.iter().map(steps).fold(0, u64::saturating_add) > most {
            return Err("Its outlines are more than can be painted in reasonable time.".into());
        }
        Ok(Objects::new(width, height, objects))
    }
}
