//! Where files go as they are made: a folder, or a zip. One file, or one part of a file, is held at a time.

use std::io::{Seek, Write};

#[cfg(not(target_arch = "wasm32"))]
use super::atomic;
use super::zip::ZipPacker;
use crate::error::{Error, Result};

/// The next of what is written. Paths are relative, with `/` between their parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A whole file.
    File {
        /// Where.
        path: String,
        /// What.
        bytes: Vec<u8>,
    },
    /// The begin of a file that comes in parts, as it may be large. No other begins before its end.
    Begin {
        /// Where.
        path: String,
    },
    /// Its next part.
    Part(Vec<u8>),
    /// Its end.
    End,
}

/// Takes pieces in their order.
pub trait Sink {
    /// Writes the next piece.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Archive`] when it cannot be written, or when its path leads out.
    fn take(&mut self, piece: Piece) -> Result<()>;
}

impl<W: Write + Seek> Sink for ZipPacker<W> {
    fn take(&mut self, piece: Piece) -> Result<()> {
        match piece {
            Piece::File { path, bytes } => self.add(&path, &bytes),
            // How long it gets is not known before.
            Piece::Begin { path } => self.begin(&path, u64::MAX),
            Piece::Part(bytes) => self
                .append(&bytes)
                .map_err(|source| Error::Archive { path: "the zip file".into(), reason: source.to_string() }),
            Piece::End => Ok(()),
        }
    }
}

/// A folder on disk. Each of its files is there in full or not at all.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub struct FolderSink {
    root: std::path::PathBuf,
    open: Option<atomic::Pending>,
}

#[cfg(not(target_arch = "wasm32"))]
impl FolderSink {
    /// Files go below this folder, which is made with the first.
    pub fn new(root: impl Into<std::path::PathBuf>) -> Self {
        Self { root: root.into(), open: None }
    }

    fn path(&self, path: &str) -> Result<std::path::PathBuf> {
        match super::zip::is_inside(path) {
            true => Ok(self.root.join(path)),
            false => {
                let reason = "the path leads out of the folder of results".into();
                Err(Error::Format { path: path.to_owned(), reason })
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Sink for FolderSink {
    fn take(&mut self, piece: Piece) -> Result<()> {
        match piece {
            Piece::File { path, bytes } => atomic::write(self.path(&path)?, &bytes),
            Piece::Begin { path } => {
                self.open = Some(atomic::Pending::new(self.path(&path)?)?);
                Ok(())
            }
            Piece::Part(bytes) => self.open.as_mut().map_or(Ok(()), |open| open.write(&bytes)),
            Piece::End => self.open.take().map_or(Ok(()), atomic::Pending::finish),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    fn pieces() -> Vec<Piece> {
        let file = |path: &str, bytes: &[u8]| Piece::File { path: path.into(), bytes: bytes.into() };
        let begin = Piece::Begin { path: "x/all.json".into() };
        let parts = ["[1,", "2]"].map(|part| Piece::Part(part.into()));
        [file("x/a.png", b"png"), begin]
            .into_iter()
            .chain(parts)
            .chain([Piece::End, file("b.txt", b"b")])
            .collect()
    }

    #[test]
    fn a_folder_and_a_zip_get_the_same_files() {
        let folder = tempfile::tempdir().unwrap();
        let (mut on_disk, mut packed) =
            (FolderSink::new(folder.path()), ZipPacker::new(Cursor::new(Vec::new())));
        for piece in pieces() {
            on_disk.take(piece.clone()).unwrap();
            packed.take(piece).unwrap();
        }
        let mut archive = ::zip::ZipArchive::new(packed.finish().unwrap()).unwrap();
        assert_eq!(archive.len(), 3);
        for (path, text) in [("x/a.png", "png"), ("x/all.json", "[1,2]"), ("b.txt", "b")] {
            assert_eq!(std::fs::read_to_string(folder.path().join(path)).unwrap(), text);
            let mut back = String::new();
            archive.by_name(path).unwrap().read_to_string(&mut back).unwrap();
            assert_eq!(back, text);
        }
    }

    #[test]
    fn a_file_that_does_not_end_is_not_there_and_no_path_leads_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = FolderSink::new(folder.path().join("out"));
        pieces().into_iter().take(3).for_each(|piece| sink.take(piece).unwrap());
        drop(sink);
        assert!(!folder.path().join("out/x/all.json").exists());
        let mut sink = FolderSink::new(folder.path().join("out"));
        for path in ["../a", "/a", "x/../../a", "", "x//a"] {
            assert!(sink.take(Piece::File { path: path.into(), bytes: vec![] }).is_err(), "{path}");
            assert!(sink.take(Piece::Begin { path: path.into() }).is_err(), "{path}");
        }
    }
}
