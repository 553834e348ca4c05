//! From bytes to pixels.

use std::io::Cursor;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};

use super::header::{check_pixels, format, image_error};
use crate::error::{Error, Result};
use crate::files::{Blob, limits};
use crate::masks::LabelMap;

/// Decodes a JPEG, PNG, WebP or BMP to 8-bit RGB, upright as its EXIF orientation says.
///
/// 16-bit samples keep their high 8 bits' worth of range (65535 → 255), grey becomes three equal
/// channels, palettes are looked up, and transparent pixels are laid over white. Colour profiles are
/// not applied.
///
/// # Errors
/// [`Error::Image`] if the bytes cannot be decoded; [`Error::TooLarge`] beyond
/// [`limits::IMAGE_PIXELS`], before pixels are allocated.
pub fn rgb(blob: &dyn Blob, path: &str) -> Result<RgbImage> {
    let failed = |error: image::ImageError| image_error(path, &error.to_string());
    let bytes = bytes(blob, path)?;
    let format = format(&bytes, path)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = image::Limits::no_limits();
    // Four 16-bit channels are the most that a pixel decodes to; decoders keep some rows besides.
    allowed.max_alloc = Some(limits::IMAGE_PIXELS * 8 + (64 << 20));
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (columns, rows) = decoder.dimensions();
    check_pixels(columns, rows, path)?;
    let orientation = decoder.orientation().map_err(failed)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    image.apply_orientation(orientation);
    Ok(if image.color().has_alpha() { over_white(&image) } else { image.into_rgb8() })
}

fn over_white(image: &DynamicImage) -> RgbImage {
    let image = image.to_rgba8();
    let mut out = RgbImage::new(image.width(), image.height());
    for (to, from) in out.pixels_mut().zip(image.pixels()) {
        let [r, g, b, alpha] = from.0.map(u32::from);
        to.0 = [r, g, b].map(|value| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    out
}

/// Reads the indices of an index PNG: palette or grey, 1 to 8 bits; the palette's colours play no part.
///
/// # Errors
/// [`Error::Image`] if it is not such a PNG or is damaged; [`Error::TooLarge`] beyond
/// [`limits::IMAGE_PIXELS`].
pub fn mask(blob: &dyn Blob, path: &str) -> Result<LabelMap> {
    let failed = |error: png::DecodingError| image_error(path, &error.to_string());
    let bytes = bytes(blob, path)?;
    let mut decoder = png::Decoder::new_with_limits(
        Cursor::new(bytes),
        png::Limits { bytes: (limits::IMAGE_PIXELS + (64 << 20)) as usize },
    );
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(failed)?;
    let (columns, rows) = (reader.info().width, reader.info().height);
    check_pixels(columns, rows, path)?;
    check_mask_type(reader.info().color_type as u8, reader.info().bit_depth as u8)
        .map_err(|reason| image_error(path, reason))?;
    let depth = reader.info().bit_depth as usize;
    let length =
        reader.output_buffer_size().ok_or_else(|| image_error(path, "its rows do not fit in memory"))?;
    let mut packed = vec![0; length];
    let frame = reader.next_frame(&mut packed).map_err(failed)?;
    let (width, height) = (columns as usize, rows as usize);
    let labels = if depth == 8 {
        packed.truncate(width * height);
        packed
    } else {
        let unpack = |row: &[u8], x: usize| {
            let bit = x * depth;
            row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1)
        };
        packed.chunks_exact(frame.line_size).flat_map(|row| (0..width).map(move |x| unpack(row, x))).collect()
    };
    Ok(LabelMap { width, height, labels })
}

/// Whether a PNG of this colour type and bit depth, as its header has them, can hold indices.
pub(super) fn check_mask_type(color_type: u8, bit_depth: u8) -> Result<(), &'static str> {
    match (color_type, bit_depth) {
        (0 | 3, 1 | 2 | 4 | 8) => Ok(()),
        (0, _) => Err("a mask has one index per pixel in 8 bits or fewer; this PNG has 16-bit samples"),
        _ => Err("a mask is an index PNG (palette or grey); this one holds colours"),
    }
}

/// Resizes with a triangle filter as wide as the reduction, so that shrinking does not alias.
pub fn resized(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    resized_by(image, width, height, FilterType::Bilinear)
}

/// Resizes with the cubic filter of Pillow's `BICUBIC`, which the published programs use (a = −0.5).
pub fn resized_cubic(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    resized_by(image, width, height, FilterType::CatmullRom)
}

