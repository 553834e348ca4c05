//! The second network: a plain classifier as the localizer is, under names of its own.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Tensor};

use crate::backbone::weights::{RandomSource, Source, Start, id_of};
use crate::error::Result;
use crate::method::LearnerConfig;
use crate::method::cam::{Cam, CamConfig};

/// What all of the adversary's tensors are called.
pub const PREFIX: &str = "adversary.";

/// Builds it: it asks the source for its tensors, and its parameters are known, by [`PREFIX`] before the
/// names that they would have by themselves.
pub(super) fn load(config: &CamConfig, source: &mut dyn Source, device: &Device) -> Result<Cam> {
    let mut source = Prefixed { source, names: Vec::new() };
    let network = config.init(&mut source, device)?;
    let ids = source.names.iter().map(|name| (id_of(name).val(), id_of(&prefixed(name)))).collect();
    Ok(network.map(&mut Rename { ids }))
}

fn prefixed(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Asks another source by longer names.
struct Prefixed<'a> {
    source: &'a mut dyn Source,
    names: Vec<String>,
}

impl Source for Prefixed<'_> {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        self.names.push(name.to_owned());
        self.source.take(&prefixed(name), shape, start)
    }
}

/// Gives each parameter the identity of its longer name.
struct Rename {
    ids: HashMap<u64, ParamId>,
}

impl ModuleMapper for Rename {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        let id = self.ids.get(&id.val()).copied().unwrap_or(id);
        Param::from_mapped_value(id, value, mapper)
    }
}

/// Starts both networks from the tensors of one: the adversary's backbone gets what the localizer's got. Where
/// they are of different kinds, and for its classifier, the adversary starts at random. The localizer must ask
/// first. Ours: the paper loads a second set of ImageNet weights, which need not be at hand.
pub struct TwinStart<'a> {
    source: &'a mut dyn Source,
    are_twins: bool,
    random: RandomSource,
    /// What the localizer got and the adversary has not asked for.
    given: HashMap<String, Vec<f32>>,
}

impl<'a> TwinStart<'a> {
    /// Asks `source` for the localizer's tensors.
    pub fn new(source: &'a mut dyn Source, are_twins: bool) -> Self {
        // Another seed than the run's would be one more number to keep; names tell the tensors apart.
        Self { source, are_twins, random: RandomSource::new(0), given: HashMap::new() }
    }
}

impl Source for TwinStart<'_> {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        if let Some(own) = name.strip_prefix(PREFIX) {
            return match self.given.remove(own) {
                Some(values) => Ok(values),
                None => self.random.take(name, shape, start),
            };
        }
        let values = self.source.take(name, shape, start)?;
        if self.are_twins && !is_of_head(name) {
            self.given.insert(name.to_owned(), values.clone());
        }
        Ok(values)
    }
}

/// Whether the parameter called `name` belongs to one of the two classifiers.
pub(super) fn is_of_head(name: &str) -> bool {
    name.strip_prefix(PREFIX).unwrap_or(name).starts_with("cam.")
}
