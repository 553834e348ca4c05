//! What a drag makes of a box. Points and edges are pixels of the photo.

use tag2mask_core::dataset::ObjectBox;

use crate::model::box_place::Point;

/// Least width and height of a box that is drawn, pixels.
pub(super) const SMALLEST: f32 = 4.0;

/// The box between two corners.
pub(super) fn span(class: u16, a: Point, b: Point) -> ObjectBox {
    ObjectBox { class, x0: a.0.min(b.0), y0: a.1.min(b.1), x1: a.0.max(b.0), y1: a.1.max(b.1) }
}

/// The edges that are within reach of a point. Inside, they leave the middle half of the box free, to hold it.
pub(super) fn edges_at(object: &ObjectBox, at: Point, reach: f32) -> Option<(i8, i8)> {
    let side = |at: f32, low: f32, high: f32| {
        let inside = reach.min(0.25 * (high - low));
        if at < low - reach || at > high + reach {
            None
        } else if at <= low + inside {
            Some(-1)
        } else if at >= high - inside {
            Some(1)
        } else {
            Some(0)
        }
    };
    let edges = (side(at.0, object.x0, object.x1)?, side(at.1, object.y0, object.y1)?);
    (edges != (0, 0)).then_some(edges)
}

/// The box elsewhere, as far as the photo goes.
pub(super) fn moved(object: &ObjectBox, (dx, dy): Point, (width, height): (f32, f32)) -> ObjectBox {
    let dx = dx.clamp(-object.x0, (width - object.x1).max(-object.x0));
    let dy = dy.clamp(-object.y0, (height - object.y1).max(-object.y0));
    ObjectBox {
        class: object.class,
        x0: object.x0 + dx,
        y0: object.y0 + dy,
        x1: object.x1 + dx,
        y1: object.y1 + dy,
    }
}

/// The box with edges at a point, as far as the photo goes and the other edge is not met.
pub(super) fn pulled(
    object: &ObjectBox,
    (x, y): (i8, i8),
    at: Point,
    (width, height): (f32, f32),
) -> ObjectBox {
    let pull = |edge: i8, at: f32, low: f32, high: f32, length: f32| {
        // One that came smaller may stay so.
        let least = SMALLEST.min(high - low);
        match edge {
            -1 => (at.clamp(0.0, (high - least).max(0.0)), high),
            1 => (low, at.clamp((low + least).min(length), length)),
            _ => (low, high),
        }
    };
    let (x0, x1) = pull(x, at.0, object.x0, object.x1, width);
    let (y0, y1) = pull(y, at.1, object.y0, object.y1, height);
    ObjectBox { class: object.class, x0, y0, x1, y1 }
}