fn resized_by(image: &RgbImage, width: u32, height: u32, filter: FilterType) -> RgbImage {
    let (width, height) = (width.max(1), height.max(1));
    if image.dimensions() == (width, height) {
        return image.clone();
    }
    let mut out = RgbImage::new(width, height);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    let views = (
        TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image.as_raw()),
        TypedImage::<U8x3>::from_buffer(width, height, &mut out),
    );
    if let (Ok(from), Ok(mut to)) = views {
        let done = Resizer::new().resize_typed(&from, &mut to, &options);
        debug_assert!(done.is_ok(), "resizing has no way to fail between buffers of the right length");
    }
    out
}

/// The same image with its longer side reduced to `side` pixels; never enlarged.
pub fn reduced(image: RgbImage, side: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= side {
        return image;
    }
    let scaled = |length: u32| {
        let doubled = u64::from(length) * u64::from(side) * 2 / u64::from(longest);
        (doubled as u32).div_ceil(2).max(1)
    };
    resized(&image, scaled(width), scaled(height))
}

/// All bytes of a file that is not unreasonably large.
fn bytes(blob: &dyn Blob, path: &str) -> Result<Vec<u8>> {
    if blob.len() > limits::ENTRY_BYTES {
        return Err(Error::TooLarge {
            what: "the file",
            found: format!("{} MB", blob.len() >> 20),
            limit: format!("{} MB", limits::ENTRY_BYTES >> 20),
            path: path.to_owned(),
        });
    }
    blob.read_at(0, blob.len() as usize).map_err(|source| image_error(path, &source.to_string()))
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb, Rgba, RgbaImage};

    use super::*;
    use crate::files::MemoryBlob;

    fn decoded(image: impl Into<DynamicImage>) -> RgbImage {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
        rgb(&MemoryBlob::new(bytes.into_inner()), "x.png").unwrap()
    }

    #[test]
    fn transparency_lies_over_white_and_16_bits_become_8() {
        let clear = RgbaImage::from_fn(2, 1, |x, _| Rgba([100, 0, 0, if x == 0 { 0 } else { 255 }]));
        assert_eq!(decoded(clear).as_raw(), &[255, 255, 255, 100, 0, 0]);
        let deep =
            image::ImageBuffer::<image::Luma<u16>, _>::from_vec(3, 1, vec![0u16, 257 * 77, 65535]).unwrap();
        assert_eq!(decoded(deep).as_raw(), &[0, 0, 0, 77, 77, 77, 255, 255, 255]);
    }

    #[test]
    fn masks_give_indices_at_every_depth() {
        for depth in [png::BitDepth::One, png::BitDepth::Two, png::BitDepth::Four, png::BitDepth::Eight] {
            for color in [png::ColorType::Indexed, png::ColorType::Grayscale] {
                let bits = depth as usize;
                let (width, height) = (5, 3);
                let expected: Vec<u8> = (0..width * height).map(|at| (at * 37 % (1 << bits)) as u8).collect();
                let mut packed = Vec::new();
                for row in expected.chunks(width) {
                    let mut line = vec![0u8; (width * bits).div_ceil(8)];
                    for (x, label) in row.iter().enumerate() {
                        line[x * bits / 8] |= label << (8 - bits - x * bits % 8);
                    }
                    packed.extend(line);
                }
                let mut bytes = Vec::new();
                let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
                encoder.set_color(color);
                encoder.set_depth(depth);
                encoder.set_palette(vec![200; 3 << bits]);
                encoder.write_header().unwrap().write_image_data(&packed).unwrap();
                let map = mask(&MemoryBlob::new(bytes), "m.png").unwrap();
                assert_eq!(
                    (map.width, map.height, map.labels),
                    (width, height, expected),
                    "{depth:?} {color:?}"
                );
            }
        }
    }

    #[test]
    fn shrinking_averages_and_keeps_proportions() {
        let stripes =
            RgbImage::from_fn(400, 100, |x, _| if x % 2 == 0 { Rgb([0; 3]) } else { Rgb([255; 3]) });
        for small in [resized(&stripes, 40, 40), resized(&stripes, 170, 60), resized(&stripes, 1, 1)] {
            assert!(small.pixels().all(|pixel| pixel[0].abs_diff(127) < 26), "aliased");
        }
        assert_eq!(reduced(stripes.clone(), 100).dimensions(), (100, 25));
        assert_eq!(reduced(stripes.clone(), 1000).dimensions(), (400, 100));
        assert_eq!(reduced(stripes, 3).dimensions(), (3, 1));
    }
}
