//! One mark of an annotation.

use super::super::annotated::Said;
use super::super::boxes::{Edges, GivenBox};
use super::super::json::Value;
use crate::masks::Outline;

/// Members that name labels, with what the user calls the marks.
const KINDS: [(&str, &str); 7] = [
    ("choices", "choices"),
    ("rectanglelabels", "rectangles"),
    ("polygonlabels", "polygons"),
    ("brushlabels", "brushes"),
    ("ellipselabels", "ellipses"),
    ("keypointlabels", "key points"),
    ("labels", "labels"),
];

/// Kinds of results that never give a label.
const OTHERS: [&str; 6] = ["relation", "textarea", "rating", "number", "datetime", "pairwise"];

/// Takes what a mark says: `value` holds its labels and place in shares of 100, `outer` the image's size.
///
/// # Errors
/// Why it says nothing: no labels that are texts.
pub(super) fn take(outer: &Value, value: &Value, said: &mut Said) -> Result<(), String> {
    let kind = outer.get("type").and_then(Value::text).unwrap_or_default();
    if OTHERS.contains(&kind) {
        return Ok(());
    }
    let size = |name: &str| outer.number(name).filter(|&side| side >= 1.0 && side <= f64::from(u32::MAX));
    let size = size("original_width").zip(size("original_height"));
    let named = KINDS.iter().find_map(|&(member, mark)| Some((member, mark, value.get(member)?)));
    let Some((member, mark, names)) = named else {
        return Err(format!("a mark has no labels{}", if kind.is_empty() { "" } else { "; it is a " }) + kind);
    };
    let one = std::slice::from_ref(names);
    let names = if names.text().is_some() { one } else { names.elements() };
    if names.iter().any(|name| name.text().is_none()) || names.is_empty() && member != "choices" {
        return Err(format!("its {member} are no texts"));
    }
    for name in names.iter().filter_map(Value::text) {
        let Some(class) = said.label(name, mark) else { continue };
        match member {
            "choices" => {}
            "polygonlabels" => polygon(value, size, class, said),
            _ if value.get("width").is_some() && member != "ellipselabels" => {
                said.without_outline = true;
                let edges = Edges::Shares(rectangle(value, size));
                said.boxes.push(GivenBox { class, edges, line: None });
            }
            _ => said.without_outline = true,
        }
    }
    Ok(())
}

/// Edges in shares of the image; of one that is turned around its upper left corner, those of the box
/// around it, inside the image. What is missing is no number.
fn rectangle(value: &Value, size: Option<(f64, f64)>) -> [f32; 4] {
    let number = |name| value.number(name).unwrap_or(f64::NAN);
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(name) / 100.0);
    let turn = value.number("rotation").unwrap_or(0.0).to_radians();
    if turn == 0.0 {
        return [x, y, x + width, y + height].map(|edge| edge as f32);
    }
    // Angles are those of pixels, which are shares of different sides.
    let aspect = size.map_or(f64::NAN, |(columns, rows)| columns / rows);
    let corner = |right: f64, down: f64| {
        let (right, down) = (right * aspect, down);
        let along = right * turn.cos() - down * turn.sin();
        [x + along / aspect, y + right * turn.sin() + down * turn.cos()]
    };
    let corners = [corner(0.0, 0.0), corner(width, 0.0), corner(0.0, height), corner(width, height)];
    if !corners.as_flattened().iter().all(|at| at.is_finite()) {
        return [f32::NAN; 4];
    }
    // To a millionth, as sines are not exact and nothing is to be left of what lies off the image.
    around(corners.iter().copied()).map(|edge| (edge.clamp(0.0, 1.0) * 1e6).round() / 1e6)
}

fn polygon(value: &Value, size: Option<(f64, f64)>, class: String, said: &mut Said) {
    let points = value.get("points").map(Value::elements).unwrap_or_default();
    let point = |point: &Value| match point.elements() {
        &[Value::Number(x), Value::Number(y)] => [x / 100.0, y / 100.0],
        _ => [f64::NAN; 2],
    };
    let points: Vec<[f64; 2]> = points.iter().map(point).collect();
    let is_any = !points.is_empty() && points.as_flattened().iter().all(|at| at.is_finite());
    let edges = Edges::Shares(if is_any { around(points.iter().copied()) } else { [f32::NAN; 4] });
    said.boxes.push(GivenBox { class: class.clone(), edges, line: None });
    let outline = match size {
        None => Err("the size of the image that it was drawn in is missing".to_owned()),
        Some((columns, rows)) => {
            said.size = Some((columns as i64, rows as i64));
            let pixels = points.iter().flat_map(|&[x, y]| [(x * columns) as f32, (y * rows) as f32]);
            Outline::polygons(&[pixels.collect()])
        }
    };
    said.outlines.push((class, outline));
}

/// Edges of the box around points.
fn around(points: impl Iterator<Item = [f64; 2]>) -> [f32; 4] {
    let none = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    let [x0, y0, x1, y1] =
        points.fold(none, |[x0, y0, x1, y1], [x, y]| [x0.min(x), y0.min(y), x1.max(x), y1.max(y)]);
    [x0, y0, x1, y1].map(|edge| edge as f32)
}
