//! Which device computes, what it can hold, and the part of a batch that fits.

#[cfg(feature = "gpu")]
mod adapter;
#[cfg(feature = "cli")]
mod cuda;
#[cfg(feature = "cli")]
mod gpu;
#[cfg(feature = "webgpu")]
mod webgpu;

#[cfg(feature = "gpu")]
pub use adapter::UNNAMED;

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::run::event::DeviceInfo;
use crate::run::settings::BackboneName;

/// A device that is ready, and what is known about it.
pub struct Compute {
    /// Where tensors live; without autodiff.
    pub device: Device,
    /// What the user is shown.
    pub info: DeviceInfo,
}

/// What the user asked for with `--device`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// CUDA, else a hardware GPU, else the CPU; never a software rasteriser.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU through Vulkan or Metal.
    Vulkan,
    /// A CUDA card, by index.
    Cuda(usize),
}

impl std::str::FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::Setting {
            name: "device",
            reason: format!("\"{text}\" is not known; choose one of auto, cpu, vulkan, cuda, cuda:N"),
        };
        Ok(match text {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "vulkan" | "metal" => Self::Vulkan,
            "cuda" => Self::Cuda(0),
            _ => Self::Cuda(
                text.strip_prefix("cuda:").and_then(|index| index.parse().ok()).ok_or_else(unknown)?,
            ),
        })
    }
}

/// Bytes per input pixel that one image's largest tensor takes, as `f32`: what a single buffer binding
/// must hold. Worked out from the networks' shapes: the largest layer output over the input's pixels.
fn largest_tensor_per_pixel(backbone: BackboneName) -> f64 {
    let channels_over_area = match backbone {
        BackboneName::Tiny => 16.0 / 4.0,
        BackboneName::MobilenetV2 => 96.0 / 4.0,
        BackboneName::Resnet18 | BackboneName::Resnet50 | BackboneName::Resnet101 => 64.0 / 4.0,
        BackboneName::Resnet38 => 64.0,
    };
    4.0 * channels_over_area
}

/// Images that can go through the network at once: the batch, or the part of it whose largest tensor
/// fits one buffer binding of the device.
///
/// `side` is the largest training side in pixels.
pub fn micro_batch(info: &DeviceInfo, backbone: BackboneName, batch: usize, side: usize) -> usize {
    let Some(binding) = info.max_binding else { return batch };
    let per_image = largest_tensor_per_pixel(backbone) * (side * side) as f64;
    ((binding as f64 / per_image) as usize).clamp(1, batch)
}

impl Compute {
    /// The CPU: all of its threads natively, one in a browser.
    #[cfg(feature = "cpu")]
    pub fn cpu() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let info = DeviceInfo {
            name: format!("CPU, {threads} thread{}", if threads == 1 { "" } else { "s" }),
            backend: "cpu".into(),
            hardware: false,
            max_binding: None,
            max_buffer: None,
        };
        Self { device: Device::flex(), info }
    }

    /// What `choice` names, natively.
    ///
    /// # Errors
    /// [`Error::Device`] when a device was asked for by name and is not there. `Auto` always finds the
    /// CPU.
    #[cfg(feature = "cli")]
    pub fn open(choice: DeviceChoice) -> Result<Self> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Cuda(index) => cuda::open(index),
            DeviceChoice::Vulkan => gpu::open(),
            DeviceChoice::Auto => Ok(cuda::open(0).or_else(|_| gpu::open()).unwrap_or_else(|_| Self::cpu())),
        }
    }

    /// Every device that [`open`](Self::open) could give, best first.
    #[cfg(feature = "cli")]
    pub fn all() -> Vec<DeviceInfo> {
        let mut all = Vec::new();
        if let Ok(compute) = cuda::open(0) {
            all.push(compute.info);
        }
        all.extend(gpu::adapters().into_iter().map(|adapter| gpu::info(&adapter)));
        all.push(Self::cpu().info);
        all
    }

    /// The browser's GPU.
    ///
    /// # Errors
    /// [`Error::Device`] when the browser has no WebGPU or gives no adapter.
    #[cfg(feature = "webgpu")]
    pub async fn webgpu() -> Result<Self> {
        webgpu::open().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_parse() {
        assert_eq!("cuda:1".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(1));
        assert_eq!("auto".parse::<DeviceChoice>().unwrap(), DeviceChoice::Auto);
        assert!("cuda:x".parse::<DeviceChoice>().is_err());
        assert!("tpu".parse::<DeviceChoice>().unwrap_err().to_string().contains("vulkan"));
    }

    #[test]
    fn a_small_binding_splits_the_batch() {
        let mut info = DeviceInfo { max_binding: Some(128 << 20), ..DeviceInfo::default() };
        assert_eq!(micro_batch(&info, BackboneName::Resnet18, 12, 448), 10);
        info.max_binding = None;
        assert_eq!(micro_batch(&info, BackboneName::Resnet18, 12, 448), 12);
        info.max_binding = Some(1);
        assert_eq!(micro_batch(&info, BackboneName::Tiny, 12, 64), 1);
    }
}
