//! Where points lie in the lattice: their simplices, the numbering of vertices, and who neighbours whom.

// Several arrays are walked side by side, over the first D + 1 of their entries.
#![allow(clippy::needless_range_loop)]

use super::{Corner, refuse};
use crate::error::Result;

/// Corners of a simplex in the highest dimension that is supported.
const MAX_CORNERS: usize = 8;

/// The corners of every point (`[points, D + 1]`, vertices numbered from 1), the number of vertices, and
/// the neighbours of every row along every direction (`[D + 1, vertices + 1]`, 0 where there is none).
pub(super) fn embed<const D: usize>(features: &[[f32; D]]) -> Result<(Vec<Corner>, usize, Vec<[u32; 2]>)> {
    const { assert!(D >= 1 && D < MAX_CORNERS) };
    let scales = scales::<D>();
    let packing = Packing::around(features, &scales)?;
    let mut table = Table::with_capacity(features.len());
    let mut corners = Vec::with_capacity(features.len() * (D + 1));
    // Neighbouring pixels often share their simplex: the last one's vertices save most look-ups.
    let mut last = [(u64::MAX, 0u32); MAX_CORNERS];
    for feature in features {
        let simplex = Simplex::<D>::around(&elevate(feature, &scales));
        let mut key = packing.pack::<D>(&simplex.origin);
        for remainder in 0..=D {
            if last[remainder].0 != key {
                last[remainder] = (key, table.number_of(key));
            }
            corners.push(Corner { other: last[remainder].1, weight: simplex.weights[remainder] });
            key = key.wrapping_add(packing.steps[simplex.order[D - remainder]]);
        }
    }
    let vertices = table.keys.len() - 1;
    let mut neighbors = vec![[0u32; 2]; (D + 1) * (vertices + 1)];
    for (direction, neighbors) in neighbors.chunks_exact_mut(vertices + 1).enumerate() {
        for vertex in 1..=vertices {
            let after = table.find(table.keys[vertex].wrapping_add(packing.steps[direction]));
            if after != 0 {
                neighbors[vertex][1] = after;
                neighbors[after as usize][0] = vertex as u32;
            }
        }
    }
    Ok((corners, vertices, neighbors))
}

/// Scales of the axes that make the lattice's blur a Gaussian of standard deviation 1 (paper, section
/// 3.1: the blur's variance along each axis is 2/3 of (D + 1)²).
fn scales<const D: usize>() -> [f32; D] {
    let deviation = (2.0f32 / 3.0).sqrt() * (D + 1) as f32;
    std::array::from_fn(|axis| deviation / (((axis + 1) * (axis + 2)) as f32).sqrt())
}

/// The point in the hyperplane of `D + 1` coordinates that add up to 0 (paper, equation 3).
fn elevate<const D: usize>(feature: &[f32; D], scales: &[f32; D]) -> [f32; MAX_CORNERS] {
    let mut elevated = [0.0; MAX_CORNERS];
    let mut sum = 0.0;
    for axis in (0..D).rev() {
        let scaled = feature[axis] * scales[axis];
        elevated[axis + 1] = sum - (axis + 1) as f32 * scaled;
        sum += scaled;
    }
    elevated[0] = sum;
    elevated
}

/// The simplex that a point lies in.
struct Simplex<const D: usize> {
    /// Its vertex whose coordinates are all multiples of `D + 1`.
    origin: [i32; MAX_CORNERS],
    /// Axes by the point's distance from the origin along them, largest first. The path from vertex to
    /// vertex goes backwards through this list.
    order: [usize; MAX_CORNERS],
    /// The point's barycentric coordinates, from the origin on along the path.
    weights: [f32; MAX_CORNERS],
}

