//! GPUs of this machine, through Vulkan or Metal.

use burn::tensor::Device;

use super::Compute;
use super::adapter::describe;
use crate::error::{Error, Result};
use crate::run::event::DeviceInfo;

pub(super) fn adapters() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::default();
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN | wgpu::Backends::METAL));
    let mut hardware: Vec<_> =
        all.into_iter().filter(|adapter| adapter.get_info().device_type != wgpu::DeviceType::Cpu).collect();
    hardware.sort_by_key(|adapter| match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        _ => 2,
    });
    hardware
}

pub(super) fn info(adapter: &wgpu::Adapter) -> DeviceInfo {
    let found = adapter.get_info();
    describe(&found, &adapter.limits(), &found.backend.to_string().to_lowercase())
}

pub(super) fn open() -> Result<Compute> {
    let none = || Error::Device {
        device: "vulkan".into(),
        reason: "no hardware GPU with a Vulkan or Metal driver was found; `--device cpu` always works".into(),
    };
    let expected = info(adapters().first().ok_or_else(none)?);
    let (device, setup) = Device::wgpu_options()
        .init_with_setup()
        .map_err(|error| Error::Device { device: expected.name, reason: error.to_string() })?;
    // What burn took, which on a machine with several need not be the first.
    let info = info(&setup.adapter);
    if info.hardware { Ok(Compute { device, info, others: Vec::new() }) } else { Err(none()) }
}
