//! `masks/`: supplied masks, for scoring only, matched to images by name.

use std::collections::BTreeMap;

use super::{Item, Problem, ProblemKind};
use crate::dataset::SuppliedMask;
use crate::dataset::decode::check_mask_type;
use crate::files::{FileEntry, extension, name, stem};

/// Hangs each mask on its image; masks that cannot score become problems.
pub(super) fn attach(masks: &[&FileEntry], items: &mut [Item], problems: &mut Vec<Problem>) {
    let mut by_path: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        let path = stem(&item.path);
        let inside = match path.split_once('/') {
            Some((top, inside)) if top.eq_ignore_ascii_case("images") => inside,
            _ => path,
        };
        by_path.entry(inside.to_owned()).or_default().push(at);
        by_name.entry(name(path).to_owned()).or_default().push(at);
    }
    for mask in masks {
        let inside = stem(&mask.path).split_once('/').map_or("", |(_, inside)| inside);
        let found = by_path.get(inside).or_else(|| by_name.get(name(inside))).map_or(&[][..], Vec::as_slice);
        let outcome = match found {
            _ if extension(&mask.path) != "png" => Err("A mask is a PNG file.".to_owned()),
            [] => Err("No usable image has this name.".to_owned()),
            [at] => fit(mask, &items[*at]).map(|()| *at),
            several => Err(format!("{} images have this name.", several.len())),
        };
        match outcome {
            Ok(at) => items[at].mask = Some(SuppliedMask::Png(mask.blob.clone())),
            Err(reason) => problems.push(Problem {
                count: 1,
                path: mask.path.clone(),
                kind: ProblemKind::BadMask,
                reason: format!("{reason} Not used for scoring."),
            }),
        }
    }
}

/// Checks type and size from the header.
fn fit(mask: &FileEntry, item: &Item) -> Result<(), String> {
    if item.mask.is_some() {
        return Err(format!("{} already has a mask.", item.path));
    }
    let header = mask.blob.read_at(0, 26).map_err(|error| format!("It cannot be read ({error})."))?;
    if header.len() < 26 || !header.starts_with(b"\x89PNG\r\n\x1a\n") || header[12..16] != *b"IHDR" {
        return Err("It is not a PNG file.".to_owned());
    }
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (width, height) = (number(16), number(20));
    check_mask_type(header[25], header[24]).map_err(super::sentence)?;
    if (width, height) != (item.width, item.height) {
        return Err(format!("It has {width} × {height} pixels, the image {} × {}.", item.width, item.height));
    }
    Ok(())
}
