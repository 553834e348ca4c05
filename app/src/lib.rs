//! The page and its trainer: wasm modules over one core.
//!
//! [`model`] is what the page knows, in plain Rust; `screens` and `parts` draw it, `browser` holds every
//! call into the browser, [`protocol`] is what page and trainer say to each other.

#[cfg(any(feature = "page", feature = "trainer"))]
pub mod disk;
pub mod model;
pub mod protocol;

#[cfg(feature = "page")]
pub mod browser;
#[cfg(feature = "page")]
pub mod parts;
#[cfg(feature = "page")]
pub mod screens;
#[cfg(feature = "page")]
pub mod state;

#[cfg(feature = "trainer")]
pub mod trainer;
