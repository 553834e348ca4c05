//! Masks as 8-bit palette PNGs: the pixel is the label, the palette makes it visible.

use crate::error::{Error, Result};
use crate::masks::LabelMap;

/// The PASCAL VOC colour of label `index`: bits 0, 1, 2 of the index feed red, green and blue from the
/// highest bit down, three bits a turn. Label 0 is black, 255 ("void") is cream (224, 224, 192).
pub const fn voc_color(index: u8) -> [u8; 3] {
    let mut rgb = [0u8; 3];
    let mut rest = index;
    let mut bit = 8;
    while bit > 0 {
        bit -= 1;
        rgb[0] |= (rest & 1) << bit;
        rgb[1] |= ((rest >> 1) & 1) << bit;
        rgb[2] |= ((rest >> 2) & 1) << bit;
        rest >>= 3;
    }
    rgb
}

/// A palette PNG of `labels` with the 256 colours of [`voc_color`], as PASCAL VOC's own masks are
/// stored. The same labels give the same bytes.
///
/// # Errors
/// [`Error::Format`] when a side is zero or beyond PNG's range, or when the number of labels is not
/// width × height.
pub fn encode(labels: &LabelMap) -> Result<Vec<u8>> {
    let refuse = |reason: String| Error::Format { path: "mask.png".into(), reason };
    let (Ok(width), Ok(height)) = (u32::try_from(labels.width), u32::try_from(labels.height)) else {
        return Err(refuse(format!("a mask of {} × {} pixels is too large", labels.width, labels.height)));
    };
    if labels.width.checked_mul(labels.height) != Some(labels.labels.len()) {
        return Err(refuse(format!("{} labels for {width} × {height} pixels", labels.labels.len())));
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette((0..=u8::MAX).flat_map(voc_color).collect::<Vec<u8>>());
    encoder.set_compression(png::Compression::Balanced);
    // Labels are names, not amounts: differences between neighbours compress worse than the runs.
    encoder.set_filter(png::Filter::NoFilter);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(&labels.labels)?;
            writer.finish()
        })
        .map_err(|error| refuse(format!("cannot encode the mask: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_those_of_pascal_voc() {
        // background, aeroplane, bicycle, bird, ..., tv monitor, void: the development kit's own table
        let known: [(u8, [u8; 3]); 9] = [
            (0, [0, 0, 0]),
            (1, [128, 0, 0]),
            (2, [0, 128, 0]),
            (3, [128, 128, 0]),
            (4, [0, 0, 128]),
            (8, [64, 0, 0]),
            (15, [192, 128, 128]),
            (20, [0, 64, 128]),
            (255, [224, 224, 192]),
        ];
        for (index, color) in known {
            assert_eq!(voc_color(index), color, "{index}");
        }
        let mut all: Vec<_> = (0..=255).map(voc_color).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 256, "every label has a colour of its own");
    }

    #[test]
    fn labels_and_palette_come_back() {
        let map = LabelMap { width: 37, height: 29, labels: (0..37 * 29).map(|i| (i % 256) as u8).collect() };
        let bytes = encode(&map).unwrap();
        assert_eq!(bytes, encode(&map).unwrap());
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((frame.width, frame.height, frame.color_type), (37, 29, png::ColorType::Indexed));
        assert_eq!(pixels, map.labels);
        let palette = reader.info().palette.as_ref().unwrap();
        assert_eq!(palette.len(), 768);
        assert_eq!(palette[765..], [224, 224, 192]);
    }

    #[test]
    fn a_map_that_is_no_image_is_refused() {
        assert!(encode(&LabelMap::background(0, 5)).is_err());
        assert!(encode(&LabelMap { width: 3, height: 3, labels: vec![0; 8] }).is_err());
    }
}
