//! Plots as shapes, each with its place: what [`super::svg`] writes and [`super::plot_png`] draws.

/// A line of a plot.
pub struct Line {
    /// What the legend calls it.
    pub name: String,
    /// Its points, ascending in x; those that are no numbers are left out.
    pub points: Vec<(f64, f64)>,
}

/// How far a bar goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// To its end.
    pub value: f64,
    /// Half of the whisker over its end; `None` draws none.
    pub spread: Option<f64>,
}

impl From<f64> for Bar {
    fn from(value: f64) -> Self {
        Self { value, spread: None }
    }
}

/// A row of bars.
pub struct Row {
    /// What stands beside it.
    pub name: String,
    /// One for each series; `None` draws none.
    pub bars: Vec<Option<Bar>>,
}

/// A place in a picture, pixels from its left and its top.
pub type Place = (f64, f64);

/// Where a text has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A part of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled rectangle: its upper left corner and its sides.
    Box { at: Place, sides: (f64, f64), color: Color },
    /// A thin line.
    Rule { from: Place, to: Place, color: Color },
    /// A line through points.
    Path { points: Vec<Place>, color: Color },
    /// Words on one line; `at` is on their base line.
    Text { at: Place, anchor: Anchor, is_title: bool, words: String },
}

/// Red, green and blue.
pub type Color = [u8; 3];

/// Shapes, the last on top.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Rows of pixels; columns are [`WIDTH`].
    pub height: f64,
    /// What is in it.
    pub shapes: Vec<Shape>,
}

/// Width of a picture, pixels.
pub const WIDTH: f64 = 960.0;
/// Left of the axes: room for numbers and names.
const LEFT: f64 = 130.0;
/// Right of the axes.
const RIGHT: f64 = 20.0;
/// Height of a line of text.
const TEXT: f64 = 18.0;
/// Colours that those who see fewer can tell apart (Okabe and Ito, 2008).
const COLORS: [Color; 7] = [
    [0x00, 0x72, 0xb2],
    [0xe6, 0x9f, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0x56, 0xb4, 0xe9],
    [0xd5, 0x5e, 0x00],
    [0x66, 0x66, 0x66],
];
/// Of the lines behind everything.
const RULE: Color = [0xdd, 0xdd, 0xdd];
/// Of the lines before everything.
const WHISKER: Color = [0x22, 0x22, 0x22];

/// Lines over a common axis, from 0 up.
pub fn lines(title: &str, across: &str, lines: &[Line]) -> Picture {
    const PLOT: f64 = 360.0;
    let above = TEXT * (2.5 + lines.len() as f64);
    let points = || lines.iter().flat_map(|line| finite(&line.points));
    let right = points().map(|(x, _)| x).fold(1.0, f64::max);
    let top = nice_top(points().map(|(_, y)| y));
    let x_of = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * (x / right).clamp(0.0, 1.0);
    let y_of = |y: f64| above + PLOT * (1.0 - (y / top).clamp(0.0, 1.0));
    let mut picture = Picture::start(title, above + PLOT + 3.0 * TEXT);
    picture.legend(lines.iter().map(|line| line.name.as_str()));
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        let (y, x) = (y_of(share * top), x_of(share * right));
        picture.rule((LEFT, y), (WIDTH - RIGHT, y), RULE);
        picture.text((LEFT - 8.0, y + 4.0), Anchor::End, &number(share * top));
        picture.text((x, above + PLOT + TEXT), Anchor::Middle, &number(share * right));
    }
    picture.text(((LEFT + WIDTH - RIGHT) / 2.0, above + PLOT + 2.2 * TEXT), Anchor::Middle, across);
    for (index, line) in lines.iter().enumerate() {
        let points = finite(&line.points).map(|(x, y)| (x_of(x), y_of(y))).collect();
        picture.shapes.push(Shape::Path { points, color: COLORS[index % COLORS.len()] });
    }
    picture
}

