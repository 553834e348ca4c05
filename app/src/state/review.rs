//! Masks that are looked at: accepted, rejected, corrected.

use std::sync::Arc;

use js_sys::Uint8Array;
use leptos::prelude::*;
use tag2mask_core::masks::rescale::{bounded, shrink_rgb};
use tag2mask_core::masks::{LabelMap, Superpixels};

use super::State;
use crate::model::mask_editor::{Editor, Tool};
use crate::model::pictures::Pictures;
use crate::model::review::{Verdict, beside};
use crate::model::{Model, Part};
use crate::protocol::Command;

/// Pixels of a photo that is cut into regions: a tenth of a second's work.
const CUT_PIXELS: usize = 1 << 18;
/// Regions that it is cut into.
const REGIONS: usize = 700;

impl State {
    /// Says something of a mask.
    pub fn judge(self, image: usize, verdict: Verdict) {
        self.review(|model| {
            let review = model.results.review_mut()?;
            review.judge(image, verdict);
            Some(image)
        });
    }

    /// Takes the last verdict back; of which image it was.
    pub fn undo_verdict(self) -> Option<usize> {
        self.review(|model| model.results.review_mut()?.undo())
    }

    fn review(self, act: impl FnOnce(&mut Model) -> Option<usize>) -> Option<usize> {
        if self.is_read_only() {
            return None;
        }
        let mut of = None;
        self.change(&[Part::Results, Part::Segmenter], |model| {
            let rejected = |model: &Model| model.results.shown().map(|made| made.review.rejected());
            let before = rejected(model);
            of = act(model);
            // A network learns from all but the rejected ones.
            if before != rejected(model) {
                model.segmenter.is_outdated = model.segmenter.is_trained;
            }
        });
        self.keep_soon();
        of
    }

    /// Turns from the image shown in large to one of the list, so many places on.
    pub fn turn(self, by: isize) {
        let here = self.enlarged.get_untracked();
        let there = here.and_then(|here| self.in_line.with_value(|line| beside(line, here, by)));
        if let Some(image) = there {
            self.turn_to(image);
        }
    }

    /// Asks for a mask at the size that it is corrected at.
    pub fn ask_for_mask(self, image: usize) {
        let cannot = |model: &Model| {
            model.is_working() || model.kept.is_read_only() || model.results.mask(image).is_none()
        };
        if self.peek(cannot) {
            return;
        }
        self.change(&[Part::Thumbnails], |model| model.pictures.ask_large(image));
        self.send(Command::Thumbnails { images: vec![image], side: Pictures::LARGE_SIDE }, None);
        let round = self.peek(|model| model.results.round);
        self.send(Command::ShowMask { round, image, side: Editor::SIDE }, None);
    }

    /// Opens a mask that came, to be corrected.
    pub(super) fn open_mask(self, round: Option<usize>, image: usize, map: LabelMap) {
        let editor = self.peek(|model| {
            let summary = model.data.summary()?;
            let facts = summary.images.get(image)?;
            // Meanwhile the user may have turned to another round.
            model.results.mask(image).filter(|_| model.results.round == round)?;
            Editor::new(image, round, facts, summary.classes.len(), map)
        });
        if editor.is_some() {
            self.mask_editor.set(editor);
        }
    }

    /// Does something with the open mask.
    pub fn edit_mask(self, act: impl FnOnce(&mut Editor)) {
        self.mask_editor.update(|editor| {
            if let Some(editor) = editor {
                act(editor);
                if editor.tool() == Tool::Fill
                    && !editor.has_regions()
                    && let Some(regions) = self.cut(editor.image)
                {
                    editor.set_regions(regions);
                }
            }
        });
    }

    /// The photo's regions; `None` until the photo is there.
    fn cut(self, image: usize) -> Option<Arc<Superpixels>> {
        let picture = self.peek(|model| model.pictures.large(image))?;
        let rgb: Vec<u8> =
            picture.rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let (width, height) = bounded(picture.width, picture.height, CUT_PIXELS);
        let rgb = shrink_rgb(&rgb, (picture.width, picture.height), (width, height));
        Some(Arc::new(Superpixels::of(&rgb, width, height, REGIONS)))
    }

    /// Closes the open mask; with `keep`, what was changed takes the place of the mask.
    pub fn close_mask(self, keep: bool) {
        let editor = self.mask_editor.with_untracked(|editor| editor.is_some());
        if !editor {
            return;
        }
        let mut open = None;
        self.mask_editor.update(|editor| open = editor.take());
        if let Some(mut editor) = open
            && keep
        {
            editor.release();
            if editor.is_changed() {
                self.correct(editor.round, editor.image, editor.map());
            }
        }
    }

    fn correct(self, round: Option<usize>, image: usize, map: &LabelMap) {
        self.change(&[Part::Results, Part::Segmenter], |model| {
            model.results.correct(round, image, map);
            model.segmenter.is_outdated = model.segmenter.is_trained;
        });
        let (width, height) = (map.width, map.height);
        let labels = Uint8Array::from(map.labels.as_slice());
        self.send(Command::SetMask { round, image, width, height }, Some(labels.into()));
    }

    /// Masks were made anew: those that had been corrected are corrected again.
    pub(super) fn correct_again(self) {
        let (round, corrected) = self.peek(|model| (model.results.round, model.results.to_correct_again()));
        for (image, map) in corrected {
            self.correct(round, image, &map);
        }
    }
}
