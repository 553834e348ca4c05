//! Geometry of the loss chart: points to paths on a plane of 1000 × 300, which the screen stretches.

use super::losses::Losses;

/// Width of the plane.
pub const WIDTH: f64 = 1000.0;
/// Height of the plane.
pub const HEIGHT: f64 = 300.0;
/// Points per line: more cannot be told apart.
const COLUMNS: usize = 400;

/// What a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// What is minimised.
    Total,
    /// Spatial-BCE, or the classifier's loss.
    Main,
    /// The foreground-share term.
    Share,
    /// What is minimised in threshold steps.
    Threshold,
}

/// One unbroken line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it shows.
    pub series: Series,
    /// SVG path data.
    pub path: String,
}

/// A round's stretch of the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundMark {
    /// Left edge, percent of the width.
    pub left: f64,
    /// Width, percent of the width.
    pub width: f64,
    /// "1 classifier".
    pub label: String,
}

/// A tick of the vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// From the top, percent of the height.
    pub top: f64,
    /// Its number.
    pub label: String,
}

/// Everything to draw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// Lines, back to front.
    pub lines: Vec<Line>,
    /// Threshold steps: left edge and width on the plane.
    pub bands: Vec<(f64, f64)>,
    /// Rounds.
    pub rounds: Vec<RoundMark>,
    /// Ticks, from 0 up.
    pub ticks: Vec<Tick>,
}

/// Lays the losses out. The horizontal axis is all steps of the run, so that the lines also show how
/// far it is; the vertical one starts at 0 and leaves out the rarest peaks.
pub fn layout(losses: &Losses) -> Chart {
    let steps = losses.total_steps.max(losses.samples.last().map_or(0, |last| last.at + 1)).max(1);
    let x_of = |step: f64| step / steps as f64 * WIDTH;
    let columns = columns(losses, steps);
    let top = nice_top(&columns);
    let y_of = |value: f64| HEIGHT * (1.0 - (value / top).clamp(0.0, 1.0));
    Chart {
        lines: lines(&columns, &x_of, &y_of),
        bands: bands(losses, &x_of),
        rounds: losses
            .rounds
            .iter()
            .map(|span| RoundMark {
                left: x_of(span.start as f64) / WIDTH * 100.0,
                width: x_of(span.steps as f64) / WIDTH * 100.0,
                label: format!("{} {}", span.round + 1, span.name),
            })
            .collect(),
        ticks: (0..=4)
            .map(|i| {
                let value = top * f64::from(i) / 4.0;
                Tick { top: 100.0 * (1.0 - f64::from(i) / 4.0), label: super::text::decimal(value) }
            })
            .collect(),
    }
}

/// Means of neighbouring steps of one round and one kind.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    round: usize,
    threshold: bool,
    bucket: usize,
    step: f64,
    total: f64,
    main: f64,
    share: f64,
    count: f64,
}

fn columns(losses: &Losses, steps: usize) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let finite = |value: f32| if value.is_finite() { f64::from(value) } else { 0.0 };
    for sample in losses.samples.iter().filter(|sample| sample.point.total.is_finite()) {
        let bucket = sample.at * COLUMNS / steps;
        let point = &sample.point;
        let (total, main, share) = (finite(point.total), finite(point.main), finite(point.share));
        match columns.last_mut() {
            Some(last)
                if (last.round, last.threshold, last.bucket)
                    == (sample.round, point.threshold_step, bucket) =>
            {
                last.count += 1.0;
                let towards = |old: &mut f64, new: f64| *old += (new - *old) / last.count;
                towards(&mut last.step, sample.at as f64);
                towards(&mut last.total, total);
                towards(&mut last.main, main);
                towards(&mut last.share, share);
            }
            _ => columns.push(Column {
                round: sample.round,
                threshold: point.threshold_step,
                bucket,
                step: sample.at as f64,
                total,
                main,
                share,
                count: 1.0,
            }),
        }
    }
    columns
}

