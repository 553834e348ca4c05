//! Where parameters come from. A network asks a [`Source`] for each of its tensors by the name that
//! torchvision gives it, so that the code that builds a network is also the list of its names.

mod element;
mod file;
mod given;
mod layout;
mod names;
mod pickle;
mod random;
mod torch;

pub use file::{FileSource, TensorFile, encode};
pub use given::Given;
pub use names::{NameList, Named, Parameters};
pub use random::RandomSource;

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::Result;

/// How a tensor starts when it is not loaded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// He et al. 2015, normal, by fan-out: convolutions before a ReLU.
    KaimingNormal,
    /// Glorot & Bengio 2010, uniform: heads (METHODS §1).
    XavierUniform,
    /// Every element this value.
    Constant(f32),
}

/// Gives a network its tensors, one by one, by name.
pub trait Source {
    /// The values of tensor `name`, row-major.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] when it is missing or has another shape.
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>>;
}

/// A parameter's identity is its name, so that optimiser state survives a restart.
pub fn id_of(name: &str) -> ParamId {
    // FNV-1a, 64 bits.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    ParamId::from(hash)
}

/// A parameter called `name` on `device`; `trainable` parameters collect gradients where the device
/// records them.
///
/// # Errors
/// As [`Source::take`].
pub fn parameter<const D: usize>(
    source: &mut dyn Source,
    name: &str,
    shape: [usize; D],
    start: Start,
    trainable: bool,
    device: &Device,
) -> Result<Param<Tensor<D>>> {
    let values = source.take(name, &shape, start)?;
    Ok(from_values(name, values, shape, trainable, device))
}

/// The same parameter with other values, `edit` of what it holds, untracked.
pub fn edited<const D: usize>(
    parameter: Param<Tensor<D>>,
    edit: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    let (id, tensor, mapper) = parameter.consume();
    let (trainable, strategy) = (tensor.is_require_grad(), tensor.gradient_checkpointing_strategy());
    let mut tensor = edit(tensor.inner());
    if let Some(strategy) = strategy {
        tensor = Tensor::from_inner(tensor).with_gradient_checkpointing_strategy(strategy);
    }
    Param::from_mapped_value(id, tensor.set_require_grad(trainable), mapper)
}

/// A parameter called `name` with these values.
pub fn from_values<const D: usize>(
    name: &str,
    values: Vec<f32>,
    shape: [usize; D],
    trainable: bool,
    device: &Device,
) -> Param<Tensor<D>> {
    let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), device);
    Param::initialized(id_of(name), tensor.set_require_grad(trainable && device.is_autodiff()))
}
