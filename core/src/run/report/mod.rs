//! `report.html`: a run on paper. One file with all that was learned, from what, how, and how good it is, made from the
//! run's card and log, and from its masks where they are at hand.

mod confusion;
mod differences;
mod history;
pub(super) mod losses;
mod masks;
mod page;
mod plots;

pub use masks::{Drawn, Look, Picture};

use super::checkpoint::RunCard;
use super::event::Event;
use super::journal::LOG;
use super::store::RunStore;
use crate::error::Result;

/// What the file is usually called.
pub const FILE: &str = "report.html";

/// What a report is made from.
pub struct Report<'a> {
    /// `run.json`.
    pub card: &'a RunCard,
    /// Its news, in order.
    pub events: &'a [Event],
    /// Its masks, where there are some.
    pub masks: Option<&'a Drawn>,
}

impl Report<'_> {
    /// The whole file: HTML without scripts, with its pictures in it. Names from outside are text in it.
    pub fn html(&self) -> String {
        page::page(self)
    }
}

/// The report of the run in a store; `None` where there is no run.
///
/// # Errors
/// As [`RunCard::load`] and [`RunStore::read`].
pub fn of_run(store: &impl RunStore, masks: Option<&Drawn>) -> Result<Option<String>> {
    let Some(card) = RunCard::load(store)? else { return Ok(None) };
    let log = store.read(LOG)?.unwrap_or_default();
    // The last line may be half written.
    let events: Vec<Event> =
        log.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    Ok(Some(Report { card: &card, events: &events, masks }.html()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::{DeviceInfo, LossPoint, Score};
    use crate::run::settings::{MaskSettings, Settings, Threshold};
    use crate::run::store::MemoryStore;

    const HOSTILE: &str = "</td><script>alert(1)</script>\"'&";

    fn events(settings: &Settings) -> Vec<Event> {
        let point = |step: usize, threshold_step| LossPoint {
            step,
            total: 1.0 / (step + 1) as f32,
            main: 0.5,
            share: 0.0,
            activation: 0.5,
            threshold_step,
        };
        let score = Score {
            miou: 50.0,
            iou: vec![("background".into(), Some(75.0)), (HOSTILE.into(), Some(25.0)), ("dog".into(), None)],
            images: 3,
            looked_at_truth: false,
            confusion: vec![vec![90, 10, 0, 0], vec![30, 10, 0, 0], vec![0, 0, 0, 0]],
        };
        vec![
            Event::RunStarted {
                settings: Box::new(settings.clone()),
                device: DeviceInfo {
                    name: "A & B <gpu>".into(),
                    backend: "vulkan".into(),
                    ..DeviceInfo::default()
                },
                parameters: 1234,
                micro_batch: 8,
                recompute: false,
                memory: 0,
                total_steps: 50,
                done_steps: 0,
                given_masks: 0,
            },
            Event::RoundStarted { round: 0, rounds: 3, epochs: 4, steps: 10 },
            Event::Losses {
                round: 0,
                points: (0..10).map(|step| point(step, false)).collect(),
                learning_rate: 0.1,
            },
            Event::Measured { round: 0, step: 9, shares: vec![(0, 0.25)], thresholds: Vec::new() },
            Event::RoundFinished { round: 0, seconds: 65.0 },
            Event::SharesUpdated { round: 1, mean: vec![Some(0.3), None], score: Some(score) },
            Event::RoundStarted { round: 1, rounds: 3, epochs: 8, steps: 20 },
            Event::Losses {
                round: 1,
                points: (0..20).map(|step| point(step, step > 15)).collect(),
                learning_rate: 0.1,
            },
            Event::Measured { round: 1, step: 9, shares: vec![(0, 0.2)], thresholds: vec![(0, 0.375)] },
            Event::Stopped { round: 1, step: 20 },
        ]
    }

    fn card(settings: &Settings) -> RunCard {
        RunCard::new(settings, &[HOSTILE.into(), "dog".into()], 12)
    }

    fn drawn(looked_at_truth: bool, settings: MaskSettings) -> Drawn {
        let score = Score {
            miou: 61.2,
            iou: vec![("background".into(), Some(90.0)), (HOSTILE.into(), Some(32.4)), ("dog".into(), None)],
            images: 3,
            looked_at_truth,
            confusion: vec![vec![99, 1, 0, 0], vec![30, 9, 0, 1], vec![0, 0, 0, 0]],
        };
        let picture = Picture {
            name: HOSTILE.into(),
            classes: vec![HOSTILE.into()],
            photo: "data:image/png;base64,AAAA".into(),
            mask: "data:image/png;base64,AAAA".into(),
        };
        Drawn {
            settings: Some(settings),
            images: 12,
            by_hand: 1,
            shares: vec![Some(0.21), None],
            score: Some(score),
            pictures: vec![picture],
        }
    }

    #[test]
    fn a_report_says_all_there_is_and_nothing_in_it_is_markup_from_outside() {
        let settings = Settings { size: 97, ..Settings::default() };
        let (card, events) = (card(&settings), events(&settings));
        let masks = drawn(false, settings.masks.clone());
        let html = Report { card: &card, events: &events, masks: Some(&masks) }.html();
        for said in [
            "stopped in round 2 of 3",
            "A &amp; B &lt;gpu&gt;",
            "<td>size</td><td>97</td><td>224</td>",
            "61.2 %",
            "1 min 5 s",
            "Confusion",
            "<svg",
            "12 photos of 2 classes",
            "1 corrected by hand",
            "data:image/png;base64",
        ] {
            assert!(html.contains(said), "{said} is not in {html}");
        }
        assert!(!html.contains("<script") && !html.contains("http-equiv=\"refresh\""));
        // No address but that of the SVG namespace.
        assert_eq!(
            html.matches("http://").count() + html.matches("https://").count(),
            html.matches("xmlns=").count()
        );
        // Well formed, once what HTML leaves open is closed.
        let xml = html.replace("<!doctype html>", "");
        let mut closed = String::new();
        for (index, part) in xml.split('<').enumerate() {
            if index > 0 {
                closed.push('<');
            }
            let is_void = part.starts_with("meta ") || part.starts_with("img ");
            closed.push_str(&if is_void { part.replacen('>', "/>", 1) } else { part.to_owned() });
        }
        let document =
            roxmltree::Document::parse(&closed).unwrap_or_else(|error| panic!("{error}: {closed}"));
        assert!(document.descendants().any(|node| node.is_text() && node.text() == Some(HOSTILE)));
    }

    #[test]
    fn what_looked_at_ground_truth_is_said() {
        let settings = Settings::default();
        let (card, events) = (card(&settings), events(&settings));
        let html = |masks: &Drawn| Report { card: &card, events: &events, masks: Some(masks) }.html();
        assert!(!html(&drawn(false, settings.masks.clone())).contains("may have been chosen on it"));
        let fixed = MaskSettings { threshold: Threshold::Fixed(0.3), ..MaskSettings::default() };
        assert!(html(&drawn(true, fixed)).contains("may have been chosen on it"));
    }

    #[test]
    fn a_run_without_steps_or_truth_has_a_report_too() {
        let mut store = MemoryStore::default();
        assert_eq!(of_run(&store, None).unwrap(), None);
        card(&Settings::default()).save(&mut store).unwrap();
        let html = of_run(&store, None).unwrap().unwrap();
        assert!(
            html.contains("has not begun")
                && html.contains("No masks of this run were compared with ground truth")
        );
        assert!(!html.contains("NaN") && !html.contains("inf"));
        store.append(LOG, "{\"event\":\"losses\",\"rou").unwrap();
        assert_eq!(of_run(&store, None).unwrap().unwrap(), html);
    }
}
