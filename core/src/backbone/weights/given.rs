//! Tensors that are known, and another source for the rest.

use std::collections::HashMap;

use super::{Named, Source, Start};
use crate::error::Result;

/// Gives the tensors it was given by name, and asks another source for those it was not.
pub struct Given<'a> {
    tensors: HashMap<String, Vec<f32>>,
    rest: Box<dyn Source + 'a>,
}

impl<'a> Given<'a> {
    /// `tensors` before `rest`.
    pub fn new(tensors: impl IntoIterator<Item = Named>, rest: impl Source + 'a) -> Self {
        let tensors = tensors.into_iter().map(|tensor| (tensor.name, tensor.values)).collect();
        Self { tensors, rest: Box::new(rest) }
    }
}

impl Source for Given<'_> {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        match self.tensors.remove(name).filter(|values| values.len() == shape.iter().product::<usize>()) {
            Some(values) => Ok(values),
            None => self.rest.take(name, shape, start),
        }
    }
}
