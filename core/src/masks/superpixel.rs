//! Superpixels: small connected regions of like colour that keep to a photo's edges (SLIC; Achanta et al.,
//! "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", TPAMI 2012).

/// Rounds of assignment and update; the paper finds ten to be enough.
const ITERATIONS: usize = 10;

/// The weight of distance in space against distance in colour, `m` in the paper, which allows 1 to 40.
const COMPACTNESS: f32 = 10.0;

/// Nobody.
const NONE: u32 = u32::MAX;

/// A photo cut into regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superpixels {
    /// Columns, pixels.
    pub width: usize,
    /// Rows, pixels.
    pub height: usize,
    /// Number of regions.
    pub count: usize,
    /// The region of each pixel, row-major: 0 to `count − 1`.
    pub regions: Vec<u32>,
}

/// A centre in colour (Lab) and space.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Centre {
    lab: [f32; 3],
    x: f32,
    y: f32,
}

impl Superpixels {
    /// Cuts an image, `height × width` RGB pixels, into about `wanted` regions; each of them is connected. The
    /// same image gives the same regions. Pixels that are missing in `rgb` count as black.
    pub fn of(rgb: &[u8], width: usize, height: usize, wanted: usize) -> Self {
        let pixels = width * height;
        if pixels == 0 {
            return Self { width, height, count: 0, regions: Vec::new() };
        }
        let mut lab: Vec<[f32; 3]> =
            rgb.as_chunks::<3>().0.iter().take(pixels).map(|&rgb| to_lab(rgb)).collect();
        lab.resize(pixels, [0.0; 3]);
        let step = (pixels as f32 / wanted.clamp(1, pixels) as f32).sqrt().max(1.0);
        let mut centres = seeds(&lab, width, height, step);
        let mut regions = vec![NONE; pixels];
        let mut nearest = vec![f32::INFINITY; pixels];
        for _ in 0..ITERATIONS {
            nearest.fill(f32::INFINITY);
            assign(&lab, (width, height), step, &centres, &mut nearest, &mut regions);
            update(&lab, width, &regions, &mut centres);
        }
        let least = (step * step / 4.0) as usize;
        let (regions, count) = connect(&regions, width, height, least);
        Self { width, height, count, regions }
    }

    /// The region at a pixel; `None` outside.
    pub fn at(&self, x: usize, y: usize) -> Option<u32> {
        if x >= self.width { None } else { self.regions.get(y * self.width + x).copied() }
    }
}

/// A regular grid of centres, each moved to where colours change least among its 3 × 3 pixels, so that none
/// starts on an edge.
fn seeds(lab: &[[f32; 3]], width: usize, height: usize, step: f32) -> Vec<Centre> {
    let (columns, rows) =
        (((width as f32 / step).round() as usize).max(1), ((height as f32 / step).round() as usize).max(1));
    let gradient = |x: usize, y: usize| {
        let at = |x: usize, y: usize| lab[y.min(height - 1) * width + x.min(width - 1)];
        square(at(x + 1, y), at(x.saturating_sub(1), y)) + square(at(x, y + 1), at(x, y.saturating_sub(1)))
    };
    let mut centres = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (x, y) = ((2 * column + 1) * width / (2 * columns), (2 * row + 1) * height / (2 * rows));
            let mut best = (gradient(x, y), x, y);
            for y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let here = gradient(x, y);
                    if here < best.0 {
                        best = (here, x, y);
                    }
                }
            }
            let (_, x, y) = best;
            centres.push(Centre { lab: lab[y * width + x], x: x as f32, y: y as f32 });
        }
    }
    centres
}

/// Gives each pixel to its nearest centre among those within a grid step and a bit.
fn assign(
    lab: &[[f32; 3]],
    (width, height): (usize, usize),
    step: f32,
    centres: &[Centre],
    nearest: &mut [f32],
    regions: &mut [u32],
) {
    let weight = COMPACTNESS * COMPACTNESS / (step * step);
    for (index, centre) in centres.iter().enumerate() {
        let from = |at: f32| (at - step).max(0.0) as usize;
        let (left, right) = (from(centre.x), ((centre.x + step) as usize + 1).min(width));
        let (top, bottom) = (from(centre.y), ((centre.y + step) as usize + 1).min(height));
        for y in top..bottom {
            for x in left..right {
                let pixel = y * width + x;
                let (dx, dy) = (x as f32 - centre.x, y as f32 - centre.y);
                let distance = square(lab[pixel], centre.lab) + weight * (dx * dx + dy * dy);
                if distance < nearest[pixel] {
                    (nearest[pixel], regions[pixel]) = (distance, index as u32);
                }
            }
        }
    }
}

/// Moves each centre to the mean of its pixels; one without pixels stays.
fn update(lab: &[[f32; 3]], width: usize, regions: &[u32], centres: &mut [Centre]) {
    let mut sums = vec![([0.0f64; 5], 0usize); centres.len()];
    for (pixel, (&region, lab)) in regions.iter().zip(lab).enumerate() {
        if let Some((sum, count)) = sums.get_mut(region as usize) {
            let (x, y) = ((pixel % width) as f32, (pixel / width) as f32);
            for (sum, value) in sum.iter_mut().zip([lab[0], lab[1], lab[2], x, y]) {
                *sum += f64::from(value);
            }
            *count += 1;
        }
    }
    for (centre, (sum, count)) in centres.iter_mut().zip(sums) {
        if count > 0 {
            let [l, a, b, x, y] = sum.map(|sum| (sum / count as f64) as f32);
            *centre = Centre { lab: [l, a, b], x, y };
        }
    }
}

