//! Arrays in NumPy's `.npy` format, version 1.0.

/// What stands before the data of a float32 array in C order of this shape; `numpy.load` reads them. The data then
/// start at a multiple of 64 bytes, so that the file can be mapped.
pub fn header_f32(shape: &[usize]) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    const ALIGNMENT: usize = 64;

    // Python's tuples: `()`, `(3,)`, `(3, 4)`.
    let sides = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({sides}{comma}), }}");
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    header.push('\n');
    let header_length = u16::try_from(header.len()).expect("a shape of some thousand dimensions");

    let mut bytes = Vec::with_capacity(MAGIC.len() + 2 + header.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&header_length.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes
}

/// The next values of the array.
pub fn data_f32(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(shape: &[usize], values: &[f32]) -> Vec<u8> {
        [header_f32(shape), data_f32(values)].concat()
    }

    #[test]
    fn header_is_what_numpy_writes() {
        let bytes = encode(&[2, 1, 3], &[0.0, 1.0, -2.5, f32::NAN, f32::INFINITY, 1e-30]);
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(bytes.len(), 128 + 24);
        let header = std::str::from_utf8(&bytes[10..128]).unwrap();
        assert_eq!(header.trim_end(), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 3), }");
        assert!(header.ends_with(" \n"));
        assert_eq!(bytes[128 + 8..128 + 12], (-2.5f32).to_le_bytes());
    }

    #[test]
    fn every_shape_keeps_the_alignment() {
        for shape in [vec![], vec![7], vec![3, 5], vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]] {
            let count: usize = shape.iter().product();
            let bytes = if count > 1000 { continue } else { encode(&shape, &vec![1.5; count]) };
            let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            assert_eq!((10 + header) % 64, 0);
            assert_eq!(bytes.len(), 10 + header + 4 * count);
        }
        let text = |shape: &[usize]| String::from_utf8_lossy(&encode(shape, &[1.0])).into_owned();
        assert!(text(&[]).contains("'shape': (), "));
        assert!(text(&[1]).contains("'shape': (1,), "));
    }
}
