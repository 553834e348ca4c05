//! Polygons of a mask: its regions with fewer corners than their pixels have.

use super::LabelMap;
use super::sweep::overlap;
use super::trace::{Line, Region, regions};
use crate::error::{Error, Result};

/// Corners of a mask's regions, beyond which it is no mask of things.
pub const MOST_CORNERS: usize = 4_000_000;
/// Intersection over union with its region that a polygon has at least. Half of what it may lose is left to
/// the programs that paint it: each has its own rule for pixels on the line.
const LEAST_OVERLAP: f64 = 0.995;
/// The same, however programs decide on pixels whose centre lies on the line, or nearly: a format with few digits moves
/// corners by less than [`SLACK`] pixels.
const LEAST_OF_ANY: f64 = 0.99;
const SLACK: f64 = 0.01;
/// How far, in pixels, a polygon's line may be from its region's; the first that keeps to
/// [`LEAST_OVERLAP`] is taken. None below: what is left of small regions then runs past the centres of their
/// pixels, and programs that count pixels on the line, as Pillow does, see less than 99 % of them overlap.
const TOLERANCES: [f64; 4] = [1.5, 1.0, 0.7, 0.45];
/// A region of as few corners stays as it is.
const FEW_CORNERS: usize = 8;
/// Points between two that are kept whatever lies between, so that the work grows with their number.
const LONGEST_STRETCH: usize = 256;

/// A closed line, `x, y` in pixels, edges of the image at 0 and at its size.
pub type Ring = Vec<[f64; 2]>;

/// One region of a mask.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// Its value in the mask.
    pub label: u8,
    /// Around it.
    pub outer: Ring,
    /// Around what is left out inside.
    pub holes: Vec<Ring>,
    /// Its pixels.
    pub area: u64,
    /// Left and upper edge, width and height of its pixels.
    pub edges: [u32; 4],
}

/// The polygons of all regions of a mask but background and ignored pixels. `path` is what an error names.
///
/// # Errors
/// [`Error::TooLarge`] for noise: more than [`MOST_CORNERS`].
pub fn polygons(map: &LabelMap, path: &str) -> Result<Vec<Polygon>> {
    let regions = regions(map, MOST_CORNERS).ok_or_else(|| Error::TooLarge {
        what: "the number of corners of the mask's regions",
        found: "larger".into(),
        limit: MOST_CORNERS.to_string(),
        path: path.to_owned(),
    })?;
    Ok(regions.iter().map(polygon).collect())
}

fn polygon(region: &Region) -> Polygon {
    let extent = |axis: usize| {
        let along = || region.outer.iter().map(|corner| corner[axis]);
        (along().min().unwrap_or(0), along().max().unwrap_or(0))
    };
    let ((left, right), (top, bottom)) = (extent(0), extent(1));
    let (outer, holes) = reduced(region, i64::from(top)..i64::from(bottom));
    Polygon {
        label: region.label,
        outer,
        holes,
        area: region.area,
        edges: [left, top, right - left, bottom - top],
    }
}

/// The region's lines with fewer points, as many as keep it nearly what it was.
fn reduced(region: &Region, rows: std::ops::Range<i64>) -> (Ring, Vec<Ring>) {
    let lines = || std::iter::once(&region.outer).chain(&region.holes);
    let corners: usize = lines().map(Vec::len).sum();
    let exact: Vec<Ring> =
        lines().map(|line| line.iter().map(|&corner| corner.map(f64::from)).collect()).collect();
    let middles: Vec<Ring> = if corners > FEW_CORNERS { lines().map(middles).collect() } else { Vec::new() };
    let fitting = TOLERANCES.iter().find_map(|&tolerance| {
        let rings: Vec<Ring> = middles.iter().map(|ring| simplified(ring, tolerance)).collect();
        let points: usize = rings.iter().map(Vec::len).sum();
        let is_area = rings.first().is_some_and(|outer| outer.len() >= 3);
        let (both, either) =
            if is_area && points < corners { overlap(&exact, &rings, rows.clone()) } else { (0, 1) };
        let keeps = both as f64 >= LEAST_OVERLAP * either as f64
            && is_certain(&exact, &rings, rows.clone(), (both, either));
        keeps.then_some(rings)
    });
    let mut rings = fitting.unwrap_or(exact).into_iter();
    let outer = rings.next().unwrap_or_default();
    (outer, rings.filter(|hole| hole.len() >= 3).collect())
}

/// Whether enough overlaps wherever the centres go that lie on the line: each that any small shift of the line takes away or
/// brings is counted against it.
fn is_certain(
    exact: &[Ring],
    rings: &[Ring],
    rows: std::ops::Range<i64>,
    (both, either): (u64, u64),
) -> bool {
    let (mut less, mut more) = (0, 0);
    for [x, y] in [[SLACK, SLACK], [SLACK, -SLACK], [-SLACK, SLACK], [-SLACK, -SLACK]] {
        let shifted: Vec<Ring> = rings
            .iter()
            .map(|ring| ring.iter().map(|point| [point[0] + x, point[1] + y]).collect())
            .collect();
        let (shifted_both, shifted_either) = overlap(exact, &shifted, rows.clone());
        less += both.saturating_sub(shifted_both);
        more += shifted_either.saturating_sub(either);
    }
    both.saturating_sub(less) as f64 >= LEAST_OF_ANY * (either + more) as f64
}

