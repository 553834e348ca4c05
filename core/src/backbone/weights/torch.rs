//! `.pth`: what PyTorch's `torch.save` writes, read as data (see [`pickle`](super::pickle)). Both its
//! layouts: the archive of 2020 and later, and the pickles one after the other of before.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use super::element::Element;
use super::pickle::{self, Node, Tree, Value};

/// Tensors by name: shape and row-major values.
pub(super) type Tensors = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// The number that starts a file of the older layout, pickled.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// Where programs put the network beside other things.
const WRAPPERS: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "network"];

/// Whether these are the first bytes of a `.pth` file, of either layout.
pub(super) fn is_torch(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(MAGIC)
}

/// The tensors of a `.pth` file. Of a dictionary that holds more than the network (`{"state_dict": …}`),
/// the network's.
///
/// # Errors
/// Why it cannot be read, as a reason for [`crate::Error::Format`].
pub(super) fn read(bytes: &[u8]) -> Result<Tensors, String> {
    if bytes.starts_with(MAGIC) { read_pickles(bytes) } else { read_archive(bytes) }
}

fn read_archive(bytes: &[u8]) -> Result<Tensors, String> {
    let invalid = |error: zip::result::ZipError| format!("not a PyTorch file ({error})");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(invalid)?;
    let names: Vec<String> =
        archive.file_names().filter_map(|name| name.ok()).map(|name| name.into_owned()).collect();
    let pickle =
        names.iter().find(|name| name.ends_with("data.pkl")).ok_or("an archive without a network in it")?;
    let folder = pickle.trim_end_matches("data.pkl").to_owned();
    let mut entry = |name: &str, limit: usize| -> Result<Vec<u8>, String> {
        let file = archive.by_name(name).map_err(invalid)?;
        // PyTorch packs nothing: what is packed may unfold to anything.
        if file.compression() != CompressionMethod::Stored {
            return Err(format!("{name} is packed, which PyTorch's own files are not"));
        }
        let mut data = Vec::new();
        file.take(limit as u64).read_to_end(&mut data).map_err(|error| format!("{name}: {error}"))?;
        Ok(data)
    };
    if names.contains(&format!("{folder}byteorder")) && entry(&format!("{folder}byteorder"), 16)? != b"little"
    {
        return Err("written on a big-endian machine, which is not read".into());
    }
    let tree_bytes = entry(&format!("{folder}data.pkl"), PICKLE_LIMIT)?;
    let (tree, root, _) = pickle::read(&tree_bytes)?;
    let plan = plan(&tree, root, bytes.len())?;
    let mut storages = HashMap::new();
    for storage in plan.iter().map(|(_, tensor)| &tensor.storage) {
        if !storages.contains_key(&storage.key) {
            let length = storage.elements.saturating_mul(storage.element.bytes());
            storages.insert(storage.key.clone(), entry(&format!("{folder}data/{}", storage.key), length)?);
        }
    }
    gather(plan, |key| storages.get(key).map(Vec::as_slice))
}

/// Of a tensor: more than any network has.
const MOST_DIMENSIONS: usize = 8;

/// Structure only: a network of a million tensors would fit.
const PICKLE_LIMIT: usize = 256 << 20;

fn read_pickles(bytes: &[u8]) -> Result<Tensors, String> {
    let mut rest = bytes;
    let mut next = || -> Result<(Tree, Node), String> {
        let (tree, root, length) = pickle::read(rest)?;
        rest = &rest[length..];
        Ok((tree, root))
    };
    // Magic number, version, the writer's machine.
    for _ in 0..3 {
        next()?;
    }
    let (tree, root) = next()?;
    let (keys, keys_root) = next()?;
    let plan = plan(&tree, root, bytes.len())?;
    // Also of storages that are of no use here, as those behind them are found by their lengths.
    let sizes: HashMap<&str, usize> = tree
        .nodes()
        .filter_map(|node| {
            let (class, key, _) = storage_parts(&tree, node)?;
            Some((key, Element::storage_bytes(class)?))
        })
        .collect();
    let Value::Sequence(order) = keys.get(keys_root) else {
        return Err("the list of storages is missing".into());
    };
    let mut storages: HashMap<String, &[u8]> = HashMap::new();
    for &key in order {
        let key = text(&keys, key).ok_or("a storage has no name")?;
        let cut_off = || "the file is cut off".to_owned();
        let (count, after) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
        let count = usize::try_from(u64::from_le_bytes(*count)).map_err(|_| cut_off())?;
        let size = sizes.get(key).ok_or("a storage of an unknown number type")?;
        let length = count.checked_mul(*size).filter(|&length| length <= after.len()).ok_or_else(cut_off)?;
        storages.insert(key.to_owned(), &after[..length]);
        rest = &after[length..];
    }
    gather(plan, |key| storages.get(key).copied())
}

