//! A run: its settings, the loop, the events it tells, and the folder it lives in.

pub mod course;
pub mod duration;
pub mod event;
pub mod examples;
pub mod host;
pub mod preset;
pub mod settings;
pub mod store;
pub mod suggest;

#[cfg(feature = "network")]
mod begun;
#[cfg(feature = "network")]
mod boxed;
#[cfg(feature = "network")]
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod compare;
#[cfg(feature = "network")]
pub mod fingerprint;
#[cfg(feature = "network")]
pub mod interpret;
#[cfg(feature = "network")]
mod journal;
#[cfg(feature = "network")]
pub mod make_masks;
#[cfg(feature = "network")]
pub mod maps;
#[cfg(feature = "network")]
mod pace;
pub mod packed;
#[cfg(all(feature = "network", not(target_arch = "wasm32")))]
pub mod parts;
#[cfg(feature = "network")]
mod preview;
#[cfg(feature = "network")]
pub mod published;
#[cfg(feature = "network")]
pub mod rename;
#[cfg(feature = "network")]
pub mod replay;
#[cfg(feature = "network")]
pub mod report;
#[cfg(all(feature = "network", not(target_arch = "wasm32")))]
pub mod reproduce;
#[cfg(feature = "network")]
mod round;
#[cfg(feature = "network")]
pub mod saving;
#[cfg(feature = "network")]
pub mod score_file;
#[cfg(feature = "network")]
pub mod scorer;
#[cfg(feature = "network")]
pub mod step;
#[cfg(feature = "network")]
mod team;
#[cfg(feature = "network")]
pub mod train;
#[cfg(feature = "network")]
mod trainee;
#[cfg(feature = "network")]
mod watch;
#[cfg(feature = "cli")]
mod workers;

pub use event::Event;
pub use host::{Control, Host};
pub use settings::Settings;
pub use store::RunStore;
