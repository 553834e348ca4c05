//! One field: what lies in it, the picture, the mask and the boxes.

use image::{Rgb, RgbImage};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Noise, bell, between, direction, passes, smooth};
use super::cells::Cell;
use crate::masks::LabelMap;

/// The side that lengths are given for; other sizes scale them.
const SIDE: f32 = 128.0;

/// A painted field.
pub struct Field {
    pub image: RgbImage,
    pub mask: LabelMap,
    pub boxes: Vec<ObjectBox>,
}

/// The visible part of one object.
pub struct ObjectBox {
    /// Index into [`super::CLASSES`].
    pub class: usize,
    /// Left, top, right, bottom, pixels; the last two exclusive.
    pub edges: [usize; 4],
}

/// Something out of focus that belongs to no class.
struct Debris {
    x: f32,
    y: f32,
    radius: f32,
    absorbance: [f32; 3],
}

impl Field {
    /// Paints a field of `size` by `size` pixels with the classes whose bits are set in `pattern`.
    pub fn paint(size: usize, pattern: u8, rng: &mut ChaCha8Rng) -> Self {
        let noise = Noise::new(rng);
        let cells = place(pattern, rng);
        let debris: Vec<Debris> = (0..rng.random_range(2..=6u32)).map(|_| debris(rng)).collect();
        let owners = owners(&cells, size, &noise);
        let labels = owners.iter().map(|owner| owner.map_or(0, |at| cells[at].class as u8 + 1)).collect();
        Self {
            image: picture(&cells, &debris, size, &noise, rng),
            mask: LabelMap { width: size, height: size, labels },
            boxes: boxes(&cells, &owners, size),
        }
    }
}

/// Erythrocytes lie at the bottom and rods on top.
fn place(pattern: u8, rng: &mut ChaCha8Rng) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    // Large cells first find their place; small ones then keep off them, mostly.
    let mut white = Vec::new();
    if pattern & 2 != 0 {
        let count = if rng.random_bool(0.3) { 2 } else { 1 };
        for _ in 0..count {
            let (x, y) = free_place(rng, &white, 20.0, 14.0, 1.0);
            white.push(Cell::leukocyte(rng, x, y));
        }
    }
    if pattern & 1 != 0 {
        let clusters = rng.random_range(2..=3u32);
        for _ in 0..clusters {
            let (cx, cy) = (between(rng, 12.0, 116.0), between(rng, 12.0, 116.0));
            for _ in 0..rng.random_range(2..=5u32) {
                let (dx, dy) = direction(rng);
                let out = between(rng, 0.0, 24.0);
                let (x, y) = (cx + dx * out, cy + dy * out);
                let inside = (4.0..124.0).contains(&x) && (4.0..124.0).contains(&y);
                // Cells may touch and overlap, but not lie on one another or under a leukocyte.
                if inside && is_free(&cells, x, y, 11.0, 0.72) && is_free(&white, x, y, 11.0, 0.86) {
                    cells.push(Cell::erythrocyte(rng, x, y));
                }
            }
        }
        if cells.len() < 3 {
            let (x, y) = free_place(rng, &white, 12.0, 11.0, 0.9);
            cells.push(Cell::erythrocyte(rng, x, y));
        }
    }
    let below: Vec<(f32, f32, f32)> =
        cells.iter().chain(&white).map(|cell| (cell.x, cell.y, cell.reach)).collect();
    cells.append(&mut white);
    if pattern & 4 != 0 {
        for _ in 0..rng.random_range(2..=3u32) {
            let (mut cx, mut cy) = (64.0, 64.0);
            for _ in 0..30 {
                (cx, cy) = (between(rng, 14.0, 114.0), between(rng, 14.0, 114.0));
                let apart = |&(x, y, reach): &(f32, f32, f32)| far(cx - x, cy - y, reach + 6.0);
                if below.iter().all(apart) {
                    break;
                }
            }
            let (gx, gy) = direction(rng);
            let start = cells.len();
            for _ in 0..rng.random_range(6..=12u32) {
                // Rods of a group lie roughly along one line.
                let (tx, ty) = direction(rng);
                let (ax, ay) = (gx + 0.5 * tx, gy + 0.5 * ty);
                let length = (ax * ax + ay * ay).sqrt();
                let (dx, dy) = direction(rng);
                let out = between(rng, 0.0, 17.0);
                let (x, y) = (cx + dx * out, cy + dy * out);
                let apart = cells[start..].iter().all(|rod| far(rod.x - x, rod.y - y, 7.5));
                if (3.0..125.0).contains(&x) && (3.0..125.0).contains(&y) && apart && cells.len() < start + 6
                {
                    cells.push(Cell::bacillus(rng, x, y, (ax / length, ay / length)));
                }
            }
        }
    }
    cells
}

fn far(dx: f32, dy: f32, reach: f32) -> bool {
    dx * dx + dy * dy > reach * reach
}

fn is_free(cells: &[Cell], x: f32, y: f32, radius: f32, closeness: f32) -> bool {
    cells.iter().all(|cell| far(cell.x - x, cell.y - y, (cell.reach + radius) * closeness))
}

