//! A first look at a weights file, so that the wrong one is refused at once and in plain words.

use serde_json::Value;

use super::order;

/// Says what is wrong with a file that is offered as weights; `start` is its first 16 bytes or more.
pub fn fault(name: &str, size: u64, start: &[u8]) -> Option<String> {
    // PyTorch's archives, and its files of before 2020; the trainer says what is wrong inside.
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"\x80\x02\x8a\x0a") {
        return None;
    }
    let lower = name.to_lowercase();
    if [".pth", ".pt", ".ckpt", ".bin"].iter().any(|end| lower.ends_with(end)) {
        return Some("This is not a PyTorch file, in spite of its name.".into());
    }
    let Some((header, rest)) = start.split_first_chunk::<8>() else {
        return Some("The file is empty or cut short.".into());
    };
    let length = u64::from_le_bytes(*header);
    if rest.first() != Some(&b'{') || length < 2 {
        return Some("This is neither a .safetensors nor a .pth file.".into());
    }
    if length.checked_add(8).is_none_or(|end| end > size) {
        return Some("The file is cut short.".into());
    }
    None
}

/// Longest header of a `.safetensors` file that is read, bytes: hundreds of times a network's.
pub const HEADER_LIMIT: u64 = 16 << 20;

/// Where the tensors of a `.safetensors` file begin; `None` for one of another format, or out of all measure.
pub fn data_start(start: &[u8]) -> Option<u64> {
    let (length, rest) = start.split_first_chunk::<8>()?;
    let length = u64::from_le_bytes(*length);
    (rest.first() == Some(&b'{') && length <= HEADER_LIMIT).then(|| 8 + length)
}

/// Says what is wrong with the structure of a `.safetensors` file of `size` bytes; `head` is all that stands
/// before the tensors. Names and shapes are the trainer's to check: it has the networks.
pub fn structure_fault(size: u64, head: &[u8]) -> Option<String> {
    let tensors = match head.get(8..).map(serde_json::from_slice) {
        Some(Ok(Value::Object(tensors))) => tensors,
        _ => return Some("The file's list of tensors cannot be read.".into()),
    };
    let mut places = Vec::new();
    for (name, tensor) in &tensors {
        if name != "__metadata__" {
            let place = |index| tensor.get("data_offsets")?.get(index)?.as_u64();
            match (place(0), place(1)) {
                (Some(start), Some(end)) => places.push((start, end)),
                _ => return Some(format!("The file does not say where the tensor {name} is.")),
            }
        }
    }
    order::sort_by(&mut places, Ord::cmp);
    // One after the other, to the file's end.
    let mut reached = 0;
    for (start, end) in places {
        if start != reached || end < start {
            return Some("The file's tensors overlap or leave gaps.".into());
        }
        reached = end;
    }
    let data = size.checked_sub(head.len() as u64);
    (reached == 0 || data != Some(reached)).then(|| "The file's tensors do not fill it.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(tensors: &str) -> Vec<u8> {
        [&(tensors.len() as u64).to_le_bytes()[..], tensors.as_bytes()].concat()
    }

    #[test]
    fn tensors_must_fill_the_file() {
        let good =
            head(r#"{"__metadata__":{"a":"b"},"b":{"data_offsets":[8,12]},"a":{"data_offsets":[0,8]}}"#);
        let length = good.len() as u64;
        assert_eq!(data_start(&good[..16]), Some(length));
        assert_eq!(structure_fault(length + 12, &good), None);
        for size in [0, length + 11, length + 13] {
            assert!(structure_fault(size, &good).unwrap().contains("do not fill"), "{size}");
        }
        for (wrong, words) in [
            (r#"{"a":{"data_offsets":[0,8]},"b":{"data_offsets":[4,12]}}"#, "overlap"),
            (r#"{"a":{"data_offsets":[0,4]},"b":{"data_offsets":[8,12]}}"#, "gaps"),
            (r#"{"a":{"data_offsets":[-1,8]}}"#, "where the tensor a is"),
            (r#"{"a":{}}"#, "where the tensor a is"),
            ("{}", "do not fill"),
            ("[]", "cannot be read"),
            ("{\"a", "cannot be read"),
        ] {
            let wrong = head(wrong);
            let fault = structure_fault(wrong.len() as u64 + 12, &wrong).unwrap();
            assert!(fault.contains(words), "{fault}");
        }
        assert!(structure_fault(3, b"abc").is_some());
        assert_eq!(data_start(b"PK\x03\x04aaaaaaaa"), None);
        assert_eq!(data_start(&[255; 9]), None);
    }

    #[test]
    fn wrong_files_are_named() {
        let mut good = 100u64.to_le_bytes().to_vec();
        good.extend(b"{\"conv1.weight\"");
        assert_eq!(fault("w.safetensors", 5000, &good), None);
        assert!(fault("w.safetensors", 50, &good).unwrap().contains("cut short"));
        assert_eq!(fault("w.pth", 5000, b"PK\x03\x04aaaaaaaaaaaa"), None);
        assert_eq!(fault("old.pth", 5000, b"\x80\x02\x8a\x0alaaaaaaaaaaaa"), None);
        assert!(fault("w.pth", 5000, b"<html>aaaaaaaaaaaa").unwrap().contains("PyTorch"));
        assert!(fault("photo.jpg", 5000, b"\xff\xd8\xff\xe0aaaaaaaaaaaa").unwrap().contains("neither"));
        assert!(fault("w.safetensors", 0, b"").unwrap().contains("empty"));
        let mut huge = u64::MAX.to_le_bytes().to_vec();
        huge.extend(b"{");
        assert!(fault("w.safetensors", 5000, &huge).is_some());
    }
}
