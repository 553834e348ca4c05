//! The browser's GPU.

use burn::tensor::Device;
use burn_wgpu::WgpuSetup;

use super::Compute;
use super::adapter::describe;
use crate::error::{Error, Result};

/// Asks the browser for its fastest adapter and hands the device to the tensor library.
pub(super) async fn open() -> Result<Compute> {
    let failed = |reason: String| Error::Device { device: "webgpu".into(), reason: short(&reason) };
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::BROWSER_WEBGPU;
    let instance = wgpu::Instance::new(descriptor);
    let wanted = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    let adapter = instance.request_adapter(&wanted).await.map_err(|error| failed(error.to_string()))?;
    let limits = adapter.limits();
    let (device, queue) = adapter
        .request_device(&wgpu::DeviceDescriptor {
            // All that the adapter has: the tensor library takes what is there for granted. Mapping
            // primary buffers, which it never does, would make every buffer slow to reach.
            required_features: adapter.features().difference(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS),
            required_limits: limits.clone(),
            // It allocates in large pages itself.
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        })
        .await
        .map_err(|error| failed(error.to_string()))?;
    let info = describe(&adapter.get_info(), &limits, "webgpu");
    let setup = WgpuSetup { instance, adapter, device, queue, backend: wgpu::Backend::BrowserWebGpu };
    let device = Device::wgpu_options().setup(setup).init().map_err(|error| failed(error.to_string()))?;
    Ok(Compute { device, info, others: Vec::new() })
}

/// What the browser says, without the stack that wgpu puts behind it.
fn short(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    line.replace("JsValue(", "").trim_end_matches(')').to_owned()
}
