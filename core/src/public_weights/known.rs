//! The list. Hashes and exact sizes are as others state them who have fetched the files; torchvision's own
//! names begin the hash. A file that is another one than meant is refused, not used.
//!
//! Weights of the paper's ResNet-38 are not in it: its authors hand them out in MXNet's format only.

use std::borrow::Cow::Borrowed;

use super::PublicWeights;
use crate::run::settings::BackboneName;

const fn torchvision(
    backbone: BackboneName,
    url: &'static str,
    size: (u64, bool),
    sha256: &'static str,
) -> PublicWeights {
    PublicWeights {
        backbone,
        source: Borrowed("torchvision"),
        url: Borrowed(url),
        licence: Borrowed("BSD-3-Clause"),
        trained: Borrowed("ImageNet, by torchvision"),
        bytes: size.0,
        is_exact: size.1,
        sha256: Some(Borrowed(sha256)),
        // Nothing tells whether the host sends the header.
        is_for_pages: false,
    }
}

/// timm's ResNets called `tv_in1k` are torchvision's, in another format.
const fn timm(
    backbone: BackboneName,
    url: &'static str,
    (licence, trained): (&'static str, &'static str),
    size: (u64, bool),
    sha256: Option<&'static str>,
) -> PublicWeights {
    PublicWeights {
        backbone,
        source: Borrowed("timm"),
        url: Borrowed(url),
        licence: Borrowed(licence),
        trained: Borrowed(trained),
        bytes: size.0,
        is_exact: size.1,
        sha256: match sha256 {
            Some(sha256) => Some(Borrowed(sha256)),
            None => None,
        },
        is_for_pages: true,
    }
}

const BY_TORCHVISION: (&str, &str) = ("BSD-3-Clause", "ImageNet, by torchvision");
const BY_TIMM: (&str, &str) = ("Apache-2.0", "ImageNet, by timm");

/// All public weights that are known; of each network, what the command line takes first.
pub static KNOWN: [PublicWeights; 8] = [
    torchvision(
        BackboneName::MobilenetV2,
        "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
        (14_000_000, false),
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    ),
    timm(
        BackboneName::MobilenetV2,
        "https://huggingface.co/timm/mobilenetv2_100.ra_in1k/resolve/f3ff81ba89de0bc46b546568ebeab2edef6b9d49/model.safetensors",
        BY_TIMM,
        (14_000_000, false),
        Some("55ea4fb3a96010b933710ebf44fc965b070d5cd054d3f35e44f2d1320b4a714e"),
    ),
    torchvision(
        BackboneName::Resnet18,
        "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        (46_830_571, true),
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    ),
    timm(
        BackboneName::Resnet18,
        "https://huggingface.co/timm/resnet18.tv_in1k/resolve/bbd144b3e5565108aad885f145491d11bc6ce807/model.safetensors",
        BY_TORCHVISION,
        (46_807_446, true),
        Some("694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81"),
    ),
    torchvision(
        BackboneName::Resnet50,
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        (102_530_333, true),
        "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    ),
    timm(
        BackboneName::Resnet50,
        "https://huggingface.co/timm/resnet50.tv_in1k/resolve/78f3ecfdb38e06d9b8397f662e7ab8fee96026fa/model.safetensors",
        BY_TORCHVISION,
        (102_469_840, true),
        Some("5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888"),
    ),
    torchvision(
        BackboneName::Resnet101,
        "https://download.pytorch.org/models/resnet101-63fe2227.pth",
        (179_000_000, false),
        "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
    ),
    timm(
        BackboneName::Resnet101,
        "https://huggingface.co/timm/resnet101.tv_in1k/resolve/main/model.safetensors",
        BY_TORCHVISION,
        (179_000_000, false),
        None,
    ),
];
