//! The trainer for browsers with WebGPU.

fn main() {
    tag2mask_app::trainer::start();
}
