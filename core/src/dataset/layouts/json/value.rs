//! A value of any structure: what annotators export has many, and one entry that is wrong must not cost the
//! others. It is held to a size, as a byte of text may be many of memory.

use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// A value; objects keep the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Value {
    /// `null`, and what is passed over.
    Nothing,
    /// A truth value.
    Truth(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Value>),
    /// An object.
    Object(Vec<(String, Value)>),
}

/// Values in one, those in it included.
const MOST: usize = 1 << 20;

/// Members that are long and say nothing about labels: runs of drawn pixels, and what a model guessed.
const PASSED_OVER: [&str; 4] = ["rle", "predictions", "drafts", "prediction"];

impl Value {
    /// A member of an object; where it is named twice, the first.
    pub(in super::super) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The members of an object.
    pub(in super::super) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements of an array.
    pub(in super::super) fn elements(&self) -> &[Self] {
        match self {
            Self::List(elements) => elements,
            _ => &[],
        }
    }

    /// The text.
    pub(in super::super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A member that is a number.
    pub(in super::super) fn number(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Self::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a member is there and true.
    pub(in super::super) fn is(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Self::Truth(true)))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Limited(&mut MOST.clone()).deserialize(json)
    }
}

/// A value, of which so many more may be.
struct Limited<'a>(&'a mut usize);

impl<'de> DeserializeSeed<'de> for Limited<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        *self.0 = self
            .0
            .checked_sub(1)
            .ok_or_else(|| de::Error::custom(format!("an entry holds more than {MOST} values")))?;
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Limited<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element_seed(Limited(&mut *self.0))? {
            elements.push(element);
        }
        Ok(Value::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = match PASSED_OVER.contains(&key.as_str()) {
                true => map.next_value::<IgnoredAny>().map(|_| Value::Nothing)?,
                false => map.next_value_seed(Limited(&mut *self.0))?,
            };
            members.push((key, value));
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_passed_over_and_order_is_kept() {
        let text = r#"{"b": [1, -2.5, true, null, "x"], "a": {"rle": [1, 2], "b": 3}, "b": 7}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        let keys: Vec<&str> = value.members().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
        let first = &value.get("b").unwrap().elements()[..3];
        assert_eq!(first, [Value::Number(1.0), Value::Number(-2.5), Value::Truth(true)]);
        assert_eq!(value.get("a").unwrap().get("rle"), Some(&Value::Nothing));
        assert_eq!(value.get("a").unwrap().number("b"), Some(3.0));
    }

    #[test]
    fn one_that_would_fill_memory_is_refused() {
        let of = |count: usize| format!("[{}0]", "0,".repeat(count));
        assert!(serde_json::from_str::<Value>(&of(MOST - 3)).is_ok());
        let error = serde_json::from_str::<Value>(&of(MOST)).unwrap_err().to_string();
        assert!(error.contains("holds more than 1048576 values"), "{error}");
        assert!(serde_json::from_str::<Value>(&"[".repeat(100_000)).is_err());
    }
}
