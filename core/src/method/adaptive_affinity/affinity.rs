//! The adaptive affinity loss (Zhang, Peng et al., ACM MM 2021; METHODS §3 [code]): pixels of one label are
//! pulled to the same probabilities, those of two labels pushed apart, by how sure their labels are.

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};

/// Pixels between the two of a pair, along rows, columns and diagonals.
const REACH: usize = 4;
/// Probabilities, and what they leave to 1, are at least this.
const FLOOR: f32 = 1e-4;
/// What labels that differ are pushed to, in confidences.
const MARGIN: f32 = 3.0;
/// The weight of each group: both background, both of one class, of different labels.
const WEIGHTS: [f32; 3] = [1.0, 1.0, 2.0];
/// Half of the eight partners, rows down and columns to the right in units of [`REACH`]; the others are these
/// seen from the other end.
const OFFSETS: [(usize, isize); 4] = [(0, 1), (1, -1), (1, 0), (1, 1)];

/// Both ends of all pairs at one offset, `[N, _, h', w']` each; `None` in images too small for any.
fn ends(x: &Tensor<4>, (down, right): (usize, isize)) -> Option<[Tensor<4>; 2]> {
    let [_, _, height, width] = x.dims();
    let (down, aside) = (down * REACH, right.unsigned_abs() * REACH);
    if height <= down || width <= aside {
        return None;
    }
    let (height, width) = (height - down, width - aside);
    let (from, to) = if right < 0 { (aside, 0) } else { (0, aside) };
    let end = |row: usize, column: usize| x.clone().narrow(2, row, height).narrow(3, column, width);
    Some([end(0, from), end(down, to)])
}

/// Each pixel's label as a number, −1 where it has none: `[N, C + 1, h, w]` to `[N, 1, h, w]`.
fn numbers(targets: Tensor<4>) -> Tensor<4> {
    let labels = targets.dims()[1];
    let numbers = (1..=labels).map(|label| label as f32).collect::<Vec<_>>();
    let numbers = Tensor::<4>::from_data(TensorData::new(numbers, [1, labels, 1, 1]), &targets.device());
    (targets * numbers).sum_dim(1) - 1.0
}

/// 1 where a pair is of the group, in the order of [`WEIGHTS`], `[N, 1, h', w']` each.
fn groups([first, second]: [Tensor<4>; 2]) -> [Tensor<4>; 3] {
    let lower = first.clone().min_pair(second.clone());
    let labelled = lower.clone().greater_equal_elem(0.0f32).float();
    let same = first.equal(second).float() * labelled.clone();
    // Of equal numbers, the lower is either.
    let object = same.clone() * lower.greater_elem(0.0f32).float();
    [same.clone() - object.clone(), object, labelled - same]
}

/// Pairs of each group, `[3]`: both background, both of one class, of different labels. What
/// [`affinity_loss`] divides by, and what adds up over the parts of a batch.
///
/// `targets`: `[N, C + 1, h, w]`, untracked; 1 at each pixel's label, all 0 where it has none.
pub fn pair_counts(targets: Tensor<4>) -> Tensor<1> {
    let mut counts = Tensor::<1>::zeros([3], &targets.device());
    let numbers = numbers(targets);
    for offset in OFFSETS {
        let Some(ends) = ends(&numbers, offset) else { continue };
        let each = groups(ends).map(Tensor::sum);
        // Each pair is one from either end.
        counts = counts + Tensor::cat(each.to_vec(), 0).mul_scalar(2.0);
    }
    counts
}

