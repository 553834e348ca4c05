//! The wire format of Protocol Buffers, as much of it as ONNX takes: a message is a row of fields, each a key and
//! a value; whole numbers are written in groups of seven bits, the lowest first, and all that has a length behind it.

/// Kinds of values, in the lowest three bits of a key.
const VARINT: u32 = 0;
const LENGTH: u32 = 2;

/// A message under construction.
#[derive(Debug, Default)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// With a whole number.
    #[must_use]
    pub fn int(mut self, field: u32, value: i64) -> Self {
        self.key(field, VARINT);
        // Negative numbers take all ten groups.
        self.varint(value as u64);
        self
    }

    /// With text.
    #[must_use]
    pub fn text(mut self, field: u32, text: &str) -> Self {
        self.push_bytes(field, text.as_bytes());
        self
    }

    /// With a message.
    #[must_use]
    pub fn message(mut self, field: u32, message: &Self) -> Self {
        self.push(field, message);
        self
    }

    /// With what `with` adds for each of `items`.
    #[must_use]
    pub fn each<T>(self, items: impl IntoIterator<Item = T>, with: impl Fn(Self, T) -> Self) -> Self {
        items.into_iter().fold(self, with)
    }

    /// Adds a message.
    pub fn push(&mut self, field: u32, message: &Self) {
        self.push_bytes(field, &message.bytes);
    }

    /// Adds a message of `head` and, in its field `values_field`, numbers as their bytes, the lowest first. They are
    /// written where they stay: a network's weights are most of its file.
    pub fn push_values(&mut self, field: u32, head: &Self, values_field: u32, values: &[f32]) {
        let mut before = Self { bytes: head.bytes.clone() };
        before.key(values_field, LENGTH);
        before.varint(4 * values.len() as u64);
        self.key(field, LENGTH);
        self.varint((before.bytes.len() + 4 * values.len()) as u64);
        self.bytes.reserve(before.bytes.len() + 4 * values.len());
        self.bytes.extend(before.bytes);
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// The message.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn push_bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, LENGTH);
        self.varint(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    fn key(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
pub mod read {
    //! The same read back, for tests.

    /// A field's value.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Value<'a> {
        /// A whole number.
        Number(u64),
        /// Text, a message, or values.
        Bytes(&'a [u8]),
    }

    /// The fields of a message, in their order.
    pub fn fields(mut bytes: &[u8]) -> Vec<(u32, Value<'_>)> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let value = match key & 7 {
                0 => Value::Number(varint(&mut bytes)),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    Value::Bytes(bytes.split_off(..length).expect("a length within the message"))
                }
                kind => panic!("kind {kind}"),
            };
            fields.push(((key >> 3) as u32, value));
        }
        fields
    }

    /// What stands in one field of a message, as often as it does.
    pub fn all<'a>(bytes: &'a [u8], field: u32) -> Vec<&'a [u8]> {
        let of_field = |(found, value): (u32, Value<'a>)| match value {
            Value::Bytes(bytes) if found == field => Some(bytes),
            _ => None,
        };
        fields(bytes).into_iter().filter_map(of_field).collect()
    }

    /// The same as text.
    pub fn texts(bytes: &[u8], field: u32) -> Vec<String> {
        all(bytes, field).into_iter().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
    }

    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for place in 0..10 {
            let byte = *bytes.split_off_first().expect("a byte");
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                break;
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_documentation_shows_them() {
        // Its examples: 150 in field 1, "testing" in field 2, and the first as a message in field 3.
        let number = Message::default().int(1, 150);
        assert_eq!(number.bytes, [0x08, 0x96, 0x01]);
        let text = Message::default().text(2, "testing");
        assert_eq!(text.bytes, *b"\x12\x07testing");
        assert_eq!(Message::default().message(3, &number).bytes, [0x1a, 0x03, 0x08, 0x96, 0x01]);
        let minus = Message::default().int(1, -2).into_bytes();
        assert_eq!(minus, [0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        assert_eq!(read::fields(&minus), [(1, read::Value::Number(-2i64 as u64))]);
    }

    #[test]
    fn values_stand_behind_their_head() {
        let mut message = Message::default();
        message.push_values(5, &Message::default().int(1, 2), 9, &[1.0, -0.5]);
        let bytes = message.into_bytes();
        let tensor = read::all(&bytes, 5)[0];
        let values: Vec<u8> = [1.0f32, -0.5].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(read::fields(tensor), [(1, read::Value::Number(2)), (9, read::Value::Bytes(&values))]);
    }
}
