//! Colours in groups, which a mixture starts from: k-means with the start of Arthur and Vassilvitskii,
//! "k-means++: The Advantages of Careful Seeding", SODA 2007.

use rand::{Rng, RngExt};

/// Red, green and blue.
pub type Color = [u8; 3];

/// Times that the means follow their colours: afterwards they hardly move.
const ITERATIONS: usize = 10;

/// The group of each colour, `0..count`. There are fewer groups where there are fewer different colours.
pub fn group(colors: &[Color], count: usize, random: &mut impl Rng) -> Vec<u8> {
    let mut means = start(colors, count, random);
    let mut groups = vec![0u8; colors.len()];
    for _ in 0..ITERATIONS {
        let mut sums = vec![([0u64; 3], 0u64); means.len()];
        let mut moved = false;
        for (group, &color) in groups.iter_mut().zip(colors) {
            let nearest = nearest(&means, color);
            moved |= nearest != *group;
            *group = nearest;
            let (sum, count) = &mut sums[usize::from(nearest)];
            sum.iter_mut().zip(color).for_each(|(sum, value)| *sum += u64::from(value));
            *count += 1;
        }
        if !moved {
            break;
        }
        for (mean, (sum, count)) in means.iter_mut().zip(sums) {
            if count > 0 {
                *mean = sum.map(|sum| sum as f32 / count as f32);
            }
        }
    }
    groups
}

/// Colours far from each other: the first at random, each further one by the square of its distance to the
/// nearest so far.
fn start(colors: &[Color], count: usize, random: &mut impl Rng) -> Vec<[f32; 3]> {
    let mut means: Vec<[f32; 3]> = Vec::with_capacity(count);
    if colors.is_empty() {
        return means;
    }
    let mut chosen = colors[random.random_range(0..colors.len())];
    means.push(chosen.map(f32::from));
    let mut nearest: Vec<u32> = vec![u32::MAX; colors.len()];
    while means.len() < count {
        let mut total = 0u64;
        for (nearest, &color) in nearest.iter_mut().zip(colors) {
            let apart = |channel: usize| u32::from(color[channel].abs_diff(chosen[channel])).pow(2);
            *nearest = (*nearest).min(apart(0) + apart(1) + apart(2));
            total += u64::from(*nearest);
        }
        if total == 0 {
            break;
        }
        let mut left = random.random_range(0..total);
        let drawn = nearest.iter().position(|&weight| {
            let found = left < u64::from(weight);
            left = left.saturating_sub(weight.into());
            found
        });
        chosen = colors[drawn.unwrap_or(0)];
        means.push(chosen.map(f32::from));
    }
    means
}

fn nearest(means: &[[f32; 3]], color: Color) -> u8 {
    let color = color.map(f32::from);
    let mut best = (0, f32::INFINITY);
    for (index, mean) in (0u8..).zip(means) {
        let [r, g, b] = [0, 1, 2].map(|channel| color[channel] - mean[channel]);
        let distance = r * r + g * g + b * b;
        if distance < best.1 {
            best = (index, distance);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn colours_that_lie_apart_are_told_apart() {
        let centres: [Color; 4] = [[20, 20, 20], [220, 30, 40], [30, 210, 60], [200, 200, 230]];
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let colors: Vec<Color> =
                (0..400).map(|at| centres[at % 4].map(|value| value + random.random_range(0..15))).collect();
            let groups = group(&colors, 4, &mut random);
            for first in 0..4 {
                assert!((first..400).step_by(4).all(|at| groups[at] == groups[first]), "seed {seed}");
                assert!((0..first).all(|other| groups[other] != groups[first]), "seed {seed}");
            }
        }
    }

    #[test]
    fn fewer_colours_than_groups_make_fewer_groups() {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        assert!(group(&[], 5, &mut random).is_empty());
        assert_eq!(group(&[[9; 3]; 7], 5, &mut random), [0; 7]);
        let two = group(&[[0; 3], [255; 3], [0; 3]], 5, &mut random);
        assert!(two[0] == two[2] && two[0] != two[1]);
    }
}
