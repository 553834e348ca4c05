//! `tag2mask eval`: masks against true masks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tag2mask_core::dataset::decode;
use tag2mask_core::export::mask_set::masks_in;
use tag2mask_core::export::{atomic, classes_txt, confusion_csv};
use tag2mask_core::files::{Blob, FileBlob, FileEntry, FileSet, limits, name};
use tag2mask_core::masks::Confusion;
use tag2mask_core::run::event::Score;
use tag2mask_core::run::scorer::{Scored, refuse_unknown, score_masks};
use tag2mask_core::{Error, Result};

use super::output::Report;
use super::project::{open_data, open_masks};
use super::train::read;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask eval cells-masks cells/masks
  tag2mask eval cells-masks cells --json
  tag2mask eval masks.zip photos/masks --classes photos/classes.txt
  tag2mask eval cells-masks cells --confusion confusion.csv
  tag2mask eval masks VOCdevkit/VOC2012 --split val
  tag2mask eval masks coco --split val2014

Masks are index PNGs: 0 background, 1 and on the classes in the order of classes.txt, 255 ignored.
They are matched by path, or else by file name. Every true mask needs a prediction: leaving some
out would change the score. mIoU is the mean over background and classes that occur in truth or
prediction.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Predicted masks: a folder or a .zip
    pred: PathBuf,
    /// True masks: a folder, a .zip, or a data set with masks/ in it; with `--split`, PASCAL VOC or COCO
    truth: PathBuf,
    /// The images of TRUTH to score: of VOC the list under ImageSets, of COCO train2014 or val2014
    #[arg(long, value_name = "NAME", conflicts_with = "classes")]
    split: Option<String>,
    /// Class names, one per line, background first [default: classes.txt in TRUTH or PRED]
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    /// Also write which labels are taken for which here, as a table: pixels by true label (rows) and predicted
    /// label (columns)
    #[arg(long, value_name = "FILE")]
    confusion: Option<PathBuf>,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    if let Some(split) = &args.split {
        let score = score_split(args, split, report)?;
        return print(&score, args, report);
    }
    let (predicted, truth) = (open_masks(&args.pred)?, open_data(&args.truth)?);
    let places = [(&truth, args.truth.as_path()), (&predicted, args.pred.as_path())];
    let classes = class_names(args.classes.as_deref(), places)?;
    if classes.is_none() {
        report.note("no classes.txt beside the masks: classes are called by their number");
    }
    let (pairs, without_truth) = pair_up(&predicted, &truth, args)?;
    if without_truth > 0 {
        report.warning(format!("{without_truth} predicted masks have no true mask and are not scored"));
    }
    let mut confusion = Confusion::new(classes.as_ref().map_or(limits::CLASSES, Vec::len));
    for (done, (predicted, truth)) in pairs.iter().enumerate() {
        let shown = [shown(&args.pred, predicted), shown(&args.truth, truth)];
        let predicted = decode::mask(predicted.blob.as_ref(), &shown[0])?;
        let truth = decode::mask(truth.blob.as_ref(), &shown[1])?;
        if let Some(classes) = &classes {
            refuse_unknown(&predicted, classes.len(), &shown[0])?;
        }
        confusion.accumulate(&predicted, &truth, &shown[1])?;
        report.progress("scoring", done + 1, pairs.len(), None);
    }
    report.end_progress();
    let classes = classes
        .unwrap_or_else(|| (1..=confusion.highest_label()).map(|label| format!("class {label}")).collect());
    print(&confusion.score(&classes, false), args, report)
}

fn print(score: &Score, args: &Args, report: &mut Report) -> Result<()> {
    if let Some(path) = &args.confusion {
        atomic::write(path, &confusion_csv::encode(score)?)?;
    }
    let Score { miou, iou, images, confusion, .. } = score;
    report.object(&Json { miou: *miou, iou: ByName(iou), images: *images, confusion });
    lines(score).into_iter().for_each(|line| report.line(line));
    Ok(())
}