/// The smallest of 1, 2, 2.5, 5 × 10ⁿ that holds 98 % of the values.
fn nice_top(columns: &[Column]) -> f64 {
    let mut values: Vec<f64> = columns.iter().map(|column| column.total.max(column.main)).collect();
    values.sort_by(f64::total_cmp);
    let high =
        values.get((values.len() * 98 / 100).min(values.len().saturating_sub(1))).copied().unwrap_or(1.0);
    let high = if high > 0.0 { high * 1.05 } else { 1.0 };
    let unit = 10f64.powf(high.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .iter()
        .map(|factor| factor * unit)
        .find(|&top| top >= high)
        .unwrap_or(10.0 * unit)
}

fn lines(columns: &[Column], x_of: &dyn Fn(f64) -> f64, y_of: &dyn Fn(f64) -> f64) -> Vec<Line> {
    let mut rounds: Vec<usize> = columns.iter().map(|column| column.round).collect();
    rounds.dedup();
    let mut lines = Vec::new();
    for series in [Series::Threshold, Series::Share, Series::Main, Series::Total] {
        for &round in &rounds {
            // Round 0 has one term only: its parts would lie on top of the whole.
            if round == 0 && series != Series::Total {
                continue;
            }
            let of_line: Vec<&Column> = columns
                .iter()
                .filter(|column| column.round == round && column.threshold == (series == Series::Threshold))
                .collect();
            let mut path = String::new();
            let mut last_bucket = None;
            for column in of_line {
                let value = match series {
                    Series::Total | Series::Threshold => column.total,
                    Series::Main => column.main,
                    Series::Share => column.share,
                };
                // Threshold steps come in stretches; between them the line is broken.
                let far = last_bucket.is_some_and(|last: usize| column.bucket > last + COLUMNS / 20);
                let pen = if path.is_empty() || (far && series == Series::Threshold) { 'M' } else { 'L' };
                path.push_str(&format!("{pen}{:.1} {:.1}", x_of(column.step), y_of(value)));
                last_bucket = Some(column.bucket);
            }
            if !path.is_empty() {
                lines.push(Line { series, path });
            }
        }
    }
    lines
}

fn bands(losses: &Losses, x_of: &dyn Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let mut bands: Vec<(usize, usize)> = Vec::new();
    let mut inside = false;
    for sample in &losses.samples {
        match bands.last_mut() {
            Some(last) if inside && sample.point.threshold_step => last.1 = sample.at + 1,
            _ if sample.point.threshold_step => bands.push((sample.at, sample.at + 1)),
            _ => {}
        }
        inside = sample.point.threshold_step;
    }
    bands.into_iter().map(|(from, to)| (x_of(from as f64), x_of((to - from) as f64))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::losses::tests::point;
    use crate::model::tests::run_started;
    use tag2mask_core::run::Event;

    fn losses(total: usize, round: usize, values: &[(usize, f32, bool)]) -> Losses {
        let mut losses = Losses::default();
        losses.apply(&run_started(total));
        losses.apply(&Event::RoundStarted { round, rounds: 3, epochs: 1, steps: total });
        let points = values.iter().map(|&(step, total, threshold)| point(step, total, threshold)).collect();
        losses.apply(&Event::Losses { round, points, learning_rate: 0.1 });
        losses
    }

    #[test]
    fn the_line_stands_where_its_values_are() {
        let chart = layout(&losses(100, 0, &[(0, 1.0, false), (50, 0.5, false)]));
        assert_eq!(chart.ticks[4].label, "2.00");
        assert_eq!(chart.lines.len(), 1);
        assert_eq!(chart.lines[0].path, "M0.0 150.0L500.0 225.0");
    }

    #[test]
    fn threshold_steps_have_their_own_line_and_bands() {
        // Epochs 4, 8, 8: the second round starts at 60 of 300 steps.
        let values: Vec<_> = (0..240).map(|step| (step, 0.5, step % 80 >= 60)).collect();
        let chart = layout(&losses(300, 1, &values));
        assert_eq!(chart.bands.len(), 3);
        assert!((chart.bands[0].0 - 120.0 / 300.0 * WIDTH).abs() < 1e-9);
        assert!((chart.bands[0].1 - 20.0 / 300.0 * WIDTH).abs() < 1e-9);
        let threshold = chart.lines.iter().find(|line| line.series == Series::Threshold).unwrap();
        assert_eq!(threshold.path.matches('M').count(), 3);
        assert_eq!(chart.lines.iter().filter(|line| line.series == Series::Total).count(), 1);
    }

    #[test]
    fn many_points_and_wild_values_stay_on_the_plane() {
        let values: Vec<_> = (0..100_000)
            .map(|step| {
                (
                    step,
                    if step == 7 {
                        f32::NAN
                    } else if step == 9 {
                        1e30
                    } else {
                        0.3
                    },
                    false,
                )
            })
            .collect();
        let chart = layout(&losses(100_000, 0, &values));
        let path = &chart.lines[0].path;
        assert!(path.matches(['M', 'L']).count() <= COLUMNS + 1);
        assert!(!path.contains("NaN") && !path.contains("inf") && !path.contains('-'));
    }

    #[test]
    fn nothing_yet_is_an_empty_chart() {
        let chart = layout(&Losses::default());
        assert!(chart.lines.is_empty() && chart.bands.is_empty());
        assert_eq!(chart.ticks.len(), 5);
    }
}
