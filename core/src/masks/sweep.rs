//! How much two shapes overlap, row by row, without painting them.

use std::ops::Range;

use super::polygon::Ring;

/// Pixels of `rows` that lie in both shapes, and in either. A pixel lies in a shape when its centre is
/// inside of it by the even-odd rule.
pub fn overlap(a: &[Ring], b: &[Ring], rows: Range<i64>) -> (u64, u64) {
    let (mut a, mut b) = (Sweep::new(a), Sweep::new(b));
    rows.fold((0, 0), |(both, either), row| {
        let (more_both, more_either) = overlap_of(a.row(row), b.row(row));
        (both + more_both, either + more_either)
    })
}

/// Of two lists of columns, at each of which a shape begins and ends in turn.
fn overlap_of(mut a: &[i64], mut b: &[i64]) -> (u64, u64) {
    let (mut both, mut either) = (0, 0);
    let (mut in_a, mut in_b, mut at) = (false, false, 0);
    while let Some(next) = a.first().into_iter().chain(b.first()).copied().min() {
        let length = if in_a || in_b { (next - at) as u64 } else { 0 };
        either += length;
        both += if in_a && in_b { length } else { 0 };
        at = next;
        let cross = |columns: &mut &[i64], inside: &mut bool| {
            while let Some((_, rest)) = columns.split_first().filter(|(first, _)| **first == next) {
                (*columns, *inside) = (rest, !*inside);
            }
        };
        cross(&mut a, &mut in_a);
        cross(&mut b, &mut in_b);
    }
    (both, either)
}

/// A shape that is asked for one row after the other.
struct Sweep {
    /// By the first row that they cross, from behind.
    waiting: Vec<Edge>,
    active: Vec<Edge>,
    columns: Vec<i64>,
}

struct Edge {
    rows: Range<i64>,
    /// Where it is at the height 0, and how far it goes to the right with each row.
    x: f64,
    slope: f64,
}

impl Sweep {
    fn new(rings: &[Ring]) -> Self {
        let edge = |[x0, y0]: [f64; 2], [x1, y1]: [f64; 2]| {
            // Rows whose middle lies between the ends.
            let rows = (y0.min(y1) - 0.5).ceil() as i64..(y0.max(y1) - 0.5).ceil() as i64;
            let slope = if y0 == y1 { 0.0 } else { (x1 - x0) / (y1 - y0) };
            Edge { rows, x: x0 - slope * y0, slope }
        };
        let edges = |ring: &Ring| -> Vec<Edge> {
            let next = ring.iter().skip(1).chain(ring.first());
            ring.iter()
                .zip(next)
                .map(|(from, to)| edge(*from, *to))
                .filter(|edge| !edge.rows.is_empty())
                .collect()
        };
        let mut waiting: Vec<Edge> = rings.iter().flat_map(edges).collect();
        waiting.sort_by_key(|edge| std::cmp::Reverse(edge.rows.start));
        Self { waiting, active: Vec::new(), columns: Vec::new() }
    }

    /// The columns at which the shape begins and ends in a row, ascending.
    fn row(&mut self, row: i64) -> &[i64] {
        while let Some(edge) = self.waiting.pop_if(|edge| edge.rows.start <= row) {
            self.active.push(edge);
        }
        self.active.retain(|edge| edge.rows.end > row);
        let column = |edge: &Edge| (edge.x + edge.slope * (row as f64 + 0.5) - 0.5).ceil() as i64;
        self.columns.clear();
        self.columns.extend(self.active.iter().map(column));
        self.columns.sort_unstable();
        &self.columns
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn rectangle(left: f64, top: f64, right: f64, bottom: f64) -> Ring {
        vec![[left, top], [right, top], [right, bottom], [left, bottom]]
    }

    #[test]
    fn shapes_overlap_in_the_pixels_of_both() {
        let (a, b) = (rectangle(0.0, 0.0, 10.0, 6.0), rectangle(4.0, 2.0, 14.0, 8.0));
        assert_eq!(overlap(from_ref(&a), from_ref(&b), 0..8), (24, 96));
        assert_eq!(overlap(from_ref(&a), from_ref(&a), 0..8), (60, 60));
        // A hole, and a row that nothing is in.
        let hole = rectangle(2.0, 2.0, 4.0, 4.0);
        assert_eq!(overlap(&[a.clone(), hole], from_ref(&a), 0..9), (56, 60));
        let triangle = vec![[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]];
        let (both, either) = overlap(&[triangle], &[a], 0..8);
        assert_eq!((both, either), (7 + 6 + 5 + 4 + 3 + 2, 60 + 1));
    }
}
