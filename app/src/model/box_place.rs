//! Where a box is: in the window, over its photo, in words.

use tag2mask_core::dataset::ObjectBox;

/// A place on a photo, its pixels.
pub type Point = (f32, f32);

/// Where a photo is in the window, CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Frame {
    /// The place on a photo of this width and height that is shown at a place of the window.
    pub fn at(&self, (x, y): (f64, f64), (width, height): (f32, f32)) -> Point {
        let on = |at: f64, from: f64, shown: f64, length: f32| {
            (f64::from(length) * (at - from) / shown.max(1.0)) as f32
        };
        (on(x, self.left, self.width, width), on(y, self.top, self.height, height))
    }

    /// Pixels of a photo of this width that are as wide as a finger or a pointer's aim.
    pub fn reach(&self, is_finger: bool, (width, _): (f32, f32)) -> f32 {
        let aim = if is_finger { 22.0 } else { 9.0 };
        width * (aim / self.width.max(1.0)) as f32
    }
}

/// A box as it is drawn over a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Foreground class, for its colour.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// Left and upper edge, width and height, percent of the photo.
    pub place: [f32; 4],
}

impl Mark {
    /// A box of a photo of this width and height.
    pub fn new(object: &ObjectBox, size: (f32, f32), classes: &[String]) -> Self {
        let class = usize::from(object.class);
        Self { class, name: classes.get(class).cloned().unwrap_or_default(), place: place(object, size) }
    }
}

/// Left and upper edge, width and height of a box, in percent of a photo of this width and height.
pub fn place(object: &ObjectBox, (width, height): (f32, f32)) -> [f32; 4] {
    let share = |length: f32, of: f32| 100.0 * length / of.max(1.0);
    [
        share(object.x0, width),
        share(object.y0, height),
        share(object.x1 - object.x0, width),
        share(object.y1 - object.y0, height),
    ]
}

/// The same as CSS lengths.
pub fn css(place: [f32; 4]) -> [String; 4] {
    place.map(|share| format!("{share:.3}%"))
}

/// What a box is, in words: "dog, 32 × 24 pixels, 48 from the left, 36 from the top".
pub fn in_words(object: &ObjectBox, class: &str) -> String {
    format!(
        "{class}, {:.0} × {:.0} pixels, {:.0} from the left, {:.0} from the top",
        object.x1 - object.x0,
        object.y1 - object.y0,
        object.x0,
        object.y0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_s_places_become_the_photo_s_and_back() {
        let frame = Frame { left: 100.0, top: 50.0, width: 400.0, height: 200.0 };
        assert_eq!(frame.at((100.0, 50.0), (200.0, 100.0)), (0.0, 0.0));
        assert_eq!(frame.at((400.0, 260.0), (200.0, 100.0)), (150.0, 105.0), "and beyond it");
        assert_eq!(frame.reach(true, (200.0, 100.0)), 11.0);
        assert!(frame.reach(false, (200.0, 100.0)) < frame.reach(true, (200.0, 100.0)));
        let hidden = Frame { left: 0.0, top: 0.0, width: 0.0, height: 0.0 };
        assert!(hidden.at((3.0, 3.0), (200.0, 100.0)).0.is_finite());
        let object = ObjectBox { class: 1, x0: 50.0, y0: 10.0, x1: 100.0, y1: 30.0 };
        assert_eq!(css(place(&object, (200.0, 100.0))), ["25.000%", "10.000%", "25.000%", "20.000%"]);
        assert_eq!(in_words(&object, "dog"), "dog, 50 × 20 pixels, 50 from the left, 10 from the top");
        let mark = Mark::new(&object, (200.0, 100.0), &["cat".into(), "dog".into()]);
        assert_eq!((mark.class, mark.name.as_str()), (1, "dog"));
        assert_eq!(Mark::new(&object, (200.0, 100.0), &[]).name, "");
    }
}
