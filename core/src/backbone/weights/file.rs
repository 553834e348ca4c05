//! Weights files: reading `.safetensors` and `.pth`, writing `.safetensors`.

use std::collections::HashMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::element::Element;
use super::{Named, RandomSource, Source, Start, layout, torch};
use crate::error::{Error, Result};

/// A parsed weights file.
pub struct TensorFile {
    path: String,
    /// Free text that the writer left: the run's round and step.
    pub metadata: HashMap<String, String>,
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
}

impl TensorFile {
    /// Reads a `.safetensors` file, or a `.pth` of PyTorch's, told apart by their content; tensors become
    /// `f32` (from `f64`, `f32`, `f16`, `bf16`, `i32`, `u8`), those of other types are passed over. Names
    /// become torchvision's where the layout is known ([`layout`]).
    ///
    /// # Errors
    /// [`Error::Format`] when it is neither.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self> {
        let failed = |reason: String| Error::Format { path: path.to_owned(), reason };
        if torch::is_torch(bytes) {
            let tensors = layout::canonical(torch::read(bytes).map_err(failed)?);
            return Ok(Self { path: path.to_owned(), metadata: HashMap::new(), tensors });
        }
        let invalid = |error| failed(format!("neither a .safetensors nor a .pth file ({error})"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(invalid)?;
        let file = SafeTensors::deserialize(bytes).map_err(invalid)?;
        let mut tensors = HashMap::new();
        for (name, view) in file.iter() {
            if let Some(values) = values_of(&view) {
                tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
            }
        }
        let metadata = metadata.metadata().clone().unwrap_or_default();
        Ok(Self { path: path.to_owned(), metadata, tensors: layout::canonical(tensors) })
    }

    /// Tensors that did not come from a file of ours; `path` is what errors name.
    pub fn of(path: &str, tensors: Vec<Named>) -> Self {
        let tensors = tensors.into_iter().map(|Named { name, shape, values }| (name, (shape, values)));
        Self { path: path.to_owned(), metadata: HashMap::new(), tensors: tensors.collect() }
    }

    /// The file's name.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Shape and values of one tensor.
    ///
    /// # Errors
    /// [`Error::Weights`] when it is not there.
    pub fn get(&self, name: &str) -> Result<(&[usize], &[f32])> {
        self.tensors.get(name).map(|(shape, values)| (shape.as_slice(), values.as_slice())).ok_or_else(|| {
            Error::Weights { path: self.path.clone(), tensor: name.to_owned(), reason: "missing".into() }
        })
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

fn values_of(view: &TensorView<'_>) -> Option<Vec<f32>> {
    Element::of_dtype(view.dtype()).map(|element| element.read_all(view.data()))
}

/// Takes tensors from a file under a prefix; what is not under `required` starts at random.
///
/// ImageNet weights have the backbone but a head of another task: `required = ["features."]` loads the
/// one and ignores the other's shape.
pub struct FileSource<'a> {
    file: &'a TensorFile,
    /// Names outside the file's naming (a new head) start here.
    fallback: RandomSource,
    is_required: Box<dyn Fn(&str) -> bool + 'a>,
}

impl<'a> FileSource<'a> {
    /// Every tensor must be in the file.
    pub fn all(file: &'a TensorFile) -> Self {
        Self { file, fallback: RandomSource::new(0), is_required: Box::new(|_| true) }
    }

    /// Tensors for which `is_required` is false start at random from `seed`.
    pub fn with_random_rest(
        file: &'a TensorFile,
        seed: u64,
        is_required: impl Fn(&str) -> bool + 'a,
    ) -> Self {
        Self { file, fallback: RandomSource::new(seed), is_required: Box::new(is_required) }
    }
}

impl Source for FileSource<'_> {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        if !(self.is_required)(name) {
            return self.fallback.take(name, shape, start);
        }
        let (found, values) = self.file.get(name)?;
        // A 1×1 convolution and a linear layer hold the same numbers under [C, K, 1, 1] and [C, K].
        let squeezed = |shape: &[usize]| shape.iter().copied().filter(|&side| side != 1).collect::<Vec<_>>();
        if squeezed(found) != squeezed(shape) {
            return Err(Error::Weights {
                path: self.file.path.clone(),
                tensor: name.to_owned(),
                reason: format!("has shape {found:?}, expected {shape:?}"),
            });
        }
        Ok(values.to_vec())
    }
}