/// A place that keeps `margin` from the edge and off other cells, if one is found.
fn free_place(rng: &mut ChaCha8Rng, cells: &[Cell], radius: f32, margin: f32, closeness: f32) -> (f32, f32) {
    let mut place = (SIDE / 2.0, SIDE / 2.0);
    for _ in 0..40 {
        place = (between(rng, margin, SIDE - margin), between(rng, margin, SIDE - margin));
        if is_free(cells, place.0, place.1, radius, closeness) {
            break;
        }
    }
    place
}

fn debris(rng: &mut ChaCha8Rng) -> Debris {
    let strength = between(rng, 0.06, 0.26);
    // Brownish dust, pink or lilac smears: the colours of the classes, but no shape.
    let tints = [[0.5, 0.7, 0.9], [0.15, 0.9, 0.6], [0.6, 0.9, 0.3]];
    let tint = tints[rng.random_range(0..3u32) as usize];
    Debris {
        x: between(rng, 0.0, SIDE),
        y: between(rng, 0.0, SIDE),
        radius: between(rng, 5.0, 20.0),
        absorbance: tint.map(|value| value * strength),
    }
}

/// Per pixel the object on top, decided at the pixel's centre.
fn owners(cells: &[Cell], size: usize, noise: &Noise) -> Vec<Option<usize>> {
    let step = SIDE / size as f32;
    let mut owners = vec![None; size * size];
    for (at, cell) in cells.iter().enumerate() {
        for (x, y) in around(cell, size) {
            if cell.distance((x as f32 + 0.5) * step, (y as f32 + 0.5) * step, noise) < 0.0 {
                owners[y * size + x] = Some(at);
            }
        }
    }
    owners
}

/// The pixels that a cell can touch.
fn around(cell: &Cell, size: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
    let scale = size as f32 / SIDE;
    let range = move |centre: f32, reach: f32| {
        let low = ((centre - reach - 2.0) * scale).max(0.0) as usize;
        let high = ((centre + reach + 2.0) * scale).max(0.0) as usize;
        low..high.min(size)
    };
    let (columns, rows) = (range(cell.x, cell.reach), range(cell.y, cell.reach));
    rows.flat_map(move |y| columns.clone().map(move |x| (x, y)))
}

fn picture(cells: &[Cell], debris: &[Debris], size: usize, noise: &Noise, rng: &mut ChaCha8Rng) -> RgbImage {
    let step = SIDE / size as f32;
    let mut absorbed = vec![[0.0f32; 3]; size * size];
    let blur = between(rng, 0.55, 1.0);
    for cell in cells {
        for (x, y) in around(cell, size) {
            let (px, py) = ((x as f32 + 0.5) * step, (y as f32 + 0.5) * step);
            let distance = cell.distance(px, py, noise);
            let taken = cell.absorbance(px, py, distance, blur, noise);
            for (sum, value) in absorbed[y * size + x].iter_mut().zip(taken) {
                *sum += value;
            }
        }
    }
    // The lamp: brighter to one side, falling off to the corners, of a tint of its own.
    let (lx, ly) = direction(rng);
    let slope = between(rng, 0.02, 0.12);
    let vignette = between(rng, 0.05, 0.22);
    let lamp = [0.955, 0.925, 0.915].map(|value: f32| value * between(rng, 0.965, 1.02));
    let stain = between(rng, 0.85, 1.15);
    let (grain, plasma) = (between(rng, 0.006, 0.014), between(rng, 0.025, 0.07));
    RgbImage::from_fn(size as u32, size as u32, |x, y| {
        let (px, py) = ((x as f32 + 0.5) * step, (y as f32 + 0.5) * step);
        let (u, v) = (px / SIDE * 2.0 - 1.0, py / SIDE * 2.0 - 1.0);
        let light = 1.0 + slope * (u * lx + v * ly) - vignette * (u * u + v * v) * 0.5;
        let haze = plasma * (1.0 + noise.rich(px / 26.0, py / 26.0));
        let mut taken = [0.35, 1.0, 0.55].map(|value: f32| value * haze);
        for spot in debris {
            let (dx, dy) = (px - spot.x, py - spot.y);
            let near = smooth(spot.radius, 0.0, (dx * dx + dy * dy).sqrt());
            for (sum, value) in taken.iter_mut().zip(spot.absorbance) {
                *sum += value * near;
            }
        }
        let cell = absorbed[y as usize * size + x as usize];
        Rgb([0, 1, 2].map(|c| {
            let value = lamp[c] * light * passes(taken[c] + cell[c] * stain);
            // Photons: brighter means noisier, in absolute terms.
            let noisy = value + bell(rng) * grain * (0.5 + value);
            (noisy * 255.0 + 0.5).clamp(0.0, 255.0) as u8
        }))
    })
}

fn boxes(cells: &[Cell], owners: &[Option<usize>], size: usize) -> Vec<ObjectBox> {
    let mut edges = vec![[usize::MAX, usize::MAX, 0, 0]; cells.len()];
    for (at, owner) in owners.iter().enumerate().filter_map(|(at, owner)| Some((at, (*owner)?))) {
        let (x, y) = (at % size, at / size);
        let [x0, y0, x1, y1] = edges[owner];
        edges[owner] = [x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1)];
    }
    cells
        .iter()
        .zip(edges)
        .filter(|(_, edges)| edges[0] < edges[2])
        .map(|(cell, edges)| ObjectBox { class: cell.class, edges })
        .collect()
}
