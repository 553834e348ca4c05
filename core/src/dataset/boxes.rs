//! Boxes around objects.

/// Where one object is, as a box. Edges lie between pixels: a box that covers only the first pixel goes
/// from 0, 0 to 1, 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObjectBox {
    /// Index into [`Dataset::classes`](super::Dataset::classes).
    pub class: u16,
    /// Left edge, pixels.
    pub x0: f32,
    /// Upper edge, pixels.
    pub y0: f32,
    /// Right edge, pixels; above `x0`.
    pub x1: f32,
    /// Lower edge, pixels; above `y0`.
    pub y1: f32,
}

/// Pixels that an edge may lie outside the image: annotators round.
const SLACK: f32 = 1.0;

impl ObjectBox {
    /// A box with these left, upper, right and lower edges, cut to an image of `width` and `height`.
    ///
    /// # Errors
    /// What is wrong with it: no numbers, empty, or more than a pixel off the image.
    pub fn fit(
        class: usize,
        [x0, y0, x1, y1]: [f32; 4],
        (width, height): (u32, u32),
    ) -> Result<Self, &'static str> {
        let (width, height) = (width as f32, height as f32);
        if ![x0, y0, x1, y1].iter().all(|edge| edge.is_finite()) {
            return Err("has edges that are no numbers");
        }
        if x0 < -SLACK || y0 < -SLACK || x1 > width + SLACK || y1 > height + SLACK {
            return Err("lies off the image");
        }
        let class = u16::try_from(class).map_err(|_| "has no known class")?;
        let cut = Self { class, x0: x0.max(0.0), y0: y0.max(0.0), x1: x1.min(width), y1: y1.min(height) };
        if cut.x1 <= cut.x0 || cut.y1 <= cut.y0 {
            return Err("is empty");
        }
        Ok(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_cut_to_the_image_or_refused() {
        let fit = |edges| ObjectBox::fit(2, edges, (40, 30));
        let cut = ObjectBox { class: 2, x0: 0.0, y0: 1.5, x1: 40.0, y1: 20.0 };
        assert_eq!(fit([-0.5, 1.5, 40.4, 20.0]), Ok(cut));
        for (edges, reason) in [
            ([0.0, 0.0, 41.5, 10.0], "lies off the image"),
            ([-2.0, 0.0, 4.0, 10.0], "lies off the image"),
            ([5.0, 5.0, 5.0, 10.0], "is empty"),
            ([9.0, 5.0, 5.0, 10.0], "is empty"),
            ([40.5, 5.0, 41.0, 10.0], "is empty"),
            ([0.0, f32::NAN, 5.0, 10.0], "has edges that are no numbers"),
            ([0.0, 0.0, f32::INFINITY, 10.0], "has edges that are no numbers"),
        ] {
            assert_eq!(fit(edges), Err(reason), "{edges:?}");
        }
    }
}
