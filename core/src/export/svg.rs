//! Pictures as SVG: text that any browser draws, and nothing in it but what is written here.

use std::fmt::Write as _;

use super::markup::escaped;
use super::plot::{Anchor, Color, Picture, Shape, WIDTH};

/// The whole file.
pub fn encode(picture: &Picture) -> String {
    let height = picture.height;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for shape in &picture.shapes {
        // Writing to a string cannot fail.
        let _ = match shape {
            Shape::Box { at: (x, y), sides: (width, height), color } => writeln!(
                svg,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{}"/>"#,
                hexadecimal(*color)
            ),
            Shape::Rule { from: (x0, y0), to: (x1, y1), color } => writeln!(
                svg,
                r#"<line x1="{x0:.1}" y1="{y0:.1}" x2="{x1:.1}" y2="{y1:.1}" stroke="{}"/>"#,
                hexadecimal(*color)
            ),
            Shape::Path { points, color } => {
                let mut path = String::new();
                for (x, y) in points {
                    let letter = if path.is_empty() { 'M' } else { 'L' };
                    let _ = write!(path, "{letter}{x:.1} {y:.1}");
                }
                let color = hexadecimal(*color);
                writeln!(svg, r#"<path d="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>"#)
            }
            Shape::Text { at: (x, y), anchor, is_title, words } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let size = if *is_title { r#" font-size="15""# } else { "" };
                let words = escaped(words);
                writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}"{size}>{words}</text>"#)
            }
        };
    }
    svg + "</svg>\n"
}

fn hexadecimal([red, green, blue]: Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::plot::{Bar, Line, Row, bars, lines};

    #[test]
    fn names_are_never_markup_and_the_result_is_well_formed() {
        let name = "a<script>\"&\u{1}".to_owned();
        let line = Line { name: name.clone(), points: vec![(0.0, 1.0), (5.0, f64::NAN), (10.0, 0.5)] };
        let bar = |value, spread| Some(Bar { value, spread });
        let row = Row {
            name: name.clone(),
            bars: vec![bar(40.0, Some(2.0)), None, bar(f64::INFINITY, None), bar(1.0, Some(f64::NAN))],
        };
        let pictures =
            [lines(&name, &name, &[line]), bars(&name, &name, std::slice::from_ref(&name), &[row], 100.0)];
        for picture in pictures.map(|picture| encode(&picture)) {
            let document = roxmltree::Document::parse(&picture).unwrap();
            let texts = document.descendants().filter(|node| node.has_tag_name("text"));
            assert!(texts.filter(|node| node.text() == Some("a<script>\"& ")).count() >= 3, "{picture}");
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        }
    }

    #[test]
    fn points_lie_where_their_values_are() {
        let line = Line { name: "loss".into(), points: vec![(0.0, 0.0), (10.0, 2.0)] };
        let picture = encode(&lines("t", "steps", &[line]));
        // The axes: 130 to 940 across, 63 down to 423.
        assert!(picture.contains("M130.0 423.0L940.0 63.0"), "{picture}");
        let row = Row { name: "cow".into(), bars: vec![Some(50.0.into())] };
        assert!(encode(&bars("t", "%", &["a".into()], &[row], 100.0)).contains(r#"width="405.0""#));
        assert!(encode(&lines("t", "steps", &[])).ends_with("</svg>\n"));
    }
}