/// Makes every region connected: its parts get numbers of their own, and those smaller than `least` pixels
/// go to a neighbour that was met before.
fn connect(regions: &[u32], width: usize, height: usize, least: usize) -> (Vec<u32>, usize) {
    let mut connected = vec![NONE; regions.len()];
    let mut count = 0u32;
    let mut part = Vec::new();
    for start in 0..regions.len() {
        if connected[start] != NONE {
            continue;
        }
        let mut neighbour = None;
        part.clear();
        part.push(start);
        connected[start] = count;
        let mut next = 0;
        while let Some(&pixel) = part.get(next) {
            next += 1;
            let (x, y) = (pixel % width, pixel / width);
            let around = [
                (x > 0).then(|| pixel - 1),
                (x + 1 < width).then(|| pixel + 1),
                (y > 0).then(|| pixel - width),
                (y + 1 < height).then(|| pixel + width),
            ];
            for beside in around.into_iter().flatten() {
                if connected[beside] == NONE {
                    if regions[beside] == regions[start] {
                        connected[beside] = count;
                        part.push(beside);
                    }
                } else if connected[beside] != count && neighbour.is_none() {
                    neighbour = Some(connected[beside]);
                }
            }
        }
        match neighbour {
            Some(neighbour) if part.len() < least => {
                part.iter().for_each(|&pixel| connected[pixel] = neighbour);
            }
            _ => count += 1,
        }
    }
    (connected, count as usize)
}

fn square(a: [f32; 3], b: [f32; 3]) -> f32 {
    (0..3).map(|channel| (a[channel] - b[channel]).powi(2)).sum()
}

/// sRGB to CIE Lab, for the white point D65.
fn to_lab(rgb: [u8; 3]) -> [f32; 3] {
    // The transfer function as a polynomial: exact at both ends, and within 0.002 between.
    let linear = rgb.map(|value| {
        let value = f32::from(value) / 255.0;
        value * (value * (value * 0.305_306_01 + 0.682_171_1) + 0.012_522_88)
    });
    let mix = |row: [f32; 3]| row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2];
    let root = |value: f32| {
        if value > 216.0 / 24389.0 { value.cbrt() } else { (24389.0 / 27.0 * value + 16.0) / 116.0 }
    };
    let x = root(mix([0.412_456_4, 0.357_576_1, 0.180_437_5]) / 0.950_47);
    let y = root(mix([0.212_672_9, 0.715_152_2, 0.072_175]));
    let z = root(mix([0.019_333_9, 0.119_192, 0.950_304_1]) / 1.088_83);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left half dark red, right half light blue, with a grain.
    fn halves(width: usize, height: usize) -> Vec<u8> {
        (0..width * height)
            .flat_map(|pixel| {
                let grain = (pixel * 7919 % 11) as u8;
                if pixel % width < width / 2 { [120 + grain, 30, 30] } else { [150, 190 + grain, 240] }
            })
            .collect()
    }

    #[test]
    fn lab_of_known_colours() {
        // White, black and red under D65.
        for (rgb, lab) in
            [([255; 3], [100.0, 0.0, 0.0]), ([0; 3], [0.0; 3]), ([255, 0, 0], [53.24, 80.09, 67.20])]
        {
            let found = to_lab(rgb);
            assert!(square(found, lab) < 0.01, "{rgb:?}: {found:?}");
        }
    }

    #[test]
    fn regions_keep_to_edges_are_connected_and_as_many_as_asked() {
        let (width, height) = (90, 60);
        let cut = Superpixels::of(&halves(width, height), width, height, 54);
        assert!((30..=80).contains(&cut.count), "{}", cut.count);
        let sides = |region: u32| {
            let of: Vec<bool> = (0..width * height)
                .filter(|&p| cut.regions[p] == region)
                .map(|p| p % width < width / 2)
                .collect();
            (of.iter().any(|&left| left), of.iter().any(|&left| !left), of.len())
        };
        for region in 0..cut.count as u32 {
            let (left, right, pixels) = sides(region);
            assert!(left != right, "region {region} of {pixels} pixels lies across the edge");
        }
        let (again, count) = connect(&cut.regions, width, height, 0);
        assert_eq!((count, again), (cut.count, cut.regions.clone()), "each is in one piece");
        assert_eq!(cut, Superpixels::of(&halves(width, height), width, height, 54), "the same again");
    }

    #[test]
    fn odd_sizes_are_cut_too() {
        for (width, height, wanted) in [(1, 1, 9), (7, 1, 3), (1, 40, 1000), (13, 11, 0), (0, 5, 4)] {
            let cut = Superpixels::of(&halves(width, height), width, height, wanted);
            assert_eq!(cut.regions.len(), width * height);
            assert!(cut.regions.iter().all(|&region| (region as usize) < cut.count));
        }
        assert_eq!(Superpixels::of(&[], 4, 4, 4).regions.len(), 16, "missing pixels are black");
        let cut = Superpixels::of(&halves(4, 4), 4, 4, 4);
        assert_eq!((cut.at(4, 0), cut.at(0, 4)), (None, None));
    }
}
