//! Plots as SVG: text that any browser draws, and nothing in it but what is written here.

use std::fmt::Write as _;

/// A line of a plot.
pub struct Line {
    /// What the legend calls it.
    pub name: String,
    /// Its points, ascending in x; those that are no numbers are left out.
    pub points: Vec<(f64, f64)>,
}

/// A row of bars.
pub struct Row {
    /// What stands beside it.
    pub name: String,
    /// One for each series; `None` draws none.
    pub values: Vec<Option<f64>>,
}

/// Width of a picture, pixels.
const WIDTH: f64 = 960.0;
/// Left of the axes: room for numbers and names.
const LEFT: f64 = 130.0;
/// Right of the axes.
const RIGHT: f64 = 20.0;
/// Height of a line of text.
const TEXT: f64 = 18.0;
/// Colours that those who see fewer can tell apart (Okabe and Ito, 2008).
const COLORS: [&str; 7] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#666666"];

/// Lines over a common axis, from 0 up.
pub fn lines(title: &str, across: &str, lines: &[Line]) -> String {
    const PLOT: f64 = 360.0;
    let above = TEXT * (2.5 + lines.len() as f64);
    let points = || lines.iter().flat_map(|line| finite(&line.points));
    let right = points().map(|(x, _)| x).fold(1.0, f64::max);
    let top = nice_top(points().map(|(_, y)| y));
    let x_of = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * (x / right).clamp(0.0, 1.0);
    let y_of = |y: f64| above + PLOT * (1.0 - (y / top).clamp(0.0, 1.0));
    let mut svg = start(title, above + PLOT + 3.0 * TEXT);
    legend(&mut svg, lines.iter().map(|line| line.name.as_str()));
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        let (y, x) = (y_of(share * top), x_of(share * right));
        rule(&mut svg, (LEFT, y), (WIDTH - RIGHT, y));
        text(&mut svg, (LEFT - 8.0, y + 4.0), "end", &number(share * top));
        text(&mut svg, (x, above + PLOT + TEXT), "middle", &number(share * right));
    }
    text(&mut svg, ((LEFT + WIDTH - RIGHT) / 2.0, above + PLOT + 2.2 * TEXT), "middle", across);
    for (index, line) in lines.iter().enumerate() {
        let mut path = String::new();
        for (x, y) in finite(&line.points) {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{:.1} {:.1}", x_of(x), y_of(y));
        }
        let color = COLORS[index % COLORS.len()];
        let _ = writeln!(svg, r#"<path d="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>"#);
    }
    svg + "</svg>\n"
}

/// Rows of bars from 0 to `top`, a colour for each of `series`.
pub fn bars(title: &str, across: &str, series: &[String], rows: &[Row], top: f64) -> String {
    const BAR: f64 = 7.0;
    const GAP: f64 = 7.0;
    let above = TEXT * (2.5 + series.len() as f64);
    let row_height = (BAR * series.len() as f64).max(TEXT * 0.7) + GAP;
    let plot = row_height * rows.len() as f64;
    let x_of = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * (x / top).clamp(0.0, 1.0);
    let mut svg = start(title, above + plot + 3.0 * TEXT);
    legend(&mut svg, series.iter().map(String::as_str));
    for quarter in 0..=4 {
        let x = top * f64::from(quarter) / 4.0;
        rule(&mut svg, (x_of(x), above), (x_of(x), above + plot));
        text(&mut svg, (x_of(x), above + plot + TEXT), "middle", &number(x));
    }
    text(&mut svg, ((LEFT + WIDTH - RIGHT) / 2.0, above + plot + 2.2 * TEXT), "middle", across);
    for (row, y) in rows.iter().zip((0..).map(|index| above + row_height * f64::from(index) + GAP / 2.0)) {
        text(&mut svg, (LEFT - 8.0, y + (row_height - GAP) / 2.0 + 4.0), "end", &row.name);
        for (index, value) in row.values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            let (y, color) = (y + BAR * index as f64, COLORS[index % COLORS.len()]);
            let width = x_of(value) - LEFT;
            let height = BAR - 1.0;
            let _ = writeln!(
                svg,
                r#"<rect x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{height}" fill="{color}"/>"#
            );
        }
    }
    svg + "</svg>\n"
}

fn finite(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
}

/// The smallest of 1, 2, 5 × 10ⁿ that holds 98 % of the values: rare peaks are cut off.
fn nice_top(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let index = (values.len() * 98 / 100).min(values.len().saturating_sub(1));
    let high = values.get(index).copied().unwrap_or(1.0).clamp(1e-6, 1e12);
    let decade = 10f64.powf(high.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * decade).into_iter().find(|&top| top >= high).unwrap_or(high)
}

fn number(value: f64) -> String {
    match value >= 10.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

fn start(title: &str, height: f64) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"{TEXT}\" font-size=\"15\">{title}</text>\n"
    )
}

fn legend<'a>(svg: &mut String, names: impl Iterator<Item = &'a str>) {
    for (index, name) in names.enumerate() {
        let y = TEXT * (2.0 + index as f64);
        let color = COLORS[index % COLORS.len()];
        let _ =
            writeln!(svg, r#"<rect x="{LEFT}" y="{:.1}" width="18" height="4" fill="{color}"/>"#, y - 6.0);
        text(svg, (LEFT + 26.0, y), "start", name);
    }
}

fn rule(svg: &mut String, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
    let _ =
        writeln!(svg, r##"<line x1="{x0:.1}" y1="{y0:.1}" x2="{x1:.1}" y2="{y1:.1}" stroke="#dddddd"/>"##);
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = escaped(words);
    let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#);
}

/// Names come from outside: none of them is markup.
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_markup_and_the_result_is_well_formed() {
        let name = "a<script>\"&\u{1}".to_owned();
        let line = Line { name: name.clone(), points: vec![(0.0, 1.0), (5.0, f64::NAN), (10.0, 0.5)] };
        let row = Row { name: name.clone(), values: vec![Some(40.0), None, Some(f64::INFINITY)] };
        let pictures =
            [lines(&name, &name, &[line]), bars(&name, &name, std::slice::from_ref(&name), &[row], 100.0)];
        for picture in pictures {
            let document = roxmltree::Document::parse(&picture).unwrap();
            let texts = document.descendants().filter(|node| node.has_tag_name("text"));
            assert!(texts.filter(|node| node.text() == Some("a<script>\"& ")).count() >= 3, "{picture}");
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        }
    }

    #[test]
    fn points_lie_where_their_values_are() {
        let line = Line { name: "loss".into(), points: vec![(0.0, 0.0), (10.0, 2.0)] };
        let picture = lines("t", "steps", &[line]);
        // The axes: 130 to 940 across, 63 down to 423.
        assert!(picture.contains("M130.0 423.0L940.0 63.0"), "{picture}");
        let row = Row { name: "cow".into(), values: vec![Some(50.0)] };
        assert!(bars("t", "%", &["a".into()], &[row], 100.0).contains(r#"width="405.0""#));
        assert!(lines("t", "steps", &[]).ends_with("</svg>\n"));
    }
}