/// Predictions by the names of a data set's images, against the masks that came with it.
fn score_split(args: &Args, split: &str, report: &mut Report) -> Result<Score> {
    let predicted = open_masks(&args.pred)?;
    let dataset = read(&args.truth, Some(split), report)?;
    let mut progress = |done, total| report.progress("scoring", done, total, None);
    let Scored { score, missing } = score_masks(&dataset, &predicted, false, &mut progress)?;
    report.end_progress();
    if let Some(first) = missing.first() {
        let reason = match missing.len() - 1 {
            0 => "no predicted mask has its name".to_owned(),
            more => format!("no predicted mask has its name (and {more} more have none)"),
        };
        return Err(Error::Format { path: args.truth.join(first).display().to_string(), reason });
    }
    score.ok_or_else(|| Error::NoData { reason: format!("no image of {split} came with a mask") })
}

/// The names in the file given, or else in the first `classes.txt` at the top of these sets, or none.
pub fn class_names(given: Option<&Path>, places: [(&FileSet, &Path); 2]) -> Result<Option<Vec<String>>> {
    let (blob, path): (Arc<dyn Blob>, String) = match given {
        Some(path) => (Arc::new(FileBlob::open(path)?), path.display().to_string()),
        None => {
            let mut beside = places.into_iter().filter_map(|(set, root)| {
                set.get("classes.txt").map(|entry| (entry.blob.clone(), shown(root, entry)))
            });
            match beside.next() {
                Some(found) => found,
                None => return Ok(None),
            }
        }
    };
    if blob.len() > limits::TEXT_BYTES {
        return Err(Error::TooLarge {
            what: "the list of classes",
            found: format!("{} bytes", blob.len()),
            limit: format!("{} bytes", limits::TEXT_BYTES),
            path,
        });
    }
    let bytes = blob.read_at(0, blob.len() as usize).map_err(|source| Error::Io {
        action: "read",
        path: path.clone(),
        source,
    })?;
    let names = classes_txt::decode(&String::from_utf8_lossy(&bytes));
    match names.len() {
        0 => Err(Error::Format { path, reason: "no class is named".into() }),
        count if count > limits::CLASSES => Err(Error::TooLarge {
            what: "the number of classes",
            found: count.to_string(),
            limit: limits::CLASSES.to_string(),
            path,
        }),
        _ => Ok(Some(names)),
    }
}

/// Every true mask with its prediction, and the number of predictions without a true mask.
fn pair_up<'a>(
    predicted: &'a FileSet,
    truth: &'a FileSet,
    args: &Args,
) -> Result<(Vec<(&'a FileEntry, &'a FileEntry)>, usize)> {
    let refuse = |root: &Path, entry: &FileEntry, reason: String| {
        Err(Error::Format { path: shown(root, entry), reason })
    };
    let predicted = masks_in(predicted);
    let truth = masks_in(truth);
    if truth.is_empty() {
        return Err(Error::NoData { reason: format!("no .png in {}", args.truth.display()) });
    }
    let mut by_name = BTreeMap::<&str, Vec<&FileEntry>>::new();
    for (&key, &entry) in &predicted {
        by_name.entry(name(key)).or_default().push(entry);
    }
    let mut pairs = Vec::with_capacity(truth.len());
    let mut used = BTreeSet::new();
    let mut missing = Vec::new();
    for (&key, &entry) in &truth {
        let found = match (predicted.get(key), by_name.get(name(key)).map(Vec::as_slice)) {
            (Some(&found), _) | (None, Some(&[found])) => found,
            (None, Some([first, second, ..])) => {
                let reason = format!("two predictions have its name, {} and {}", first.path, second.path);
                return refuse(&args.truth, entry, reason);
            }
            (None, _) => {
                missing.push(entry);
                continue;
            }
        };
        if !used.insert(found.path.as_str()) {
            return refuse(&args.pred, found, "two true masks have the name of this prediction".into());
        }
        pairs.push((found, entry));
    }
    if let Some(first) = missing.first() {
        let more = match missing.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more have none)"),
        };
        return refuse(&args.truth, first, format!("no predicted mask has this name{more}"));
    }
    Ok((pairs, predicted.len() - used.len()))
}

