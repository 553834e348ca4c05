//! Boxes as a data set gives them, and which of them can be boxes of its images.

use super::{Labelled, ObjectBox, Problem, ProblemKind};

/// A box as a data set gives it, not yet checked.
pub(super) struct GivenBox {
    pub(super) class: String,
    pub(super) edges: Edges,
    /// Where it stands in a text file, for problems.
    pub(super) line: Option<u64>,
}

/// Left, upper, right and lower edge.
#[derive(Clone, Copy)]
pub(super) enum Edges {
    /// Pixels.
    Pixels([f32; 4]),
    /// Shares of the image's width and height.
    Shares([f32; 4]),
}

impl Edges {
    /// In pixels of an image of these columns and rows.
    fn in_pixels(self, (width, height): (u32, u32)) -> [f32; 4] {
        match self {
            Self::Pixels(edges) => edges,
            Self::Shares([x0, y0, x1, y1]) => {
                let (width, height) = (width as f32, height as f32);
                [x0 * width, y0 * height, x1 * width, y1 * height]
            }
        }
    }
}

/// The boxes of an image that can be boxes of it; the others become one problem.
pub(super) fn fitting(
    image: &Labelled,
    size: (u32, u32),
    names: &[String],
    problems: &mut Vec<Problem>,
) -> Vec<ObjectBox> {
    let mut first: Option<String> = None;
    let mut usable = Vec::with_capacity(image.boxes.len());
    for given in &image.boxes {
        let edges = given.edges.in_pixels(size);
        let class = names.iter().position(|name| *name == given.class).ok_or("has no known class");
        let class = class.and_then(|class| match image.labels.contains(&given.class) {
            true => Ok(class),
            false => Err("is of a class that the image is not labelled with"),
        });
        match class.and_then(|class| ObjectBox::fit(class, edges, size)) {
            Ok(fitting) => usable.push(fitting),
            Err(reason) => {
                let [x0, y0, x1, y1] = edges;
                let class = &given.class;
                let line = given.line.map_or(String::new(), |line| format!("; line {line}"));
                first.get_or_insert_with(|| format!("({class}, {x0}, {y0} to {x1}, {y1}{line}) {reason}"));
            }
        }
    }
    if let Some(first) = first {
        let bad = image.boxes.len() - usable.len();
        let reason = format!("{bad} of {} boxes cannot be: one {first}. Left out.", image.boxes.len());
        problems.push(Problem { count: 1, path: image.path.clone(), kind: ProblemKind::BadBox, reason });
    }
    usable
}
