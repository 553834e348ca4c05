//! What a cut costs: how badly a pixel's colour fits its side, and how alike neighbours are that it parts
//! (§2.1 and §3 of the paper).

use super::clusters::Color;
use super::max_flow::{Graph, NEIGHBOURS};
use super::window::Window;

/// Costs are rounded to this part of 1: graphs have whole capacities.
const UNITS: f32 = 1024.0;
/// Largest difference between what the two sides of a pixel cost: where only one of them has a colour.
const CERTAIN: f32 = 1e5;
/// Largest cost of parting two neighbours.
const HIGHEST_GAMMA: f32 = 1e4;

/// What it costs to part the pixels of a box from each other and from those around it.
pub struct Smoothness {
    /// Of the box.
    columns: usize,
    /// `[height, width]` of the box: to the neighbours in the last four directions of [`NEIGHBOURS`], 0 for
    /// those that are not in the box.
    joins: Vec<[i32; 4]>,
    /// `[height, width]` of the box: to the neighbours around the box, which are background.
    around: Vec<i32>,
}

impl Smoothness {
    /// γ · exp(−β‖Δz‖²) over the distance of the two pixels, with β = 1 / (2⟨‖Δz‖²⟩) over the window.
    pub fn new(window: &Window, gamma: f32) -> Self {
        let beta = beta(window);
        let gamma = UNITS * gamma.clamp(0.0, HIGHEST_GAMMA);
        let (columns, rows) = &window.inside;
        let mut joins = Vec::with_capacity(columns.len() * rows.len());
        let mut around = Vec::with_capacity(columns.len() * rows.len());
        for (x, y) in rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y))) {
            let color = window.color(x, y);
            let mut to_others = [0; 4];
            let mut to_outside = 0;
            for (to, (right, down)) in NEIGHBOURS.into_iter().enumerate() {
                let (nx, ny) = (x.wrapping_add_signed(right), y.wrapping_add_signed(down));
                let is_inside = columns.contains(&nx) && rows.contains(&ny);
                if nx >= window.width || ny >= window.height || (is_inside && to < 4) {
                    continue;
                }
                let diagonal = right != 0 && down != 0;
                let weight = if diagonal { gamma * std::f32::consts::FRAC_1_SQRT_2 } else { gamma };
                let cost = (weight * (-beta * difference(color, window.color(nx, ny))).exp()) as i32;
                if is_inside {
                    to_others[to - 4] = cost;
                } else {
                    to_outside += cost;
                }
            }
            joins.push(to_others);
            around.push(to_outside);
        }
        Self { columns: columns.len(), joins, around }
    }

    /// The graph of the box, in which neighbours are joined and colours do not matter yet.
    pub fn graph(&self) -> Graph {
        let mut graph = Graph::new(self.columns, self.joins.len() / self.columns);
        for (at, (joins, &around)) in self.joins.iter().zip(&self.around).enumerate() {
            let pixel = (at % self.columns, at / self.columns);
            graph.add_terminal(pixel, -around);
            for (to, &capacity) in joins.iter().enumerate().filter(|&(_, &capacity)| capacity > 0) {
                graph.join(pixel, to + 4, capacity);
            }
        }
        graph
    }
}

/// What it costs more that a pixel is background than that it is of the object, by what its colour costs on
/// the two sides, in units of the graph.
pub fn preference(object: f32, background: f32) -> i32 {
    let more = background - object;
    // Neither side has such a colour.
    let more = if more.is_nan() { 0.0 } else { more.clamp(-CERTAIN, CERTAIN) };
    (UNITS * more) as i32
}

/// 1 over twice the mean squared difference of neighbours; 0 where there is no difference.
fn beta(window: &Window) -> f32 {
    let (mut total, mut pairs) = (0u64, 0u64);
    for (x, y) in (0..window.height).flat_map(|y| (0..window.width).map(move |x| (x, y))) {
        for (right, down) in &NEIGHBOURS[4..] {
            let (nx, ny) = (x.wrapping_add_signed(*right), y + *down as usize);
            if nx < window.width && ny < window.height {
                total += difference(window.color(x, y), window.color(nx, ny)) as u64;
                pairs += 1;
            }
        }
    }
    if total == 0 { 0.0 } else { (pairs as f64 / (2.0 * total as f64)) as f32 }
}

/// Squared distance of two colours.
fn difference(a: Color, b: Color) -> f32 {
    let of = |channel: usize| u32::from(a[channel].abs_diff(b[channel])).pow(2);
    (of(0) + of(1) + of(2)) as f32
}
