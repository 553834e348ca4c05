//! An export, piece by piece: whoever takes the pieces decides when the next is made, so that a page stays
//! alive, and no more than one photo is in memory.

use std::collections::VecDeque;

use super::formats::{Format, Masks, Plan};
use super::mask_set::{MaskSet, MaskedPhoto};
use super::sink::{Piece, Sink};
use crate::error::{Error, Result};
use crate::files::limits;

/// What is written besides masks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Photos too, as they are, where the format has a place for them.
    pub photos: bool,
}

/// The pieces of an export, each format in a folder of its name. Ends at the first error.
pub struct Exporter<'a> {
    set: &'a MaskSet,
    options: ExportOptions,
    waiting: VecDeque<Format>,
    current: Option<Current<'a>>,
    ready: VecDeque<Piece>,
    /// Photos that were worked on, of all formats.
    done: usize,
    total: usize,
}

struct Current<'a> {
    folder: &'static str,
    plan: Plan<'a>,
    pass: Pass,
    /// The next photo.
    photo: usize,
}

#[derive(Clone, Copy)]
enum Pass {
    /// Photos, and files of their own.
    Files,
    /// The one document.
    Document,
}

impl<'a> Exporter<'a> {
    /// An export to these formats, each once.
    pub fn new(set: &'a MaskSet, formats: &[Format], options: ExportOptions) -> Self {
        let mut waiting = VecDeque::new();
        for &format in formats {
            if !waiting.contains(&format) {
                waiting.push_back(format);
            }
        }
        let total = waiting.len() * set.photos.len();
        Self { set, options, waiting, current: None, ready: VecDeque::new(), done: 0, total }
    }

    /// How many photos were worked on, and how many there are, counted for each format.
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.total)
    }

    /// Brings all pieces to a sink, and tells `progress` of each.
    ///
    /// # Errors
    /// Those of the masks, the photos and the sink.
    pub fn run(mut self, sink: &mut impl Sink, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        while let Some(piece) = self.next() {
            sink.take(piece?)?;
            progress(self.done, self.total);
        }
        Ok(())
    }

    /// Makes more pieces; `false` when there are none.
    fn advance(&mut self) -> Result<bool> {
        let Some(current) = &mut self.current else {
            let Some(format) = self.waiting.pop_front() else { return Ok(false) };
            let mut plan = format.plan(self.set)?;
            let folder = format.id();
            self.ready.extend(plan.files.drain(..).map(|(path, bytes)| file(folder, &path, bytes)));
            self.current = Some(Current { folder, plan, pass: Pass::Files, photo: 0 });
            return Ok(true);
        };
        let Current { folder, plan, pass, photo: at } = current;
        let photo = self.set.photos.get(*at);
        *at += 1;
        match (*pass, photo, &mut plan.masks) {
            (Pass::Files, Some(photo), masks) => {
                if let Some(place) = plan.photos.filter(|_| self.options.photos) {
                    let bytes = photo_bytes(photo)?;
                    self.ready.push_back(file(folder, &format!("{place}{}", photo.file_name), bytes));
                }
                if let Masks::Files(files) = masks {
                    let made = files(photo, &self.set.mask(photo)?)?;
                    self.ready.extend(made.into_iter().map(|(path, bytes)| file(folder, &path, bytes)));
                    self.done += 1;
                }
            }
            (Pass::Files, None, Masks::Document { path, head, .. }) => {
                self.ready.push_back(Piece::Begin { path: format!("{folder}/{path}") });
                self.ready.push_back(Piece::Part(std::mem::take(head)));
                (*pass, *at) = (Pass::Document, 0);
            }
            (Pass::Document, Some(photo), Masks::Document { part, .. }) => {
                let part = part(*at - 1, photo, &self.set.mask(photo)?)?;
                self.ready.push_back(Piece::Part(part));
                self.done += 1;
            }
            (Pass::Document, None, Masks::Document { tail, .. }) => {
                self.ready.extend([Piece::Part(tail.as_bytes().to_vec()), Piece::End]);
                self.current = None;
            }
            (Pass::Files, None, Masks::Files(_)) | (Pass::Document, _, Masks::Files(_)) => {
                self.current = None
            }
        }
        Ok(true)
    }
}

