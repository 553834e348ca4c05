//! A mask as its objects, painted when it is asked for.

use super::{LabelMap, Outline};

/// One object of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Value in the mask: `c + 1` for class `c`.
    pub label: u8,
    /// Whether it is a region with many, drawn around all of them.
    pub crowd: bool,
    /// Its pixels.
    pub outline: Outline,
}

/// The objects of an image, in the order that they are painted in.
#[derive(Debug, Clone, PartialEq)]
pub struct Objects {
    width: usize,
    height: usize,
    objects: Box<[Object]>,
}

impl Objects {
    /// The mask of an image of this size, pixels. Where objects overlap, the smaller lies on top of the
    /// larger; crowds, which are drawn coarsely, lie below all others.
    pub fn new(width: u32, height: u32, objects: Vec<Object>) -> Self {
        let with_area = |object: Object| (object.outline.area(), object);
        let mut measured: Vec<(f64, Object)> = objects.into_iter().map(with_area).collect();
        measured.sort_by(|(area_a, a), (area_b, b)| b.crowd.cmp(&a.crowd).then(area_b.total_cmp(area_a)));
        let objects = measured.into_iter().map(|(_, object)| object).collect();
        Self { width: width as usize, height: height as usize, objects }
    }

    /// Its labels.
    pub fn paint(&self) -> LabelMap {
        let mut map = LabelMap::background(self.width, self.height);
        for object in &self.objects {
            object.outline.fill(self.width, self.height, |pixels| {
                if let Some(pixels) = map.labels.get_mut(pixels) {
                    pixels.fill(object.label);
                }
            });
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(label: u8, crowd: bool, from: f32, to: f32) -> Object {
        let outline = Outline::polygons(&[vec![from, from, to, from, to, to, from, to]]).unwrap();
        Object { label, crowd, outline }
    }

    #[test]
    fn smaller_objects_lie_on_top_and_crowds_below() {
        let objects = vec![square(1, false, 2.0, 4.0), square(2, false, 1.0, 6.0), square(3, true, 0.0, 3.0)];
        let map = Objects::new(6, 6, objects).paint();
        let at = |x: usize, y: usize| map.labels[y * 6 + x];
        assert_eq!((at(3, 3), at(1, 1), at(5, 5), at(0, 0), at(5, 0)), (1, 2, 2, 3, 0));
    }
}
