//! What an image is, from its header and its end: read in a block or two, without its pixels.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use image::codecs::{bmp::BmpDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat};

use crate::error::{Error, Result};
use crate::files::{Blob, BlobReader, limits};

/// Columns and rows after EXIF orientation, in pixels, of an image that looks whole.
///
/// # Errors
/// [`Error::Image`] if it is not a JPEG, PNG, WebP or BMP, or is cut off; [`Error::TooLarge`] beyond
/// [`limits::IMAGE_PIXELS`].
pub fn size(blob: &Arc<dyn Blob>, path: &str) -> Result<(u32, u32)> {
    let start = blob.read_at(0, 64).map_err(|source| unreadable(path, &source))?;
    let format = format(&start, path)?;
    let mut reader = BufReader::new(BlobReader::new(blob.clone()));
    // A JPEG decoder wants the whole file at once: it gets what stands before the pixels.
    let mut pixels_start = 0;
    let probed = match format {
        ImageFormat::Jpeg => {
            jpeg_pixels_start(&mut reader).map_err(|source| cut_off(path, &source)).and_then(|at| {
                pixels_start = at;
                let head = blob.read_at(0, at as usize).map_err(|source| unreadable(path, &source))?;
                probe(JpegDecoder::new(Cursor::new(head)), path)
            })
        }
        ImageFormat::Png => probe(PngDecoder::new(&mut reader), path),
        ImageFormat::WebP => probe(WebPDecoder::new(&mut reader), path),
        _ => probe(BmpDecoder::new(&mut reader), path),
    };
    let (columns, rows, orientation) = probed?;
    check_pixels(columns, rows, path)?;
    let whole = match format {
        ImageFormat::Jpeg => jpeg_has_end(blob.as_ref(), pixels_start),
        ImageFormat::Png => png_has_end(&mut reader),
        ImageFormat::WebP => Ok(riff_length(&start) <= blob.len()),
        _ => Ok(bmp_length(&start, columns, rows) <= blob.len()),
    };
    match whole {
        Ok(true) => {}
        Ok(false) => return Err(image_error(path, "the file is cut off")),
        Err(source) => return Err(cut_off(path, &source)),
    }
    Ok(if swaps_sides(orientation) { (rows, columns) } else { (columns, rows) })
}

/// The format that the first bytes tell, whatever the file is called.
///
/// # Errors
/// [`Error::Image`] if it is none of the four that are read.
pub(super) fn format(start: &[u8], path: &str) -> Result<ImageFormat> {
    if start.is_empty() {
        return Err(image_error(path, "the file is empty"));
    }
    match image::guess_format(start) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp)) => {
            Ok(format)
        }
        Ok(other) => {
            let name = other.extensions_str().first().unwrap_or(&"other").to_uppercase();
            Err(image_error(path, &format!("its content is {name}; JPEG, PNG, WebP and BMP are read")))
        }
        Err(_) => Err(image_error(path, "its content is not an image; JPEG, PNG, WebP and BMP are read")),
    }
}

/// Refuses what has no pixels or too many.
pub(super) fn check_pixels(columns: u32, rows: u32, path: &str) -> Result<()> {
    let pixels = u64::from(columns) * u64::from(rows);
    if pixels == 0 {
        return Err(image_error(path, "it has no pixels"));
    }
    if pixels > limits::IMAGE_PIXELS {
        return Err(Error::TooLarge {
            what: "the image",
            found: format!("{columns} × {rows} pixels"),
            limit: format!("{} megapixels", limits::IMAGE_PIXELS / 1_000_000),
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// [`Error::Image`] with a reason.
pub(super) fn image_error(path: &str, reason: &str) -> Error {
    Error::Image { path: path.to_owned(), reason: reason.to_owned() }
}

fn unreadable(path: &str, source: &io::Error) -> Error {
    image_error(path, &source.to_string())
}

fn cut_off(path: &str, source: &io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => image_error(path, "the file is cut off"),
        _ => unreadable(path, source),
    }
}

fn probe<D: ImageDecoder>(decoder: image::ImageResult<D>, path: &str) -> Result<(u32, u32, Orientation)> {
    let mut decoder = decoder.map_err(|error| image_error(path, &error.to_string()))?;
    let (columns, rows) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((columns, rows, orientation))
}

fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Offset of the first byte of compressed pixels: past the header of the first scan.
fn jpeg_pixels_start<R: Read + Seek>(reader: &mut R) -> io::Result<u64> {
    let mut byte = [0u8; 1];
    let mut at = reader.seek(SeekFrom::Start(2))?;
    loop {
        // Bytes between segments are passed over, as decoders do.
        let mut last = 0;
        loop {
            reader.read_exact(&mut byte)?;
            at += 1;
            if last == 0xFF && !matches!(byte[0], 0x00 | 0xFF) {
                break;
            }
            last = byte[0];
        }
        match byte[0] {
            0x01 | 0xD0..=0xD8 => {}
            0xD9 => return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no image")),
            marker => {
                let mut length = [0; 2];
                reader.read_exact(&mut length)?;
                let length = u64::from(u16::from_be_bytes(length)).max(2);
                if marker == 0xDA {
                    return Ok(at + length);
                }
                at = reader.seek(SeekFrom::Start(at + length))?;
            }
        }
    }
}

/// Whether an end-of-image marker follows the start of the pixels. Inside compressed pixels these two
/// bytes do not occur, so the last kilobytes nearly always tell; other data may stand behind the end.
fn jpeg_has_end(blob: &dyn Blob, pixels_start: u64) -> io::Result<bool> {
    const TAIL: u64 = 4096;
    let has_end = |bytes: Vec<u8>| bytes.windows(2).any(|pair| pair == [0xFF, 0xD9]);
    let tail = blob.len().saturating_sub(TAIL).max(pixels_start);
    if has_end(blob.read_at(tail, TAIL as usize)?) {
        return Ok(true);
    }
    let rest = blob.len().saturating_sub(pixels_start).min(limits::ENTRY_BYTES);
    Ok(has_end(blob.read_at(pixels_start, rest as usize)?))
}

/// Walks the chunks to the last one.
fn png_has_end<R: Read + Seek>(reader: &mut R) -> io::Result<bool> {
    let length = reader.seek(SeekFrom::End(0))?;
    let mut chunk = [0; 8];
    reader.seek(SeekFrom::Start(length.saturating_sub(12)))?;
    reader.read_exact(&mut chunk)?;
    if chunk[4..] == *b"IEND" {
        return Ok(true);
    }
    let mut at = 8;
    loop {
        reader.seek(SeekFrom::Start(at))?;
        reader.read_exact(&mut chunk)?;
        if chunk[4..] == *b"IEND" {
            return Ok(true);
        }
        at += 12 + u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
    }
}

fn riff_length(start: &[u8]) -> u64 {
    start.get(4..8).map_or(0, |bytes| 8 + u64::from(u32_le(bytes)))
}

/// Bytes that an uncompressed bitmap needs; 0 for others, which only their decoder can judge.
fn bmp_length(start: &[u8], columns: u32, rows: u32) -> u64 {
    let (Some(offset), Some(info), Some(depth), Some(compression)) =
        (start.get(10..14), start.get(14..18), start.get(28..30), start.get(30..34))
    else {
        return 0;
    };
    if u32_le(info) < 40 || !matches!(u32_le(compression), 0 | 3) {
        return 0;
    }
    let row = (u64::from(columns) * u64::from(u16::from_le_bytes([depth[0], depth[1]]))).div_ceil(32) * 4;
    u64::from(u32_le(offset)) + row * u64::from(rows)
}

fn u32_le(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
