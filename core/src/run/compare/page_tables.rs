//! The tables of `report.html`: figures, photos, classes and trainings.

use std::fmt::Write as _;

use super::figures::{Figures, Masks};
use super::statistics::Spread;
use super::table::Row;
use super::{Comparison, examples};
use crate::export::markup::escaped;
use crate::export::palette_png::voc_color;

/// Where no figure is.
const NONE: &str = "–";

/// A row a method.
pub(super) fn methods(page: &mut String, rows: &[Row]) {
    let heads = Masks::DRAWN.map(|masks| format!("mIoU, %<br>{}", escaped(masks.title()))).join("</th><th>");
    let _ = writeln!(
        page,
        "<div class=\"wide\"><table id=\"figures\"><thead><tr><th>method</th><th>{heads}</th>\
         <th>training</th><th>masks of the training photos</th><th>peak memory, MiB</th></tr></thead><tbody>"
    );
    for row in rows {
        let time = |spread: Option<Spread>| spread.map_or(NONE.to_owned(), |spread| spread.time());
        let peak = row.peak_memory.map_or(NONE.into(), |bytes| (bytes >> 20).to_string());
        let mious = row.miou.map(|figure| figure.text(1)).join("</td><td>");
        let (training, masks) = (time(row.training), time(row.masks));
        let _ = writeln!(
            page,
            "<tr><th>{}</th><td>{mious}</td><td>{training}</td><td>{masks}</td><td>{peak}</td></tr>",
            escaped(&row.title)
        );
    }
    page.push_str("</tbody></table></div>\n");
}

/// Photos side by side, with the key to the colours.
pub(super) fn photos(page: &mut String, work: &Comparison<'_>) {
    let (masks, examples) = examples::all(work);
    let _ = writeln!(page, "<p class=\"muted\">{}, seed 0, chosen by path.</p><p>", escaped(masks.title()));
    for (label, name) in (1..).zip(&work.training.classes) {
        let [red, green, blue] = voc_color(label);
        let _ = writeln!(
            page,
            "<span class=\"key\"><i style=\"background:rgb({red} {green} {blue})\"></i>{}</span>",
            escaped(name)
        );
        if label == u8::MAX - 1 {
            break;
        }
    }
    page.push_str("</p>\n<div class=\"wide\"><table class=\"photos\">\n");
    // Of a photo that cannot be decoded any more there are fewer.
    let most = examples.iter().max_by_key(|example| example.pictures.len());
    let heads = most.map_or(Vec::new(), |most| most.pictures.iter().map(|(name, _)| escaped(name)).collect());
    let _ = writeln!(
        page,
        "<thead><tr><th>path and classes</th><th>{}</th></tr></thead><tbody>",
        heads.join("</th><th>")
    );
    for example in &examples {
        let (path, classes) = (escaped(&example.path), escaped(&example.classes.join(", ")));
        let _ = write!(page, "<tr><td>{path}<br>{classes}</td>");
        for (name, picture) in &example.pictures {
            let _ = match picture {
                Ok(address) => write!(page, "<td><img src=\"{address}\" alt=\"{}\"></td>", escaped(name)),
                Err(reason) => write!(page, "<td>{}</td>", escaped(reason)),
            };
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

/// Intersection over union of each class, a table for each set of masks that was scored.
pub(super) fn classes(page: &mut String, work: &Comparison<'_>, rows: &[Row]) {
    let images = [work.training, work.left_out].map(|dataset| dataset.summary().images_per_class);
    let mut any = false;
    for (set, masks) in Masks::DRAWN.into_iter().enumerate() {
        let scored: Vec<&Row> = rows.iter().filter(|row| row.miou[set].known().is_some()).collect();
        if scored.is_empty() {
            continue;
        }
        any = true;
        let heads: Vec<String> = scored.iter().map(|row| escaped(&row.title)).collect();
        let _ = writeln!(
            page,
            "<p>IoU, %: {}</p>\n<div class=\"wide\"><table><thead><tr><th>class</th><th>training photos with \
             it</th><th>left-out photos with it</th><th>{}</th></tr></thead><tbody>",
            escaped(masks.title()),
            heads.join("</th><th>")
        );
        let names = ["background"].into_iter().chain(work.training.classes.iter().map(String::as_str));
        for (label, name) in names.enumerate() {
            let counts = images.each_ref().map(|images| {
                let count = label.checked_sub(1).and_then(|class| images.get(class));
                count.map_or(NONE.into(), usize::to_string)
            });
            let iou = |row: &&Row| row.iou.get(label).and_then(|figures| figures[set]);
            let cells: Vec<String> =
                scored.iter().map(|row| iou(row).map_or(NONE.to_owned(), |spread| spread.text(1))).collect();
            let _ = writeln!(
                page,
                "<tr><th>{}</th><td>{}</td><td>{}</td></tr>",
                escaped(name),
                counts.join("</td><td>"),
                cells.join("</td><td>")
            );
        }
        page.push_str("</tbody></table></div>\n");
    }
    if !any {
        page.push_str("<p>Nothing has been scored.</p>\n");
    }
}

/// Rounds, steps and sizes: what the same number of passes is for each method.
pub(super) fn trainings(page: &mut String, work: &Comparison<'_>, figures: &[Figures]) {
    page.push_str(
        "<div class=\"wide\"><table><thead><tr><th>method</th><th>passes by round</th><th>steps</th>\
         <th>learned numbers, millions</th><th>lost the objects</th></tr></thead><tbody>\n",
    );
    for (&method, settings) in &work.plan.methods {
        let own: Vec<&Figures> = figures.iter().filter(|figures| figures.method == method).collect();
        let rounds: Vec<String> =
            settings.rounds().iter().map(|round| format!("{} {}", round.epochs, round.name)).collect();
        let facts = own.iter().map(|figures| &figures.facts);
        let steps = facts.clone().find_map(|facts| facts.steps).map_or(NONE.into(), |n| n.to_string());
        let millions = facts.clone().find_map(|facts| facts.parameters);
        let millions = millions.map_or(NONE.into(), |n| format!("{:.2}", n as f64 / 1e6));
        let lost: Vec<String> =
            own.iter().filter(|f| f.facts.collapsed).map(|f| format!("seed {}", f.seed)).collect();
        let lost = if lost.is_empty() { NONE.to_owned() } else { lost.join(", ") };
        let _ = writeln!(
            page,
            "<tr><th>{}</th><td>{}</td><td>{steps}</td><td>{millions}</td><td>{lost}</td></tr>",
            escaped(method.title()),
            escaped(&rounds.join(", "))
        );
    }
    page.push_str("</tbody></table></div>\n<ul>\n");
    for name in work.plan.methods.keys() {
        let _ = writeln!(page, "<li>{}: {}.</li>", escaped(name.title()), escaped(name.method().source()));
    }
    page.push_str("</ul>\n");
}
