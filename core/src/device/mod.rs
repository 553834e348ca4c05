//! Which device computes, and what it can hold.

#[cfg(feature = "gpu")]
mod adapter;
#[cfg(feature = "cli")]
mod cuda;
#[cfg(feature = "cli")]
mod gpu;
#[cfg(feature = "cli")]
pub mod peers;
#[cfg(feature = "webgpu")]
mod webgpu;

#[cfg(feature = "gpu")]
pub use adapter::UNNAMED;

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::run::event::DeviceInfo;

/// A device that is ready, and what is known about it.
pub struct Compute {
    /// Where tensors live; without autodiff.
    pub device: Device,
    /// What the user is shown.
    pub info: DeviceInfo,
    /// More devices of the same kind, which share the work of training; masks are computed on the first.
    pub others: Vec<Device>,
}

/// What the user asked for with `--device`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// CUDA, else a hardware GPU, else the CPU; never a software rasteriser.
    #[default]
    Auto,
    /// The CPU, as this many devices: more than one is for trying what several do, and gains nothing.
    Cpu(usize),
    /// A GPU through Vulkan or Metal.
    Vulkan,
    /// CUDA cards, by index.
    Cuda(Vec<usize>),
}

impl std::str::FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = |reason: String| Error::Setting { name: "device", reason };
        let unknown = || {
            refused(format!(
                "\"{text}\" is not known; choose one of auto, cpu, vulkan, cuda, cuda:N, cuda:N,M,…"
            ))
        };
        Ok(match text {
            "auto" => Self::Auto,
            "vulkan" | "metal" => Self::Vulkan,
            "cuda" => Self::Cuda(vec![0]),
            _ if text.split(',').all(|name| name == "cpu") => Self::Cpu(text.split(',').count()),
            _ => {
                let list = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                let cards: Vec<usize> =
                    list.split(',').map(|card| card.parse().map_err(|_| unknown())).collect::<Result<_>>()?;
                if let Some(twice) = (1..cards.len()).find(|&at| cards[..at].contains(&cards[at])) {
                    return Err(refused(format!("card {} stands twice in \"{text}\"", cards[twice])));
                }
                Self::Cuda(cards)
            }
        })
    }
}

impl DeviceChoice {
    /// The same where it names one device, for what only one can do.
    ///
    /// # Errors
    /// [`Error::Setting`] where it names several.
    pub fn one(&self) -> Result<&Self> {
        match self {
            Self::Cpu(2..) => {}
            Self::Cuda(cards) if cards.len() > 1 => {}
            _ => return Ok(self),
        }
        Err(Error::Setting {
            name: "device",
            reason: "several devices can train together, but masks are made on one; name one".into(),
        })
    }
}

/// Bytes that are free for a run on the CPU; `None` where the system does not say.
#[cfg(feature = "cpu")]
fn free_memory() -> Option<u64> {
    if cfg!(target_arch = "wasm32") {
        // All that 32-bit addresses reach.
        return Some(1 << 32);
    }
    available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// "MemAvailable" of Linux's `/proc/meminfo`, bytes.
#[cfg(feature = "cpu")]
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
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
            memory: free_memory(),
            threads: Some(threads),
        };
        Self { device: Device::flex(), info, others: Vec::new() }
    }

    /// Devices that compute together: this one and the others.
    pub fn devices(&self) -> usize {
        1 + self.others.len()
    }

    /// What `choice` names, natively.
    ///
    /// # Errors
    /// [`Error::Device`] when a device was asked for by name and is not there. `Auto` always finds the
    /// CPU.
    #[cfg(feature = "cli")]
    pub fn open(choice: &DeviceChoice) -> Result<Self> {
        match choice {
            DeviceChoice::Cpu(count) => {
                let mut compute = Self::cpu();
                if *count > 1 {
                    compute.info.name = format!("{}, as {count} devices", compute.info.name);
                }
                compute.others = vec![Device::flex(); count.saturating_sub(1)];
                Ok(compute)
            }
            DeviceChoice::Cuda(cards) => cuda::open(cards),
            DeviceChoice::Vulkan => gpu::open(),
            DeviceChoice::Auto => {
                Ok(cuda::open(&[0]).or_else(|_| gpu::open()).unwrap_or_else(|_| Self::cpu()))
            }
        }
    }

    /// Every device that [`open`](Self::open) could give, best first.
    #[cfg(feature = "cli")]
    pub fn all() -> Vec<DeviceInfo> {
        let mut all = Vec::new();
        if let Ok(compute) = cuda::open(&[0]) {
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
        let parse = |text: &str| text.parse::<DeviceChoice>();
        assert_eq!(parse("cuda").unwrap(), DeviceChoice::Cuda(vec![0]));
        assert_eq!(parse("cuda:1").unwrap(), DeviceChoice::Cuda(vec![1]));
        assert_eq!(parse("cuda:2,0,1").unwrap(), DeviceChoice::Cuda(vec![2, 0, 1]));
        assert_eq!(parse("auto").unwrap(), DeviceChoice::Auto);
        assert_eq!(parse("cpu").unwrap(), DeviceChoice::Cpu(1));
        assert_eq!(parse("cpu,cpu").unwrap(), DeviceChoice::Cpu(2));
        for wrong in ["cuda:", "cuda:x", "cuda:0,", "cuda:0,cpu", "cuda:-1", "cpu,", "cpu,cuda", "", "tpu"] {
            assert!(parse(wrong).unwrap_err().to_string().contains("vulkan"), "{wrong}");
        }
        assert!(parse("cuda:0,1,0").unwrap_err().to_string().contains("card 0 stands twice"));
    }

    #[test]
    fn masks_are_made_on_one_device() {
        for one in [DeviceChoice::Auto, DeviceChoice::Cpu(1), DeviceChoice::Cuda(vec![3])] {
            assert_eq!(one.one().unwrap(), &one);
        }
        for several in [DeviceChoice::Cpu(2), DeviceChoice::Cuda(vec![0, 1])] {
            assert!(several.one().unwrap_err().to_string().contains("name one"));
        }
    }

    #[cfg(feature = "cpu")]
    #[test]
    fn free_memory_is_what_linux_says() {
        let text = "MemTotal:       24589272 kB\nMemFree:  12 kB\nMemAvailable:   23068672 kB\n";
        assert_eq!(available(text), Some(22 << 30));
        assert_eq!(available("MemTotal: 1 kB"), None);
        assert_eq!(available("MemAvailable: 99999999999999999999 kB"), None);
    }
}
