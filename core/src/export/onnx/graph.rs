//! ONNX's messages (onnx.proto of its version 1.12, opset 17): a graph of nodes and constants, and the model
//! around it. Numbers of fields and of types are that file's.

use super::proto::Message;

/// The version of the intermediate representation that came with the operators.
const IR_VERSION: i64 = 8;
/// The version of the operators: what every runtime of the last years knows.
const OPSET: i64 = 17;

const FLOAT: i64 = 1;

/// The name of a value: what one node gives and others take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

/// A node's attribute.
#[derive(Debug, Clone, Copy)]
pub enum Attribute<'a> {
    /// A whole number.
    Int(i64),
    /// Several.
    Ints(&'a [i64]),
    /// A word.
    Word(&'a str),
}

/// A side of a tensor.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a> {
    /// Known, as channels are.
    Fixed(usize),
    /// Told by the input.
    Any(&'a str),
}

/// A graph under construction. Its parts are written as they come.
#[derive(Debug, Default)]
pub struct Graph {
    message: Message,
    /// Values that were named so far, so that no two have one name.
    values: usize,
}

impl Graph {
    /// A tensor that the graph is given, of numbers.
    pub fn input(&mut self, name: &str, sides: &[Side<'_>], about: &str) -> Value {
        self.message.push(11, &described(name, sides, about));
        Value(name.to_owned())
    }

    /// A constant that has the tensor's own name, `shape` row-major.
    pub fn weights(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Value {
        let head = head(name, shape);
        self.message.push_values(5, &head, 9, values);
        Value(name.to_owned())
    }

    /// A constant, `shape` row-major; a single number where there is no shape.
    pub fn constant(&mut self, shape: &[usize], values: &[f32]) -> Value {
        let name = self.new_name("constant");
        self.weights(&name, shape, values)
    }

    /// What an operator makes of its inputs.
    pub fn node(&mut self, operator: &str, inputs: &[&Value], attributes: &[(&str, Attribute<'_>)]) -> Value {
        let name = self.new_name(&operator.to_lowercase());
        self.named_node(&name, operator, inputs, attributes)
    }

    /// The same as a result of the graph.
    pub fn result(
        &mut self,
        name: &str,
        sides: &[Side<'_>],
        about: &str,
        (operator, inputs): (&str, &[&Value]),
        attributes: &[(&str, Attribute<'_>)],
    ) -> Value {
        self.message.push(12, &described(name, sides, about));
        self.named_node(name, operator, inputs, attributes)
    }

    /// An input that is left out.
    pub fn none() -> Value {
        Value(String::new())
    }

    /// The file of a model of this graph; `facts` are what it says of itself, by name.
    pub fn into_model(self, name: &str, about: &str, facts: &[(String, String)]) -> Vec<u8> {
        let graph = self.message.text(2, name).text(10, about);
        let opset = Message::default().text(1, "").int(2, OPSET);
        let fact = |model: Message, (key, value): &(String, String)| {
            model.message(14, &Message::default().text(1, key).text(2, value))
        };
        Message::default()
            .int(1, IR_VERSION)
            .text(2, "tag2mask")
            .text(3, env!("CARGO_PKG_VERSION"))
            .message(8, &opset)
            .each(facts, fact)
            .message(7, &graph)
            .into_bytes()
    }

    fn named_node(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&Value],
        attributes: &[(&str, Attribute<'_>)],
    ) -> Value {
        let node = Message::default()
            .each(inputs, |node, Value(input)| node.text(1, input))
            .text(2, name)
            .text(3, name)
            .text(4, operator)
            .each(attributes, |node, (name, value)| node.message(5, &attribute(name, *value)));
        self.message.push(1, &node);
        Value(name.to_owned())
    }

    fn new_name(&mut self, what: &str) -> String {
        self.values += 1;
        format!("{what}_{}", self.values)
    }
}

fn attribute(name: &str, value: Attribute<'_>) -> Message {
    let named = Message::default().text(1, name);
    match value {
        Attribute::Int(value) => named.int(3, value).int(20, 2),
        Attribute::Ints(values) => named.each(values, |message, &value| message.int(8, value)).int(20, 7),
        Attribute::Word(word) => named.text(4, word).int(20, 3),
    }
}

/// A tensor's shape, type and name.
fn head(name: &str, shape: &[usize]) -> Message {
    Message::default().each(shape, |tensor, &side| tensor.int(1, side as i64)).int(2, FLOAT).text(8, name)
}

/// An input or output of numbers.
fn described(name: &str, sides: &[Side<'_>], about: &str) -> Message {
    let dimension = |side: &Side<'_>| match side {
        Side::Fixed(side) => Message::default().int(1, *side as i64),
        Side::Any(name) => Message::default().text(2, name),
    };
    let shape = Message::default().each(sides, |shape, side| shape.message(1, &dimension(side)));
    let tensor = Message::default().int(1, FLOAT).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor)).text(3, about)
}
