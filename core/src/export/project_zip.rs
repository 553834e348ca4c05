//! A project as one zip ([`ProjectCard`]): photos with what is known of them, a run, its masks. What is packed here
//! opens as a data set, as a run and as masks; nothing of it is held in memory but what passes through.

use std::collections::BTreeMap;
use std::io::{Seek, Write};

use super::zip::ZipPacker;
use super::{boxes_csv, classes_txt, labels_csv, palette_png};
use crate::dataset::{Dataset, Item, SuppliedMask};
use crate::error::{Error, Result};
use crate::files::{Blob, CARD, FileSet, Part, ProjectCard, limits, stem};

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// Writes a project, part by part.
pub struct ProjectPacker<W: Write + Seek> {
    zip: ZipPacker<W>,
    files: usize,
    bytes: u64,
}

/// The photos of a data set whose tables were added.
pub struct PhotosToAdd<'a> {
    items: &'a [Item],
    /// How many photos would have a mask of that name.
    same_name: BTreeMap<&'a str, usize>,
}

impl<W: Write + Seek> ProjectPacker<W> {
    /// A project without parts.
    ///
    /// # Errors
    /// [`Error::Archive`] when the target cannot be written.
    pub fn new(target: W, card: &ProjectCard) -> Result<Self> {
        let mut packer = Self { zip: ZipPacker::new(target), files: 0, bytes: 0 };
        packer.add(CARD, &card.encode()?)?;
        Ok(packer)
    }

    /// Adds the photos as they were given, with the labels and boxes that they have now, whoever gave them, and
    /// the masks that came with them. `progress` hears of photos packed and photos in all.
    ///
    /// # Errors
    /// As [`add_photo`](Self::add_photo).
    pub fn add_data(&mut self, dataset: &Dataset, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let data = self.add_tables(dataset)?;
        for index in 0..dataset.items.len() {
            self.add_photo(&data, index)?;
            progress(index + 1, dataset.items.len());
        }
        Ok(())
    }

    /// Adds what is known of the photos: their labels and boxes. Each photo is then to be added by
    /// [`add_photo`](Self::add_photo), at whatever pace.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for what could not be opened again, [`Error::Archive`] when the target cannot be written.
    pub fn add_tables<'a>(&mut self, dataset: &'a Dataset) -> Result<PhotosToAdd<'a>> {
        let (items, classes) = (&dataset.items, &dataset.classes);
        let labels = items.iter().map(|item| (item.path.as_str(), item.labels.as_slice()));
        self.add_to(Part::Data, labels_csv::NAME, &labels_csv::encode(labels, classes)?)?;
        self.add_to(Part::Data, classes_txt::NAME, &classes_txt::encode(classes))?;
        if items.iter().any(|item| !item.boxes.is_empty()) {
            let boxes = items.iter().map(|item| (item.path.as_str(), item.boxes.as_slice()));
            self.add_to(Part::Data, boxes_csv::NAME, &boxes_csv::encode(boxes, classes)?)?;
        }
        let mut same_name: BTreeMap<&str, usize> = BTreeMap::new();
        for item in items {
            *same_name.entry(mask_name(&item.path)).or_default() += 1;
        }
        Ok(PhotosToAdd { items, same_name })
    }

    /// Adds a photo, and the mask that came with it.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for what could not be opened again, [`Error::Io`] for a photo that cannot be read, and
    /// [`Error::Archive`] when the target cannot be written.
    pub fn add_photo(&mut self, photos: &PhotosToAdd<'_>, index: usize) -> Result<()> {
        let Some(item) = photos.items.get(index) else { return Ok(()) };
        self.add_blob(Part::Data, &item.path, item.image.as_ref())?;
        let name = mask_name(&item.path);
        // Of two photos of one name, a mask could be of either.
        if let Some(mask) = item.mask.as_ref().filter(|_| photos.same_name.get(name) == Some(&1)) {
            let path = format!("masks/{name}.png");
            match mask {
                SuppliedMask::Png(png) => self.add_blob(Part::Data, &path, png.as_ref())?,
                painted => {
                    let mask = painted.decode(&item.path)?;
                    self.add_to(Part::Data, &path, &palette_png::encode(&mask)?)?;
                }
            }
        }
        Ok(())
    }

    /// Adds a file to a part.
    ///
    /// # Errors
    /// As [`add_data`](Self::add_data).
    pub fn add_to(&mut self, part: Part, path: &str, bytes: &[u8]) -> Result<()> {
        self.add(&format!("{}/{path}", part.folder()), bytes)
    }

    /// Adds files to a part, those whose paths are `wanted`.
    ///
    /// # Errors
    /// As [`add_data`](Self::add_data).
    pub fn add_files(&mut self, part: Part, files: &FileSet, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let wanted = files.entries().iter().filter(|entry| wanted(&entry.path));
        wanted.into_iter().try_for_each(|entry| self.add_blob(part, &entry.path, entry.blob.as_ref()))
    }

    /// Writes the table of contents and gives the target back.
    ///
    /// # Errors
    /// [`Error::Archive`] when the target cannot be written.
    pub fn finish(self) -> Result<W> {
        self.zip.finish()
    }

    fn add_blob(&mut self, part: Part, path: &str, blob: &dyn Blob) -> Result<()> {
        let path = format!("{}/{path}", part.folder());
        self.count(&path, blob.len())?;
        self.zip.begin(&path, blob.len())?;
        let mut offset = 0;
        while offset < blob.len() {
            let unreadable = |source| Error::Io { action: "read", path: path.clone(), source };
            let bytes = blob.read_at(offset, PIECE).map_err(unreadable)?;
            if bytes.is_empty() {
                return Err(unreadable(std::io::ErrorKind::UnexpectedEof.into()));
            }
            offset += bytes.len() as u64;
            let unwritable =
                |source: std::io::Error| Error::Archive { path: path.clone(), reason: source.to_string() };
            self.zip.append(&bytes).map_err(unwritable)?;
        }
        Ok(())
    }

    fn add(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.count(path, bytes.len() as u64)?;
        self.zip.add(path, bytes)
    }

    /// Refuses what could not be opened again.
    fn count(&mut self, path: &str, bytes: u64) -> Result<()> {
        self.files += 1;
        self.bytes += bytes;
        let refuse = |what, found: String, limit: String| {
            Err(Error::TooLarge { what, found, limit, path: path.to_owned() })
        };
        let megabytes = |bytes: u64| format!("{} MB", bytes.div_ceil(1 << 20));
        if self.files > limits::ARCHIVE_ENTRIES {
            return refuse(
                "the number of entries",
                self.files.to_string(),
                limits::ARCHIVE_ENTRIES.to_string(),
            );
        }
        if bytes > limits::ENTRY_BYTES {
            return refuse("the file", megabytes(bytes), megabytes(limits::ENTRY_BYTES));
        }
        if self.bytes > limits::ARCHIVE_BYTES {
            return refuse("the project", megabytes(self.bytes), megabytes(limits::ARCHIVE_BYTES));
        }
        Ok(())
    }
}

