//! Label Studio's JSON: `tasks.json`, with masks as predictions that people accept or correct by brush, and
//! `label-config.xml`, the labelling interface that they fit.
//!
//! Photos are named as Label Studio's local files, in a folder `images` of its document root; it reads the
//! file itself without any other server.

use serde_json::{Value, json};

use super::formats::{Masks, Plan};
use super::json;
use super::markup::escaped;
use super::mask_set::{MaskSet, MaskedPhoto};
use super::palette_png::voc_color;
use crate::masks::{LabelMap, run_lengths};

/// A brush mask per photo and class.
pub(super) fn plan(set: &MaskSet) -> Plan<'_> {
    let part = move |at: usize, photo: &MaskedPhoto, mask: &LabelMap| {
        let mut bytes = if at > 0 { b",\n".to_vec() } else { Vec::new() };
        bytes.extend(json::encode(&task(set, photo, mask), "tasks.json")?);
        Ok(bytes)
    };
    Plan {
        photos: Some("images/"),
        files: vec![("label-config.xml".into(), interface(&set.classes).into_bytes())],
        masks: Masks::Document {
            path: "tasks.json",
            head: b"[\n".to_vec(),
            part: Box::new(part),
            tail: "\n]\n",
        },
    }
}

fn task(set: &MaskSet, photo: &MaskedPhoto, mask: &LabelMap) -> Value {
    let region = |class: usize| {
        json!({
            "id": format!("class-{}", class + 1), "type": "brushlabels", "from_name": "label", "to_name": "image",
            "original_width": mask.width, "original_height": mask.height, "image_rotation": 0,
            "value": {
                "format": "rle", "rle": brush(mask, class as u8 + 1), "brushlabels": [set.classes[class]],
            },
        })
    };
    let regions: Vec<Value> = set.classes_in(mask).into_iter().map(region).collect();
    json!({
        "data": {"image": format!("/data/local-files/?d=images/{}", in_url(&photo.file_name))},
        "predictions": [{"model_version": "tag2mask", "result": regions}],
    })
}

fn interface(classes: &[String]) -> String {
    let mut text = String::from(
        "<View>\n  <Image name=\"image\" value=\"$image\" zoom=\"true\"/>\n  <BrushLabels name=\"label\" \
         toName=\"image\">\n",
    );
    for (value, name) in (1..=u8::MAX).zip(classes) {
        let [red, green, blue] = voc_color(value);
        let name = escaped(name);
        text.push_str(&format!(
            "    <Label value=\"{name}\" background=\"#{red:02x}{green:02x}{blue:02x}\"/>\n"
        ));
    }
    text + "  </BrushLabels>\n</View>\n"
}

