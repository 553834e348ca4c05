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

/// A small picture of one thing among others.
pub struct Panel {
    /// What it is of.
    pub name: String,
    /// Where it is now, in words.
    pub said: String,
    /// Its lines, 0 to 1, a colour each.
    pub lines: Vec<Vec<(f64, f64)>>,
    /// Points of their own, in the next colour.
    pub dots: Vec<(f64, f64)>,
}

/// Small pictures side by side, all over the same axes: from 0 to `right`, with a rule at each of `edges`, and from 0
/// to 1. `series` are the names of the lines and of the dots; those that are empty are left out of the legend.
pub fn panels(title: &str, series: &[&str], panels: &[Panel], right: f64, edges: &[f64]) -> Picture {
    const MOST_ACROSS: usize = 4;
    const MARGIN: f64 = 20.0;
    const GAP: f64 = 24.0;
    const PLOT: f64 = 80.0;
    const HEIGHT: f64 = 2.4 * TEXT + PLOT + GAP;
    let across = panels.len().clamp(1, MOST_ACROSS);
    let width = (WIDTH - 2.0 * MARGIN - GAP * (across - 1) as f64) / across as f64;
    let named = || series.iter().enumerate().filter(|(_, name)| !name.is_empty());
    let above = TEXT * (2.0 + named().count() as f64);
    let rows = panels.len().div_ceil(across);
    let mut picture = Picture { height: above + HEIGHT * rows as f64, shapes: Vec::new() };
    picture.title((MARGIN, TEXT), title);
    for (place, (index, name)) in named().enumerate() {
        picture.key((MARGIN, TEXT * (2.0 + place as f64)), index, name);
    }
    for (index, panel) in panels.iter().enumerate() {
        let left = MARGIN + (width + GAP) * (index % across) as f64;
        let top = above + HEIGHT * (index / across) as f64 + 2.4 * TEXT;
        let at = |&(x, y): &(f64, f64)| {
            (left + width * (x / right).clamp(0.0, 1.0), top + PLOT * (1.0 - y.clamp(0.0, 1.0)))
        };
        picture.name((left, top - 1.4 * TEXT), &panel.name);
        picture.text((left, top - 0.5 * TEXT), Anchor::Start, &panel.said);
        for y in [0.0, 0.5, 1.0] {
            picture.rule(at(&(0.0, y)), at(&(right, y)), RULE);
        }
        for &edge in edges {
            picture.rule(at(&(edge, 0.0)), at(&(edge, 1.0)), RULE);
        }
        for (line, points) in panel.lines.iter().enumerate() {
            let points: Vec<Place> = finite(points).map(|point| at(&point)).collect();
            picture.shapes.push(Shape::Path { points, color: COLORS[line % COLORS.len()] });
        }
        for (x, y) in finite(&panel.dots).map(|point| at(&point)) {
            let color = COLORS[panel.lines.len() % COLORS.len()];
            picture.shapes.push(Shape::Box { at: (x - 3.0, y - 3.0), sides: (6.0, 6.0), color });
        }
    }
    picture
}

impl Picture {
    fn start(title: &str, height: f64) -> Self {
        let mut picture = Self { height, shapes: Vec::new() };
        picture.title((LEFT, TEXT), title);
        picture
    }

    fn title(&mut self, at: Place, words: &str) {
        let words = words.to_owned();
        self.shapes.push(Shape::Text { at, anchor: Anchor::Start, is_title: true, words });
    }

    /// A name that is too long for its place loses its end.
    fn name(&mut self, at: Place, name: &str) {
        const MOST: usize = 28;
        match name.chars().count() > MOST {
            true => self.title(at, &name.chars().take(MOST - 1).chain(['…']).collect::<String>()),
            false => self.title(at, name),
        }
    }

    fn legend<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for (index, name) in names.enumerate() {
            self.key((LEFT, TEXT * (2.0 + index as f64)), index, name);
        }
    }

    /// A colour and what it stands for.
    fn key(&mut self, (x, y): Place, index: usize, name: &str) {
        let color = COLORS[index % COLORS.len()];
        self.shapes.push(Shape::Box { at: (x, y - 6.0), sides: (18.0, 4.0), color });
        self.text((x + 26.0, y), Anchor::Start, name);
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
    fn panels_stand_side_by_side_and_keep_to_their_places() {
        let panel = |name: &str| Panel {
            name: name.into(),
            said: "12 %".into(),
            lines: vec![vec![(0.0, 0.0), (5.0, f64::NAN), (10.0, 7.0)], Vec::new()],
            dots: vec![(10.0, 0.5)],
        };
        let all: Vec<Panel> = (0..5).map(|index| panel(&format!("class {index}"))).collect();
        let picture = panels("t", &["a", "", "b"], &all, 10.0, &[5.0]);
        let paths: Vec<&Vec<Place>> = picture
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Path { points, .. } if !points.is_empty() => Some(points),
                _ => None,
            })
            .collect();
        assert_eq!(paths.len(), 5);
        // The first and the fifth stand below each other; what is above 1 ends at the top.
        assert_eq!((paths[0][0].0, paths[4][0].0), (20.0, 20.0));
        assert_eq!(paths[0][0].1 - paths[0][1].1, 80.0);
        assert!(paths[4][0].1 - paths[0][0].1 > 100.0);
        let is_inside = |&(x, y): &Place| (0.0..=WIDTH).contains(&x) && (0.0..=picture.height).contains(&y);
        assert!(paths.iter().all(|path| path.len() == 2 && path.iter().all(is_inside)));
        let long = panels("t", &[], &[panel(&"x".repeat(99))], 1.0, &[]);
        let cut = |shape: &Shape| matches!(shape, Shape::Text { words, .. } if words.ends_with('…') && words.chars().count() == 28);
        assert!(long.shapes.iter().any(cut));
    }

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0.0, 0.7, 1.0, 3.0, 12.0, 99.0].map(round_top), [1e-6, 1.0, 1.0, 5.0, 20.0, 100.0]);
    }
}