impl<const D: usize> Simplex<D> {
    fn around(elevated: &[f32; MAX_CORNERS]) -> Self {
        let corners = D as i32 + 1;
        // The nearest point whose coordinates are multiples of D + 1, which may lie off the hyperplane …
        let mut origin = [0i32; MAX_CORNERS];
        let mut excess = 0;
        for axis in 0..=D {
            let multiple = (elevated[axis] / corners as f32).round() as i32;
            origin[axis] = multiple * corners;
            excess += multiple;
        }
        let offset = |origin: &[i32; MAX_CORNERS], axis: usize| elevated[axis] - origin[axis] as f32;
        let mut rank = [0i32; MAX_CORNERS];
        for a in 0..=D {
            for b in a + 1..=D {
                if offset(&origin, a) < offset(&origin, b) {
                    rank[a] += 1;
                } else {
                    rank[b] += 1;
                }
            }
        }
        // … and back onto it, along the axes that are furthest off.
        for axis in 0..=D {
            rank[axis] += excess;
            if rank[axis] < 0 {
                rank[axis] += corners;
                origin[axis] += corners;
            } else if rank[axis] > D as i32 {
                rank[axis] -= corners;
                origin[axis] -= corners;
            }
        }
        let mut order = [0usize; MAX_CORNERS];
        for axis in 0..=D {
            order[rank[axis].clamp(0, D as i32) as usize] = axis;
        }
        // Barycentric coordinates are differences of neighbours in that order (paper, equation 5).
        let mut weights = [0.0; MAX_CORNERS];
        let along = |rank: usize| offset(&origin, order[rank]) / corners as f32;
        for remainder in 1..=D {
            weights[remainder] = along(D - remainder) - along(D - remainder + 1);
        }
        weights[0] = 1.0 + along(D) - along(0);
        Self { origin, order, weights }
    }
}

/// A vertex's coordinates as bit fields of one integer, so that a step along the lattice is one
/// addition. The last coordinate follows from the others.
struct Packing {
    low: [i64; MAX_CORNERS],
    shift: [u32; MAX_CORNERS],
    /// What to add for a step in each direction: +1 in every coordinate but one, which loses `D`. The
    /// same steps lead around a simplex and to a vertex's neighbours.
    steps: [u64; MAX_CORNERS],
}

impl Packing {
    fn around<const D: usize>(features: &[[f32; D]], scales: &[f32; D]) -> Result<Self> {
        let mut low = [f32::INFINITY; MAX_CORNERS];
        let mut high = [f32::NEG_INFINITY; MAX_CORNERS];
        let mut finite = true;
        for feature in features {
            let elevated = elevate(feature, scales);
            for axis in 0..=D {
                finite &= elevated[axis].is_finite();
                low[axis] = low[axis].min(elevated[axis]);
                high[axis] = high[axis].max(elevated[axis]);
            }
        }
        let corners = D as i64 + 1;
        // Origins lie within D + 1 of their points, vertices within D + 1 of origins, neighbours within
        // D of vertices.
        let margin = 4 * corners;
        let mut packing = Self { low: [0; MAX_CORNERS], shift: [0; MAX_CORNERS], steps: [0; MAX_CORNERS] };
        let mut bits = 0u32;
        for axis in 0..D {
            if features.is_empty() {
                break;
            }
            if !finite || low[axis] < -1e9 || high[axis] > 1e9 {
                return Err(refuse("a standard deviation is too small for this image".into()));
            }
            packing.low[axis] = low[axis].floor() as i64 - margin;
            packing.shift[axis] = bits;
            let span = high[axis].ceil() as i64 + margin - packing.low[axis];
            bits += span.unsigned_abs().ilog2() + 1;
        }
        // The all-ones key marks empty slots.
        if bits > 63 {
            return Err(refuse("the standard deviations are too small for this image".into()));
        }
        let ones = (0..D).fold(0u64, |sum, axis| sum.wrapping_add(1 << packing.shift[axis]));
        for direction in 0..=D {
            let loss = if direction < D { (corners as u64) << packing.shift[direction] } else { 0 };
            packing.steps[direction] = ones.wrapping_sub(loss);
        }
        Ok(packing)
    }

    fn pack<const D: usize>(&self, origin: &[i32; MAX_CORNERS]) -> u64 {
        let mut key = 0u64;
        for axis in 0..D {
            key = key.wrapping_add(((i64::from(origin[axis]) - self.low[axis]) as u64) << self.shift[axis]);
        }
        key
    }
}

