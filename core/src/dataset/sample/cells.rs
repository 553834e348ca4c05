//! The three kinds of object: where they are, and how much light they take at each point.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Noise, between, direction, smooth};

/// Absorbance of red, green and blue.
pub type Absorbance = [f32; 3];

/// One object. Lengths are in pixels of a field of 128; `inside` is exact, so masks have no soft edge.
pub struct Cell {
    /// Index into [`super::CLASSES`].
    pub class: usize,
    /// Centre.
    pub x: f32,
    pub y: f32,
    /// No point of it is further from the centre.
    pub reach: f32,
    kind: Kind,
}

enum Kind {
    /// A biconcave disc: pale in the middle. The axes are those of an ellipse along `along`.
    Erythrocyte { along: (f32, f32), long: f32, short: f32, pallor: f32, shift: (f32, f32), stain: f32 },
    /// A round cell with a lobed nucleus.
    Leukocyte { radius: f32, lobes: Vec<(f32, f32, f32)>, stain: f32, offset: f32, granules: f32 },
    /// A rod with round ends.
    Bacillus { along: (f32, f32), half: f32, radius: f32, stain: f32 },
}

impl Cell {
    /// An erythrocyte of radius 9 to 13.
    pub fn erythrocyte(rng: &mut ChaCha8Rng, x: f32, y: f32) -> Self {
        let long = between(rng, 9.5, 13.0);
        let kind = Kind::Erythrocyte {
            along: direction(rng),
            long,
            short: long * between(rng, 0.84, 1.0),
            pallor: between(rng, 0.40, 0.58),
            shift: (between(rng, -0.1, 0.1), between(rng, -0.1, 0.1)),
            stain: between(rng, 0.85, 1.15),
        };
        Self { class: 0, x, y, reach: long * 1.15, kind }
    }

    /// A leukocyte of radius 16 to 23, with two to four lobes in its nucleus.
    pub fn leukocyte(rng: &mut ChaCha8Rng, x: f32, y: f32) -> Self {
        let radius = between(rng, 16.5, 23.0);
        let count = rng.random_range(2..=4u32);
        let (mut dx, mut dy) = direction(rng);
        let mut lobes = Vec::new();
        for _ in 0..count {
            let size = radius * between(rng, 0.29, 0.37);
            let out = radius * between(rng, 0.36, 0.50);
            lobes.push((dx * out, dy * out, size));
            // On to the next lobe: a turn by 60° to 95°, always the same way round.
            let cos = between(rng, -0.09, 0.5);
            let sin = (1.0 - cos * cos).sqrt();
            (dx, dy) = (dx * cos - dy * sin, dx * sin + dy * cos);
        }
        let kind = Kind::Leukocyte {
            radius,
            lobes,
            stain: between(rng, 0.85, 1.15),
            offset: between(rng, 0.0, 31.0),
            granules: between(rng, 0.1, 0.3),
        };
        Self { class: 1, x, y, reach: radius * 1.15, kind }
    }

    /// A rod about 5 wide and 14 to 20 long.
    pub fn bacillus(rng: &mut ChaCha8Rng, x: f32, y: f32, along: (f32, f32)) -> Self {
        let (half, radius) = (between(rng, 4.8, 7.6), between(rng, 2.1, 2.7));
        let kind = Kind::Bacillus { along, half, radius, stain: between(rng, 0.85, 1.2) };
        Self { class: 2, x, y, reach: half + radius + 1.0, kind }
    }

    /// Distance to the outline in pixels, negative inside, near enough for a soft edge.
    pub fn distance(&self, x: f32, y: f32, noise: &Noise) -> f32 {
        let (dx, dy) = (x - self.x, y - self.y);
        match &self.kind {
            Kind::Erythrocyte { along, long, short, .. } => {
                let (u, v) = ((dx * along.0 + dy * along.1) / long, (dy * along.0 - dx * along.1) / short);
                let wobble = 0.05 * noise.at(self.x * 3.1 + dx / long * 1.5, self.y * 2.7 + dy / long * 1.5);
                ((u * u + v * v).sqrt() - 1.0 - wobble) * short
            }
            Kind::Leukocyte { radius, offset, .. } => {
                let wobble = 0.11 * noise.at(offset + dx / radius * 1.4, offset * 1.7 + dy / radius * 1.4);
                ((dx * dx + dy * dy).sqrt() / radius - 1.0 - wobble) * radius
            }
            Kind::Bacillus { along, half, radius, .. } => {
                let (u, v) = (dx * along.0 + dy * along.1, dy * along.0 - dx * along.1);
                let beyond = (u.abs() - half).max(0.0);
                (beyond * beyond + v * v).sqrt() - radius
            }
        }
    }

    /// What it takes from the light at a point, given the distance to its outline there; `blur` is
    /// half the width of its soft edge.
    pub fn absorbance(&self, x: f32, y: f32, distance: f32, blur: f32, noise: &Noise) -> Absorbance {
        let cover = smooth(blur, -blur, distance);
        if cover <= 0.0 {
            return [0.0; 3];
        }
        let (dx, dy) = (x - self.x, y - self.y);
        let color: Absorbance = match &self.kind {
            Kind::Erythrocyte { along, long, short, pallor, shift, stain } => {
                let (u, v) = (
                    (dx * along.0 + dy * along.1) / long - shift.0,
                    (dy * along.0 - dx * along.1) / short - shift.1,
                );
                let r = (u * u + v * v).sqrt();
                let thickness =
                    0.30 + 0.70 * smooth(pallor * 0.35, pallor * 1.45, r) + 0.18 * smooth(0.72, 0.95, r);
                [0.06, 0.52, 0.40].map(|value| value * thickness * stain)
            }
            Kind::Leukocyte { radius, lobes, stain, offset, granules } => {
                // Lobes melt into one another where they are near: a sum of bumps above a level.
                let bumps: f32 = lobes
                    .iter()
                    .map(|(lx, ly, size)| {
                        let square = ((dx - lx) * (dx - lx) + (dy - ly) * (dy - ly)) / (size * size);
                        let bump = (1.0 - square / 2.6).max(0.0);
                        bump * bump
                    })
                    .sum();
                let nucleus = smooth(0.30, 0.44, bumps);
                let chromatin = 1.0 + 0.28 * noise.rich(offset + x / 3.2, offset + y / 3.2);
                let grain = 1.0 + granules * 3.0 * noise.at(offset * 2.0 + x / 1.5, y / 1.5).max(0.0);
                let rim = 1.0 + 0.35 * smooth(-0.16 * radius, 0.0, distance);
                let plasma = [0.20, 0.30, 0.09].map(|value| value * grain * rim);
                let core = [0.92, 1.45, 0.42].map(|value| value * chromatin);
                [0, 1, 2].map(|c| (plasma[c] * (1.0 - nucleus) + core[c] * nucleus) * stain)
            }
            Kind::Bacillus { radius, stain, .. } => {
                let depth = (-distance / radius).clamp(0.0, 1.0);
                let body = 0.75 + 0.45 * depth;
                [1.25, 1.15, 0.50].map(|value| value * body * stain)
            }
        };
        color.map(|value| value * cover)
    }
}
