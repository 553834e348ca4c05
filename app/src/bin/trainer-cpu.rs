//! The trainer for browsers without WebGPU: on the processor.

fn main() {
    tag2mask_app::trainer::start();
}
