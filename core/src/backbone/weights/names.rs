//! Names and shapes of a network's tensors, from building it once without values.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::{Source, Start, id_of};
use crate::backbone::conv::NORM_EPSILON;
use crate::error::Result;
use crate::tensor::read_all;

/// Records what a network asks for and gives zeros.
#[derive(Debug, Default)]
pub struct NameList {
    /// Names and shapes, in the order asked.
    pub entries: Vec<(String, Vec<usize>)>,
}

impl Source for NameList {
    fn take(&mut self, name: &str, shape: &[usize], _start: Start) -> Result<Vec<f32>> {
        self.entries.push((name.to_owned(), shape.to_vec()));
        Ok(vec![0.0; shape.iter().product()])
    }
}

/// A tensor with its name: what weights files hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The shape.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

impl NameList {
    /// The values of those parameters that are in this list, in its order, read in one transaction.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when the device was lost.
    pub async fn read(&self, mut found: Parameters) -> Result<Vec<Named>> {
        let mut kept = Vec::new();
        let mut tensors = Vec::new();
        for (name, shape) in &self.entries {
            if let Some(tensor) = found.tensors.remove(&id_of(name).val()) {
                kept.push((name.clone(), shape.clone()));
                tensors.push(tensor);
            }
        }
        let values = read_all(tensors).await?;
        let read = kept.into_iter().zip(values).map(|((name, shape), values)| Named { name, shape, values });
        let folded = self.entries.iter().filter_map(|(name, shape)| folded_statistics(name, shape));
        Ok(read.chain(folded).collect())
    }
}

/// The running statistics of a frozen norm: folded into its scale and shift when it was loaded, so that
/// mean 0 and variance 1 − ε, with those, say the same.
fn folded_statistics(name: &str, shape: &[usize]) -> Option<Named> {
    let value = match name.rsplit_once('.')?.1 {
        "running_mean" => 0.0,
        "running_var" => 1.0 - NORM_EPSILON,
        _ => return None,
    };
    Some(Named { name: name.to_owned(), shape: shape.to_vec(), values: vec![value; shape.iter().product()] })
}

/// A module's parameters by identity, without autodiff, flattened so that one collection holds every rank.
#[derive(Default)]
pub struct Parameters {
    tensors: HashMap<u64, Tensor<1>>,
}

impl Parameters {
    /// Those of `module`.
    pub fn of<M: Module>(module: &M) -> Self {
        let mut found = Self::default();
        module.visit(&mut found);
        found
    }
}

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val().inner();
        let count = tensor.shape().num_elements();
        self.tensors.insert(param.id.val(), tensor.reshape([count]));
    }
}
