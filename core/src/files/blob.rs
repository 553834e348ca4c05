//! Random access to the bytes of one file, wherever they lie.

use std::io;
use std::sync::Arc;

/// On native targets a data set is read from a thread of its own; a browser's `File` cannot leave
/// its thread, and there the bound is empty.
#[cfg(not(target_arch = "wasm32"))]
pub trait Portable: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync> Portable for T {}
/// See the native definition.
#[cfg(target_arch = "wasm32")]
pub trait Portable {}
#[cfg(target_arch = "wasm32")]
impl<T> Portable for T {}

/// Bytes that can be read in part: a file on disk, a browser's `File`, an entry of an archive.
///
/// Reading is synchronous: a worker has `FileReaderSync`, and decoders want `Read + Seek`.
pub trait Blob: Portable {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Up to `length` bytes from `offset`; fewer only at the end.
    ///
    /// # Errors
    /// The system's reason.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Bytes held in memory: the sample set, small files in tests.
#[derive(Debug, Clone)]
pub struct MemoryBlob(pub Arc<[u8]>);

impl MemoryBlob {
    /// Takes the bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl Blob for MemoryBlob {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let end = start.saturating_add(length).min(self.0.len());
        Ok(self.0[start..end].to_vec())
    }
}

/// `Read + Seek` over a [`Blob`], a block at a time: headers cost one block, not the file.
pub struct BlobReader {
    blob: Arc<dyn Blob>,
    position: u64,
    block: Vec<u8>,
    block_start: u64,
}

impl BlobReader {
    /// Bytes fetched at once: more than most headers, less than most photos.
    const BLOCK: usize = 64 * 1024;

    /// Starts at the first byte.
    pub fn new(blob: Arc<dyn Blob>) -> Self {
        Self { blob, position: 0, block: Vec::new(), block_start: 0 }
    }
}

impl Clone for BlobReader {
    /// A reader at the same position; the block in memory is not copied.
    fn clone(&self) -> Self {
        Self { blob: self.blob.clone(), position: self.position, block: Vec::new(), block_start: 0 }
    }
}

impl io::Read for BlobReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let inside = |start: u64, len: usize, at: u64| at >= start && at - start < len as u64;
        if !inside(self.block_start, self.block.len(), self.position) {
            if self.position >= self.blob.len() {
                return Ok(0);
            }
            self.block = self.blob.read_at(self.position, Self::BLOCK.max(out.len()))?;
            self.block_start = self.position;
        }
        let from = (self.position - self.block_start) as usize;
        let count = out.len().min(self.block.len().saturating_sub(from));
        out[..count].copy_from_slice(&self.block[from..from + count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl io::Seek for BlobReader {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let target = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::End(by) => self.blob.len().checked_add_signed(by),
            io::SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position =
            target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use super::*;

    #[test]
    fn a_reader_sees_the_same_bytes_from_any_position() {
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i * 7 + i / 251) as u8).collect();
        let mut reader = BlobReader::new(Arc::new(MemoryBlob::new(bytes.clone())));
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes);
        for at in [0usize, 1, 65_535, 65_536, 65_537, 199_999] {
            reader.seek(SeekFrom::Start(at as u64)).unwrap();
            let mut some = vec![0; 100.min(bytes.len() - at)];
            reader.read_exact(&mut some).unwrap();
            assert_eq!(some, bytes[at..at + some.len()]);
        }
        assert_eq!(reader.seek(SeekFrom::End(10)).unwrap(), 200_010);
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
        assert!(reader.seek(SeekFrom::Current(-300_000)).is_err());
    }
}