/// Per class and pixel, with partner `q` of `p`: `D = Σ q ln(q/p) + (1 − q) ln((1 − q)/(1 − p))`. With `k` the
/// larger of the pair's confidences: `mean kD` over pairs of background, `mean kD` over pairs of one class, and
/// `2 · mean max(0, 3k − D)` over pairs of different labels; a group without pairs adds 0. The gradient goes to
/// both ends.
///
/// # Shapes
/// - `logits`: `[N, C + 1, h, w]`, background first
/// - `targets`: as in [`pair_counts`]
/// - `confidence`: `[N, 1, h, w]`, 0 to 1, untracked
/// - `counts`: [`pair_counts`] of the whole batch, where this is a part of it
/// - result: `[1]`
pub fn affinity_loss(
    logits: Tensor<4>,
    targets: Tensor<4>,
    confidence: Tensor<4>,
    counts: Option<Tensor<1>>,
) -> Tensor<1> {
    let counts = counts.unwrap_or_else(|| pair_counts(targets.clone())).clamp_min(1.0);
    let over = |group: usize| counts.clone().narrow(0, group, 1).recip().mul_scalar(WEIGHTS[group]);
    let over: [Tensor<1>; 3] = std::array::from_fn(over);
    let probabilities = softmax(logits.clone(), 1);
    let rest = probabilities.clone().neg() + 1.0;
    let both = Tensor::cat(vec![probabilities, rest], 1).clamp(FLOOR, 1.0);
    let logarithms = both.clone().log();
    let numbers = numbers(targets);
    let mut loss = logits.sum().mul_scalar(0.0);
    for offset in OFFSETS {
        let pairs = (
            ends(&both, offset),
            ends(&logarithms, offset),
            ends(&numbers, offset),
            ends(&confidence, offset),
        );
        let (Some([p, q]), Some([ln_p, ln_q]), Some(labels), Some([k_p, k_q])) = pairs else { continue };
        let [background, object, different] = groups(labels);
        let k = k_p.max_pair(k_q);
        let logarithm = ln_q - ln_p;
        // From either end.
        let there = (q * logarithm.clone()).sum_dim(1);
        let back = (p * logarithm).sum_dim(1).neg();
        let alike = (there.clone() + back.clone()) * k.clone();
        let margin = k.mul_scalar(MARGIN);
        let short = |distance: Tensor<4>| (margin.clone() - distance).clamp_min(0.0);
        let apart = short(there) + short(back);
        for ((pair, group), over) in
            [(alike.clone(), background), (alike, object), (apart, different)].into_iter().zip(&over)
        {
            loss = loss + (pair * group).sum() * over.clone();
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::tensor::finite_difference;

    const LABELS: usize = 3;
    const SHAPE: [usize; 4] = [1, LABELS, 6, 7];
    const PIXELS: usize = 42;
    /// No label.
    const NONE: usize = 255;

    fn logits(scale: f32) -> Vec<f32> {
        (0..LABELS * PIXELS).map(|index| ((index * 37 % 41) as f32 - 20.0) * 0.05 * scale).collect()
    }

    fn tensor(values: Vec<f32>, channels: usize) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values, [1, channels, 6, 7]), &Device::flex())
    }

    fn targets(label: impl Fn(usize) -> usize) -> Tensor<4> {
        let mut values = vec![0.0; LABELS * PIXELS];
        for pixel in (0..PIXELS).filter(|&pixel| label(pixel) < LABELS) {
            values[label(pixel) * PIXELS + pixel] = 1.0;
        }
        tensor(values, LABELS)
    }

    fn confidence() -> Tensor<4> {
        tensor((0..PIXELS).map(|pixel| 0.3 + 0.6 * (pixel * 5 % 7) as f32 / 7.0).collect(), 1)
    }

    fn mixed(pixel: usize) -> usize {
        [0, 0, 1, 2, NONE, 1, 0, 2, 2][pixel * pixel / 11 % 9]
    }

    fn counts(targets: Tensor<4>) -> Vec<f32> {
        pair_counts(targets).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn it_has_the_gradient_of_finite_differences() {
        assert!(counts(targets(mixed)).iter().all(|&count| count > 2.0));
        finite_difference::check(&logits(1.0), SHAPE, 5e-3, 5e-3, &[], |logits| {
            affinity_loss(logits, targets(mixed), confidence(), None)
        });
    }

    /// The formula, pixel by pixel.
    fn expected(logits: &[f32], label: impl Fn(usize) -> usize, confidence: &[f32]) -> (f64, [f64; 3]) {
        let (height, width) = (6i32, 7i32);
        let probability = |pixel: usize, class: usize| {
            let exp = |class: usize| f64::from(logits[class * PIXELS + pixel]).exp();
            exp(class) / (0..LABELS).map(exp).sum::<f64>()
        };
        let (mut sums, mut counts) = ([0.0; 3], [0.0; 3]);
        for i in 0..PIXELS {
            for (dy, dx) in [(-4, -4), (-4, 0), (-4, 4), (0, -4), (0, 4), (4, -4), (4, 0), (4, 4)] {
                let (y, x) = (i as i32 / width + dy, i as i32 % width + dx);
                if !(0..height).contains(&y) || !(0..width).contains(&x) {
                    continue;
                }
                let j = (y * width + x) as usize;
                if label(i) == NONE || label(j) == NONE {
                    continue;
                }
                let clamped = |value: f64| value.clamp(1e-4, 1.0);
                let distance: f64 = (0..LABELS)
                    .map(|class| (probability(i, class), probability(j, class)))
                    .map(|(p, q)| [(p, q), (1.0 - p, 1.0 - q)])
                    .flat_map(|both| both.map(|(p, q)| clamped(q) * (clamped(q) / clamped(p)).ln()))
                    .sum();
                let k = f64::from(confidence[i].max(confidence[j]));
                let (group, loss) = match (label(i), label(j)) {
                    (0, 0) => (0, k * distance),
                    (a, b) if a == b => (1, k * distance),
                    _ => (2, 2.0 * (3.0 * k - distance).max(0.0)),
                };
                sums[group] += loss;
                counts[group] += 1.0;
            }
        }
        (std::iter::zip(sums, counts).map(|(sum, count): (f64, f64)| sum / count.max(1.0)).sum(), counts)
    }

    type Label = Box<dyn Fn(usize) -> usize>;

    #[test]
    fn it_is_the_formula_and_an_empty_group_adds_nothing() {
        let confident: Vec<f32> = confidence().into_data().try_to_vec().unwrap();
        let only = |labels: &'static [usize]| move |pixel: usize| labels[pixel * 4 % labels.len()];
        let cases: [(&str, Label, [bool; 3]); 6] = [
            ("all groups", Box::new(mixed), [true; 3]),
            ("no label", Box::new(|_| NONE), [false; 3]),
            ("background only", Box::new(|_| 0), [true, false, false]),
            ("one class only", Box::new(|_| 2), [false, true, false]),
            // Rows four apart, or columns: never of the same label.
            (
                "no pair alike",
                Box::new(|pixel| [0, 1, 2, NONE][(pixel / 7 / 4 + pixel % 7 / 4 * 2) % 4]),
                [false, false, true],
            ),
            ("no background", Box::new(only(&[1, 2, 2, NONE, 1])), [false, true, true]),
        ];
        for scale in [1.0, 30.0] {
            for (what, label, filled) in &cases {
                let (expected, counted) = expected(&logits(scale), label, &confident);
                assert_eq!(counted.map(|count| count > 0.0), *filled, "{what}");
                let found_counts = counts(targets(label));
                assert_eq!(found_counts.iter().map(|&count| f64::from(count)).collect::<Vec<_>>(), counted);
                let logits = tensor(logits(scale), LABELS);
                let found = affinity_loss(logits, targets(label), confidence(), None).into_scalar::<f32>();
                let error = (f64::from(found) - expected).abs();
                assert!(error <= 1e-4 * expected.abs().max(1.0), "{what}: {found} {expected}");
            }
        }
    }

    #[test]
    fn parts_of_a_batch_add_up_to_it() {
        let two = |first: Tensor<4>, second: Tensor<4>| Tensor::cat(vec![first, second], 0);
        let images = [
            (tensor(logits(1.0), LABELS), targets(mixed), confidence()),
            (tensor(logits(-2.0), LABELS), targets(|pixel| mixed(pixel + 5)), confidence().mul_scalar(0.5)),
        ];
        let [(l, t, k), (m, u, n)] = images.clone();
        let whole = affinity_loss(two(l, m), two(t.clone(), u.clone()), two(k, n), None);
        let counts = pair_counts(t) + pair_counts(u);
        let parts = images.map(|(logits, targets, confidence)| {
            affinity_loss(logits, targets, confidence, Some(counts.clone())).into_scalar::<f32>()
        });
        let whole = whole.into_scalar::<f32>();
        assert!((parts.iter().sum::<f32>() - whole).abs() < 1e-5 * whole, "{parts:?} {whole}");
    }

    #[test]
    fn gradients_of_extreme_logits_and_empty_groups_are_numbers() {
        let device = Device::flex().autodiff();
        for logit in [0.0f32, 90.0, 1e4] {
            for label in [NONE, 0, 1] {
                let values: Vec<f32> = logits(1.0).iter().map(|value| value.signum() * logit).collect();
                let logits = Tensor::<4>::from_data(TensorData::new(values, SHAPE), &device).require_grad();
                let loss = affinity_loss(logits.clone(), targets(|_| label), confidence(), None);
                let gradient = logits.grad(&loss.backward()).unwrap();
                let gradient: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
                assert!(gradient.iter().all(|value| value.is_finite()), "{logit} {label}");
                assert!(loss.into_scalar::<f32>().is_finite());
            }
        }
    }

    #[test]
    fn an_image_smaller_than_a_pair_costs_nothing() {
        let small = |channels: usize| Tensor::<4>::ones([2, channels, 4, 3], &Device::flex());
        let loss = affinity_loss(small(2), small(2).mul_scalar(0.0), small(1), None);
        assert_eq!(loss.into_scalar::<f32>(), 0.0);
    }
}
