//! Regions of equal labels, as closed lines along the edges of their pixels.

use super::label_map::{IGNORE, LabelMap};

/// A closed line along pixel edges, by its corners: `x, y` from the image's upper left corner, pixels.
pub type Line = Vec<[u32; 2]>;

/// Pixels of one label that are connected along their sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Their value in the mask.
    pub label: u8,
    /// Around them, clockwise as seen.
    pub outer: Line,
    /// Around what is left out inside of them, the other way.
    pub holes: Vec<Line>,
    /// How many they are.
    pub area: u64,
}

/// The regions of all labels but background and [`IGNORE`], from the top, in the order of their uppermost
/// pixels; `None` when their lines have more than `most` corners.
pub fn regions(map: &LabelMap, most: usize) -> Option<Vec<Region>> {
    let mut tracer = Tracer { map, traced: vec![0; map.labels.len().div_ceil(64)], left_edges: Vec::new() };
    let mut lines: Vec<Traced> = Vec::new();
    let mut corners = 0;
    for y in 0..map.height {
        for x in 0..map.width {
            let label = map.labels[y * map.width + x];
            let open_above = y == 0 || map.labels[(y - 1) * map.width + x] != label;
            if label != 0 && label != IGNORE && open_above && !tracer.is_traced(x, y) {
                lines.push(tracer.trace(x, y, lines.len() as u32, most - corners)?);
                corners += lines.last().map_or(0, |line| line.corners.len());
            }
        }
    }
    Some(tracer.grouped(lines))
}

/// A line that was followed to its end.
struct Traced {
    label: u8,
    corners: Line,
    /// Pixels inside; negative around a hole.
    area: i64,
    /// The uppermost of the pixels that lie above its edges, as row and column: for a hole, one of its
    /// region's.
    above: (i64, i64),
}

struct Tracer<'a> {
    map: &'a LabelMap,
    /// One bit a pixel: whether its upper edge is part of a line already.
    traced: Vec<u64>,
    /// Left edges of pixels that are part of a line: row, column, number of the line.
    left_edges: Vec<(u32, u32, u32)>,
}

impl Tracer<'_> {
    fn is_traced(&self, x: usize, y: usize) -> bool {
        let at = y * self.map.width + x;
        self.traced[at / 64] >> (at % 64) & 1 == 1
    }

    /// Follows the line that the upper edge of a pixel is part of, its pixels to the right.
    fn trace(&mut self, x: usize, y: usize, number: u32, most: usize) -> Option<Traced> {
        let map = self.map;
        let (width, height) = (map.width as i64, map.height as i64);
        let label = map.labels[y * map.width + x];
        let is_inside = |x: i64, y: i64| {
            (0..width).contains(&x)
                && (0..height).contains(&y)
                && map.labels[(y * width + x) as usize] == label
        };
        let start = (x as i64, y as i64);
        let (mut x, mut y) = start;
        let mut heading = Heading::East;
        let mut line = Traced { label, corners: Vec::new(), area: 0, above: (i64::MAX, 0) };
        loop {
            match heading {
                Heading::East => {
                    let at = (y * width + x) as usize;
                    self.traced[at / 64] |= 1 << (at % 64);
                    line.area -= y;
                    x += 1;
                }
                Heading::South => y += 1,
                Heading::West => {
                    x -= 1;
                    line.area += y;
                    line.above = line.above.min((y - 1, x));
                }
                Heading::North => {
                    y -= 1;
                    self.left_edges.push((y as u32, x as u32, number));
                }
            }
            let (right, left) = heading.ahead(x, y);
            // Pixels that touch at a corner only are not connected: the line keeps to its own.
            let next = match (is_inside(right.0, right.1), is_inside(left.0, left.1)) {
                (false, _) => heading.turned(1),
                (true, true) => heading.turned(3),
                (true, false) => heading,
            };
            if next != heading {
                if line.corners.len() >= most {
                    return None;
                }
                line.corners.push([x as u32, y as u32]);
            }
            heading = next;
            if (x, y) == start && heading == Heading::East {
                return Some(line);
            }
        }
    }

    /// Gives each hole to the region around it.
    fn grouped(mut self, lines: Vec<Traced>) -> Vec<Region> {
        self.left_edges.sort_unstable();
        let mut holes: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].area < 0).collect();
        holes.sort_by_key(|&at| lines[at].above);
        // The outer line that each line belongs to. A hole finds it on the left of a pixel above it; where
        // that is another hole's, that one begins further up and knows its own.
        let mut outer_of: Vec<usize> = (0..lines.len()).collect();
        for &hole in &holes {
            let (row, column) = lines[hole].above;
            let key = (row as u32, column as u32, u32::MAX);
            let after = self.left_edges.partition_point(|edge| *edge <= key);
            if let Some(&(_, _, line)) = after.checked_sub(1).and_then(|at| self.left_edges.get(at)) {
                outer_of[hole] = outer_of[line as usize];
            }
        }
        let mut place = vec![usize::MAX; lines.len()];
        let mut regions: Vec<Region> = Vec::new();
        let mut inner = Vec::new();
        for (at, line) in lines.into_iter().enumerate() {
            if line.area < 0 {
                inner.push((outer_of[at], line));
                continue;
            }
            place[at] = regions.len();
            let area = line.area.unsigned_abs();
            regions.push(Region { label: line.label, outer: line.corners, holes: Vec::new(), area });
        }
        for (outer, line) in inner {
            if let Some(region) = place.get(outer).and_then(|&at| regions.get_mut(at)) {
                region.area -= line.area.unsigned_abs();
                region.holes.push(line.corners);
            }
        }
        regions
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    East,
    South,
    West,
    North,
}

