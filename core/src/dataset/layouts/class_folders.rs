//! A folder per class: the folder's name is the label of every image below it.

use std::collections::{BTreeMap, BTreeSet};

use super::tally::counted;
use super::{Candidate, Labelled, Problem, ProblemKind, means_no_class};

/// Labels images by the first folder of their path, below a folder `images` if there is one.
pub(super) fn read(
    images: &[Candidate<'_>],
    listed: Option<&[String]>,
    problems: &mut Vec<Problem>,
) -> Vec<Labelled> {
    let mut labelled = Vec::with_capacity(images.len());
    let mut unlisted: BTreeMap<&str, usize> = BTreeMap::new();
    for image in images {
        let Some(folder) = folder(&image.path) else {
            let reason = "It lies in no class folder, and there is no labels.csv. Left out.".to_owned();
            problems.push(Problem {
                count: 1,
                path: image.path.clone(),
                kind: ProblemKind::ImageWithoutLabel,
                reason,
            });
            continue;
        };
        let folder_is_class = listed.is_some_and(|names| names.iter().any(|name| name == folder));
        let labels = if !folder_is_class && means_no_class(folder) {
            BTreeSet::new()
        } else if listed.is_some() && !folder_is_class {
            *unlisted.entry(folder).or_default() += 1;
            continue;
        } else {
            BTreeSet::from([folder.to_owned()])
        };
        let (path, blob) = (image.path.clone(), image.blob.clone());
        labelled.push(Labelled { path, blob, labels, boxes: Vec::new() });
    }
    for (folder, count) in unlisted {
        problems.push(Problem {
            path: format!("{folder}/"),
            kind: ProblemKind::ImageWithoutLabel,
            count,
            reason: format!(
                "classes.txt does not name this folder. Left out: {}.",
                counted(count, ["image", "images"])
            ),
        });
    }
    labelled
}

/// Whether any image lies in a folder that is a class.
pub(super) fn any(images: &[Candidate<'_>], is_class: impl Fn(&str) -> bool) -> bool {
    let folders: BTreeSet<&str> = images.iter().filter_map(|image| folder(&image.path)).collect();
    folders.into_iter().any(is_class)
}

/// The first folder of a path, below a folder `images` if there is one.
fn folder(path: &str) -> Option<&str> {
    let inside = match path.split_once('/') {
        Some((top, inside)) if top.eq_ignore_ascii_case("images") => inside,
        _ => path,
    };
    inside.split_once('/').map(|(folder, _)| folder)
}