/// The middles of the pixel edges that a line goes along: of a slope's stairs they lie in one straight line,
/// which takes from its pixels what it gives to others. Of a straight stretch only the first and last.
fn middles(line: &Line) -> Ring {
    let mut ring = Vec::with_capacity(2 * line.len());
    for (at, from) in line.iter().enumerate() {
        let to = line[(at + 1) % line.len()];
        let [(x0, x1), (y0, y1)] = [0, 1].map(|axis| (f64::from(from[axis]), f64::from(to[axis])));
        let length = (x1 - x0).abs() + (y1 - y0).abs();
        let half = [(x1 - x0) / length / 2.0, (y1 - y0) / length / 2.0];
        ring.push([x0 + half[0], y0 + half[1]]);
        if length > 1.0 {
            ring.push([x1 - half[0], y1 - half[1]]);
        }
    }
    ring
}

/// Leaves out points that are no further than `tolerance` pixels from the line between those that stay
/// (Ramer 1972, Douglas and Peucker 1973).
fn simplified(ring: &Ring, tolerance: f64) -> Ring {
    let count = ring.len();
    let Some(first) = ring.first() else { return Vec::new() };
    let squared = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let furthest = (0..count).max_by(|&a, &b| squared(&ring[a], first).total_cmp(&squared(&ring[b], first)));
    let mut kept = vec![false; count];
    kept.iter_mut().step_by(LONGEST_STRETCH).for_each(|kept| *kept = true);
    kept[furthest.unwrap_or(0)] = true;
    let anchors: Vec<usize> = (0..count).filter(|&at| kept[at]).collect();
    let ends = anchors.iter().skip(1).copied().chain([count]);
    let mut open: Vec<(usize, usize)> = anchors.iter().copied().zip(ends).collect();
    while let Some((start, end)) = open.pop() {
        let (from, to) = (ring[start], ring[end % count]);
        let off = |at: usize| distance(ring[at], from, to);
        let furthest = (start + 1..end).max_by(|&a, &b| off(a).total_cmp(&off(b)));
        if let Some(at) = furthest.filter(|&at| off(at) > tolerance) {
            kept[at] = true;
            open.extend([(start, at), (at, end)]);
        }
    }
    ring.iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| *point).collect()
}

/// From a point to the stretch between two others.
fn distance(point: [f64; 2], from: [f64; 2], to: [f64; 2]) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let off = [point[0] - from[0], point[1] - from[1]];
    let length = along[0].powi(2) + along[1].powi(2);
    let share = if length > 0.0 { (off[0] * along[0] + off[1] * along[1]) / length } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (off[0] - share * along[0]).hypot(off[1] - share * along[1])
}

impl Polygon {
    /// All of it in one line, for formats without holes: the line goes to each hole, around it, and back
    /// the way that it came, so that what it encloses is the same by every rule of filling.
    pub fn joined(&self) -> Ring {
        // Where to go over is looked for among so many pairs of points, for so many holes.
        const PAIRS: usize = 1 << 16;
        const SEARCHED: usize = 256;
        let mut ring = self.outer.clone();
        for hole in self.holes.iter().take(SEARCHED) {
            let (at, from) = nearest(&ring, hole, PAIRS);
            let way = around(hole, from).chain([ring[at]]).collect::<Vec<_>>();
            ring.splice(at + 1..at + 1, way);
        }
        let Some(&first) = ring.first() else { return ring };
        for hole in self.holes.iter().skip(SEARCHED) {
            ring.push(first);
            ring.extend(around(hole, 0));
        }
        ring
    }
}

/// All of a hole's points from one on, that one again at the end.
fn around(hole: &Ring, from: usize) -> impl Iterator<Item = [f64; 2]> {
    (from..=from + hole.len()).map(|at| hole[at % hole.len()])
}

