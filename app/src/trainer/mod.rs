//! The trainer: owns the device, runs core's loop, answers the page's commands. A worker's entry; where
//! a browser has WebGPU on the page only, the page runs it itself, in the slices between two steps.
//!
//! It is built twice: for the GPU, and for the processor where there is none. Neither carries the other's
//! tensor library.

mod archive;
mod blob;
mod browser;
mod by_hand;
mod correcting;
mod desk;
mod drawing;
mod endpoint;
mod host;
mod kept;
mod learning;
mod made;
mod packing;
mod scores;
mod turn;
mod work;
mod zipped;

unsafe extern "C" {
    /// Runs the module's static constructors; made by the linker.
    safe fn __wasm_call_ctors();
}

/// The module's entry.
pub fn start() {
    // The shader compiler has hundreds of constructors. Where no code calls them, the linker takes the
    // module for a program that is run anew by every call from JavaScript, and has each one call them
    // all: most of a training step's time.
    __wasm_call_ctors();
    desk::open();
}
