//! What burn's optimisers lack: parameter groups under one falling learning rate, a state that is
//! saved without a synchronous read, and clipping by the norm of all gradients on the device.

pub mod schedule;
pub mod sgd;

pub use schedule::polynomial;
pub use sgd::Sgd;
