//! A `.zip` as files that unpack when they are read.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use ::zip::CompressionMethod;
use ::zip::read::ZipArchive;
use ::zip::result::ZipError;

use super::blob::{Blob, BlobReader};
use super::limits;
use crate::error::{Error, Result};

/// The files of an archive, in its order, with the paths it states (not yet cleaned).
///
/// # Errors
/// [`Error::TooLarge`] beyond [`limits`], found from the archive's directory before anything is
/// unpacked; [`Error::Archive`] if there is no such directory.
pub(super) fn open(name: &str, blob: Arc<dyn Blob>) -> Result<Vec<(String, Arc<dyn Blob>)>> {
    let damaged = |error: ZipError| Error::Archive { path: name.to_owned(), reason: error.to_string() };
    check_directory(name, blob.as_ref())?;
    let archive = ZipArchive::new(BlobReader::new(blob)).map_err(damaged)?;
    let mut unpacked = 0u64;
    let mut files = Vec::with_capacity(archive.len());
    let mut entries = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(damaged)?;
        let path = match entry.name() {
            Ok(path) => path.into_owned(),
            Err(_) => String::from_utf8_lossy(entry.name_raw()).into_owned(),
        };
        unpacked = unpacked.saturating_add(entry.size());
        at_most(name, "the unpacked archive", unpacked, limits::ARCHIVE_BYTES)?;
        if entry.is_dir() || path.ends_with(['/', '\\']) {
            continue;
        }
        let refusal = if entry.is_symlink() {
            Some("the entry is a link, and links in archives are not followed".to_owned())
        } else if entry.encrypted() {
            Some("the entry is encrypted; pack the archive without a password".to_owned())
        } else if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            Some(format!("the entry is packed with {}; pack it with deflate", entry.compression()))
        } else if entry.size() > limits::ENTRY_BYTES {
            let (size, limit) = (megabytes(entry.size()), megabytes(limits::ENTRY_BYTES));
            Some(format!("the entry unpacks to {size}, more than the limit of {limit}"))
        } else {
            None
        };
        entries.push((path, index, entry.size(), refusal));
    }
    let archive = Arc::new(Archive { archive, last: Mutex::new(None) });
    for (path, index, size, refusal) in entries {
        let archive = archive.clone();
        files.push((path, Arc::new(ZipEntry { archive, index, size, refusal }) as Arc<dyn Blob>));
    }
    Ok(files)
}

/// Refuses an archive whose size, number of entries or directory is beyond the limits, before the
/// directory is parsed.
fn check_directory(name: &str, blob: &dyn Blob) -> Result<()> {
    at_most(name, "the archive", blob.len(), limits::ARCHIVE_BYTES)?;
    // The end record (22 bytes) is followed by a comment of at most 65,535 bytes; in front of it stand
    // the locator and the record of large archives (APPNOTE 4.3.14 to 4.3.16).
    let tail = blob.len().min(22 + 65_535 + 20 + 56);
    let tail = blob
        .read_at(blob.len() - tail, tail as usize)
        .map_err(|source| Error::Archive { path: name.to_owned(), reason: source.to_string() })?;
    let last = |signature: &[u8; 4], end: usize| tail[..end].windows(4).rposition(|at| at == signature);
    let number = |at: usize, length: usize| {
        let bytes = tail.get(at..at + length)?;
        Some(bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte)))
    };
    let found = last(b"PK\x05\x06", tail.len()).and_then(|end| {
        let (entries, bytes) = (number(end + 10, 2)?, number(end + 12, 4)?);
        if entries < 0xFFFF && bytes < 0xFFFF_FFFF {
            return Some((entries, bytes));
        }
        match last(b"PK\x06\x06", end) {
            Some(large) => Some((number(large + 32, 8)?, number(large + 40, 8)?)),
            None => Some((entries, bytes)),
        }
    });
    let Some((entries, bytes)) = found else {
        let reason = "it is no zip archive, or its end is missing".to_owned();
        return Err(Error::Archive { path: name.to_owned(), reason });
    };
    if entries > limits::ARCHIVE_ENTRIES as u64 {
        return Err(Error::TooLarge {
            what: "the number of entries",
            found: entries.to_string(),
            limit: limits::ARCHIVE_ENTRIES.to_string(),
            path: name.to_owned(),
        });
    }
    at_most(name, "the archive's directory", bytes, limits::TEXT_BYTES)
}

fn at_most(path: &str, what: &'static str, bytes: u64, limit: u64) -> Result<()> {
    if bytes > limit {
        let (found, limit) = (megabytes(bytes), megabytes(limit));
        return Err(Error::TooLarge { what, found, limit, path: path.to_owned() });
    }
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1 << 20))
}

/// The directory, parsed once, and the entry that was unpacked last: a decoder reads one file in
/// several pieces.
struct Archive {
    archive: ZipArchive<BlobReader>,
    last: Mutex<Option<(usize, Arc<[u8]>)>>,
}

