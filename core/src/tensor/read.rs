//! Reading tensors back: the one place where the host waits for the device.

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::error::{Error, Result};

/// Values of several tensors in one transaction, as `f32`, in order.
///
/// # Errors
/// [`Error::Device`] when the device was lost or a kernel before the read failed.
pub async fn read_all<const D: usize>(tensors: Vec<Tensor<D>>) -> Result<Vec<Vec<f32>>> {
    if tensors.is_empty() {
        return Ok(Vec::new());
    }
    let device = format!("{:?}", tensors[0].device());
    let failed = |reason: String| Error::Device { device: device.clone(), reason };
    let transaction =
        tensors.into_iter().fold(Transaction::default(), |transaction, tensor| transaction.register(tensor));
    let data = transaction.execute_async().await.map_err(|error| failed(format!("{error:?}")))?;
    data.into_iter().map(|data| values(data).map_err(&failed)).collect()
}

fn values(data: TensorData) -> std::result::Result<Vec<f32>, String> {
    data.convert::<f32>().try_to_vec::<f32>().map_err(|error| format!("{error:?}"))
}
