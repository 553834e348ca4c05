//! The figures of every method and seed, and `results.csv`, which has them all.

use super::facts::Facts;
use super::{Comparison, Part, Work};
use crate::error::{Error, Result};
use crate::run::event::Score;
use crate::run::parts::Record;
use crate::run::settings::MethodName;

/// Masks that a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Masks {
    /// Of the photos that were learned from, with their labels told.
    Training,
    /// Of the photos that were left out, with their labels told.
    LeftOut,
    /// Of the photos that were left out, of which nothing was told.
    Untold,
    /// Of the photos that were learned from, cut out of their boxes by no network.
    Boxes,
}

impl Masks {
    /// Those that a trained network draws.
    pub const DRAWN: [Self; 3] = [Self::Training, Self::LeftOut, Self::Untold];

    /// What they are called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Training => "training photos",
            Self::LeftOut => "left-out photos, labels told",
            Self::Untold => "left-out photos, labels not told",
            Self::Boxes => "GrabCut masks of the boxes",
        }
    }

    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Training => "masks-training",
            Self::LeftOut => "masks-left-out",
            Self::Untold => "masks-untold",
            Self::Boxes => "run",
        }
    }
}

/// What came out of a method with a seed.
pub(super) struct Figures {
    pub method: MethodName,
    pub seed: u64,
    /// Of its training.
    pub training: Option<Record>,
    /// Of the masks, where some were made or are to be.
    pub masks: Vec<(Masks, Option<Record>)>,
    /// What its training told.
    pub facts: Facts,
}

impl Figures {
    /// The finished record of some masks.
    pub fn of(&self, masks: Masks) -> Option<&Record> {
        let (_, record) = self.masks.iter().find(|(known, _)| *known == masks)?;
        record.as_ref().filter(|record| record.finished)
    }

    /// The score of some masks, where they are finished and there is a truth.
    pub fn score(&self, masks: Masks) -> Option<&Score> {
        match masks {
            Masks::Boxes => self.facts.box_masks.as_ref()?.1.as_ref(),
            _ => self.of(masks)?.score.as_ref(),
        }
    }

    /// Seconds of a finished training.
    pub fn training_seconds(&self) -> Option<f64> {
        self.training.as_ref().filter(|record| record.finished).map(|record| record.seconds)
    }

    /// The most memory of all parts, bytes.
    pub fn peak(&self) -> Option<u64> {
        let drawn = self.masks.iter().filter_map(|(_, record)| record.as_ref());
        self.training.iter().chain(drawn).filter_map(|record| record.peak_memory).max()
    }
}

impl Comparison<'_> {
    /// What has come out so far, one seed of all methods after the other.
    pub(super) fn figures(&self) -> Result<Vec<Figures>> {
        let mut all: Vec<Figures> = Vec::new();
        for part in self.parts() {
            let record = self.record(part)?;
            match part.work {
                Work::Training => all.push(Figures {
                    method: part.method,
                    seed: part.seed,
                    training: record,
                    masks: Vec::new(),
                    facts: Facts::read(&self.folder(part))?,
                }),
                Work::Masks(masks) => {
                    if let Some(figures) = all.last_mut() {
                        figures.masks.push((masks, record));
                    }
                }
            }
        }
        Ok(all)
    }

    /// The folder of masks.
    pub(super) fn masks_folder(&self, method: MethodName, seed: u64, masks: Masks) -> std::path::PathBuf {
        self.folder(Part { method, seed, work: Work::Masks(masks) })
    }
}

