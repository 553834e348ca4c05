//! A Python pickle, read as data. A pickle is a program for a stack machine, and Python's own machine
//! calls whatever function the program names; this one calls nothing: what would be called, and with
//! what, becomes a node of a tree for the reader to recognise or to pass over.

/// Index of a node.
pub type Node = usize;

/// What a pickle holds. Nodes refer to others by index, as a pickle may share and nest them in circles.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`, and whatever has no meaning for tensors.
    None,
    /// A boolean or a whole number.
    Integer(i64),
    /// A floating point number.
    Float(f64),
    /// A string.
    Text(String),
    /// A tuple, a list or a set.
    Sequence(Vec<Node>),
    /// A dictionary.
    Map(Vec<(Node, Node)>),
    /// A class or function, by module and name.
    Global(String, String),
    /// `callable(*arguments)`, not called, and what was put into the result.
    Call {
        /// What would be called.
        callable: Node,
        /// A tuple.
        arguments: Node,
        /// Items put into the result, where it is a dictionary.
        items: Vec<(Node, Node)>,
    },
    /// What the writer keeps elsewhere; the node says where.
    Persistent(Node),
}

/// The nodes of one pickle.
#[derive(Debug, Default)]
pub struct Tree {
    values: Vec<Value>,
}

impl Tree {
    /// A node's value.
    pub fn get(&self, node: Node) -> &Value {
        self.values.get(node).unwrap_or(&Value::None)
    }

    /// All nodes.
    pub fn nodes(&self) -> std::ops::Range<Node> {
        0..self.values.len()
    }

    fn add(&mut self, value: Value) -> Node {
        self.values.push(value);
        self.values.len() - 1
    }
}

/// Reads one pickle from the start of `bytes`: its nodes, the root, and the bytes that it takes.
///
/// # Errors
/// Why it cannot be read, as a reason for [`crate::Error::Format`]: cut off, or not a pickle that
/// PyTorch writes.
pub fn read(bytes: &[u8]) -> Result<(Tree, Node, usize), String> {
    let mut machine = Machine {
        bytes,
        place: 0,
        tree: Tree::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: Vec::new(),
    };
    let root = machine.run()?;
    Ok((machine.tree, root, machine.place))
}

struct Machine<'a> {
    bytes: &'a [u8],
    place: usize,
    tree: Tree,
    stack: Vec<Node>,
    /// Stack heights.
    marks: Vec<usize>,
    memo: Vec<Option<Node>>,
}

type Step<T> = Result<T, String>;

/// More remembered nodes than any real file has, and few enough to hold.
const MEMO_LIMIT: usize = 1 << 22;
/// More nodes than the structure of any real network has.
const NODE_LIMIT: usize = 1 << 22;