/// Where a tensor lies.
struct Stored {
    storage: Storage,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

struct Storage {
    key: String,
    element: Element,
    elements: usize,
}

/// The tensors of the network in a tree, in the order written.
fn plan(tree: &Tree, root: Node, file_length: usize) -> Result<Vec<(String, Stored)>, String> {
    let mut node = root;
    // A network may be wrapped several times; a circle ends.
    for _ in 0..8 {
        let items = items(tree, node).ok_or("holds no dictionary of tensors")?;
        // Other tensors may stand beside the network: a best score, an epoch.
        let wrapped = WRAPPERS.iter().find_map(|wrapper| {
            let found = items.iter().find(|(key, _)| text(tree, *key) == Some(wrapper));
            found.map(|&(_, value)| value).filter(|&value| self::items(tree, value).is_some())
        });
        if let Some(wrapped) = wrapped {
            node = wrapped;
            continue;
        }
        let mut found = Vec::new();
        for &(key, value) in &items {
            if let (Some(key), Some(stored)) = (text(tree, key), stored(tree, value)?) {
                found.push((key.to_owned(), stored));
            }
        }
        if !found.is_empty() {
            // Tensors may share values, but not so that a small file unfolds to a large one.
            let bytes =
                |(_, tensor): &(String, Stored)| tensor.count()?.checked_mul(tensor.storage.element.bytes());
            let all = found.iter().try_fold(0usize, |sum, tensor| sum.checked_add(bytes(tensor)?));
            return match all {
                Some(all) if all <= file_length.saturating_mul(4) => Ok(found),
                _ => Err("its tensors are larger than the file".into()),
            };
        }
        break;
    }
    Err("holds no tensors; give a file with a state_dict".into())
}

/// The items of a dictionary, or of an ordered one.
fn items(tree: &Tree, node: Node) -> Option<Vec<(Node, Node)>> {
    match tree.get(node) {
        Value::Map(items) => Some(items.clone()),
        Value::Call { callable, arguments, items } if is_global(tree, *callable, "OrderedDict") => {
            // Older writers give the items as an argument: a list of pairs.
            let mut all = Vec::new();
            let list = sequence(tree, *arguments).and_then(<[Node]>::first);
            for &pair in list.and_then(|&list| sequence(tree, list)).unwrap_or_default() {
                if let Some(&[key, value]) = sequence(tree, pair) {
                    all.push((key, value));
                }
            }
            all.extend(items);
            Some(all)
        }
        _ => None,
    }
}

/// The tensor that a node rebuilds; `None` when it is none, or of a type that no network computes with.
fn stored(tree: &Tree, node: Node) -> Result<Option<Stored>, String> {
    let Value::Call { callable, arguments, .. } = tree.get(node) else { return Ok(None) };
    let Some(arguments) = sequence(tree, *arguments) else { return Ok(None) };
    if is_global(tree, *callable, "_rebuild_parameter") {
        let inner = arguments.first().filter(|&&inner| inner != node);
        // A parameter wraps a tensor, and a tensor no parameter.
        return match inner.map(|&inner| tree.get(inner)) {
            Some(Value::Call { callable, .. }) if !is_global(tree, *callable, "_rebuild_parameter") => {
                stored(tree, arguments[0])
            }
            _ => Ok(None),
        };
    }
    if !is_global(tree, *callable, "_rebuild_tensor_v2") && !is_global(tree, *callable, "_rebuild_tensor") {
        return Ok(None);
    }
    let &[storage, offset, shape, strides, ..] = arguments else { return Ok(None) };
    let Some(storage) = storage_of(tree, storage) else { return Ok(None) };
    let damaged = || "a tensor's shape cannot be read".to_owned();
    let numbers = |node| -> Option<Vec<usize>> {
        let nodes = sequence(tree, node).filter(|nodes| nodes.len() <= MOST_DIMENSIONS)?;
        nodes.iter().map(|&number| count(tree, number)).collect()
    };
    let shape = numbers(shape).ok_or_else(damaged)?;
    let strides = numbers(strides).ok_or_else(damaged)?;
    let offset = count(tree, offset).ok_or_else(damaged)?;
    if shape.len() != strides.len() || shape.len() > MOST_DIMENSIONS {
        return Err(damaged());
    }
    Ok(Some(Stored { storage, offset, shape, strides }))
}

fn storage_of(tree: &Tree, node: Node) -> Option<Storage> {
    let (class, key, elements) = storage_parts(tree, node)?;
    Some(Storage { key: key.to_owned(), element: Element::of_storage(class)?, elements })
}

/// Class, key and number of elements of a storage.
fn storage_parts(tree: &Tree, node: Node) -> Option<(&str, &str, usize)> {
    let Value::Persistent(id) = tree.get(node) else { return None };
    let &[_, class, key, _, elements, ..] = sequence(tree, *id)? else { return None };
    let Value::Global(_, class) = tree.get(class) else { return None };
    Some((class, text(tree, key)?, count(tree, elements)?))
}

/// Reads each tensor from its storage.
fn gather<'a>(
    plan: Vec<(String, Stored)>,
    storage: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Tensors, String> {
    let mut tensors = HashMap::new();
    for (name, tensor) in plan {
        let damaged = || format!("the values of {name} are cut off");
        let bytes = storage(&tensor.storage.key).ok_or_else(damaged)?;
        let values = tensor.values(bytes).ok_or_else(damaged)?;
        tensors.insert(name, (tensor.shape, values));
    }
    Ok(tensors)
}

impl Stored {
    /// Numbers in the tensor; `None` where there are more than can be counted.
    fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
    }

