//! CUDA cards, in builds that have it.

use burn::tensor::Device;

use super::Compute;
use crate::error::{Error, Result};
use crate::run::event::DeviceInfo;

/// The cards of these indices, of which there is at least one.
pub(super) fn open(cards: &[usize]) -> Result<Compute> {
    let mut devices = cards.iter().map(|&index| card(index)).collect::<Result<Vec<_>>>()?.into_iter();
    let first = devices.next().ok_or_else(|| missing(0, "no card was named"))?;
    let names: Vec<String> = cards.iter().map(usize::to_string).collect();
    let kind = if cards.len() > 1 { "CUDA devices" } else { "CUDA device" };
    Ok(Compute {
        device: first,
        info: DeviceInfo {
            name: format!("{kind} {}", names.join(", ")),
            backend: "cuda".into(),
            hardware: true,
            max_binding: None,
            max_buffer: None,
            memory: None,
            threads: None,
        },
        others: devices.collect(),
    })
}

#[cfg(feature = "cuda")]
fn card(index: usize) -> Result<Device> {
    // cubecl panics where there is no driver; nothing else tells.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let opened = std::panic::catch_unwind(|| {
        let device = Device::cuda(index);
        device.sync().map(|()| device)
    });
    std::panic::set_hook(hook);
    match opened {
        Ok(Ok(device)) => Ok(device),
        _ => Err(missing(index, "no CUDA driver, or no such card")),
    }
}

#[cfg(not(feature = "cuda"))]
fn card(index: usize) -> Result<Device> {
    Err(missing(index, "this build has no CUDA; build with `--features cuda`"))
}

fn missing(index: usize, reason: &str) -> Error {
    Error::Device { device: format!("cuda:{index}"), reason: reason.into() }
}