impl Machine<'_> {
    fn run(&mut self) -> Step<Node> {
        loop {
            if self.tree.values.len() > NODE_LIMIT
                || self.stack.len() > NODE_LIMIT
                || self.marks.len() > NODE_LIMIT
            {
                return Err("the pickle holds more than any network".into());
            }
            let operation = self.byte()?;
            match operation {
                b'.' => return self.pop(),
                // PROTO, FRAME
                0x80 => self.skip(1)?,
                0x95 => self.skip(8)?,
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.above_mark()?),
                b'2' => {
                    let top = self.peek()?;
                    self.stack.push(top);
                }
                b'N' => self.push(Value::None),
                0x88 | 0x89 => self.push(Value::Integer(i64::from(operation == 0x88))),
                b'J' => {
                    let value = i32::from_le_bytes(self.array()?);
                    self.push(Value::Integer(value.into()));
                }
                b'K' => {
                    let value = self.byte()?;
                    self.push(Value::Integer(value.into()));
                }
                b'M' => {
                    let value = u16::from_le_bytes(self.array()?);
                    self.push(Value::Integer(value.into()));
                }
                b'I' | b'L' => {
                    let line = self.line()?;
                    let digits = line.trim_end_matches('L');
                    let value = digits.parse().map_err(|_| format!("\"{line}\" is not a number"))?;
                    self.push(Value::Integer(value));
                }
                0x8a => {
                    let length = usize::from(self.byte()?);
                    self.long(length)?;
                }
                0x8b => {
                    let length = self.length4()?;
                    self.long(length)?;
                }
                b'F' => {
                    let line = self.line()?;
                    let value = line.parse().map_err(|_| format!("\"{line}\" is not a number"))?;
                    self.push(Value::Float(value));
                }
                b'G' => {
                    let value = f64::from_be_bytes(self.array()?);
                    self.push(Value::Float(value));
                }
                b'S' | b'V' => {
                    let line = self.line()?;
                    let text =
                        if operation == b'S' { line.trim_matches(['\'', '"']).to_owned() } else { line };
                    self.push(Value::Text(text));
                }
                // Strings and bytes with the length in 1, 4 or 8 bytes.
                b'U' | 0x8c | b'C' => {
                    let length = usize::from(self.byte()?);
                    self.text(length)?;
                }
                b'T' | b'X' | b'B' => {
                    let length = self.length4()?;
                    self.text(length)?;
                }
                0x8d | 0x8e | 0x96 => {
                    let length = u64::from_le_bytes(self.array()?);
                    let length = usize::try_from(length).map_err(|_| "a string is too long".to_owned())?;
                    self.text(length)?;
                }
                b')' | b']' | 0x8f => self.push(Value::Sequence(Vec::new())),
                b't' | b'l' | 0x91 => {
                    let nodes = self.above_mark()?;
                    self.push(Value::Sequence(nodes));
                }
                0x85..=0x87 => {
                    let count = usize::from(operation - 0x84);
                    let start = self.stack.len().checked_sub(count).ok_or_else(underflow)?;
                    let nodes = self.stack.split_off(start);
                    self.push(Value::Sequence(nodes));
                }
                b'a' => {
                    let node = self.pop()?;
                    self.extend(vec![node])?;
                }
                b'e' | 0x90 => {
                    let nodes = self.above_mark()?;
                    self.extend(nodes)?;
                }
                b'}' => self.push(Value::Map(Vec::new())),
                b'd' => {
                    let nodes = self.above_mark()?;
                    self.push(Value::Map(pairs(&nodes)));
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.insert(vec![(key, value)])?;
                }
                b'u' => {
                    let nodes = self.above_mark()?;
                    self.insert(pairs(&nodes))?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Value::Global(module, name));
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let text = |node| match self.tree.get(node) {
                        Value::Text(text) => Ok(text.clone()),
                        _ => Err("a class has no name".to_owned()),
                    };
                    let global = Value::Global(text(module)?, text(name)?);
                    self.push(global);
                }
                // REDUCE, NEWOBJ
                b'R' | 0x81 => {
                    let (arguments, callable) = (self.pop()?, self.pop()?);
                    self.push(Value::Call { callable, arguments, items: Vec::new() });
                }
                // NEWOBJ_EX
                0x92 => {
                    let (_, arguments, callable) = (self.pop()?, self.pop()?, self.pop()?);
                    self.push(Value::Call { callable, arguments, items: Vec::new() });
                }
                // BUILD: an object's state has no tensors that its items have not.
                b'b' => drop(self.pop()?),
                b'p' => {
                    let line = self.line()?;
                    let index = line.parse().map_err(|_| format!("\"{line}\" is no place"))?;
                    self.remember(index)?;
                }
                b'q' => {
                    let index = usize::from(self.byte()?);
                    self.remember(index)?;
                }
                b'r' => {
                    let index = self.length4()?;
                    self.remember(index)?;
                }
                0x94 => self.remember(self.memo.len())?,
                b'g' => {
                    let line = self.line()?;
                    let index = line.parse().map_err(|_| format!("\"{line}\" is no place"))?;
                    self.recall(index)?;
                }
                b'h' => {
                    let index = usize::from(self.byte()?);
                    self.recall(index)?;
                }
                b'j' => {
                    let index = self.length4()?;
                    self.recall(index)?;
                }
                b'P' => {
                    let line = self.line()?;
                    let node = self.tree.add(Value::Text(line));
                    self.push(Value::Persistent(node));
                }
                b'Q' => {
                    let node = self.pop()?;
                    self.push(Value::Persistent(node));
                }
                _ => return Err(format!("operation {operation:#04x} of a pickle is not known")),
            }
        }
    }

    fn slice(&mut self, length: usize) -> Step<&[u8]> {
        let end = self.place.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| "the pickle is cut off".to_owned())?;
        let slice = &self.bytes[self.place..end];
        self.place = end;
        Ok(slice)
    }

    fn skip(&mut self, length: usize) -> Step<()> {
        self.slice(length).map(|_| ())
    }

    fn byte(&mut self) -> Step<u8> {
        Ok(self.slice(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(N)?);
        Ok(array)
    }

    fn length4(&mut self) -> Step<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    /// Up to the next line feed, without it.
    fn line(&mut self) -> Step<String> {
        let rest = &self.bytes[self.place..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or("the pickle is cut off")?;
        let line = String::from_utf8_lossy(&rest[..length]).trim_end_matches('\r').to_owned();
        self.place += length + 1;
        Ok(line)
    }

    fn text(&mut self, length: usize) -> Step<()> {
        let text = String::from_utf8_lossy(self.slice(length)?).into_owned();
        self.push(Value::Text(text));
        Ok(())
    }

    /// A two's complement number; one of more than 8 bytes has no meaning here.
    fn long(&mut self, length: usize) -> Step<()> {
        let bytes = self.slice(length)?;
        let value = match (length, bytes.last()) {
            (1..=8, Some(&last)) => {
                let mut wide = [if last & 0x80 == 0 { 0 } else { 0xff }; 8];
                wide[..length].copy_from_slice(bytes);
                Value::Integer(i64::from_le_bytes(wide))
            }
            (0, _) => Value::Integer(0),
            _ => Value::None,
        };
        self.push(value);
        Ok(())
    }

    fn push(&mut self, value: Value) {
        let node = self.tree.add(value);
        self.stack.push(node);
    }

    fn pop(&mut self) -> Step<Node> {
        self.stack.pop().ok_or_else(underflow)
    }

    fn peek(&self) -> Step<Node> {
        self.stack.last().copied().ok_or_else(underflow)
    }

    fn above_mark(&mut self) -> Step<Vec<Node>> {
        let height = self.marks.pop().filter(|&height| height <= self.stack.len());
        Ok(self.stack.split_off(height.ok_or_else(underflow)?))
    }

    fn remember(&mut self, index: usize) -> Step<()> {
        let node = self.peek()?;
        if index >= MEMO_LIMIT {
            return Err("the pickle remembers too much".into());
        }
        if self.memo.len() <= index {
            self.memo.resize(index + 1, None);
        }
        self.memo[index] = Some(node);
        Ok(())
    }

    fn recall(&mut self, index: usize) -> Step<()> {
        let node = self.memo.get(index).copied().flatten();
        self.stack.push(node.ok_or("the pickle refers to what is not there")?);
        Ok(())
    }

    /// Puts nodes at the end of the list on the top of the stack.
    fn extend(&mut self, nodes: Vec<Node>) -> Step<()> {
        let top = self.peek()?;
        if let Value::Sequence(sequence) = &mut self.tree.values[top] {
            sequence.extend(nodes);
        }
        Ok(())
    }

    /// Puts items into the dictionary, or the object that is one, on the top of the stack.
    fn insert(&mut self, pairs: Vec<(Node, Node)>) -> Step<()> {
        let top = self.peek()?;
        if let Value::Map(items) | Value::Call { items, .. } = &mut self.tree.values[top] {
            items.extend(pairs);
        }
        Ok(())
    }
}

fn underflow() -> String {
    "the pickle takes more than it has put".to_owned()
}

fn pairs(nodes: &[Node]) -> Vec<(Node, Node)> {
    nodes.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_of_everything_is_read() {
        // {"a": (1, -2, 2.5), "b": [None, True]} as Python's protocol 2 writes it.
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00\x87q\x02X\x01\x00\x00\x00bq\x03]q\x04(N\x88eu.rest";
        let (tree, root, length) = read(bytes).unwrap();
        assert_eq!(&bytes[length..], b"rest");
        let Value::Map(items) = tree.get(root) else { panic!("{tree:?}") };
        assert_eq!(items.len(), 2);
        assert_eq!(*tree.get(items[0].0), Value::Text("a".into()));
        let Value::Sequence(numbers) = tree.get(items[0].1) else { panic!("{tree:?}") };
        let numbers: Vec<_> = numbers.iter().map(|&node| tree.get(node).clone()).collect();
        assert_eq!(numbers, [Value::Integer(1), Value::Integer(-2), Value::Float(2.5)]);
        let Value::Sequence(others) = tree.get(items[1].1) else { panic!("{tree:?}") };
        assert_eq!(*tree.get(others[1]), Value::Integer(1));
    }

    #[test]
    fn what_python_would_run_is_only_a_node() {
        // os.system("true") as protocol 0 writes it.
        let (tree, root, _) = read(b"cos\nsystem\n(S'true'\ntR.").unwrap();
        let Value::Call { callable, arguments, .. } = tree.get(root) else { panic!("{tree:?}") };
        assert_eq!(*tree.get(*callable), Value::Global("os".into(), "system".into()));
        let Value::Sequence(arguments) = tree.get(*arguments) else { panic!("{tree:?}") };
        assert_eq!(*tree.get(arguments[0]), Value::Text("true".into()));
    }

    #[test]
    fn junk_and_what_is_cut_off_are_errors() {
        let whole = b"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01u.";
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        for junk in
            [&b"R."[..], b"h\x07.", b"t.", b"\xff.", b"r\xff\xff\xff\xff.", b"X\xff\xff\xff\xffa", b"u."]
        {
            assert!(read(junk).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn numbers_of_any_length_are_read() {
        let integer = |bytes: &[u8]| {
            let (tree, root, _) = read(bytes).unwrap();
            tree.get(root).clone()
        };
        assert_eq!(integer(b"\x8a\x01\xfe."), Value::Integer(-2));
        assert_eq!(integer(b"\x8a\x00."), Value::Integer(0));
        assert_eq!(integer(b"\x8a\x05\x00\x00\x00\x00\x01."), Value::Integer(1 << 32));
        assert_eq!(integer(b"L12L\n."), Value::Integer(12));
        assert_eq!(integer(b"\x8a\x09aaaaaaaaa."), Value::None);
    }

    #[test]
    fn a_pickle_of_endless_nodes_is_refused() {
        assert!(read(&vec![b'N'; NODE_LIMIT + 10]).unwrap_err().contains("more than any network"));
        assert!(read(&vec![b'('; NODE_LIMIT + 10]).unwrap_err().contains("more than any network"));
    }
}
