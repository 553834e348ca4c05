//! Files with the same bytes, found without reading most of them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use crate::files::Blob;

/// For each file the index of the first one with the same bytes: itself, if there is none before it.
///
/// Only files of equal length are looked at, first in three places, then, if those agree, in full. A
/// file that cannot be read equals no other.
pub fn first_of_equals(files: &[Arc<dyn Blob>]) -> Vec<usize> {
    let mut first: Vec<usize> = (0..files.len()).collect();
    let mut by_length: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        by_length.entry(file.len()).or_default().push(index);
    }
    for same_length in by_length.into_values().filter(|group| group.len() > 1) {
        let mut by_sample: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for index in same_length {
            let Ok(sample) = sample(files[index].as_ref()) else { continue };
            let seen = by_sample.entry(sample).or_default();
            match seen
                .iter()
                .find(|&&other| equal(files[other].as_ref(), files[index].as_ref()).unwrap_or(false))
            {
                Some(&other) => first[index] = other,
                None => seen.push(index),
            }
        }
    }
    first
}

/// A hash of the start, the middle and the end.
fn sample(file: &dyn Blob) -> io::Result<u64> {
    const PIECE: usize = 4096;
    let mut hasher = DefaultHasher::new();
    for at in [0, file.len() / 2, file.len().saturating_sub(PIECE as u64)] {
        file.read_at(at, PIECE)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn equal(a: &dyn Blob, b: &dyn Blob) -> io::Result<bool> {
    const PIECE: usize = 8 << 20;
    let mut at = 0;
    while at < a.len() {
        if a.read_at(at, PIECE)? != b.read_at(at, PIECE)? {
            return Ok(false);
        }
        at += PIECE as u64;
    }
    Ok(a.len() == b.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryBlob;

    #[test]
    fn equal_files_point_to_the_first_of_them() {
        let blob = |bytes: &[u8]| Arc::new(MemoryBlob::new(bytes.to_vec())) as Arc<dyn Blob>;
        let mut long = vec![7; 100_000];
        let one = blob(&long);
        long[30_000] = 8; // where no sample looks
        let other = blob(&long);
        let files = [one.clone(), blob(b"ab"), other, one, blob(b"ac"), blob(b"ab"), blob(b"")];
        assert_eq!(first_of_equals(&files), [0, 1, 2, 0, 4, 1, 6]);
    }
}
