//! Where bytes come from: a folder, a `.zip`, files picked in a browser, or memory, all seen as one
//! list of relative paths that page and CLI share.

mod blob;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
pub mod limits;
mod path;
mod set;
mod zip;

pub use blob::{Blob, BlobReader, MemoryBlob, Portable};
#[cfg(not(target_arch = "wasm32"))]
pub use folder::FileBlob;
pub use path::{extension, is_foreign_image_name, is_image_name, name, stem};
pub use set::{FileEntry, FileSet, SkippedFile};
