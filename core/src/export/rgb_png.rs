//! Pixels with colours as PNGs.

use crate::error::{Error, Result};

/// A PNG of 8-bit `pixels`: `width · height` times red, green, blue, and where `has_alpha` opacity. The same
/// pixels give the same bytes.
///
/// # Errors
/// [`Error::Format`] when a side is zero or beyond PNG's range, or when the number of pixels is another.
pub(crate) fn encode(width: usize, height: usize, has_alpha: bool, pixels: &[u8]) -> Result<Vec<u8>> {
    let refuse = |reason: String| Error::Format { path: "picture.png".into(), reason };
    let (Ok(columns), Ok(rows)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(refuse(format!("a picture of {width} × {height} pixels is too large")));
    };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, columns, rows);
    encoder.set_color(if has_alpha { png::ColorType::Rgba } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(pixels)?;
            writer.finish()
        })
        .map_err(|error| refuse(format!("cannot encode the picture: {error}")))?;
    Ok(bytes)
}
