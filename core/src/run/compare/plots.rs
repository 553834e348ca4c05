//! What a comparison shows in pictures.

use super::Comparison;
use super::figures::Masks;
use super::statistics::Spread;
use super::table::Row;
use crate::export::plot::{self, Bar, Picture, bars, round_top};

/// The pictures, by the name of their file.
pub(super) fn all(work: &Comparison<'_>, rows: &[Row]) -> Vec<(&'static str, Picture)> {
    vec![("miou", miou(rows)), ("iou", iou(work, rows)), ("time", time(rows))]
}

fn bar(spread: Option<Spread>) -> Option<Bar> {
    spread.map(|Spread { mean, deviation, .. }| Bar { value: mean, spread: deviation })
}

fn miou(rows: &[Row]) -> Picture {
    let series = Masks::DRAWN.map(|masks| masks.title().to_owned());
    let of_row = |row: &Row| plot::Row {
        name: if row.trained { row.title.clone() } else { "GrabCut".into() },
        bars: row.miou.iter().map(|figure| bar(figure.known())).collect(),
    };
    let rows: Vec<plot::Row> = rows.iter().map(of_row).collect();
    bars("Mean intersection over union", "%", &series, &rows, 100.0)
}

/// Of photos that were not learned from, where there are some.
fn iou(work: &Comparison<'_>, rows: &[Row]) -> Picture {
    let set = if work.left_out.items.is_empty() { 0 } else { 1 };
    let rows: Vec<&Row> = rows.iter().filter(|row| row.trained).collect();
    let series: Vec<String> = rows.iter().map(|row| row.title.clone()).collect();
    let names = ["background"].into_iter().chain(work.training.classes.iter().map(String::as_str));
    let of_class = |(label, name): (usize, &str)| plot::Row {
        name: name.to_owned(),
        bars: rows.iter().map(|row| bar(row.iou.get(label).and_then(|figures| figures[set]))).collect(),
    };
    let classes: Vec<plot::Row> = names.enumerate().map(of_class).collect();
    let title = format!("Intersection over union: {}", Masks::DRAWN[set].title());
    bars(&title, "%", &series, &classes, 100.0)
}

fn time(rows: &[Row]) -> Picture {
    let longest = rows.iter().flat_map(|row| [row.training, row.masks]).flatten();
    let longest = longest.map(|spread| spread.mean + spread.deviation.unwrap_or(0.0)).fold(0.0, f64::max);
    let (unit, length) = if longest < 300.0 { ("seconds", 1.0) } else { ("minutes", 60.0) };
    let scaled = |spread: Option<Spread>| {
        bar(spread).map(|Bar { value, spread }| Bar {
            value: value / length,
            spread: spread.map(|spread| spread / length),
        })
    };
    let of_row = |row: &Row| plot::Row {
        name: row.title.clone(),
        bars: vec![scaled(row.training), scaled(row.masks)],
    };
    let rows: Vec<plot::Row> = rows.iter().filter(|row| row.trained).map(of_row).collect();
    let series = ["training".to_owned(), "masks of the training photos".to_owned()];
    bars("Time", unit, &series, &rows, round_top(longest / length))
}
