//! A file that grows in pieces which somebody else keeps: a browser's `Blob`s, that may lie on its disk. An archive
//! of a thousand photos then takes no more of our memory than its last few.

use std::io::{self, Seek, SeekFrom, Write};

/// Bytes that are kept elsewhere.
pub trait Piece: Sized {
    /// Keeps them.
    ///
    /// # Errors
    /// The keeper's reason, in most cases a lack of room.
    fn of(bytes: &[u8]) -> io::Result<Self>;

    /// The bytes from `start` to before `end`.
    ///
    /// # Errors
    /// The keeper's reason.
    fn cut(&self, start: u64, end: u64) -> io::Result<Self>;
}

/// Writes pieces. What was written can be written over, as archives do with the sizes in their headers.
pub struct Pieces<P> {
    /// With the length of each.
    kept: Vec<(u64, P)>,
    kept_bytes: u64,
    tail: Vec<u8>,
    position: u64,
    size: usize,
}

impl<P: Piece> Pieces<P> {
    /// An empty file, of pieces of about `size` bytes.
    pub fn new(size: usize) -> Self {
        Self { kept: Vec::new(), kept_bytes: 0, tail: Vec::new(), position: 0, size: size.max(1) }
    }

    /// All pieces, in order.
    ///
    /// # Errors
    /// As [`Piece::of`].
    pub fn finish(mut self) -> io::Result<Vec<P>> {
        self.keep_tail()?;
        Ok(self.kept.into_iter().map(|(_, piece)| piece).collect())
    }

    fn end(&self) -> u64 {
        self.kept_bytes + self.tail.len() as u64
    }

    fn keep_tail(&mut self) -> io::Result<()> {
        if !self.tail.is_empty() {
            let length = self.tail.len() as u64;
            self.kept.push((length, P::of(&self.tail)?));
            self.kept_bytes += length;
            self.tail.clear();
        }
        Ok(())
    }

    /// Writes over what is kept, as far as the piece at the position goes.
    fn patch(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut index, mut start) = (0, 0);
        while start + self.kept[index].0 <= self.position {
            start += self.kept[index].0;
            index += 1;
        }
        let (length, piece) = &self.kept[index];
        let before = self.position - start;
        let written = bytes.len().min(usize::try_from(length - before).unwrap_or(usize::MAX));
        let after = before + written as u64;
        let mut parts = Vec::with_capacity(3);
        if before > 0 {
            parts.push((before, piece.cut(0, before)?));
        }
        parts.push((written as u64, P::of(&bytes[..written])?));
        if after < *length {
            parts.push((length - after, piece.cut(after, *length)?));
        }
        self.kept.splice(index..=index, parts);
        Ok(written)
    }
}

impl<P: Piece> Write for Pieces<P> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let written = if self.position < self.kept_bytes {
            self.patch(bytes)?
        } else {
            let place = (self.position - self.kept_bytes) as usize;
            let over = bytes.len().min(self.tail.len() - place);
            self.tail[place..place + over].copy_from_slice(&bytes[..over]);
            self.tail.extend_from_slice(&bytes[over..]);
            bytes.len()
        };
        self.position += written as u64;
        if self.tail.len() >= self.size && self.position == self.end() {
            self.keep_tail()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<P: Piece> Seek for Pieces<P> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.end().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        match place.filter(|&place| place <= self.end()) {
            Some(place) => self.position = place,
            None => return Err(io::ErrorKind::InvalidInput.into()),
        }
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::export::zip::ZipPacker;

    impl Piece for Vec<u8> {
        fn of(bytes: &[u8]) -> io::Result<Self> {
            Ok(bytes.to_vec())
        }

        fn cut(&self, start: u64, end: u64) -> io::Result<Self> {
            Ok(self[start as usize..end as usize].to_vec())
        }
    }

    #[test]
    fn it_is_written_like_a_file() {
        for size in [1, 3, 64] {
            let mut pieces = Pieces::<Vec<u8>>::new(size);
            let mut file = Cursor::new(Vec::new());
            // A fixed sequence that looks like chance.
            let mut state = 1u32;
            let mut next = |below: usize| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as usize % below
            };
            for _ in 0..500 {
                if next(4) == 0 {
                    let place = SeekFrom::Start(next(file.get_ref().len() + 1) as u64);
                    assert_eq!(pieces.seek(place).unwrap(), file.seek(place).unwrap());
                }
                let bytes: Vec<u8> = (0..next(9)).map(|_| next(256) as u8).collect();
                pieces.write_all(&bytes).unwrap();
                file.write_all(&bytes).unwrap();
            }
            assert!(
                pieces.seek(SeekFrom::End(1)).is_err() && pieces.seek(SeekFrom::Current(-100_000)).is_err()
            );
            assert_eq!(pieces.finish().unwrap().concat(), file.into_inner());
        }
    }

    #[test]
    fn an_archive_is_the_same_in_pieces() {
        let pack = |target: &mut dyn FnMut(&str, &[u8])| {
            target("a.txt", &b"moon ".repeat(40));
            target("b.png", &[7; 500]);
        };
        let mut whole = ZipPacker::new(Cursor::new(Vec::new()));
        pack(&mut |path, bytes| whole.add(path, bytes).unwrap());
        let mut parts = ZipPacker::new(Pieces::<Vec<u8>>::new(64));
        pack(&mut |path, bytes| parts.add(path, bytes).unwrap());
        let parts = parts.finish().unwrap().finish().unwrap();
        assert!(parts.len() > 5);
        assert_eq!(parts.concat(), whole.finish().unwrap().into_inner());
    }
}
