//! `tag2mask inspect`: what is in a data set, and what was left out of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tag2mask_core::Result;
use tag2mask_core::dataset::{self, Layout, Summary};
use tag2mask_core::files::FileSet;

use super::output::Report;

pub const EXAMPLES: &str = "\
Examples:
  tag2mask inspect photos              a folder per class, or images and labels.csv
  tag2mask inspect photos.zip
  tag2mask inspect VOCdevkit/VOC2012 --split train
  tag2mask inspect coco --split val2014
  tag2mask inspect photos --json | jq '.problems[].path'

labels.csv has the columns image,labels; several labels are separated by a space, ';' or '|',
and none means that the image holds none of the classes. boxes.csv has the columns
image,class,x0,y0,x1,y1, in pixels; YOLO's text files are read with their data.yaml or classes.txt.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Data set: a folder or a .zip
    data: PathBuf,
    /// Of VOC: the list of images under ImageSets, for instance train_aug; of COCO: train2014 or val2014
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let files = FileSet::open(&args.data)?;
    let mut progress = |done, total| report.progress("reading", done, total, None);
    let data = dataset::read_split(&files, args.split.as_deref(), &mut progress)?;
    report.end_progress();
    let summary = data.summary();
    report.object(&summary);
    lines(&summary).into_iter().for_each(|line| report.line(line));
    Ok(())
}

fn lines(summary: &Summary) -> Vec<String> {
    let layout = match summary.layout {
        Layout::ClassFolders => "a folder per class",
        Layout::LabelsTable => "images and a table of labels",
        Layout::BoxesTable => "images and boxes.csv",
        Layout::Voc => "PASCAL VOC's folders",
        Layout::Coco => "COCO's annotations",
        Layout::Yolo => "YOLO's text files",
        Layout::LabelStudio => "Label Studio's JSON",
        Layout::Cvat => "CVAT's XML",
        Layout::VocXml => "annotations as PASCAL VOC's",
        Layout::Photos => "photos without labels",
    };
    let mut lines =
        vec![format!("{} images in {}: {layout}", summary.images.len(), classes(summary.classes.len()))];
    if !summary.finding.is_empty() {
        lines.push(format!("found: {}", summary.finding));
    }
    let names = summary.classes.iter().map(|name| name.chars().count());
    let width = names.max().unwrap_or(0).max("several classes".len());
    let mut count = |name: &str, count: usize| lines.push(format!("  {name:width$} {count:>7}"));
    for (class, &images) in summary.classes.iter().zip(&summary.images_per_class) {
        count(class, images);
    }
    count("several classes", summary.several_classes);
    count("no class", summary.without_class);
    count("with a mask", summary.with_mask);
    if summary.boxes > 0 {
        count("boxes", summary.boxes);
    }
    lines.extend(sizes(summary));
    if !summary.problems.is_empty() {
        lines.push(format!("problems: {}", summary.problems.len()));
        lines
            .extend(summary.problems.iter().map(|problem| format!("  {}: {}", problem.path, problem.reason)));
    }
    lines
}

fn classes(count: usize) -> String {
    if count == 1 { "1 class".into() } else { format!("{count} classes") }
}

/// The sizes that occur most, largest groups first.
fn sizes(summary: &Summary) -> Vec<String> {
    const SHOWN: usize = 4;
    let mut counts = BTreeMap::<(u32, u32), usize>::new();
    for image in &summary.images {
        *counts.entry((image.width, image.height)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let others: usize = counts.iter().skip(SHOWN).map(|&(_, images)| images).sum();
    let mut lines = vec!["sizes in pixels:".to_owned()];
    lines.extend(counts.iter().take(SHOWN).map(|((w, h), images)| format!("  {w} × {h}: {images}")));
    if others > 0 {
        lines.push(format!("  {} other sizes: {others}", counts.len() - SHOWN));
    }
    lines
}

#[cfg(test)]
mod tests {
    use tag2mask_core::dataset::{ImageSummary, Problem, ProblemKind};

    use super::*;

    #[test]
    fn the_listing_holds_every_count_and_every_problem() {
        let image = |n: u32| ImageSummary {
            path: format!("images/{n}.jpg"),
            stem: n.to_string(),
            width: 100 + n.min(5),
            height: 80,
            labels: vec![0],
            boxes: Vec::new(),
        };
        let problem = Problem {
            count: 1,
            path: "images/bad.jpg".into(),
            kind: ProblemKind::UnreadableImage,
            reason: "it ends early".into(),
        };
        let summary = Summary {
            layout: Layout::LabelsTable,
            finding: "labels.csv".into(),
            classes: vec!["cow".into(), "a very long class name".into()],
            images_per_class: vec![12, 3],
            without_class: 4,
            several_classes: 2,
            with_mask: 1,
            boxes: 7,
            images: (0..9).map(image).collect(),
            problems: vec![problem],
        };
        let text = lines(&summary).join("\n");
        for part in [
            "9 images in 2 classes: images and a table of labels\nfound: labels.csv\n",
            "  cow                         12\n",
            "  a very long class name       3\n",
            "  several classes              2\n",
            "  boxes                        7\n",
            "  105 × 80: 4\n",
            "  2 other sizes: 2\n",
            "problems: 1\n  images/bad.jpg: it ends early",
        ] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
    }
}
