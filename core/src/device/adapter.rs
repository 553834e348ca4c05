//! What a GPU says of itself.

use crate::run::event::DeviceInfo;

/// The name of an adapter that keeps its own to itself, as browsers make most do.
pub const UNNAMED: &str = "GPU";

/// Name and limits of an adapter.
pub(super) fn describe(adapter: &wgpu::AdapterInfo, limits: &wgpu::Limits, backend: &str) -> DeviceInfo {
    let name = if adapter.name.is_empty() { &adapter.driver } else { &adapter.name };
    DeviceInfo {
        name: if name.is_empty() { UNNAMED.into() } else { name.clone() },
        backend: backend.into(),
        hardware: adapter.device_type != wgpu::DeviceType::Cpu,
        max_binding: Some(limits.max_storage_buffer_binding_size),
        max_buffer: Some(limits.max_buffer_size),
        memory: None,
        threads: None,
    }
}