fn shown(root: &Path, entry: &FileEntry) -> String {
    root.join(&entry.path).display().to_string()
}

fn lines(score: &Score) -> Vec<String> {
    let width = score.iou.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut lines = vec![format!("mIoU {:.1} % over {} images", score.miou, score.images)];
    lines.extend(score.iou.iter().map(|(name, iou)| match iou {
        Some(iou) => format!("  {name:width$} {iou:>6.1} %"),
        None => format!("  {name:width$}      – (neither in truth nor in prediction)"),
    }));
    lines
}

#[derive(Serialize)]
struct Json<'a> {
    miou: f64,
    iou: ByName<'a>,
    images: usize,
    /// Pixels by true label (rows) and predicted label (columns), in the order of `iou`; last, by no label.
    confusion: &'a [Vec<u64>],
}

/// A JSON object in the order of the mask values.
struct ByName<'a>(&'a [(String, Option<f64>)]);

impl Serialize for ByName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, iou)| (name, iou)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> FileSet {
        FileSet::memory(paths.iter().map(|path| ((*path).to_owned(), vec![0])).collect())
    }

    fn pairs(predicted: &[&str], truth: &[&str]) -> std::result::Result<(Vec<String>, usize), String> {
        let args = Args { pred: "P".into(), truth: "T".into(), split: None, classes: None, confusion: None };
        let (predicted, truth) = (set(predicted), set(truth));
        let (pairs, rest) = pair_up(&predicted, &truth, &args).map_err(|error| error.to_string())?;
        Ok((pairs.iter().map(|(p, t)| format!("{} {}", p.path, t.path)).collect(), rest))
    }

    #[test]
    fn masks_are_matched_by_path_and_then_by_name() {
        let (found, rest) = pairs(&["a.png", "b.png", "c.png", "classes.txt"], &["a.png", "b.png"]).unwrap();
        assert_eq!((found, rest), (vec!["a.png a.png".to_owned(), "b.png b.png".to_owned()], 1));
        let (found, _) = pairs(&["cow/1.png", "dog/1.png"], &["cow/1.png", "dog/1.png"]).unwrap();
        assert_eq!(found, ["cow/1.png cow/1.png", "dog/1.png dog/1.png"]);
        let (found, _) = pairs(&["1.png", "2.png"], &["cow/1.png", "dog/2.png"]).unwrap();
        assert_eq!(found, ["1.png cow/1.png", "2.png dog/2.png"]);
        // A data set with PNG photos beside its masks.
        let (found, _) = pairs(&["1.png", "2.png"], &["images/1.png", "labels.csv", "masks/1.png"]).unwrap();
        assert_eq!(found, ["1.png masks/1.png"]);
    }

    #[test]
    fn missing_and_ambiguous_predictions_are_named() {
        let missing = pairs(&["a.png"], &["a.png", "b.png", "c.png"]).unwrap_err();
        assert!(missing.contains("no predicted mask") && missing.contains("1 more"), "{missing}");
        assert!(missing.ends_with("b.png"), "{missing}");
        let ambiguous = pairs(&["x/a.png", "y/a.png"], &["a.png", "z/b.png"]).unwrap_err();
        assert!(ambiguous.contains("x/a.png and y/a.png"), "{ambiguous}");
        let twice = pairs(&["a.png", "b.png"], &["x/a.png", "y/a.png"]).unwrap_err();
        assert!(twice.contains("two true masks"), "{twice}");
        assert!(pairs(&["a.png"], &["classes.txt"]).unwrap_err().contains("no .png"));
    }

    #[test]
    fn json_keeps_the_order_of_classes_and_says_null() {
        let iou =
            vec![("background".to_owned(), Some(80.5)), ("b".to_owned(), None), ("a".to_owned(), Some(1.0))];
        let text = serde_json::to_string(&Json { miou: 40.75, iou: ByName(&iou), images: 3, confusion: &[] })
            .unwrap();
        assert_eq!(
            text,
            r#"{"miou":40.75,"iou":{"background":80.5,"b":null,"a":1.0},"images":3,"confusion":[]}"#
        );
    }
}
