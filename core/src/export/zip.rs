//! A `.zip` of results. The same files give the same bytes: times are fixed.

use std::io::{Cursor, Seek, Write};

use ::zip::result::ZipError;
use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, ZipWriter};

use crate::error::{Error, Result};

/// Writes one file after the other, so that only one is held in memory.
pub struct ZipPacker<W: Write + Seek> {
    writer: ZipWriter<W>,
}

impl<W: Write + Seek> ZipPacker<W> {
    /// An empty archive that is written to `target`.
    pub fn new(target: W) -> Self {
        Self { writer: ZipWriter::new(target) }
    }

    /// Adds one file. `path` is relative, with `/` between its parts. Texts are deflated; images and
    /// weights are stored, as they hardly shrink any more.
    ///
    /// # Errors
    /// [`Error::Archive`] for a path that leads out of the archive or is there already, or when the
    /// target cannot be written.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.begin(path, bytes.len() as u64)?;
        self.append(bytes).map_err(|source| Error::Archive { path: path.into(), reason: source.to_string() })
    }

    /// Begins a file of about `length` bytes, which [`append`](Self::append) brings.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn begin(&mut self, path: &str, length: u64) -> Result<()> {
        if !is_inside(path) {
            return Err(Error::Archive {
                path: path.into(),
                reason: "not a relative path with / between its parts".into(),
            });
        }
        let refuse = |reason: String| Error::Archive { path: path.into(), reason };
        let options = SimpleFileOptions::default()
            .compression_method(method(path))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644)
            .large_file(length >= u64::from(u32::MAX));
        self.writer.start_file(path, options).map_err(|error| refuse(reason(error)))
    }

    /// The next bytes of the file that was begun last.
    ///
    /// # Errors
    /// The target's reason.
    pub fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// Writes the table of contents and gives the target back.
    ///
    /// # Errors
    /// [`Error::Archive`] when the target cannot be written.
    pub fn finish(self) -> Result<W> {
        self.writer
            .finish()
            .map_err(|error| Error::Archive { path: "the zip file".into(), reason: reason(error) })
    }
}

/// All files in one archive, in memory.
///
/// # Errors
/// As [`ZipPacker::add`].
pub fn pack(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Vec<u8>> {
    let mut packer = ZipPacker::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        packer.add(&path, &bytes)?;
    }
    Ok(packer.finish()?.into_inner())
}

/// Whether a path is relative, with `/` between its parts, and stays inside.
pub(super) fn is_inside(path: &str) -> bool {
    let safe = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    path.split('/').all(safe)
}

fn method(path: &str) -> CompressionMethod {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    if ["txt", "json", "jsonl", "csv", "md", "xml", "yaml"]
        .iter()
        .any(|text| extension.eq_ignore_ascii_case(text))
    {
        CompressionMethod::Deflated
    } else {
        CompressionMethod::Stored
    }
}

fn reason(error: ZipError) -> String {
    match error {
        ZipError::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn files_come_back_and_the_same_files_give_the_same_bytes() {
        let files = || {
            vec![
                ("masks/a b.png".to_owned(), vec![1, 2, 3]),
                ("classes.txt".to_owned(), b"background\ncow\n".repeat(50)),
                ("leer.txt".to_owned(), Vec::new()),
            ]
        };
        let packed = pack(files()).unwrap();
        assert_eq!(packed, pack(files()).unwrap());
        let mut archive = ::zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        assert_eq!(archive.len(), 3);
        for (path, bytes) in files() {
            let mut entry = archive.by_name(&path).unwrap();
            let mut back = Vec::new();
            entry.read_to_end(&mut back).unwrap();
            assert_eq!(back, bytes);
            let stored = entry.compression() == CompressionMethod::Stored;
            assert_eq!(stored, path.ends_with("png"));
        }
    }

    #[test]
    fn paths_that_lead_out_or_repeat_are_refused() {
        for path in ["../a.png", "/a.png", "a//b.png", "a\\b.png", "", "a/.."] {
            let error = pack([(path.to_owned(), vec![])]).unwrap_err().to_string();
            assert!(error.contains("relative"), "{error}");
        }
        assert!(pack([("a.png".to_owned(), vec![]), ("a.png".to_owned(), vec![])]).is_err());
    }
}