/// The bytes of a `.safetensors` file with these tensors and metadata: the same for the same, whenever it is written.
///
/// # Errors
/// [`Error::Format`] when a shape does not match its values.
pub fn encode(tensors: &[Named], metadata: HashMap<String, String>) -> Result<Vec<u8>> {
    let failed = |error: safetensors::SafeTensorError| Error::Format {
        path: "weights".into(),
        reason: format!("cannot be encoded ({error})"),
    };
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|(tensor, bytes)| {
            Ok((tensor.name.clone(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
        })
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(failed)?;
    let mut file = safetensors::serialize(views, Some(metadata)).map_err(failed)?;
    sort_header(&mut file);
    Ok(file)
}

/// Puts the header's entries in order: `safetensors` writes metadata as a hash map has them, another way each time.
fn sort_header(file: &mut [u8]) {
    let Some((length, rest)) = file.split_first_chunk_mut() else { return };
    let Some(header) = rest.get_mut(..u64::from_le_bytes(*length) as usize) else { return };
    // Maps of `serde_json` are sorted. What is not longer than before fits; spaces fill the rest up, as they did.
    let sorted =
        serde_json::from_slice::<serde_json::Value>(header).and_then(|json| serde_json::to_vec(&json));
    if let Ok(sorted) = sorted
        && let Some((start, end)) = header.split_at_mut_checked(sorted.len())
    {
        start.copy_from_slice(&sorted);
        end.fill(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_what_was_written() {
        let tensor = Named { name: "a.weight".into(), shape: vec![2, 1], values: vec![1.5, -2.0] };
        let metadata = HashMap::from([("step".to_owned(), "7".to_owned())]);
        let bytes = encode(std::slice::from_ref(&tensor), metadata).unwrap();
        let file = TensorFile::parse("x.safetensors", &bytes).unwrap();
        assert_eq!(file.get("a.weight").unwrap(), (&[2usize, 1][..], &[1.5f32, -2.0][..]));
        assert_eq!(file.metadata["step"], "7");
    }

    #[test]
    fn the_same_network_is_the_same_file() {
        let tensors =
            ["b", "a", "c"].map(|name| Named { name: name.into(), shape: vec![3], values: vec![0.5; 3] });
        // Each map of the standard library has an order of its own.
        let metadata =
            || (0..20).map(|key| (format!("key {key}"), "\"ü\"".to_owned())).collect::<HashMap<_, _>>();
        let bytes = encode(&tensors, metadata()).unwrap();
        assert_eq!(bytes, encode(&tensors, metadata()).unwrap());
        let file = TensorFile::parse("x.safetensors", &bytes).unwrap();
        assert_eq!(file.metadata, metadata());
        assert_eq!(file.get("c").unwrap(), (&[3usize][..], &[0.5f32; 3][..]));
    }

    #[test]
    fn missing_and_misshapen_tensors_are_named() {
        let tensor = Named { name: "a".into(), shape: vec![2], values: vec![0.0; 2] };
        let bytes = encode(&[tensor], HashMap::new()).unwrap();
        let file = TensorFile::parse("x.safetensors", &bytes).unwrap();
        let mut source = FileSource::all(&file);
        let missing = source.take("b", &[2], Start::Constant(0.0)).unwrap_err().to_string();
        assert_eq!(missing, "weights do not fit (missing), tensor b: x.safetensors");
        let misshapen = source.take("a", &[3], Start::Constant(0.0)).unwrap_err().to_string();
        assert_eq!(misshapen, "weights do not fit (has shape [2], expected [3]), tensor a: x.safetensors");
    }

    #[test]
    fn junk_is_refused() {
        for junk in [&b""[..], b"\x80\x02}q\x00.", &[255; 64]] {
            assert!(TensorFile::parse("x.safetensors", junk).is_err());
        }
    }
}
