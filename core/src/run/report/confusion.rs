//! Which labels are taken for which.

use std::fmt::Write as _;

use crate::export::markup::escaped;
use crate::run::event::Score;

/// Labels of a matrix that is printed whole: more do not fit on paper.
const MOST: usize = 31;
/// Confusions that are listed.
const LISTED: usize = 8;

/// The matrix, and the largest of what is off its diagonal.
pub(super) fn write(page: &mut String, score: &Score) {
    let rows = score.confusion_shares();
    let names: Vec<String> = score.iou.iter().map(|(name, _)| escaped(name)).collect();
    // The last column is of what was drawn as no label, which few masks have.
    let has_other = rows.iter().flatten().any(|row| row.get(names.len()).is_some_and(|&share| share > 0.0));
    let columns = names.len() + usize::from(has_other);
    let title = |column: usize| names.get(column).map_or("no label", String::as_str);
    if names.len() <= MOST {
        let many = if columns > 8 { " many" } else { "" };
        let _ = write!(
            page,
            "<div class=\"wide\"><table class=\"heat{many}\">\n<thead><tr><th>truth ↓ drawn →</th>"
        );
        (0..columns).for_each(|column| page.push_str(&format!("<th scope=\"col\">{}</th>", title(column))));
        page.push_str("</tr></thead>\n<tbody>\n");
        for (name, row) in names.iter().zip(&rows) {
            let _ = write!(page, "<tr><th scope=\"row\">{name}</th>");
            for column in 0..columns {
                match row.as_ref().and_then(|row| row.get(column)) {
                    Some(&share) => {
                        let (background, text) = shade(share);
                        let _ = write!(
                            page,
                            "<td style=\"background:{background};color:{text}\">{:.0}</td>",
                            100.0 * share
                        );
                    }
                    None => page.push_str("<td>–</td>"),
                }
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody></table></div>\n");
    }
    let largest = largest(score, LISTED);
    if !largest.is_empty() {
        let said = |&(truth, drawn, share): &(usize, usize, f64)| {
            format!("{:.0} % of {} is drawn as {}", 100.0 * share, title(truth), title(drawn))
        };
        let said: Vec<String> = largest.iter().map(said).collect();
        let _ = writeln!(page, "<p>Most often taken for another: {}.</p>", said.join("; "));
    }
}

/// True label, drawn label and the share of the first that is drawn as the second, the largest first; half a percent
/// and more.
fn largest(score: &Score, most: usize) -> Vec<(usize, usize, f64)> {
    let mut found: Vec<(usize, usize, f64)> = Vec::new();
    for (truth, row) in score.confusion_shares().into_iter().enumerate() {
        let off =
            row.into_iter().flatten().enumerate().filter(|&(drawn, share)| drawn != truth && share >= 0.005);
        found.extend(off.map(|(drawn, share)| (truth, drawn, share)));
    }
    found.sort_by(|a, b| b.2.total_cmp(&a.2));
    found.truncate(most);
    found
}

/// From white to dark blue, and the colour that can be read on it.
fn shade(share: f64) -> (String, &'static str) {
    let share = share.clamp(0.0, 1.0);
    let mix = |dark: f64| (255.0 + (dark - 255.0) * share).round() as u8;
    let color = format!("#{:02x}{:02x}{:02x}", mix(8.0), mix(69.0), mix(126.0));
    (color, if share > 0.5 { "#ffffff" } else { "#111111" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(labels: usize) -> Score {
        let name = |label: usize| (format!("class <{label}>"), Some(1.0));
        let row = |truth: usize| {
            (0..=labels).map(move |drawn| if drawn == truth { 6 } else { u64::from(drawn == 0) * 2 })
        };
        Score {
            iou: (0..labels).map(name).collect(),
            confusion: (0..labels).map(|truth| row(truth).collect()).collect(),
            ..Score::default()
        }
    }

    #[test]
    fn rows_are_shares_of_the_truth() {
        let mut page = String::new();
        write(&mut page, &score(3));
        assert!(page.contains("<th scope=\"row\">class &lt;1&gt;</th>"), "{page}");
        assert!(
            page.contains(">25</td>") && page.contains(">75</td>") && page.contains(">100</td>"),
            "{page}"
        );
        assert!(page.contains("25 % of class &lt;1&gt; is drawn as class &lt;0&gt;"), "{page}");
        assert!(!page.contains("no label"), "{page}");
        assert_eq!(largest(&score(3), 9), [(1, 0, 0.25), (2, 0, 0.25)]);
    }

    #[test]
    fn what_does_not_fit_on_paper_is_listed() {
        let mut page = String::new();
        write(&mut page, &score(80));
        assert!(!page.contains("<table") && page.contains("Most often taken for another"));
        assert_eq!((shade(0.0).0.as_str(), shade(1.0).0.as_str()), ("#ffffff", "#08457e"));
    }
}