/// A point of each that are near to each other; the nearest where they have not too many.
fn nearest(ring: &Ring, hole: &Ring, pairs: usize) -> (usize, usize) {
    let step = (ring.len() * hole.len()).div_ceil(pairs).max(1);
    let all = (0..ring.len()).step_by(step).flat_map(|a| (0..hole.len()).map(move |b| (a, b)));
    let apart =
        |&(a, b): &(usize, usize)| (ring[a][0] - hole[b][0]).powi(2) + (ring[a][1] - hole[b][1]).powi(2);
    all.min_by(|a, b| apart(a).total_cmp(&apart(b))).unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masks::Outline;

    /// Paints the polygons, holes and all, by the program's other rasteriser.
    fn painted(polygons: &[Polygon], width: usize, height: usize) -> LabelMap {
        let mut map = LabelMap::background(width, height);
        for polygon in polygons {
            let points: Vec<f32> = polygon.joined().iter().flatten().map(|&at| at as f32).collect();
            let outline = Outline::polygons(&[points]).unwrap();
            outline.fill(width, height, |pixels| map.labels[pixels].fill(polygon.label));
        }
        map
    }

    fn iou(a: &LabelMap, b: &LabelMap, label: u8) -> f64 {
        let pairs = || a.labels.iter().zip(&b.labels);
        let both = pairs().filter(|(a, b)| **a == label && **b == label).count();
        let either = pairs().filter(|(a, b)| **a == label || **b == label).count();
        if either == 0 { 1.0 } else { both as f64 / either as f64 }
    }

    /// Blobs with holes, slopes and specks: thresholds of a sum of waves.
    fn waves(width: usize, height: usize, seed: u64) -> LabelMap {
        let part =
            |at: u64| (seed.wrapping_mul(2_654_435_761).wrapping_add(at * 40_503) % 1000) as f64 / 1000.0;
        let value = |x: usize, y: usize| {
            let (x, y) = (x as f64 / 23.0, y as f64 / 19.0);
            (0..4)
                .map(|at| {
                    (x * (part(at) + 0.3) * 2.0 + y * (part(at + 4) - 0.5) * 3.0 + part(at + 8) * 6.0).sin()
                })
                .sum()
        };
        let label = |value: f64| {
            if value > 0.9 {
                1
            } else if value < -1.1 {
                2
            } else {
                0
            }
        };
        let labels = (0..width * height).map(|at| label(value(at % width, at / width))).collect();
        LabelMap { width, height, labels }
    }

    #[test]
    fn polygons_cover_what_the_mask_covers() {
        let (mut points, mut corners) = (0, 0);
        for seed in 0..40 {
            let map = waves(90 + 7 * seed as usize, 80 + 5 * seed as usize, seed);
            let found = polygons(&map, "m.png").unwrap();
            let back = painted(&found, map.width, map.height);
            for label in [1, 2] {
                assert!(iou(&map, &back, label) >= 0.99, "{seed}: {}", iou(&map, &back, label));
            }
            let rings =
                found.iter().flat_map(|polygon| std::iter::once(&polygon.outer).chain(&polygon.holes));
            points += rings.map(Vec::len).sum::<usize>();
            let found = regions(&map, MOST_CORNERS).unwrap();
            let lines = found.iter().flat_map(|region| std::iter::once(&region.outer).chain(&region.holes));
            corners += lines.map(Vec::len).sum::<usize>();
        }
        assert!(points * 5 < corners * 4, "{points} points of {corners} corners");
    }

    #[test]
    fn noise_stays_as_it_is() {
        let mut seed = 7u64;
        let labels = (0..60 * 50).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as u8 % 3
        });
        let map = LabelMap { width: 60, height: 50, labels: labels.collect() };
        let back = painted(&polygons(&map, "m.png").unwrap(), 60, 50);
        for label in [1, 2] {
            assert!(iou(&map, &back, label) >= 0.99);
        }
    }

    #[test]
    fn a_rectangle_keeps_its_four_corners_and_a_disc_gets_few() {
        let mut map = LabelMap::background(200, 150);
        for y in 20..140 {
            map.labels[y * 200 + 10..y * 200 + 60].fill(1);
        }
        for (x, y) in (0..200usize).flat_map(|x| (0..150usize).map(move |y| (x, y))) {
            if (x as f64 + 0.5 - 130.0).hypot(y as f64 + 0.5 - 75.0) < 50.0 {
                map.labels[y * 200 + x] = 2;
            }
        }
        let found = polygons(&map, "m.png").unwrap();
        let rectangle = found.iter().find(|polygon| polygon.label == 1).unwrap();
        assert_eq!(rectangle.outer, [[60.0, 20.0], [60.0, 140.0], [10.0, 140.0], [10.0, 20.0]]);
        assert_eq!((rectangle.edges, rectangle.area), ([10, 20, 50, 120], 6000));
        let disc = found.iter().find(|polygon| polygon.label == 2).unwrap();
        assert!(disc.outer.len() < 40, "{}", disc.outer.len());
        assert_eq!(disc.edges, [80, 25, 100, 100]);
    }

    #[test]
    fn a_hole_is_reached_by_a_way_there_and_back() {
        let mut map = LabelMap { width: 9, height: 9, labels: vec![1; 81] };
        map.labels[4 * 9 + 4] = 0;
        let found = polygons(&map, "m.png").unwrap();
        assert_eq!((found.len(), found[0].holes.len(), found[0].joined().len()), (1, 1, 4 + 4 + 2));
        assert_eq!(painted(&found, 9, 9), map);
        // Also with more holes than ways are looked for.
        let labels = (0..101 * 101).map(|at| u8::from(at / 101 % 2 == 0 || at % 101 % 2 == 0)).collect();
        let net = LabelMap { width: 101, height: 101, labels };
        let found = polygons(&net, "m.png").unwrap();
        assert_eq!((found.len(), found[0].holes.len()), (1, 2500));
        assert_eq!(painted(&found, 101, 101), net);
    }
}
