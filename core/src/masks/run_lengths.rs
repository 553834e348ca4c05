//! COCO's run-length codes: lengths of runs of 0 and 1 in turn, down the columns, the first of 0.

/// Lengths from COCO's compressed text: six bits a character from `'0'` up, of which five are the number's,
/// lowest first, and one says that more follow; the number is signed, and from the fourth on it is the
/// difference to the length two before.
///
/// # Errors
/// What is wrong with the text, or more than `limit` lengths.
pub fn decompress(text: &str, limit: usize) -> Result<Vec<u32>, String> {
    let mut lengths: Vec<u32> = Vec::new();
    let mut bytes = text.bytes();
    while let Some(mut byte) = bytes.next() {
        let (mut value, mut shift) = (0i64, 0u32);
        loop {
            let bits = byte.checked_sub(b'0').filter(|&bits| bits < 64);
            let bits = bits.ok_or("its run-length code has a character that is none of the code's")?;
            value |= i64::from(bits & 0x1F) << shift;
            shift += 5;
            if bits & 0x20 == 0 {
                if bits & 0x10 != 0 {
                    value -= 1 << shift;
                }
                break;
            }
            if shift > 35 {
                return Err("its run-length code has a number that does not end".into());
            }
            byte = bytes.next().ok_or("its run-length code ends in the middle of a number")?;
        }
        if let Some(before) = lengths.len().checked_sub(2).filter(|_| lengths.len() > 2) {
            value += i64::from(lengths[before]);
        }
        lengths
            .push(u32::try_from(value).map_err(|_| format!("its run-length code has the length {value}"))?);
        if lengths.len() > limit {
            return Err("its run-length code has more runs than the image has pixels".into());
        }
    }
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts and lengths by pycocotools 2.0: `encode` of a 5 × 7 mask with a rectangle of 9 pixels and a
    /// corner, and of an ellipse in 30 × 40 pixels.
    #[test]
    fn lengths_are_those_of_pycocotools() {
        assert_eq!(decompress("01:2H0009", 35).unwrap(), [0, 1, 10, 3, 2, 3, 2, 3, 11]);
        let ellipse = "P66f03N2N2N2O1N10001N1000001O0000000000O10001O0O2O0O2O0O2N3M3L]3";
        let lengths = [
            192, 6, 22, 9, 20, 11, 18, 13, 16, 15, 15, 16, 13, 17, 13, 17, 13, 18, 11, 19, 11, 19, 11, 19,
            11, 20, 10, 20, 10, 20, 10, 20, 10, 20, 10, 20, 10, 19, 11, 19, 11, 19, 12, 18, 12, 17, 14, 16,
            14, 15, 16, 14, 16, 13, 18, 11, 21, 8, 24, 4, 133,
        ];
        assert_eq!(decompress(ellipse, 1200).unwrap(), lengths);
        // Numbers of several characters, and differences of hundreds, either way.
        let large = decompress("^l0^8n000\\Jd0X1\\OhNd0X1", 60_000).unwrap();
        assert_eq!(large, [910, 270, 30, 270, 30, 90, 50, 130, 30, 90, 50, 130]);
    }

    #[test]
    fn texts_that_are_no_code_are_refused() {
        for text in ["!", "0 0", "P", "oooooooooooooooo0", "OO", "0\u{e9}0", "001O0000O", "p"] {
            assert!(decompress(text, 100).is_err(), "{text}");
        }
        assert!(decompress("1111", 3).is_err());
    }
}