impl Heading {
    const CLOCKWISE: [Self; 4] = [Self::East, Self::South, Self::West, Self::North];

    /// After so many quarter turns clockwise.
    fn turned(self, quarters: usize) -> Self {
        Self::CLOCKWISE[(self as usize + quarters) % 4]
    }

    /// The pixels before a corner: on the right of the way, and on its left.
    fn ahead(self, x: i64, y: i64) -> ((i64, i64), (i64, i64)) {
        match self {
            Self::East => ((x, y), (x, y - 1)),
            Self::South => ((x - 1, y), (x, y)),
            Self::West => ((x - 1, y - 1), (x - 1, y)),
            Self::North => ((x, y - 1), (x - 1, y - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masks::Outline;

    fn map(rows: &[&str]) -> LabelMap {
        let labels = rows.iter().flat_map(|row| row.bytes().map(|byte| byte - b'0')).collect();
        LabelMap { width: rows[0].len(), height: rows.len(), labels }
    }

    /// Paints the regions by the even-odd rule.
    fn painted(regions: &[Region], width: usize, height: usize) -> LabelMap {
        let mut map = LabelMap::background(width, height);
        for region in regions {
            let mut toggle = |line: &Line| {
                let points: Vec<f32> = line.iter().flatten().map(|&at| at as f32).collect();
                Outline::polygons(&[points]).unwrap().fill(width, height, |range| {
                    map.labels[range].iter_mut().for_each(|pixel| *pixel ^= region.label);
                });
            };
            toggle(&region.outer);
            region.holes.iter().for_each(&mut toggle);
        }
        map
    }

    #[test]
    fn corners_go_clockwise_and_holes_the_other_way() {
        let ring = map(&["0000", "0110", "0000"]);
        let found = regions(&ring, 100).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].outer, [[3, 1], [3, 2], [1, 2], [1, 1]]);
        assert_eq!((found[0].label, found[0].area, found[0].holes.len()), (1, 2, 0));

        let ring = map(&["222", "202", "222"]);
        let found = regions(&ring, 100).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].outer, [[3, 0], [3, 3], [0, 3], [0, 0]]);
        assert_eq!(found[0].holes, [[[2, 2], [2, 1], [1, 1], [1, 2]]]);
        assert_eq!(found[0].area, 8);
    }

    #[test]
    fn pixels_that_touch_at_a_corner_are_two_regions() {
        let found = regions(&map(&["10", "01"]), 100).unwrap();
        assert_eq!(found.iter().map(|region| region.area).collect::<Vec<_>>(), [1, 1]);
        // The holes of a region touch: they are one line that meets itself.
        let found = regions(&map(&["1111", "1011", "1101", "1111"]), 100).unwrap();
        assert_eq!((found.len(), found[0].area), (1, 14));
        assert_eq!(found[0].holes.iter().map(Vec::len).sum::<usize>(), 8);
    }

    #[test]
    fn holes_go_to_the_region_around_them() {
        // A region in the hole of another, which has two holes beside each other.
        let nested = map(&[
            "1111111111",
            "1000001001",
            "1011101001",
            "1010101001",
            "1011101111",
            "1000001111",
            "1111111111",
        ]);
        let found = regions(&nested, 1000).unwrap();
        let shape: Vec<(u64, usize)> = found.iter().map(|region| (region.area, region.holes.len())).collect();
        assert_eq!(shape, [(39, 2), (8, 1)]);
        assert_eq!(painted(&found, 10, 7), nested);
    }

    #[test]
    fn regions_paint_the_mask_that_they_were_traced_in() {
        let mut seed = 1u64;
        for (width, height, labels) in
            [(1, 1, 2), (1, 9, 3), (13, 1, 2), (17, 23, 2), (40, 31, 4), (64, 64, 3)]
        {
            for _ in 0..20 {
                let labels = (0..width * height).map(|_| {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (seed >> 33) as u8 % labels
                });
                // Values whose bits do not meet, as painting toggles.
                let labels = labels.map(|label| [0, 1, 2, 4][usize::from(label)]).collect();
                let map = LabelMap { width, height, labels };
                let found = regions(&map, 1 << 20).unwrap();
                assert_eq!(painted(&found, width, height), map);
                let area: u64 = found.iter().map(|region| region.area).sum();
                assert_eq!(area, map.labels.iter().filter(|&&label| label != 0).count() as u64);
            }
        }
    }

    #[test]
    fn ignored_pixels_have_no_lines_and_too_many_corners_are_refused() {
        let ignored = LabelMap { width: 3, height: 1, labels: vec![IGNORE, 1, IGNORE] };
        assert_eq!(regions(&ignored, 4).unwrap().len(), 1);
        assert_eq!(regions(&ignored, 3), None);
        assert_eq!(regions(&LabelMap::background(0, 0), 0), Some(vec![]));
    }
}
