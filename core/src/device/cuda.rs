//! CUDA cards, in builds that have it.

#[cfg(feature = "cuda")]
use burn::tensor::Device;

use super::Compute;
use crate::error::{Error, Result};
#[cfg(feature = "cuda")]
use crate::run::event::DeviceInfo;

#[cfg(feature = "cuda")]
pub(super) fn open(index: usize) -> Result<Compute> {
    // cubecl panics where there is no driver; nothing else tells.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let opened = std::panic::catch_unwind(|| {
        let device = Device::cuda(index);
        device.sync().map(|()| device)
    });
    std::panic::set_hook(hook);
    match opened {
        Ok(Ok(device)) => Ok(Compute {
            device,
            info: DeviceInfo {
                name: format!("CUDA device {index}"),
                backend: "cuda".into(),
                hardware: true,
                max_binding: None,
                max_buffer: None,
            },
        }),
        _ => Err(missing(index, "no CUDA driver, or no such card")),
    }
}

#[cfg(not(feature = "cuda"))]
pub(super) fn open(index: usize) -> Result<Compute> {
    Err(missing(index, "this build has no CUDA; build with `--features cuda`"))
}

fn missing(index: usize, reason: &str) -> Error {
    Error::Device { device: format!("cuda:{index}"), reason: reason.into() }
}
