//! A first look at a weights file, so that the wrong one is refused at once and in plain words.

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

#[cfg(test)]
mod tests {
    use super::*;

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
