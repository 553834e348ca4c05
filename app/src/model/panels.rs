//! Geometry of the classes' small charts: shares and thresholds over the steps of a run, a plane of 300 × 100 each,
//! which the screen stretches.

use std::fmt::Write as _;

use tag2mask_core::run::course::{Course, of_class};

use super::text;

/// Width of a plane.
pub const WIDTH: f64 = 300.0;
/// Height of a plane: from 0 below to 1 above.
pub const HEIGHT: f64 = 100.0;
/// Points of a line: more cannot be told apart.
const COLUMNS: usize = 150;

/// One class.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its name.
    pub name: String,
    /// SVG path data: the share of the watched photos, the threshold, and points for the shares of all photos.
    pub paths: [String; 3],
    /// First and last share, "31 %", and first and last threshold, "0.62"; "–" where there is none.
    pub share: [String; 2],
    /// As [`share`](Self::share).
    pub threshold: [String; 2],
    /// For those who cannot see it.
    pub words: String,
}

/// A panel for each class, whether there is anything of it yet or not: places do not change while news arrive.
pub fn panels(course: &Course, names: &[String]) -> Vec<Panel> {
    names.iter().enumerate().map(|(class, name)| panel(course, class, name)).collect()
}

/// Where rounds after the first begin, on the plane.
pub fn edges(course: &Course) -> Vec<f64> {
    course.edges().iter().map(|&edge| x_of(course, edge as f64)).collect()
}

fn x_of(course: &Course, at: f64) -> f64 {
    (at / course.total_steps.max(1) as f64).clamp(0.0, 1.0) * WIDTH
}

fn panel(course: &Course, class: usize, name: &str) -> Panel {
    let [share, threshold, of_all] =
        [&course.shares, &course.thresholds, &course.of_all].map(|points| of_class(points, class, COLUMNS));
    let path = |points: &[(f64, f64)], is_line: bool| {
        let mut path = String::new();
        for &(at, value) in points {
            let (x, y) = (x_of(course, at), HEIGHT * (1.0 - value.clamp(0.0, 1.0)));
            let pen = if path.is_empty() || !is_line { 'M' } else { 'L' };
            // A line of no length is a dot.
            let end = if is_line && points.len() > 1 { "" } else { "h0" };
            let _ = write!(path, "{pen}{x:.1} {y:.1}{end}");
        }
        path
    };
    let said = |points: &[(f64, f64)], word: fn(f64) -> String| {
        [points.first(), points.last()].map(|point| point.map_or("–".to_owned(), |&(_, value)| word(value)))
    };
    let paths = [path(&share, true), path(&threshold, true), path(&of_all, false)];
    let (share_said, threshold_said) = (said(&share, text::percent), said(&threshold, text::decimal));
    let mut words = match share.is_empty() {
        true => format!("{name}: nothing yet"),
        false => format!("{name}: share of its photos from {} to {}", share_said[0], share_said[1]),
    };
    if !threshold.is_empty() {
        let _ = write!(words, ", threshold from {} to {}", threshold_said[0], threshold_said[1]);
    }
    Panel { name: name.to_owned(), paths, share: share_said, threshold: threshold_said, words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::run_started;
    use tag2mask_core::run::Event;

    fn measured(round: usize, step: usize, share: f32, thresholds: Vec<(u16, f32)>) -> Event {
        Event::Measured { round, step, shares: vec![(1, share)], thresholds }
    }

    #[test]
    fn every_class_has_its_place_from_the_start() {
        let names = ["cow".to_owned(), "dog".to_owned()];
        let mut course = Course::default();
        let nothing = panels(&course, &names);
        assert_eq!((nothing.len(), nothing[1].words.as_str()), (2, "dog: nothing yet"));
        // Epochs 4, 8, 8.
        course.apply(&run_started(50));
        course.apply(&measured(0, 0, 0.5, Vec::new()));
        assert_eq!(panels(&course, &names)[1].paths[0], "M0.0 50.0h0");
        course.apply(&measured(1, 15, 0.25, vec![(1, 0.75)]));
        course.apply(&Event::SharesUpdated { round: 1, mean: vec![None, Some(0.3)], score: None });
        let panels = panels(&course, &names);
        assert_eq!(panels[1].paths, ["M0.0 50.0L150.0 75.0", "M150.0 25.0h0", "M60.0 70.0h0"]);
        assert_eq!(
            panels[1].words,
            "dog: share of its photos from 50 % to 25 %, threshold from 0.75 to 0.75"
        );
        assert_eq!(panels[0], nothing[0]);
        assert_eq!(edges(&course), [60.0, 180.0]);
    }

    #[test]
    fn wild_values_stay_on_the_plane() {
        let mut course = Course::default();
        course.apply(&run_started(50));
        for (step, share) in [(0, f32::NAN), (1, 1e30), (2, -3.0), (9_000, 0.5)] {
            course.apply(&measured(0, step, share, Vec::new()));
        }
        let path = &panels(&course, &["a".into(), "b".into()])[1].paths[0];
        assert_eq!(path, "M6.0 0.0L12.0 100.0L300.0 50.0");
    }
}
