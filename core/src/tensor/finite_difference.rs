//! Gradients against central differences: what every loss has to stand.

use burn::tensor::{Device, Tensor, TensorData};

/// Compares the gradient of `loss` at `values` with central differences of width `2 · step`, for every
/// element but those in `except` (where the function has a kink).
///
/// # Panics
/// When one differs by more than `tolerance` of the largest.
pub(crate) fn check<const D: usize>(
    values: &[f32],
    shape: [usize; D],
    step: f32,
    tolerance: f32,
    except: &[usize],
    loss: impl Fn(Tensor<D>) -> Tensor<1>,
) {
    let device = Device::flex().autodiff();
    let at = |values: &[f32]| Tensor::<D>::from_data(TensorData::new(values.to_vec(), shape), &device);
    let input = at(values).require_grad();
    let gradient = input.grad(&loss(input.clone()).backward()).expect("the loss depends on its input");
    let gradient: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
    let value = |values: &[f32]| loss(at(values)).into_scalar::<f32>();
    let largest = gradient.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    assert!(largest > 0.0, "the gradient is zero everywhere");
    for index in (0..values.len()).filter(|index| !except.contains(index)) {
        let mut moved = values.to_vec();
        moved[index] += step;
        let above = value(&moved);
        moved[index] -= 2.0 * step;
        let difference = (above - value(&moved)) / (2.0 * step);
        let error = (difference - gradient[index]).abs();
        assert!(
            error <= tolerance * largest,
            "element {index}: gradient {}, difference {difference}, largest {largest}",
            gradient[index]
        );
    }
}
