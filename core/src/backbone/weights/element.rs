//! Number types of weights files, as `f32`.

use safetensors::Dtype;

/// A number type that networks are stored in; little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I32,
    U8,
}

impl Element {
    /// Of a `.safetensors` file; `None` for types that no network of ours has.
    pub(super) fn of_dtype(dtype: Dtype) -> Option<Self> {
        Some(match dtype {
            Dtype::F64 => Self::F64,
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::BF16 => Self::Bf16,
            Dtype::I32 => Self::I32,
            Dtype::U8 => Self::U8,
            _ => return None,
        })
    }

    /// Of a storage class of PyTorch's.
    pub(super) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "DoubleStorage" => Self::F64,
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "IntStorage" => Self::I32,
            "ByteStorage" => Self::U8,
            _ => return None,
        })
    }

    /// Bytes of one number in a storage class of PyTorch's, also of those that are not read.
    pub(super) fn storage_bytes(class: &str) -> Option<usize> {
        match class {
            "LongStorage" | "ComplexFloatStorage" => Some(8),
            "ComplexDoubleStorage" => Some(16),
            "ShortStorage" => Some(2),
            "CharStorage" | "BoolStorage" => Some(1),
            _ => Self::of_storage(class).map(Self::bytes),
        }
    }

    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::U8 => 1,
        }
    }

    /// All whole numbers in `data`.
    pub(super) fn read_all(self, data: &[u8]) -> Vec<f32> {
        match self {
            Self::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
            Self::F32 => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            Self::I32 => data.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes) as f32).collect(),
            Self::F16 => {
                data.as_chunks().0.iter().map(|&bytes| half_to_f32(u16::from_le_bytes(bytes))).collect()
            }
            Self::Bf16 => {
                let wide = |&bytes: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16);
                data.as_chunks().0.iter().map(wide).collect()
            }
            Self::U8 => data.iter().map(|&byte| f32::from(byte)).collect(),
        }
    }
}

/// IEEE 754 binary16 to binary32.
fn half_to_f32(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((half >> 10) & 0x1f);
    let fraction = f32::from(half & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_read() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 2f32.powi(-24))]
        {
            assert_eq!(half_to_f32(bits), value);
        }
    }

    #[test]
    fn every_type_reads_its_own_width() {
        let all = [Element::F64, Element::F32, Element::F16, Element::Bf16, Element::I32, Element::U8];
        for element in all {
            assert_eq!(element.read_all(&vec![0; 3 * element.bytes() + element.bytes() / 2]), [0.0; 3]);
        }
        assert_eq!(Element::Bf16.read_all(&[0x80, 0x3f]), [1.0]);
        assert_eq!(Element::I32.read_all(&(-3i32).to_le_bytes()), [-3.0]);
    }
}
