//! The compute device in words.

use tag2mask_core::run::event::DeviceInfo;

use super::text;

/// One line for the header: "GPU: NVIDIA RTX 4070 · largest buffer 2 GiB".
pub fn line(device: &DeviceInfo) -> String {
    let mut line = match (is_cpu(device), device.hardware) {
        (true, _) => "CPU (no GPU in use): slower".to_string(),
        (false, true) => format!("GPU: {}", name(device)),
        (false, false) => format!("Software GPU ({}): slower", name(device)),
    };
    if let Some(bytes) = device.max_binding.or(device.max_buffer).filter(|_| !is_cpu(device)) {
        line.push_str(&format!(" · largest buffer {}", text::memory_size(bytes)));
    }
    line
}

/// Whether no GPU is in play at all.
pub fn is_cpu(device: &DeviceInfo) -> bool {
    device.backend == "cpu"
}

/// Whether the GPU is one that the processor imitates, at a tenth of its own speed.
pub fn is_imitated(device: &DeviceInfo) -> bool {
    !is_cpu(device) && !device.hardware
}

/// Whether training will feel slow, so that smaller defaults are in order.
pub fn is_slow(device: &DeviceInfo) -> bool {
    is_cpu(device) || is_imitated(device)
}

fn name(device: &DeviceInfo) -> &str {
    if device.name.trim().is_empty() { "unnamed adapter" } else { device.name.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_adapter_and_limit() {
        let mut device = DeviceInfo {
            name: "NVIDIA RTX 4070".into(),
            backend: "webgpu".into(),
            hardware: true,
            max_binding: Some(2 << 30),
            max_buffer: Some(4 << 30),
            ..DeviceInfo::default()
        };
        assert_eq!(line(&device), "GPU: NVIDIA RTX 4070 · largest buffer 2 GiB");
        assert!(!is_slow(&device));
        device.hardware = false;
        device.name = "SwiftShader".into();
        assert_eq!(line(&device), "Software GPU (SwiftShader): slower · largest buffer 2 GiB");
        let cpu = DeviceInfo { name: "CPU".into(), backend: "cpu".into(), ..DeviceInfo::default() };
        assert_eq!(line(&cpu), "CPU (no GPU in use): slower");
        assert!(is_slow(&cpu));
    }
}
