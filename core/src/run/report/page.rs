//! The report's text.

use std::fmt::Write as _;

use super::differences::differences;
use super::history::{History, State};
use super::{Drawn, Report, confusion, plots};
use crate::export::html;
use crate::export::markup::escaped;
use crate::export::plot::{self, Bar};
use crate::export::svg;
use crate::method::Supervision;
use crate::run::checkpoint::{RunCard, to_json};
use crate::run::duration::duration;
use crate::run::event::Score;
use crate::run::settings::{MaskSettings, Refine, Settings, Threshold};

/// Where no figure is.
const NONE: &str = "–";

/// The whole page.
pub(super) fn page(report: &Report<'_>) -> String {
    let Report { card, events, masks } = *report;
    let settings = &card.settings;
    let history = History::of(events, settings);
    let mut scores = history.scores.clone();
    if let Some(score) = masks.and_then(|masks| masks.score.clone()) {
        scores.push(("finished masks".into(), score));
    }
    // Classes may have got other names since.
    scores.iter_mut().for_each(|(_, score)| score.rename_classes(&card.classes));
    let mut page = html::begin(&format!("Run report: {}", settings.method.title()));
    let _ = writeln!(
        page,
        "<p class=\"muted\">Trained by {}; report by tag2mask {}.</p>",
        escaped(&card.program),
        env!("CARGO_PKG_VERSION")
    );
    facts(&mut page, card, &history, masks);
    for advice in &history.advice {
        let _ = writeln!(page, "<p><strong>{}</strong></p>", escaped(advice));
    }
    page.push_str("<h2>Settings other than usual</h2>\n");
    changed(&mut page, settings);
    page.push_str("<h2>Classes</h2>\n");
    classes(&mut page, card, &history, masks, &scores);
    page.push_str("<h2>While it trained</h2>\n");
    let figures = [plots::losses(&history, settings), plots::classes(&history, &card.classes)];
    if figures.iter().all(Option::is_none) {
        page.push_str("<p>No step was taken.</p>\n");
    }
    for picture in figures.iter().flatten() {
        let _ = writeln!(page, "<figure>{}</figure>", svg::encode(picture));
    }
    if let Some(picture) = before_and_after(card, &history, masks) {
        let _ = writeln!(page, "<figure>{}</figure>", svg::encode(&picture));
    }
    page.push_str("<h2>Against ground truth</h2>\n");
    truth(&mut page, &scores, settings);
    if let Some((what, score)) = scores.last().filter(|(_, score)| !score.confusion.is_empty()) {
        page.push_str("<h2>Confusion</h2>\n");
        let _ = writeln!(
            page,
            "<p>Of the pixels of each true label (rows), percent that are drawn as each label (columns): {}.</p>",
            escaped(what)
        );
        confusion::write(&mut page, score);
    }
    if let Some(masks) = masks.filter(|masks| !masks.pictures.is_empty()) {
        page.push_str("<h2>Examples</h2>\n");
        pictures(&mut page, masks);
    }
    page.push_str("<h2>All settings</h2>\n<pre class=\"all-settings\">");
    let json = to_json(settings, "run.json").unwrap_or_default();
    let lines = String::from_utf8_lossy(&json).lines().map(escaped).collect::<Vec<_>>().join("\n");
    page.push_str(&lines);
    page.push_str("</pre>\n");
    page.push_str(html::END);
    page
}