/// Rows of bars from 0 to `top`, a colour for each of `series`.
pub fn bars(title: &str, across: &str, series: &[String], rows: &[Row], top: f64) -> Picture {
    const BAR: f64 = 7.0;
    const GAP: f64 = 7.0;
    let above = TEXT * (2.5 + series.len() as f64);
    let row_height = (BAR * series.len() as f64).max(TEXT * 0.7) + GAP;
    let plot = row_height * rows.len() as f64;
    let x_of = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * (x / top).clamp(0.0, 1.0);
    let mut picture = Picture::start(title, above + plot + 3.0 * TEXT);
    picture.legend(series.iter().map(String::as_str));
    for quarter in 0..=4 {
        let x = top * f64::from(quarter) / 4.0;
        picture.rule((x_of(x), above), (x_of(x), above + plot), RULE);
        picture.text((x_of(x), above + plot + TEXT), Anchor::Middle, &number(x));
    }
    picture.text(((LEFT + WIDTH - RIGHT) / 2.0, above + plot + 2.2 * TEXT), Anchor::Middle, across);
    for (row, y) in rows.iter().zip((0..).map(|index| above + row_height * f64::from(index) + GAP / 2.0)) {
        picture.text((LEFT - 8.0, y + (row_height - GAP) / 2.0 + 4.0), Anchor::End, &row.name);
        for (index, bar) in row.bars.iter().enumerate() {
            let Some(Bar { value, spread }) = bar.filter(|bar| bar.value.is_finite()) else { continue };
            let y = y + BAR * index as f64;
            let sides = (x_of(value) - LEFT, BAR - 1.0);
            let color = COLORS[index % COLORS.len()];
            picture.shapes.push(Shape::Box { at: (LEFT, y), sides, color });
            if let Some(spread) = spread.filter(|spread| spread.is_finite() && *spread > 0.0) {
                let (low, high) = (x_of(value - spread), x_of(value + spread));
                let middle = y + sides.1 / 2.0;
                picture.rule((low, middle), (high, middle), WHISKER);
                for end in [low, high] {
                    picture.rule((end, y + 1.0), (end, y + sides.1 - 1.0), WHISKER);
                }
            }
        }
    }
    picture
}

impl Picture {
    fn start(title: &str, height: f64) -> Self {
        let title =
            Shape::Text { at: (LEFT, TEXT), anchor: Anchor::Start, is_title: true, words: title.to_owned() };
        Self { height, shapes: vec![title] }
    }

    fn legend<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for (index, name) in names.enumerate() {
            let y = TEXT * (2.0 + index as f64);
            let color = COLORS[index % COLORS.len()];
            self.shapes.push(Shape::Box { at: (LEFT, y - 6.0), sides: (18.0, 4.0), color });
            self.text((LEFT + 26.0, y), Anchor::Start, name);
        }
    }

    fn rule(&mut self, from: Place, to: Place, color: Color) {
        self.shapes.push(Shape::Rule { from, to, color });
    }

    fn text(&mut self, at: Place, anchor: Anchor, words: &str) {
        self.shapes.push(Shape::Text { at, anchor, is_title: false, words: words.to_owned() });
    }
}

fn finite(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
}

/// The smallest of 1, 2, 5 × 10ⁿ that holds 98 % of the values: rare peaks are cut off.
fn nice_top(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let index = (values.len() * 98 / 100).min(values.len().saturating_sub(1));
    round_top(values.get(index).copied().unwrap_or(1.0))
}

/// The smallest of 1, 2, 5 × 10ⁿ that is not below a value.
pub fn round_top(value: f64) -> f64 {
    let high = value.clamp(1e-6, 1e12);
    let decade = 10f64.powf(high.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * decade).into_iter().find(|&top| top >= high).unwrap_or(high)
}

fn number(value: f64) -> String {
    match value >= 10.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whisker_goes_as_far_as_the_spread_to_both_sides() {
        let bar = |spread| Row { name: "cow".into(), bars: vec![Some(Bar { value: 50.0, spread })] };
        let rules = |row| {
            let picture = bars("t", "%", &["a".into()], &[row], 100.0);
            let shapes = picture.shapes.into_iter();
            shapes
                .filter_map(|shape| match shape {
                    Shape::Rule { from, to, color: WHISKER } => Some((from.0, to.0)),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        // 810 pixels are 100 %.
        assert_eq!(rules(bar(Some(10.0))), [(454.0, 616.0), (454.0, 454.0), (616.0, 616.0)]);
        for none in [None, Some(0.0), Some(f64::NAN)] {
            assert!(rules(bar(none)).is_empty());
        }
    }

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0.0, 0.7, 1.0, 3.0, 12.0, 99.0].map(round_top), [1e-6, 1.0, 1.0, 5.0, 20.0, 100.0]);
    }
}
