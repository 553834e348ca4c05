//! Where bytes come from: a folder, a `.zip`, files picked in a browser, or memory, all seen as one
//! list of relative paths that page and CLI share.

// A browser's files stay on their thread, and so does all that holds them (see `blob::Portable`).
#![cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync))]

mod blob;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
pub mod limits;
mod path;
mod project;
mod set;
mod zip;

pub use blob::{Blob, BlobReader, MemoryBlob, Portable};
#[cfg(not(target_arch = "wasm32"))]
pub use folder::FileBlob;
pub use path::{clean_path, extension, is_foreign_image_name, is_image_name, name, stem};
pub use project::{CARD, Part, ProjectCard, check_unpacked};
pub use set::{FileEntry, FileSet, SkippedFile};