/// What was trained, on what, where and for how long.
fn facts(page: &mut String, card: &RunCard, history: &History, masks: Option<&Drawn>) {
    let settings = &card.settings;
    let rounds = settings.rounds().len();
    let method = settings.method.method();
    let learned_from = match method.supervision() {
        Supervision::Labels => "image-level labels only",
        Supervision::Boxes => "boxes around objects, and image-level labels",
        Supervision::Masks => "masks",
    };
    let learned_from = match (method.supervision(), history.given_masks) {
        (Supervision::Masks, _) | (_, 0) => learned_from.to_owned(),
        (_, given) => {
            format!("{learned_from}, and of {given} photos masks that were accepted or drawn by hand")
        }
    };
    let state = match history.state {
        State::NotBegun => "has not begun".to_owned(),
        State::UnderWay { round } => format!("not finished: in round {} of {rounds}", round + 1),
        State::Stopped { round } => format!("stopped in round {} of {rounds}", round + 1),
        State::Finished => "finished".to_owned(),
    };
    let mut data = format!("{} photos of {} classes", card.images, card.classes.len());
    if let Some(counts) = &card.counts {
        let _ = write!(
            data,
            "; {} with several classes, {} with none, {} with a mask for scoring, {} boxes",
            counts.several_classes, counts.without_class, counts.with_mask, counts.boxes
        );
    }
    let devices = history.devices.iter().map(|device| format!("{} ({})", device.name, device.backend));
    let mut rows = vec![
        ("Method", format!("{}: {}", settings.method.title(), method.summary())),
        ("Source", method.source().to_owned()),
        ("Network", format!("{}, {} trainable numbers", settings.backbone.id(), history.parameters)),
        ("Learned from", learned_from),
        ("Data", data),
        ("State", format!("{state}; {} of {} steps", history.steps(), history.total_steps)),
        ("Time", times(history, settings)),
        ("Device", devices.collect::<Vec<_>>().join(", ")),
        ("Batches", batches(settings, history)),
    ];
    if let Some(masks) = masks {
        let by_hand = match masks.by_hand {
            0 => String::new(),
            count => format!(", {count} corrected by hand"),
        };
        let how = masks.settings.as_ref().map_or(String::new(), |settings| format!("; {}", how(settings)));
        rows.push(("Masks", format!("{} photos{by_hand}{how}", masks.images)));
    }
    page.push_str("<dl class=\"facts\">\n");
    for (name, value) in rows {
        let value = if value.is_empty() { NONE.to_owned() } else { escaped(&value) };
        let _ = writeln!(page, "<dt>{name}</dt><dd>{value}</dd>");
    }
    page.push_str("</dl>\n");
}

fn times(history: &History, settings: &Settings) -> String {
    let rounds = settings.rounds();
    let of_round = |(&round, &seconds): (&usize, &f64)| {
        format!(
            "round {} ({}) {}",
            round + 1,
            rounds.get(round).map_or("", |round| round.name),
            duration(seconds)
        )
    };
    let mut times = history.seconds.iter().map(of_round).collect::<Vec<_>>().join(", ");
    if history.was_resumed && !times.is_empty() {
        times.push_str("; the run was taken up again: of a round, what its last session took");
    }
    times
}

fn batches(settings: &Settings, history: &History) -> String {
    let size = format!("{} photos of {} × {} pixels", settings.batch, settings.size, settings.size);
    match history.micro_batch {
        parts if parts > 0 && parts < settings.batch => {
            format!("{size}, in parts of {parts} to fit the device")
        }
        _ => size,
    }
}

/// How masks were made, in words.
fn how(settings: &MaskSettings) -> String {
    let threshold = match settings.threshold {
        Threshold::Adaptive => "the method's own threshold".to_owned(),
        Threshold::Published => "the method's own threshold as published".to_owned(),
        Threshold::Fixed(value) => format!("a fixed threshold of {value}"),
    };
    let refine = match settings.refine {
        Refine::None => "not refined",
        Refine::Crf => "refined by a dense random field",
        Refine::CrfProbabilities => "refined by a dense random field over probabilities",
        Refine::GrabCut => "refined by GrabCut in boxes",
    };
    let scales: Vec<String> = settings.scales.iter().map(f64::to_string).collect();
    let flip = if settings.flip { ", mirrored too" } else { "" };
    format!("{threshold}; {refine}; scales {}{flip}", scales.join(", "))
}

fn changed(page: &mut String, settings: &Settings) {
    let found = differences(settings);
    if found.is_empty() {
        page.push_str("<p>None: every setting is the default.</p>\n");
        return;
    }
    page.push_str(
        "<div class=\"wide\"><table class=\"left wrap\"><thead><tr><th>setting</th><th>here</th><th>default</th>\
         </tr></thead>\n<tbody>\n",
    );
    for (name, own, usual) in found {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&name),
            escaped(&own),
            escaped(&usual)
        );
    }
    page.push_str("</tbody></table></div>\n");
}