/// Vertices by key: open addressing with linear probing. Numbers are given in the order of first
/// appearance, so that neighbouring pixels find their vertices close together in memory.
struct Table {
    /// Power of two slots of key and number.
    slots: Vec<(u64, u32)>,
    /// The key of each vertex; number 0 is no vertex.
    keys: Vec<u64>,
}

impl Table {
    const EMPTY: u64 = u64::MAX;

    fn with_capacity(vertices: usize) -> Self {
        let slots = (2 * vertices).next_power_of_two().max(64);
        Self { slots: vec![(Self::EMPTY, 0); slots], keys: vec![Self::EMPTY] }
    }

    /// The slot that holds `key`, or the empty one where it belongs.
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        // Multiplicative hashing: the product's high bits depend on every bit of the key.
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut slot = (hash >> (64 - self.slots.len().ilog2())) as usize;
        while self.slots[slot].0 != key && self.slots[slot].0 != Self::EMPTY {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// The number of `key`, or 0.
    fn find(&self, key: u64) -> u32 {
        self.slots[self.slot(key)].1
    }

    /// The number of `key`, which is given one where it has none.
    fn number_of(&mut self, key: u64) -> u32 {
        let mut slot = self.slot(key);
        if self.slots[slot].0 == Self::EMPTY {
            if 2 * self.keys.len() > self.slots.len() {
                self.grow();
                slot = self.slot(key);
            }
            self.slots[slot] = (key, self.keys.len() as u32);
            self.keys.push(key);
        }
        self.slots[slot].1
    }

    fn grow(&mut self) {
        self.slots = vec![(Self::EMPTY, 0); 2 * self.slots.len()];
        for number in 1..self.keys.len() {
            let slot = self.slot(self.keys[number]);
            self.slots[slot] = (self.keys[number], number as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn barycentric_weights_rebuild_the_point() {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        for _ in 0..500 {
            let feature: [f32; 5] = std::array::from_fn(|_| random.random_range(-20.0..20.0));
            let elevated = elevate(&feature, &scales());
            let simplex = Simplex::<5>::around(&elevated);
            assert_eq!(simplex.origin[..6].iter().sum::<i32>(), 0, "on the hyperplane");
            assert!((simplex.weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert!(simplex.weights.iter().all(|&weight| weight > -1e-4), "{:?}", simplex.weights);
            let mut vertex = simplex.origin;
            let mut rebuilt = [0.0f32; 6];
            for remainder in 0..6 {
                for axis in 0..6 {
                    assert_eq!((vertex[axis] - remainder).rem_euclid(6), 0, "a vertex of the lattice");
                    rebuilt[axis] += simplex.weights[remainder as usize] * vertex[axis] as f32;
                }
                let step = simplex.order[5 - remainder as usize];
                for (axis, coordinate) in vertex[..6].iter_mut().enumerate() {
                    *coordinate += if axis == step { -5 } else { 1 };
                }
            }
            for axis in 0..6 {
                assert!((rebuilt[axis] - elevated[axis]).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn neighbours_know_each_other() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let features: Vec<[f32; 3]> =
            (0..2000).map(|_| std::array::from_fn(|_| random.random_range(0.0..8.0))).collect();
        let (corners, vertices, neighbors) = embed(&features).unwrap();
        assert!(corners.iter().all(|corner| (1..=vertices as u32).contains(&corner.other)));
        let mut found = 0;
        for direction in neighbors.chunks_exact(vertices + 1) {
            assert_eq!(direction[0], [0, 0], "the row of zeros stays zero");
            for vertex in 1..=vertices {
                for side in 0..2 {
                    let neighbor = direction[vertex][side] as usize;
                    if neighbor != 0 {
                        assert_eq!(direction[neighbor][1 - side] as usize, vertex);
                        found += 1;
                    }
                }
            }
        }
        assert!(found > vertices);
    }

    #[test]
    fn the_table_grows_and_keeps_its_numbers() {
        let mut table = Table::with_capacity(1);
        let numbers: Vec<u32> = (0..1000u64).map(|key| table.number_of(key << 20)).collect();
        assert_eq!(numbers, (1..=1000).collect::<Vec<u32>>());
        assert!((0..1000u64).all(|key| table.find(key << 20) == key as u32 + 1));
        assert_eq!(table.find(77), 0);
    }
}