/// A file name as part of an address.
fn in_url(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match is_plain(byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The code of a label's pixels in the four channels of each (255 or 0 in all), row by row: `rle-pack` of
/// thi.ng/umbrella, which Label Studio unpacks. It is a stream of bits: how many values, in 32; bits of a
/// value less one, in 5; four choices of bits for a length less one, in 4 each; then for each run a 1, which
/// of the choices, in 2, its length less one, and its value.
fn brush(mask: &LabelMap, label: u8) -> Vec<u8> {
    const CHANNELS: u64 = 4;
    const LENGTH_BITS: [u32; 4] = [3, 4, 8, 16];
    let mut bits = Bits::default();
    bits.push(mask.labels.len() as u64 * CHANNELS, 32);
    bits.push(8 - 1, 5);
    LENGTH_BITS.iter().for_each(|&length| bits.push(u64::from(length) - 1, 4));
    let lengths = run_lengths::of_label(mask.labels.iter().copied(), label);
    for (at, length) in lengths.into_iter().enumerate() {
        let mut rest = u64::from(length) * CHANNELS;
        while rest > 0 {
            let run = rest.min(1 << 16);
            let choice = LENGTH_BITS.iter().position(|&bits| run <= 1 << bits).unwrap_or(3);
            bits.push(1, 1);
            bits.push(choice as u64, 2);
            bits.push(run - 1, LENGTH_BITS[choice]);
            bits.push(if at % 2 == 1 { 255 } else { 0 }, 8);
            rest -= run;
        }
    }
    bits.bytes
}

/// Bits in a row, the highest of a byte first; the last byte is filled up with 0.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken; 0 where it is full.
    used: u32,
}

impl Bits {
    /// The lowest `count` bits of a number, the highest of them first.
    fn push(&mut self, value: u64, count: u32) {
        for at in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> at & 1) as u8) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Format;
    use crate::export::test_set::{files, set};

    /// The values of a code, by the description of its format.
    fn unpacked(code: &[u8]) -> Vec<u8> {
        let mut at = 0;
        let mut read = |count: u32| {
            (0..count).fold(0usize, |value, _| {
                let bit = code[at / 8] >> (7 - at % 8) & 1;
                at += 1;
                value << 1 | usize::from(bit)
            })
        };
        let (count, word) = (read(32), read(5) as u32 + 1);
        let lengths = [0; 4].map(|_| read(4) as u32 + 1);
        let mut values = Vec::new();
        while values.len() < count {
            let is_run = read(1) == 1;
            let choice = read(2);
            let length = read(lengths[choice]) + 1;
            match is_run {
                true => values.extend(std::iter::repeat_n(read(word) as u8, length)),
                false => values.extend((0..length).map(|_| read(word) as u8)),
            }
        }
        assert!(at.div_ceil(8) == code.len());
        values
    }

    #[test]
    fn a_brush_is_the_mask_in_four_channels() {
        let set = set();
        let files = files(&set, &[Format::LabelStudio], true);
        let tasks: Value = serde_json::from_slice(&files["label-studio/tasks.json"]).unwrap();
        assert_eq!(tasks.as_array().unwrap().len(), set.photos.len());
        for (task, photo) in tasks.as_array().unwrap().iter().zip(&set.photos) {
            assert_eq!(task["data"]["image"], format!("/data/local-files/?d=images/{}", photo.file_name));
            let mask = set.mask(photo).unwrap();
            let regions = task["predictions"][0]["result"].as_array().unwrap();
            assert_eq!(regions.len(), set.classes_in(&mask).len());
            for region in regions {
                let label = 1 + set
                    .classes
                    .iter()
                    .position(|name| region["value"]["brushlabels"][0] == name.as_str())
                    .unwrap() as u8;
                let code: Vec<u8> = serde_json::from_value(region["value"]["rle"].clone()).unwrap();
                let expected =
                    mask.labels.iter().flat_map(|&pixel| [if pixel == label { 255 } else { 0 }; 4]);
                assert_eq!(unpacked(&code), expected.collect::<Vec<u8>>());
            }
        }
    }

    #[test]
    fn codes_are_literal_and_long_runs_are_split() {
        let mask = LabelMap { width: 3, height: 1, labels: vec![1, 1, 0] };
        // 12 values of 8 bits; a run of 8 in 3 bits, 255; a run of 4 in 3 bits, 0.
        let bits =
            "00000000000000000000000000001100 00111 0010 0011 0111 1111 1 00 111 11111111 1 00 011 00000000";
        let bits: String = bits.chars().filter(|bit| *bit != ' ').collect();
        let padded = format!("{bits:0<88}");
        let bytes: Vec<u8> = padded
            .as_bytes()
            .chunks(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect();
        assert_eq!(brush(&mask, 1), bytes);
        let mut large = LabelMap::background(300, 200);
        large.labels[100..50_000].fill(2);
        let expected: Vec<u8> =
            large.labels.iter().flat_map(|&pixel| [if pixel == 2 { 255 } else { 0 }; 4]).collect();
        assert_eq!(unpacked(&brush(&large, 2)), expected);
        assert_eq!(in_url("a b&c#ä.jpg"), "a%20b%26c%23%C3%A4.jpg");
    }
}