/// Where [`layouts`](crate::dataset::layouts) look for the mask of a photo, inside `masks/`, without extension.
fn mask_name(path: &str) -> &str {
    let path = stem(path);
    match path.split_once('/') {
        Some((top, inside)) if top.eq_ignore_ascii_case("images") => inside,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use super::*;
    use crate::dataset::sample::{self, SampleSettings};
    use crate::dataset::{Layout, ObjectBox, read};
    use crate::files::MemoryBlob;

    fn packed(dataset: &Dataset) -> Vec<u8> {
        let mut packer = ProjectPacker::new(Cursor::new(Vec::new()), &ProjectCard::new("cells")).unwrap();
        packer.add_data(dataset, &mut |_, _| {}).unwrap();
        packer.add_to(Part::Run, "run.json", b"{}").unwrap();
        packer.finish().unwrap().into_inner()
    }

    fn opened(bytes: Vec<u8>) -> FileSet {
        FileSet::archive("cells.zip", Arc::new(MemoryBlob::new(bytes))).unwrap()
    }

    fn sample() -> Dataset {
        let files = sample::files(&SampleSettings { images: 6, size: 64, seed: 2 });
        read(&FileSet::memory(files), &mut |_, _| {}).unwrap()
    }

    #[test]
    fn a_packed_data_set_is_read_as_it_was_changed() {
        let mut dataset = sample();
        // As a user would: a label taken away, a box drawn.
        dataset.items[0].labels.clear();
        dataset.items[0].boxes.clear();
        dataset.items[1].labels = vec![0, 2];
        dataset.items[1].boxes = vec![ObjectBox { class: 2, x0: 1.5, y0: 2.0, x1: 30.25, y1: 40.0 }];
        let bytes = packed(&dataset);
        assert_eq!(bytes, packed(&dataset), "the same project gives the same bytes");
        let read = read(&opened(bytes), &mut |_, _| {}).unwrap();
        assert_eq!((read.layout, &read.classes), (Layout::LabelsTable, &dataset.classes));
        assert!(read.problems.is_empty(), "{:?}", read.problems);
        assert_eq!(read.items.len(), dataset.items.len());
        for (read, given) in read.items.iter().zip(&dataset.items) {
            assert_eq!((&read.path, &read.stem), (&given.path, &given.stem));
            assert_eq!((&read.labels, &read.boxes), (&given.labels, &given.boxes));
            let bytes = |blob: &dyn Blob| blob.read_at(0, usize::MAX).unwrap();
            assert_eq!(bytes(read.image.as_ref()), bytes(given.image.as_ref()));
            let [read, given] = [read, given].map(|item| item.mask.as_ref().unwrap().decode("mask").unwrap());
            assert_eq!(read, given);
        }
    }

    #[test]
    fn what_could_not_be_opened_again_is_not_packed() {
        struct Large;
        impl Blob for Large {
            fn len(&self) -> u64 {
                limits::ENTRY_BYTES + 1
            }
            fn read_at(&self, _offset: u64, _length: usize) -> std::io::Result<Vec<u8>> {
                Ok(Vec::new())
            }
        }
        let mut dataset = sample();
        dataset.items[3].image = Arc::new(Large);
        let mut packer = ProjectPacker::new(Cursor::new(Vec::new()), &ProjectCard::new("x")).unwrap();
        let error = packer.add_data(&dataset, &mut |_, _| {}).unwrap_err().to_string();
        assert!(
            error.starts_with("the file is 513 MB, more than the limit of 512 MB: data/images/"),
            "{error}"
        );
    }
}
