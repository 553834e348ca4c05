//! The trainer: owns the device, runs core's loop, answers the page's commands. A worker's entry; where
//! a browser has WebGPU on the page only, the page runs it itself, in the slices between two steps.

mod blob;
mod browser;
mod desk;
mod endpoint;
mod turn;
mod work;

fn main() {
    desk::open();
}
