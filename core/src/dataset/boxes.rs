//! Boxes around objects.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Dataset, Item};
use crate::error::{Error, Result};

/// Where one object is, as a box. Edges lie between pixels: a box that covers only the first pixel goes
/// from 0, 0 to 1, 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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

    /// Columns and rows of those cells of a grid laid over the image whose centres the box covers: at least
    /// one, that of its own centre. `image` is columns and rows, pixels; `grid` columns and rows, cells, of
    /// which there must be some.
    pub fn cells(&self, image: (u32, u32), grid: (usize, usize)) -> (Range<usize>, Range<usize>) {
        (covered(self.x0, self.x1, image.0, grid.0), covered(self.y0, self.y1, image.1, grid.1))
    }
}

impl Item {
    /// Its boxes on the image as it was decoded, of `width` and `height` pixels.
    pub fn boxes_on(&self, (width, height): (u32, u32)) -> Vec<ObjectBox> {
        let across = width as f32 / self.width.max(1) as f32;
        let down = height as f32 / self.height.max(1) as f32;
        let scale = |object: &ObjectBox| ObjectBox {
            class: object.class,
            x0: object.x0 * across,
            y0: object.y0 * down,
            x1: object.x1 * across,
            y1: object.y1 * down,
        };
        self.boxes.iter().map(scale).collect()
    }
}

impl Dataset {
    /// Gives an image these boxes instead of its own. Its labels become `labels`, those that it came with, and
    /// the classes of its boxes. An image that is not there is left alone.
    ///
    /// # Errors
    /// [`Error::Format`] when boxes cannot be boxes of the image: those are left out, the others taken.
    pub fn set_boxes(&mut self, image: usize, boxes: &[ObjectBox], labels: &[u16]) -> Result<()> {
        let classes = self.classes.len();
        let Some(item) = self.items.get_mut(image) else { return Ok(()) };
        let size = (item.width, item.height);
        let mut refused = Vec::new();
        item.boxes.clear();
        for object in boxes {
            let class = usize::from(object.class);
            let edges = [object.x0, object.y0, object.x1, object.y1];
            match if class < classes { ObjectBox::fit(class, edges, size) } else { Err("has no known class") }
            {
                Ok(fitting) => item.boxes.push(fitting),
                Err(reason) => refused.push(reason),
            }
        }
        let classes: BTreeSet<u16> =
            labels.iter().copied().chain(item.boxes.iter().map(|object| object.class)).collect();
        item.labels = classes.into_iter().collect();
        match refused.first() {
            None => Ok(()),
            Some(reason) => Err(Error::Format {
                path: item.path.clone(),
                reason: format!("{} of {} boxes cannot be: one {reason}", refused.len(), boxes.len()),
            }),
        }
    }
}

/// Where boxes of each class are, on a grid of `side` by `side` cells over an image of `image` columns and
/// rows, pixels: `[classes + 1, side, side]`, 1 in channel `c + 1` where a box of class `c` covers the centre
/// of the cell, as in [`ObjectBox::cells`], and 1 in channel 0 where none does. B of Kulharia et al.,
/// "Box2Seg", ECCV 2020. `mirrored` is left-right. Boxes of classes beyond `classes` are left out.
pub fn coverage(
    boxes: &[ObjectBox],
    classes: usize,
    image: (u32, u32),
    side: usize,
    mirrored: bool,
) -> Vec<f32> {
    let area = side * side;
    let mut covered = vec![0.0; (classes + 1) * area];
    covered[..area].fill(1.0);
    if area == 0 {
        return covered;
    }
    for object in boxes.iter().filter(|object| usize::from(object.class) < classes) {
        let (columns, rows) = object.cells(image, (side, side));
        let columns = if mirrored { side - columns.end..side - columns.start } else { columns };
        for row in rows {
            let line = |channel: usize| channel * area + row * side + columns.start;
            for (channel, value) in [(usize::from(object.class) + 1, 1.0), (0, 0.0)] {
                covered[line(channel)..][..columns.len()].fill(value);
            }
        }
    }
    covered
}

