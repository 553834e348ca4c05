//! Every call into the browser that is not drawing: files, the trainer, downloads, the clock.

pub mod canvas;
pub mod download;
mod fetch;
pub mod files;
pub mod pointer;
pub mod project;
pub mod public_weights;
pub mod tabs;
pub mod trainer;
pub mod window;
