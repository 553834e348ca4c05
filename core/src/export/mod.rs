//! Results in files that other programs read. One file a format.
//!
//! [`Format`] lists those that masks are exported to; an [`Exporter`] makes their files piece by piece from a
//! [`MaskSet`], and a [`Sink`] takes them: a folder, or a zip.

#[cfg(not(target_arch = "wasm32"))]
pub mod atomic;
pub mod boxes_csv;
pub mod classes_txt;
mod coco;
mod color_png;
pub mod confusion_csv;
mod cut_outs;
mod cvat;
pub mod doubt_csv;
mod exporter;
mod formats;
#[cfg(feature = "network")]
pub mod html;
mod index_png;
mod json;
mod label_studio;
mod labelme;
pub mod labels_csv;
pub mod markup;
#[cfg(not(target_arch = "wasm32"))]
pub mod mask_folder;
pub mod mask_set;
#[cfg(feature = "network")]
pub mod model;
pub mod npy;
#[cfg(feature = "network")]
pub mod onnx;
pub mod palette_png;
pub mod pieces;
pub mod plot;
#[cfg(feature = "cli")]
pub mod plot_png;
pub mod project_zip;
pub(crate) mod rgb_png;
mod sink;
pub mod svg;
#[cfg(test)]
mod test_set;
mod voc;
mod yolo_seg;
pub mod zip;

pub use exporter::{ExportOptions, Exporter};
pub use formats::Format;
pub use mask_set::{MaskSet, MaskedPhoto};
#[cfg(not(target_arch = "wasm32"))]
pub use sink::FolderSink;
pub use sink::{Piece, Sink};