/// Every class in numbers.
fn classes(
    page: &mut String,
    card: &RunCard,
    history: &History,
    masks: Option<&Drawn>,
    scores: &[(String, Score)],
) {
    page.push_str(
        "<div class=\"wide\"><table class=\"wrap\"><thead><tr><th>class</th><th>photos</th><th>share of them, last seen</th>\
         <th>share in finished masks</th><th>threshold, last learned</th><th>IoU*</th></tr></thead>\n<tbody>\n",
    );
    let last = |points: &[crate::run::course::Point], class: usize| {
        crate::run::course::of_class(points, class, usize::MAX).last().map(|&(_, value)| value)
    };
    let percent =
        |share: Option<f64>| share.map_or(NONE.to_owned(), |share| format!("{:.1}\u{a0}%", 100.0 * share));
    for (class, name) in card.classes.iter().enumerate() {
        let photos = card.counts.as_ref().and_then(|counts| counts.images_per_class.get(class));
        let course = &history.course;
        let seen = last(&course.shares, class).or_else(|| last(&course.of_all, class));
        let finished = masks.and_then(|masks| masks.shares.get(class).copied().flatten());
        let threshold = last(&course.thresholds, class);
        let iou = scores.last().and_then(|(_, score)| score.iou.get(class + 1)?.1);
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(name),
            photos.map_or(NONE.to_owned(), usize::to_string),
            percent(seen),
            percent(finished),
            threshold.map_or(NONE.to_owned(), |threshold| format!("{threshold:.2}")),
            iou.map_or(NONE.to_owned(), |iou| format!("{iou:.1}\u{a0}%")),
        );
    }
    page.push_str(
        "</tbody></table></div>\n<p class=\"muted\">* compares with ground truth; nothing else in this table \
         does.</p>\n",
    );
}

/// Shares in the first masks, which labels alone have led to, and in the finished ones.
fn before_and_after(card: &RunCard, history: &History, masks: Option<&Drawn>) -> Option<plot::Picture> {
    let masks = masks?;
    let bar = |value: Option<f64>| value.map(|value| Bar::from(100.0 * value));
    let rows: Vec<plot::Row> = card
        .classes
        .iter()
        .enumerate()
        .map(|(class, name)| plot::Row {
            name: name.clone(),
            bars: vec![
                bar(history.course.first_of_all(class).map(f64::from)),
                bar(masks.shares.get(class).copied().flatten()),
            ],
        })
        .collect();
    if rows.iter().all(|row| row.bars.iter().all(Option::is_none)) {
        return None;
    }
    let most = rows.iter().flat_map(|row| row.bars.iter().flatten()).map(|bar| bar.value).fold(1.0, f64::max);
    let series = ["masks after the first round".to_owned(), "finished masks".to_owned()];
    Some(plot::bars("Share of the photos that have the class", "%", &series, &rows, plot::round_top(most)))
}

/// Every figure that looked at the truth, and plainly that it did.
fn truth(page: &mut String, scores: &[(String, Score)], settings: &Settings) {
    if scores.is_empty() {
        page.push_str(
            "<p>No masks of this run were compared with ground truth: this report has no figure that looked at \
             it.</p>\n",
        );
        return;
    }
    page.push_str(
        "<div class=\"wide\"><table class=\"left wrap\"><thead><tr><th>what</th><th>mIoU</th><th>photos</th>\
         <th>ground truth</th></tr></thead>\n<tbody>\n",
    );
    for (what, score) in scores {
        let looked = match score.looked_at_truth {
            true => "gave this figure, and the fixed threshold of the masks may have been chosen on it",
            false => "gave this figure, and nothing else",
        };
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{:.1} %</td><td>{}</td><td>{looked}</td></tr>",
            escaped(what),
            score.miou,
            score.images
        );
    }
    let learned = match settings.method.method().supervision() {
        Supervision::Masks => {
            "The network learned from masks that were given to it, which may be ground truth or not."
        }
        _ => "Nothing was learned from masks of the data set.",
    };
    let _ = writeln!(
        page,
        "</tbody></table></div>\n<p>mIoU is the mean over background and the classes that occur in truth or masks. \
         mIoU, IoU and confusion are the only figures here that compare with ground truth; losses, shares and \
         thresholds do not. {learned}</p>"
    );
}

fn pictures(page: &mut String, masks: &Drawn) {
    page.push_str("<ul class=\"pictures\">\n");
    for picture in &masks.pictures {
        let (name, classes) = (escaped(&picture.name), escaped(&picture.classes.join(", ")));
        let _ = writeln!(
            page,
            "<li><span><img src=\"{}\" alt=\"{name}\"><img src=\"{}\" alt=\"its mask\"></span><p>{name}: \
             {classes}</p></li>",
            picture.photo, picture.mask
        );
    }
    page.push_str("</ul>\n");
}
