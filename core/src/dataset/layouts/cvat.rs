//! CVAT's export "CVAT for images 1.1": one XML file with an `image` each. Tags label an image; boxes,
//! polygons, masks and ellipses label it and give boxes. Where nothing but polygons gives labels, they are a
//! mask, too.
//!
//! An image without a tag and a shape holds no class, as CVAT lists all images of a task.

use roxmltree::{Document, Node, ParsingOptions};

use super::annotated::{Annotated, Collection, Said, Wrong, class_name};
use super::boxes::{Edges, GivenBox};
use super::tally::Tally;
use super::{Candidate, Problem, ProblemKind, text_bytes};
use crate::error::{Error, Result};
use crate::files::FileEntry;
use crate::masks::Outline;

/// Nodes of a file: each takes some ten times the memory of its text at the least.
const NODES: u32 = 4_000_000;

/// Reads documents. `None` if none of their images is there, which is a problem.
///
/// # Errors
/// [`Error::Format`] for XML that is damaged, [`Error::TooLarge`] beyond
/// [`TEXT_BYTES`](crate::files::limits::TEXT_BYTES), [`Error::Io`].
pub(super) fn read(
    documents: &[&FileEntry],
    images: &[Candidate<'_>],
    listed: Option<&[String]>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Annotated>> {
    let mut collection = Collection::new(images);
    let mut order: Vec<String> = Vec::new();
    for entry in documents {
        let refuse = |reason: String| Error::Format {
            path: entry.path.clone(),
            reason: format!("this is no export of CVAT's as XML for images ({reason})"),
        };
        let bytes = text_bytes(entry)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| refuse(error.to_string()))?;
        let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
        let document =
            Document::parse_with_options(text, options).map_err(|error| refuse(error.to_string()))?;
        let root = document.root_element();
        order.extend(declared(root).filter_map(class_name));
        let (mut wrong, mut empty, mut tracks) = (Wrong::default(), Tally::default(), Tally::default());
        for node in root.children().filter(Node::is_element) {
            let line = || document.text_pos_at(node.range().start).row;
            match node.tag_name().name() {
                "image" => {
                    let Some(name) = node.attribute("name").filter(|name| !name.trim().is_empty()) else {
                        wrong.bad.add(|| format!("line {} (the image has no name)", line()));
                        continue;
                    };
                    let mut said = Said::default();
                    let mut shapes = 0;
                    for shape in node.children().filter(Node::is_element) {
                        shapes += 1;
                        if let Err(reason) = take(node, shape, &mut said) {
                            let line = || document.text_pos_at(shape.range().start).row;
                            wrong.bad.add(|| format!("line {} ({name}: {reason})", line()));
                        }
                    }
                    if shapes == 0 {
                        empty.add(|| name.to_owned());
                    }
                    let found = collection.finder.find(name);
                    collection.take(found, said, &mut wrong, || format!("line {} ({name})", line()));
                }
                "track" => tracks.add(|| format!("line {}", line())),
                _ => {}
            }
        }
        wrong.tell(&entry.path, problems);
        let what = [
            "track is of a video, whose frames are not read: export for images instead",
            "tracks are of a video, whose frames are not read: export for images instead",
        ];
        tracks.tell(&entry.path, ProblemKind::BadLine, what, problems);
        let what = ["image has no tag and no shape", "images have no tag and no shape"];
        let what = (what, "Taken as of no class.");
        empty.tell_and(&entry.path, ProblemKind::ImageWithoutLabel, what, problems);
    }
    let path = documents.first().map_or("", |entry| entry.path.as_str());
    Ok((!collection.is_empty()).then(|| collection.finish(path, listed, &order, problems)))
}

/// The names of the labels that a task or a project declares, in its order.
fn declared<'a>(root: Node<'a, '_>) -> impl Iterator<Item = &'a str> {
    let meta = root.children().find(|node| node.has_tag_name("meta"));
    let labels = meta.into_iter().flat_map(|meta| meta.descendants());
    let labels = labels.filter(|node| node.has_tag_name("label"));
    labels.filter_map(|label| label.children().find(|node| node.has_tag_name("name"))?.text())
}

/// Takes what a tag or a shape says.
///
/// # Errors
/// Why it says nothing.
fn take(image: Node<'_, '_>, shape: Node<'_, '_>, said: &mut Said) -> Result<(), String> {
    let kind = shape.tag_name().name();
    let mark = match kind {
        "tag" => "tags",
        "box" => "boxes",
        "polygon" => "polygons",
        "mask" => "masks",
        "ellipse" => "ellipses",
        "polyline" => "polylines",
        "points" => "points",
        "cuboid" => "cuboids",
        "skeleton" => "skeletons",
        other => return Err(format!("{other:.40} is no shape that is read")),
    };
    let number = |node: Node<'_, '_>, name: &str| {
        node.attribute(name).and_then(|text| text.trim().parse::<f32>().ok()).unwrap_or(f32::NAN)
    };
    let [columns, rows] = ["width", "height"].map(|name| number(image, name));
    let given = shape.attribute("label").ok_or_else(|| format!("the {kind} has no label"))?;
    let Some(class) = said.label(given, mark) else { return Ok(()) };
    said.without_outline |= !["tag", "polygon"].contains(&kind);
    let edges = match kind {
        "box" => {
            let edges = ["xtl", "ytl", "xbr", "ybr"].map(|name| number(shape, name));
            turned(
                edges,
                shape.attribute("rotation").map_or(0.0, |_| number(shape, "rotation")),
                columns,
                rows,
            )
        }
        "ellipse" => {
            let [x, y, right, down] = ["cx", "cy", "rx", "ry"].map(|name| number(shape, name));
            let edges = [x - right, y - down, x + right, y + down];
            turned(
                edges,
                shape.attribute("rotation").map_or(0.0, |_| number(shape, "rotation")),
                columns,
                rows,
            )
        }
        "mask" => {
            let [x, y, width, height] = ["left", "top", "width", "height"].map(|name| number(shape, name));
            [x, y, x + width, y + height]
        }
        "polygon" => {
            let points = points(shape.attribute("points").unwrap_or_default());
            let edges = around(&points);
            said.size = (columns >= 1.0 && rows >= 1.0).then_some((columns as i64, rows as i64));
            said.outlines.push((class.clone(), Outline::polygons(&[points])));
            edges
        }
        _ => return Ok(()),
    };
    said.boxes.push(GivenBox { class, edges: Edges::Pixels(edges), line: None });
    Ok(())
}

/// Edges of the box around one that is turned around its centre, inside the image.
fn turned(edges: [f32; 4], degrees: f32, columns: f32, rows: f32) -> [f32; 4] {
    if degrees == 0.0 {
        return edges;
    }
    let [x0, y0, x1, y1] = edges;
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (right, down) = ((x1 - x0) / 2.0, (y1 - y0) / 2.0);
    let (x, y) = (x0 + right, y0 + down);
    let across = (right * cos).abs() + (down * sin).abs();
    let along = (right * sin).abs() + (down * cos).abs();
    let all = [x - across, y - along, x + across, y + along, columns, rows];
    if !all.iter().all(|number| number.is_finite()) {
        return [f32::NAN; 4];
    }
    let (columns, rows) = (columns.max(0.0), rows.max(0.0));
    [all[0].clamp(0.0, columns), all[1].clamp(0.0, rows), all[2].clamp(0.0, columns), all[3].clamp(0.0, rows)]
}

/// `x,y;x,y;…` as `x, y, x, y, …`; what is no number is not one here.
fn points(text: &str) -> Vec<f32> {
    let of_pair = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap_or((pair, ""));
        [x, y].map(|number| number.trim().parse().unwrap_or(f32::NAN))
    };
    text.split(';').filter(|pair| !pair.trim().is_empty()).flat_map(of_pair).collect()
}

/// Edges of the box around points; without any, or with one that is no number, none.
fn around(points: &[f32]) -> [f32; 4] {
    if points.is_empty() || !points.iter().all(|at| at.is_finite()) {
        return [f32::NAN; 4];
    }
    let none = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    points
        .as_chunks::<2>()
        .0
        .iter()
        .fold(none, |[x0, y0, x1, y1], &[x, y]| [x0.min(x), y0.min(y), x1.max(x), y1.max(y)])
}

#[cfg(test)]
mod tests;
