//! Image-level labels in, segmentation masks out.
//!
//! The way of the data, and the order to read the modules in: [`files`] → [`dataset`] → `backbone` →
//! `method` → [`run`] → [`masks`] → [`export`]. Everything that touches a tensor stands behind the
//! `network` feature, so that a page can share settings, events and data-set types with the trainer
//! without carrying a tensor library.

pub mod architecture;
pub mod dataset;
pub mod error;
pub mod export;
pub mod files;
pub mod masks;
pub mod memory;
pub mod method;
pub mod public_weights;
pub mod run;

#[cfg(feature = "network")]
pub mod backbone;
#[cfg(feature = "network")]
pub mod conformance;
#[cfg(feature = "network")]
pub mod device;
#[cfg(feature = "network")]
pub mod optim;
#[cfg(feature = "network")]
pub mod tensor;

pub use error::{Error, Result};
pub use run::Event;