impl Iterator for Exporter<'_> {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    (self.current, self.waiting) = (None, VecDeque::new());
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

fn file(folder: &str, path: &str, bytes: Vec<u8>) -> Piece {
    Piece::File { path: format!("{folder}/{path}"), bytes }
}

fn photo_bytes(photo: &MaskedPhoto) -> Result<Vec<u8>> {
    let length = photo.image.len();
    if length > limits::ENTRY_BYTES {
        return Err(Error::TooLarge {
            what: "the file",
            found: format!("{} MB", length >> 20),
            limit: format!("{} MB", limits::ENTRY_BYTES >> 20),
            path: photo.path.clone(),
        });
    }
    photo.image.read_at(0, length as usize).map_err(|source| Error::Io {
        action: "read",
        path: photo.path.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::export::test_set::{files, set};
    use crate::export::zip::{ZipPacker, is_inside};
    use crate::files::MemoryBlob;

    #[test]
    fn every_format_writes_below_its_own_folder_and_the_same_again() {
        let set = set();
        for photos in [false, true] {
            let all = files(&set, &Format::ALL, photos);
            assert_eq!(all, files(&set, &Format::ALL, photos));
            for format in Format::ALL {
                let folder = format!("{}/", format.id());
                let count = all.keys().filter(|path| path.starts_with(&folder)).count();
                assert!(count > 0 && all.keys().all(|path| is_inside(path)), "{folder}: {count}");
            }
            let copies = all.values().filter(|bytes| **bytes == photo_bytes(&set.photos[0]).unwrap()).count();
            // Not with index and colour PNGs and cut-outs, which have no place for photos.
            assert_eq!(copies, if photos { 8 } else { 0 });
        }
    }

    #[test]
    fn progress_counts_each_photo_once_for_each_format() {
        let set = set();
        let mut sink = ZipPacker::new(std::io::Cursor::new(Vec::new()));
        let formats = [Format::CocoRle, Format::IndexPng, Format::CocoRle];
        let mut told = Vec::new();
        let exporter = Exporter::new(&set, &formats, ExportOptions { photos: true });
        exporter.run(&mut sink, &mut |done, total| told.push((done, total))).unwrap();
        assert_eq!(told.last(), Some(&(2 * set.photos.len(), 2 * set.photos.len())));
        assert!(told.is_sorted());
    }

    #[test]
    fn a_damaged_mask_ends_the_export_and_is_named() {
        let mut set = set();
        set.photos[1].mask = Arc::new(MemoryBlob::new(b"no png".to_vec()));
        let mut exporter = Exporter::new(&set, &[Format::CocoRle], ExportOptions::default());
        let error = exporter.find_map(Result::err).unwrap().to_string();
        assert!(error.ends_with(&set.photos[1].mask_path), "{error}");
        assert!(exporter.next().is_none());
    }

    #[test]
    fn hostile_names_stay_text_in_every_format() {
        let mut set = set();
        let hostile = "</label><x a=\"'\\&amp;{}[]: #, %20 ../../../etc/passwd \u{85}\u{2028}ä🐄";
        set.classes[0] = hostile.replace('\u{85}', " ");
        let all: BTreeMap<String, Vec<u8>> = files(&set, &Format::ALL, false);
        assert!(all.keys().all(|path| is_inside(path) && !path.contains("etc/")));
        for (path, bytes) in &all {
            let text = || std::str::from_utf8(bytes).unwrap();
            match crate::files::extension(path).as_str() {
                "json" => {
                    let json: serde_json::Value = serde_json::from_str(text()).unwrap();
                    // The third photo has no class, and its file names none.
                    assert!(json.to_string().contains("etc/passwd") || path.ends_with("/c.json"), "{path}");
                }
                "xml" => {
                    let document = roxmltree::Document::parse(text()).unwrap();
                    let is_it = |text: Option<&str>| text == Some(set.classes[0].as_str());
                    let mut names = document.descendants().map(|node| {
                        is_it(node.text())
                            || node.attributes().any(|attribute| is_it(Some(attribute.value())))
                    });
                    assert!(names.any(|found| found), "{path}");
                    assert!(document.descendants().all(|node| node.tag_name().name() != "x"));
                }
                _ => {}
            }
        }
    }
}
