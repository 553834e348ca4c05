//! Results in files that other programs read. One file a format.

#[cfg(not(target_arch = "wasm32"))]
pub mod atomic;
pub mod boxes_csv;
pub mod classes_txt;
pub mod markup;
#[cfg(not(target_arch = "wasm32"))]
pub mod mask_folder;
#[cfg(feature = "network")]
pub mod model;
pub mod npy;
pub mod palette_png;
pub mod plot;
#[cfg(feature = "cli")]
pub mod plot_png;
pub mod svg;
pub mod zip;