    /// Row-major values; `None` where they lie outside `bytes`.
    fn values(&self, bytes: &[u8]) -> Option<Vec<f32>> {
        let size = self.storage.element.bytes();
        let count = self.count()?;
        if count == 0 {
            return Some(Vec::new());
        }
        // Values may repeat (a stride of 0), but not to more than the storage holds.
        if count > bytes.len() / size {
            return None;
        }
        if self.is_row_major() {
            let start = self.offset.checked_mul(size)?;
            let end = start.checked_add(count.checked_mul(size)?)?;
            return Some(self.storage.element.read_all(bytes.get(start..end)?));
        }
        let mut place = vec![0usize; self.shape.len()];
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            let steps = place.iter().zip(&self.strides).map(|(&place, &stride)| place.checked_mul(stride));
            let index = steps.into_iter().try_fold(self.offset, |sum, step| sum.checked_add(step?))?;
            let start = index.checked_mul(size)?;
            values.extend(self.storage.element.read_all(bytes.get(start..start.checked_add(size)?)?));
            for (place, &side) in place.iter_mut().zip(&self.shape).rev() {
                *place += 1;
                if *place < side {
                    break;
                }
                *place = 0;
            }
        }
        Some(values)
    }

    fn is_row_major(&self) -> bool {
        let mut step = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&side, &stride)| {
            let fits = side == 1 || stride == step;
            step *= side.max(1);
            fits
        })
    }
}

fn text(tree: &Tree, node: Node) -> Option<&str> {
    match tree.get(node) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn count(tree: &Tree, node: Node) -> Option<usize> {
    match tree.get(node) {
        Value::Integer(number) => usize::try_from(*number).ok(),
        _ => None,
    }
}

fn sequence(tree: &Tree, node: Node) -> Option<&[Node]> {
    match tree.get(node) {
        Value::Sequence(nodes) => Some(nodes),
        _ => None,
    }
}

fn is_global(tree: &Tree, node: Node, name: &str) -> bool {
    matches!(tree.get(node), Value::Global(_, found) if found == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `tests/weights/make.py` with PyTorch.
    const CHECKPOINT: &[u8] = include_bytes!("../../../../tests/weights/checkpoint.pth");
    const LEGACY: &[u8] = include_bytes!("../../../../tests/weights/legacy.pth");

    #[test]
    fn both_layouts_of_pytorch_are_read() {
        for bytes in [CHECKPOINT, LEGACY] {
            assert!(is_torch(bytes));
            let tensors = read(bytes).unwrap();
            let mut names: Vec<_> = tensors.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(
                names,
                ["module.a.weight", "module.b", "module.half", "module.scalar", "module.shared", "module.t"]
            );
            assert_eq!(tensors["module.a.weight"], (vec![2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
            assert_eq!(tensors["module.b"], (vec![2], vec![0.5, -1.25]));
            assert_eq!(tensors["module.half"], (vec![3], vec![1.0, -2.0, 0.333_251_95]));
            assert_eq!(tensors["module.scalar"], (vec![], vec![7.0]));
            // A transposed view, and a part of another's storage.
            assert_eq!(tensors["module.t"], (vec![3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
            assert_eq!(tensors["module.shared"], (vec![3], vec![3.0, 4.0, 5.0]));
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_bent_is_an_error_and_never_a_panic() {
        for bytes in [CHECKPOINT, LEGACY] {
            for length in (0..bytes.len()).step_by(7) {
                let _ = read(&bytes[..length]);
            }
            for place in 0..bytes.len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut bent = bytes.to_vec();
                    bent[place] ^= flip;
                    let _ = read(&bent);
                }
            }
        }
        assert!(read(&LEGACY[..LEGACY.len() - 1]).is_err());
    }

    #[test]
    fn a_packed_archive_is_refused() {
        use std::io::Write;
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let packed = zip::write::SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file("x/data.pkl", packed).unwrap();
        zip.write_all(&vec![b'N'; 1 << 20]).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        assert!(read(&bytes).unwrap_err().contains("packed"));
    }

    #[test]
    fn a_network_of_no_tensors_says_so() {
        let error =
            read(&[MAGIC, b"\x80\x02M\xe9\x03.", b"\x80\x02}.", b"\x80\x02}.", b"\x80\x02]."].concat());
        assert!(error.unwrap_err().contains("state_dict"));
    }
}