/// The cells, of `cells` over `length` pixels, whose centres lie between two edges; that in the middle where
/// there are none.
fn covered(from: f32, to: f32, length: u32, cells: usize) -> Range<usize> {
    let scale = cells as f64 / f64::from(length.max(1));
    // What is no number becomes 0.
    let at = |edge: f64| (edge * scale - 0.5).ceil() as usize;
    let (first, end) = (at(from.into()), at(to.into()).min(cells));
    if first < end {
        return first..end;
    }
    let middle = (0.5 * (f64::from(from) + f64::from(to)) * scale) as usize;
    let middle = middle.min(cells.saturating_sub(1));
    middle..middle + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::read;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::files::FileSet;

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

    #[test]
    fn an_image_gets_other_boxes_and_their_labels() {
        let files = sample::files(&SampleSettings { images: 2, size: 32, seed: 0 });
        let mut dataset = read(&FileSet::memory(files), &mut |_, _| {}).unwrap();
        let (own, other) = (dataset.items[1].labels.clone(), dataset.items[0].clone());
        let object = |class, x1| ObjectBox { class, x0: 1.0, y0: 2.0, x1, y1: 8.0 };
        dataset.set_boxes(1, &[object(2, 9.0), object(0, 9.0)], &[1]).unwrap();
        assert_eq!(dataset.items[1].boxes, [object(2, 9.0), object(0, 9.0)]);
        assert_eq!(dataset.items[1].labels, [0, 1, 2]);
        let error =
            dataset.set_boxes(1, &[object(9, 9.0), object(0, 9.0), object(0, 90.0)], &own).unwrap_err();
        assert!(error.to_string().starts_with("2 of 3 boxes cannot be: one has no known class: "), "{error}");
        assert_eq!(dataset.items[1].boxes, [object(0, 9.0)]);
        dataset.set_boxes(1, &[], &own).unwrap();
        assert_eq!((&dataset.items[1].labels, dataset.items[1].boxes.len()), (&own, 0));
        dataset.set_boxes(7, &[object(0, 9.0)], &[]).unwrap();
        assert_eq!((&dataset.items[0].labels, &dataset.items[0].boxes), (&other.labels, &other.boxes));
    }

    #[test]
    fn a_box_covers_the_cells_whose_centres_are_in_it() {
        let object = |x0, y0, x1, y1| ObjectBox { class: 0, x0, y0, x1, y1 };
        // On pixels, whole edges are what they say.
        assert_eq!(object(3.0, 0.0, 7.0, 1.0).cells((40, 30), (40, 30)), (3..7, 0..1));
        assert_eq!(object(3.4, 0.6, 7.6, 1.6).cells((40, 30), (40, 30)), (3..8, 1..2));
        // Centres of a 4 × 3 grid over 40 × 30 pixels are at 5, 15, …
        assert_eq!(object(5.0, 5.1, 15.0, 25.1).cells((40, 30), (4, 3)), (0..1, 1..3));
        assert_eq!(object(0.0, 0.0, 40.0, 30.0).cells((40, 30), (4, 3)), (0..4, 0..3));
        // One that covers none has that of its own centre.
        assert_eq!(object(6.0, 26.0, 9.0, 29.0).cells((40, 30), (4, 3)), (0..1, 2..3));
        assert_eq!(object(38.0, 29.0, 40.0, 30.0).cells((40, 30), (4, 3)), (3..4, 2..3));
        let off = object(f32::NAN, 50.0, f32::INFINITY, 60.0).cells((40, 30), (4, 3));
        assert_eq!(off, (0..4, 2..3));
    }

    #[test]
    fn coverage_has_a_channel_per_class_and_one_for_the_rest() {
        let object = |class, x0, y0, x1, y1| ObjectBox { class, x0, y0, x1, y1 };
        let boxes = [
            object(0, 0.0, 0.0, 20.0, 10.0),
            object(2, 10.0, 0.0, 30.0, 20.0),
            object(2, 39.0, 29.0, 40.0, 30.0),
            object(7, 0.0, 0.0, 40.0, 30.0),
        ];
        let found = coverage(&boxes, 3, (40, 30), 4, false);
        #[rustfmt::skip]
        let expected = [
            [0, 0, 0, 1,  1, 0, 0, 1,  1, 0, 0, 1,  1, 1, 1, 0],
            [1, 1, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0],
            [0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0],
            [0, 1, 1, 0,  0, 1, 1, 0,  0, 1, 1, 0,  0, 0, 0, 1],
        ];
        assert_eq!(found, expected.concat().iter().map(|&value| value as f32).collect::<Vec<_>>());
        let mut mirrored = coverage(&boxes, 3, (40, 30), 4, true);
        assert_ne!(mirrored, found);
        mirrored.chunks_exact_mut(4).for_each(<[f32]>::reverse);
        assert_eq!(mirrored, found);
        assert_eq!(coverage(&[], 1, (40, 30), 2, true), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(coverage(&boxes, 3, (40, 30), 0, false).is_empty());
    }
}