impl Archive {
    /// The first `length` bytes of an entry of `size` bytes.
    fn unpack(&self, index: usize, length: u64, size: u64) -> io::Result<Vec<u8>> {
        let mut archive = self.archive.clone();
        let entry = archive.by_index(index).map_err(|error| io::Error::other(error.to_string()))?;
        // The stated size may be a lie: memory grows with what is really there. Reading one byte
        // more than stated reaches the checksum, and finds an entry that is longer.
        let mut bytes = Vec::with_capacity(length.min(64 << 10) as usize);
        let wanted = if length >= size { size + 1 } else { length };
        entry.take(wanted).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > size || (length >= size && (bytes.len() as u64) < size) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the entry does not unpack to the size that the archive states",
            ));
        }
        Ok(bytes)
    }
}

/// One entry.
struct ZipEntry {
    archive: Arc<Archive>,
    index: usize,
    size: u64,
    refusal: Option<String>,
}

impl Blob for ZipEntry {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        if let Some(reason) = &self.refusal {
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason.clone()));
        }
        let end = offset.saturating_add(length as u64).min(self.size);
        if offset >= end {
            return Ok(Vec::new());
        }
        let mut last = self.archive.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = last.as_ref().filter(|(index, _)| *index == self.index) {
            return Ok(bytes[offset as usize..end as usize].to_vec());
        }
        if offset == 0 {
            // A header or a whole file, which its reader keeps.
            drop(last);
            return self.archive.unpack(self.index, end, self.size);
        }
        *last = None;
        let bytes: Arc<[u8]> = self.archive.unpack(self.index, self.size, self.size)?.into();
        *last = Some((self.index, bytes.clone()));
        Ok(bytes[offset as usize..end as usize].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use ::zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;
    use crate::files::{FileSet, MemoryBlob};

    fn pack(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, bytes) in files {
            writer.start_file(*path, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn opened(bytes: Vec<u8>) -> Result<FileSet> {
        FileSet::archive("set.zip", Arc::new(MemoryBlob::new(bytes)))
    }

    /// Replaces the unpacked size in the directory and in the local header of the only entry.
    fn with_stated_size(mut bytes: Vec<u8>, size: u32) -> Vec<u8> {
        let directory = bytes.windows(4).position(|at| at == b"PK\x01\x02").unwrap();
        bytes[22..26].copy_from_slice(&size.to_le_bytes());
        bytes[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    #[test]
    fn entries_read_in_any_order_are_the_files() {
        let long: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let set = opened(pack(&[("x/a.jpg", &long), ("x/ü b/c.png", b"hello")], method)).unwrap();
            let a = &set.get("a.jpg").unwrap().blob;
            let c = &set.get("ü b/c.png").unwrap().blob;
            assert_eq!(a.read_at(200_000, 5).unwrap(), long[200_000..200_005]);
            assert_eq!(c.read_at(1, 3).unwrap(), b"ell");
            assert_eq!(a.read_at(0, usize::MAX).unwrap(), long);
            assert_eq!(a.read_at(299_999, 9).unwrap(), long[299_999..]);
            let mut all = Vec::new();
            BlobReader::new(a.clone()).read_to_end(&mut all).unwrap();
            assert_eq!(all, long);
        }
    }

    #[test]
    fn paths_that_escape_are_skipped() {
        let set =
            opened(pack(&[("../evil.jpg", b"x"), ("cow/a.jpg", b"x")], CompressionMethod::Stored)).unwrap();
        assert_eq!(set.entries().iter().map(|e| &*e.path).collect::<Vec<_>>(), ["cow/a.jpg"]);
        assert_eq!(set.skipped()[0].path, "../evil.jpg");
    }

    #[test]
    fn a_lie_about_the_size_is_an_error_and_not_an_allocation() {
        let zeros = vec![0u8; 1 << 20];
        let honest = pack(&[("a.jpg", &zeros)], CompressionMethod::Deflated);
        for stated in [1000u32, 400 << 20] {
            let set = opened(with_stated_size(honest.clone(), stated)).unwrap();
            let error = set.get("a.jpg").unwrap().blob.read_at(0, usize::MAX).unwrap_err();
            assert!(error.to_string().contains("size"), "{error}");
        }
        let bomb = opened(with_stated_size(honest.clone(), 600 << 20)).unwrap();
        let error = bomb.get("a.jpg").unwrap().blob.read_at(0, 8).unwrap_err().to_string();
        assert_eq!(error, "the entry unpacks to 600 MB, more than the limit of 512 MB");
    }

    #[test]
    fn an_archive_beyond_the_limits_is_refused_from_its_directory() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for index in 0..=limits::ARCHIVE_ENTRIES {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            writer.start_file(format!("{index}"), options).unwrap();
        }
        let error = opened(writer.finish().unwrap().into_inner()).err().unwrap().to_string();
        assert_eq!(error, "the number of entries is 100001, more than the limit of 100000: set.zip");
        assert!(matches!(opened(vec![0; 100]), Err(Error::Archive { .. })));
        assert!(matches!(opened(Vec::new()), Err(Error::Archive { .. })));
    }

    #[test]
    fn damaged_archives_never_panic() {
        let honest = pack(&[("a.jpg", b"some bytes"), ("b/c.png", b"others")], CompressionMethod::Deflated);
        for at in 0..honest.len() {
            for value in [0, 0xFF, honest[at] ^ 0x10] {
                let mut bytes = honest.clone();
                bytes[at] = value;
                if let Ok(set) = opened(bytes) {
                    for entry in set.entries() {
                        let _ = entry.blob.read_at(0, 100);
                    }
                }
            }
            let _ = opened(honest[..at].to_vec());
        }
    }
}
