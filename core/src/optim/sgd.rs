//! Stochastic gradient descent with momentum, weight decay and parameter groups.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::backbone::weights::{NameList, Named, TensorFile, id_of};
use crate::error::Result;
use crate::method::ParameterGroup;
use crate::run::settings::OptimizerSettings;
use crate::tensor::read_all;

/// The optimiser and its state: one velocity per parameter.
///
/// `velocity ← momentum · velocity + gradient + decay · weight; weight ← weight − rate · velocity`, as
/// PyTorch's SGD without dampening, which the published hyper-parameters assume.
pub struct Sgd {
    settings: OptimizerSettings,
    groups: HashMap<u64, ParameterGroup>,
    velocities: HashMap<u64, Tensor<1>>,
}

impl Sgd {
    /// No velocity yet. `groups` by parameter identity; a parameter outside them is left alone.
    pub fn new(settings: OptimizerSettings, groups: HashMap<u64, ParameterGroup>) -> Self {
        Self { settings, groups, velocities: HashMap::new() }
    }

    /// One update of `module` at learning rate `rate`.
    pub fn step<M: Module>(&mut self, module: M, mut gradients: GradientsParams, rate: f64) -> M {
        let shrink = (self.settings.max_gradient_norm > 0.0)
            .then(|| shrink_factor(&module, &gradients, self.settings.max_gradient_norm))
            .flatten();
        module.map(&mut Update { sgd: self, gradients: &mut gradients, shrink, rate })
    }

    /// The state as named tensors: `velocity.<parameter>`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when the device was lost.
    pub async fn save(&self, names: &NameList) -> Result<Vec<Named>> {
        let mut kept = Vec::new();
        let mut tensors = Vec::new();
        for (name, shape) in &names.entries {
            if let Some(velocity) = self.velocities.get(&id_of(name).val()) {
                kept.push((format!("velocity.{name}"), shape.clone()));
                tensors.push(velocity.clone());
            }
        }
        let values = read_all(tensors).await?;
        Ok(kept
            .into_iter()
            .zip(values)
            .map(|((name, shape), values)| Named { name, shape, values })
            .collect())
    }

    /// Takes the state of [`save`](Self::save) back; parameters that are not in it start anew.
    pub fn load(&mut self, file: &TensorFile, names: &NameList, device: &Device) {
        let device = device.clone().inner();
        for (name, shape) in &names.entries {
            if let Ok((found, values)) = file.get(&format!("velocity.{name}"))
                && found == shape.as_slice()
            {
                let data = TensorData::new(values.to_vec(), [values.len()]);
                self.velocities.insert(id_of(name).val(), Tensor::from_data(data, &device));
            }
        }
    }
}

struct Update<'a> {
    sgd: &'a mut Sgd,
    gradients: &'a mut GradientsParams,
    shrink: Option<Tensor<1>>,
    rate: f64,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let key = param.id.val();
        let Some(&group) = self.sgd.groups.get(&key) else { return param };
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let settings = &self.sgd.settings;
        let (id, tracked, mapper) = param.consume();
        let checkpointing = tracked.gradient_checkpointing_strategy();
        let weight = tracked.inner();
        let shape = weight.shape();
        let count = shape.num_elements();

        let mut change = gradient.reshape([count]);
        if let Some(shrink) = &self.shrink {
            change = change * shrink.clone();
        }
        let flat: Tensor<1> = weight.reshape([count]);
        if group.decay && settings.weight_decay > 0.0 {
            change = change + flat.clone().mul_scalar(settings.weight_decay);
        }
        if let Some(velocity) = self.sgd.velocities.remove(&key) {
            change = change + velocity.mul_scalar(settings.momentum);
        }
        self.sgd.velocities.insert(key, change.clone());
        let rate = if group.head { self.rate * settings.head_factor } else { self.rate };
        let updated: Tensor<D> = (flat - change.mul_scalar(rate)).reshape(shape);

        let mut updated = Tensor::from_inner(updated);
        if let Some(strategy) = checkpointing {
            updated = updated.with_gradient_checkpointing_strategy(strategy);
        }
        Param::from_mapped_value(id, updated.require_grad(), mapper)
    }
}

/// `min(1, limit / ‖all gradients‖₂)` as a tensor, so that the host need not wait for the norm.
fn shrink_factor<M: Module>(module: &M, gradients: &GradientsParams, limit: f64) -> Option<Tensor<1>> {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sum: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let square = gradient.square().sum();
                self.sum = Some(match self.sum.take() {
                    Some(sum) => sum + square,
                    None => square,
                });
            }
        }
    }
    let mut squares = Squares { gradients, sum: None };
    module.visit(&mut squares);
    squares.sum.map(|sum| (sum.sqrt() + 1e-12).recip().mul_scalar(limit).clamp_max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::weights::from_values;

    #[derive(Module, Debug)]
    struct Line {
        weight: Param<Tensor<2>>,
    }

    fn line(device: &Device) -> Line {
        Line { weight: from_values("w", vec![1.0, -2.0], [1, 2], true, device) }
    }

    fn optimizer(max_gradient_norm: f64) -> Sgd {
        let settings = OptimizerSettings {
            momentum: 0.9,
            weight_decay: 0.1,
            head_factor: 10.0,
            max_gradient_norm,
            ..OptimizerSettings::default()
        };
        Sgd::new(settings, HashMap::from([(id_of("w").val(), ParameterGroup { head: true, decay: true })]))
    }

    fn step(line: Line, sgd: &mut Sgd) -> Line {
        // Σ 3w: the gradient is 3 everywhere.
        let gradients = line.weight.val().mul_scalar(3.0).sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &line);
        sgd.step(line, gradients, 0.001)
    }

    fn weights(line: &Line) -> Vec<f32> {
        line.weight.val().into_data().try_to_vec().unwrap()
    }

    #[test]
    fn two_steps_follow_the_formula() {
        let device = Device::flex().autodiff();
        let mut sgd = optimizer(0.0);
        let mut line = line(&device);
        let mut expected = [1.0f32, -2.0];
        let mut velocity = [0.0f32; 2];
        for _ in 0..2 {
            line = step(line, &mut sgd);
            for (weight, velocity) in expected.iter_mut().zip(&mut velocity) {
                *velocity = 0.9 * *velocity + 3.0 + 0.1 * *weight;
                *weight -= 0.01 * *velocity;
            }
        }
        for (found, expected) in weights(&line).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn saved_state_goes_on_as_if_nothing_had_happened() {
        let device = Device::flex().autodiff();
        let names = NameList { entries: vec![("w".into(), vec![1, 2])] };
        let mut sgd = optimizer(1.0);
        let after_one = step(line(&device), &mut sgd);
        let saved = pollster::block_on(sgd.save(&names)).unwrap();
        let bytes = crate::backbone::weights::encode(&saved, HashMap::new()).unwrap();
        let direct = weights(&step(after_one.clone(), &mut sgd));

        let mut restored = optimizer(1.0);
        restored.load(&TensorFile::parse("o", &bytes).unwrap(), &names, &device);
        assert_eq!(weights(&step(after_one, &mut restored)), direct);
    }

    #[test]
    fn large_gradients_are_shortened_to_the_limit() {
        let device = Device::flex().autodiff();
        let mut sgd = optimizer(1.0);
        sgd.settings.weight_decay = 0.0;
        let after = weights(&step(line(&device), &mut sgd));
        let moved = ((1.0 - after[0]).powi(2) + (-2.0 - after[1]).powi(2)).sqrt();
        assert!((moved - 0.01).abs() < 1e-6, "{moved}");
    }
}
