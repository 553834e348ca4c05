//! COCO's run-length codes: lengths of runs of 0 and 1 in turn, down the columns, the first of 0.

/// Lengths that come one by one. Runs that nothing lies between, as it has no pixels, become one: so many
/// lengths take no more memory than their text.
#[derive(Debug, Default)]
pub struct Lengths {
    joined: Vec<u32>,
    /// How many came.
    count: usize,
    /// Pixels of all.
    pixels: u64,
}

impl Lengths {
    /// Takes the next length, of runs that cover at most `limit` pixels.
    ///
    /// # Errors
    /// A negative length, or more pixels.
    pub fn push(&mut self, length: i64, limit: u64) -> Result<(), String> {
        let refuse = || format!("a run of it has the length {length}");
        let length = u32::try_from(length).map_err(|_| refuse())?;
        self.pixels += u64::from(length);
        if self.pixels > limit {
            return Err(format!("its runs cover more than {limit} pixels"));
        }
        let index = self.count;
        self.count += 1;
        let continues = index % 2 != self.joined.len() % 2;
        match self.joined.last_mut() {
            Some(_) if length == 0 => {}
            Some(last) if continues => *last += length,
            _ => self.joined.push(length),
        }
        Ok(())
    }

    /// The lengths.
    pub fn into_vec(self) -> Vec<u32> {
        self.joined
    }
}

/// Lengths from COCO's compressed text: six bits a character from `'0'` up, of which five are the number's,
/// lowest first, and one says that more follow; the number is signed, and from the fourth on it is the
/// difference to the length two before.
///
/// # Errors
/// What is wrong with the text, or runs of more than `limit` pixels.
pub fn decompress(text: &str, limit: u64) -> Result<Vec<u32>, String> {
    let mut lengths = Lengths::default();
    // The last but one and the last, before runs are joined.
    let mut before = [0i64; 2];
    let mut count = 0usize;
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
        if count > 2 {
            value += before[0];
        }
        lengths.push(value, limit)?;
        before = [before[1], value];
        count += 1;
    }
    Ok(lengths.into_vec())
}

/// COCO's compressed text of lengths, as [`decompress`] reads it.
pub fn compress(lengths: &[u32]) -> String {
    let mut text = String::new();
    for (at, &length) in lengths.iter().enumerate() {
        let before = if at > 2 { lengths[at - 2] } else { 0 };
        let mut value = i64::from(length) - i64::from(before);
        loop {
            let bits = (value & 0x1F) as u8;
            value >>= 5;
            let is_last = value == if bits & 0x10 == 0 { 0 } else { -1 };
            text.push(char::from(b'0' + if is_last { bits } else { bits | 0x20 }));
            if is_last {
                break;
            }
        }
    }
    text
}

/// Lengths of the runs of pixels that do not and do belong to a label, in turn, over `pixels` in their order.
pub fn of_label(pixels: impl IntoIterator<Item = u8>, label: u8) -> Vec<u32> {
    let mut lengths = vec![0];
    for pixel in pixels {
        if (lengths.len() % 2 == 0) != (pixel == label) {
            lengths.push(0);
        }
        if let Some(last) = lengths.last_mut() {
            *last += 1;
        }
    }
    lengths
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
        assert_eq!(compress(&[0, 1, 10, 3, 2, 3, 2, 3, 11]), "01:2H0009");
        assert_eq!(compress(&lengths), ellipse);
        assert_eq!(compress(&large), "^l0^8n000\\Jd0X1\\OhNd0X1");
    }

    #[test]
    fn lengths_of_a_label_add_up_and_come_back() {
        assert_eq!(of_label([0, 0, 3, 3, 3, 1], 3), [2, 3, 1]);
        assert_eq!(of_label([3, 0], 3), [0, 1, 1]);
        assert_eq!((of_label([1, 1], 3), of_label([], 3)), (vec![2], vec![0]));
        let mut seed = 5u64;
        for size in [1u64, 31, 32, 33, 5000, 100_000] {
            let lengths: Vec<u32> = (0..200)
                .map(|_| {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    ((seed >> 33) % size + 1) as u32
                })
                .collect();
            assert_eq!(decompress(&compress(&lengths), 1 << 32).unwrap(), lengths);
        }
    }

    #[test]
    fn runs_around_one_of_no_pixels_are_one() {
        let joined = |lengths: &[i64]| {
            let mut all = Lengths::default();
            lengths.iter().for_each(|&length| all.push(length, 100).unwrap());
            all.into_vec()
        };
        assert_eq!(joined(&[0, 3, 4, 5]), [0, 3, 4, 5]);
        assert_eq!(joined(&[5, 0, 3, 2]), [8, 2]);
        assert_eq!(joined(&[0, 0, 3, 0, 0, 4, 0]), [3, 4]);
        assert_eq!(joined(&[0; 1000]), [0]);
        assert_eq!(decompress(&"0".repeat(1000), 35).unwrap(), [0]);
        let mut all = Lengths::default();
        assert!(all.push(60, 100).is_ok() && all.push(41, 100).is_err() && all.push(-1, 100).is_err());
    }

    #[test]
    fn texts_that_are_no_code_are_refused() {
        for text in ["!", "0 0", "P", "oooooooooooooooo0", "OO", "0\u{e9}0", "001O0000O", "p"] {
            assert!(decompress(text, 100).is_err(), "{text}");
        }
        assert!(decompress("1111", 3).is_err());
    }
}
