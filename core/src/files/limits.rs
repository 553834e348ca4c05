//! What is refused before memory is allocated for it. Stated in the README and in every refusal.

/// Pixels of one image: 100 megapixels.
pub const IMAGE_PIXELS: u64 = 100_000_000;
/// Bytes of one archive, packed or unpacked: 4 GiB.
pub const ARCHIVE_BYTES: u64 = 4 << 30;
/// Entries of one archive.
pub const ARCHIVE_ENTRIES: usize = 100_000;
/// Files of a folder or a selection: COCO 2014 has 164,000 images with those of its test set.
pub const FILES: usize = 250_000;
/// Bytes of one entry, unpacked: 512 MiB holds any image within [`IMAGE_PIXELS`].
pub const ENTRY_BYTES: u64 = 512 << 20;
/// What a project that is written to disk may unpack to, by what it is packed: of zeros made for that, a thousand.
pub const PROJECT_RATIO: u64 = 100;
/// What it may unpack to however small it is: 256 MiB.
pub const PROJECT_BYTES: u64 = 256 << 20;
/// Bytes of a text file (`labels.csv`, `classes.txt`).
pub const TEXT_BYTES: u64 = 64 << 20;
/// Foreground classes of a data set: a mask is an 8-bit PNG, 0 is background and 255 is "ignore".
pub const CLASSES: usize = 254;