/// `results.csv`: a line for each method, seed and set of masks that has been finished. Percent, seconds and
/// MiB; what is not known is empty.
pub(super) fn csv(classes: &[String], figures: &[Figures]) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::Format { path: "results.csv".into(), reason: error.to_string() };
    let mut table = csv::Writer::from_writer(Vec::new());
    let fixed = [
        "method",
        "seed",
        "masks",
        "images",
        "miou",
        "training_seconds",
        "mask_seconds",
        "peak_mib",
        "device",
    ];
    // Words stand before the name: no program takes it for a formula.
    let columns = ["background"].into_iter().chain(classes.iter().map(String::as_str));
    let heads = fixed.into_iter().map(str::to_owned).chain(columns.map(|name| format!("iou {name}")));
    table.write_record(heads).map_err(failed)?;
    for figures in figures {
        let drawn = figures.masks.iter().map(|(masks, _)| *masks);
        for masks in drawn.chain([Masks::Boxes]) {
            let record = figures.of(masks);
            let images = match (masks, &figures.facts.box_masks) {
                (Masks::Boxes, Some((images, _))) => *images,
                (Masks::Boxes, None) => continue,
                _ if record.is_none() => continue,
                _ => figures.score(masks).map_or(0, |score| score.images),
            };
            let score = figures.score(masks);
            let peak = [figures.training.as_ref(), record].into_iter().flatten();
            let peak = peak.filter_map(|record| record.peak_memory).max();
            let seconds = |seconds: Option<f64>| seconds.map_or(String::new(), |s| format!("{s:.3}"));
            let device = figures.training.as_ref().map_or("", |record| record.device.name.as_str());
            let mut cells = vec![
                figures.method.id().to_owned(),
                figures.seed.to_string(),
                masks.title().to_owned(),
                images.to_string(),
                score.map_or(String::new(), |score| format!("{:.4}", score.miou)),
                seconds(figures.training_seconds().filter(|_| masks != Masks::Boxes)),
                seconds(record.map(|record| record.seconds)),
                peak.filter(|_| masks != Masks::Boxes).map_or(String::new(), |b| (b >> 20).to_string()),
                device.to_owned(),
            ];
            cells.extend((0..=classes.len()).map(|class| {
                let iou = score.and_then(|score| score.iou.get(class)?.1);
                iou.map_or(String::new(), |iou| format!("{iou:.4}"))
            }));
            table.write_record(cells).map_err(failed)?;
        }
    }
    table
        .into_inner()
        .map_err(|error| Error::Format { path: "results.csv".into(), reason: error.to_string() })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A finished method, whose masks have this mIoU, with a class of this name.
    pub fn figures(method: MethodName, seed: u64, miou: f64, class: &str) -> Figures {
        let iou = vec![("background".into(), Some(miou + 10.0)), (class.into(), Some(miou - 10.0))];
        let score = Some(Score { miou, iou, images: 5, ..Score::default() });
        let record =
            Record { finished: true, seconds: 2.5, peak_memory: Some(300 << 20), ..Record::default() };
        Figures {
            method,
            seed,
            training: Some(Record { seconds: 60.0, ..record.clone() }),
            masks: vec![
                (Masks::Training, Some(Record { score: score.clone(), ..record })),
                (Masks::LeftOut, None),
            ],
            facts: Facts { box_masks: Some((5, score)), ..Facts::default() },
        }
    }

    #[test]
    fn hostile_names_stay_in_their_cell() {
        let hostile = "a,\"b\"\n=1+1";
        let made = csv(&[hostile.to_owned()], &[figures(MethodName::Cam, 2, 40.0, hostile)]).unwrap();
        let mut table = csv::Reader::from_reader(made.as_slice());
        let heads = table.headers().unwrap().clone();
        assert_eq!(heads.iter().next_back(), Some(format!("iou {hostile}").as_str()));
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        let expected = ["cam", "2", "training photos", "5", "40.0000", "60.000", "2.500", "300", ""];
        assert_eq!(rows.len(), 2, "what is not finished has no line");
        assert_eq!(rows[0].iter().collect::<Vec<_>>()[..9], expected);
        assert_eq!((&rows[0][9], &rows[0][10]), ("50.0000", "30.0000"));
        assert_eq!((&rows[1][2], &rows[1][5], &rows[1][7]), ("GrabCut masks of the boxes", "", ""));
    }
}
