//! A record of operations as autodiff keeps it, on sizes instead of tensors: what each operation saves for
//! its gradient (as burn-autodiff does without its own checkpointing), what it needs while it runs, and in
//! which order gradients come and saved tensors go.

use std::collections::HashMap;

use super::ledger::{Held, Ledger};
use super::{NUMBER, Processor};
use crate::architecture::ConvShape;

/// Output pixels that the CPU's convolution gathers at once, and the bytes of columns its gradient may.
const CPU_TILE: usize = 512;
const CPU_COLUMNS: u64 = 8 << 20;
/// Widths up to which the CPU convolves without gathering.
const CPU_FEW: (usize, usize) = (4, 16);

/// A square tensor `[images, channels, side, side]` that is not there.
#[derive(Debug, Clone)]
pub struct Dry {
    held: Held,
    pub channels: usize,
    pub side: usize,
    /// Its place in the record, where gradients reach it.
    node: Option<usize>,
}

struct Step {
    input: Vec<(usize, u64)>,
    output: usize,
    saved: Vec<Held>,
    /// Bytes of the gradient that stays, and those of what it is made in.
    parameter: u64,
    workspace: u64,
    /// Whether the inputs' gradients are the output's.
    shares: bool,
}

/// Runs operations, and their gradients.
pub struct Tape {
    ledger: Ledger,
    images: usize,
    processor: Processor,
    recording: bool,
    steps: Vec<Step>,
    nodes: usize,
    largest: u64,
    /// Of parameters; kept until the update, or until they are added up.
    gradients: Vec<Held>,
    frozen: bool,
}

impl Tape {
    pub(super) fn new(ledger: Ledger, images: usize, processor: Processor) -> Self {
        let (steps, gradients) = (Vec::new(), Vec::new());
        Self {
            ledger,
            images,
            processor,
            recording: true,
            steps,
            nodes: 0,
            largest: 0,
            gradients,
            frozen: false,
        }
    }

    /// Whether operations are recorded from now on.
    pub fn record(&mut self, recording: bool) {
        self.recording = recording;
    }

    fn bytes(&self, channels: usize, side: usize) -> u64 {
        // As wide as can be before they are multiplied: the page's addresses have 32 bits.
        [self.images, channels, side, side].into_iter().map(|count| count as u64).product::<u64>() * NUMBER
    }

    fn node(&mut self) -> usize {
        self.nodes += 1;
        self.nodes
    }

    /// A tensor that comes from outside; `tracked` where its gradient is wanted.
    pub fn input(&mut self, channels: usize, side: usize, tracked: bool) -> Dry {
        let node = tracked.then(|| self.node());
        Dry { held: self.ledger.hold(self.bytes(channels, side)), channels, side, node }
    }

    /// The same tensor without a history; `tracked` where its gradient is wanted.
    pub fn detached(&mut self, x: &Dry, tracked: bool) -> Dry {
        Dry { node: tracked.then(|| self.node()), ..x.clone() }
    }

    /// The gradients so far go into a sum that is there already.
    pub fn add_up(&mut self) {
        self.gradients.clear();
    }

    /// Whether parameters get no gradients from now on, though gradients flow through.
    pub fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    /// Bytes of the largest tensor so far.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    fn operation(
        &mut self,
        inputs: &[&Dry],
        (channels, side): (usize, usize),
        trainable: bool,
        step: impl FnOnce(&Self) -> (Vec<Held>, u64, u64),
    ) -> Dry {
        let bytes = self.bytes(channels, side);
        self.largest = self.largest.max(bytes);
        let held = self.ledger.hold(bytes);
        let tracked = self.recording && (trainable || inputs.iter().any(|input| input.node.is_some()));
        let node = tracked.then(|| self.node());
        if let Some(output) = node {
            let (saved, parameter, workspace) = step(self);
            let input = inputs.iter().filter_map(|x| Some((x.node?, self.bytes(x.channels, x.side))));
            let input = input.collect();
            self.steps.push(Step { input, output, saved, parameter, workspace, shares: false });
        }
        Dry { held, channels, side, node }
    }

    /// A convolution; with `norm` its weights are scaled first, and the copy is kept.
    pub fn conv(&mut self, x: &Dry, shape: ConvShape, trainable: bool, norm: bool) -> Dry {
        let trainable = trainable && !self.frozen;
        let side = shape.output_side(x.side);
        let weight = shape.weight().iter().product::<usize>() as u64 * NUMBER;
        let scaled = norm.then(|| self.ledger.hold(weight));
        let workspace = self.ledger.hold(self.forward_workspace(x, shape, side, weight));
        let saved = x.held.clone();
        let out = self.operation(&[x], (shape.output, side), trainable, move |tape| {
            let parameter = if trainable { weight } else { 0 };
            let workspace = tape.backward_workspace(x, shape, side, parameter);
            let copy = if norm { parameter } else { 0 };
            // For the gradient of the weights alone.
            let saved = trainable.then_some(saved);
            (scaled.into_iter().chain(saved).collect(), parameter, workspace + copy)
        });
        drop(workspace);
        out
    }

    /// What a convolution needs while it runs: input and weights in another order of their axes, and on the
    /// CPU the gathered input of the tiles at work.
    fn forward_workspace(&self, x: &Dry, shape: ConvShape, side: usize, weight: u64) -> u64 {
        let pointwise = shape.kernel == 1 && shape.stride == 1;
        let few = shape.input <= CPU_FEW.0 && shape.output <= CPU_FEW.1;
        if pointwise || shape.groups > 1 || few {
            return 0;
        }
        let tiles = match self.processor {
            Processor::Cpu { threads } => {
                let pixels = side * side;
                let at_once = threads.min(self.images * pixels.div_ceil(CPU_TILE));
                let columns = shape.input * shape.kernel * shape.kernel + shape.output;
                at_once as u64 * CPU_TILE.min(pixels) as u64 * columns as u64 * NUMBER
            }
            Processor::Gpu => 0,
        };
        self.bytes(x.channels, x.side) + weight + tiles
    }

    /// The same for its gradients.
    fn backward_workspace(&self, x: &Dry, shape: ConvShape, side: usize, parameter: u64) -> u64 {
        let of_input = match self.processor {
            Processor::Cpu { threads } if x.node.is_some() => {
                let kernel = (shape.input / shape.groups * shape.kernel * shape.kernel) as u64;
                let columns = kernel * (side * side) as u64;
                (columns * NUMBER).min(CPU_COLUMNS) * threads.min(self.images * shape.groups) as u64
            }
            _ => 0,
        };
        if parameter == 0 || shape.groups > 1 {
            return of_input;
        }
        // The weights' gradient is a convolution of the input with the output's, axes swapped.
        let copies = if self.images > 1 { 2 } else { 1 };
        let of_weight = copies * (self.bytes(x.channels, x.side) + self.bytes(shape.output, side));
        of_input.max(of_weight)
    }

    /// An operation on each number. `saves` are copies that its gradient needs, in tensors of the input's
    /// size, that nothing else holds; `keeps` whether it also needs the input.
    pub fn pointwise(&mut self, inputs: &[&Dry], saves: f64, keeps: bool) -> Dry {
        let x = inputs[0];
        let own = (self.bytes(x.channels, x.side) as f64 * saves) as u64;
        self.operation(inputs, (x.channels, x.side), false, |tape| {
            let mut saved = vec![tape.ledger.hold(own)];
            if keeps {
                saved.push(x.held.clone());
            }
            (saved, 0, 0)
        })
    }

    /// A frozen norm. It saves its factors only.
    pub fn norm(&mut self, x: &Dry) -> Dry {
        self.pointwise(&[x], 0.0, false)
    }

    /// It saves its input.
    pub fn relu(&mut self, x: &Dry) -> Dry {
        self.pointwise(&[x], 0.0, true)
    }

    /// Clamped to 0 and 6. It saves where it did so, once for each end.
    pub fn relu6(&mut self, x: &Dry) -> Dry {
        let mask = match self.processor {
            Processor::Cpu { .. } => 0.25,
            Processor::Gpu => 1.0,
        };
        self.pointwise(&[x], 2.0 * mask, false)
    }

    /// A sum. It saves nothing, and hands its gradient on to both.
    pub fn add(&mut self, x: &Dry, y: &Dry) -> Dry {
        let out = self.pointwise(&[x, y], 0.0, false);
        if let Some(step) = self.steps.last_mut().filter(|step| Some(step.output) == out.node) {
            step.shares = true;
        }
        out
    }

    /// Enlarged to `side`.
    pub fn resized(&mut self, x: &Dry, side: usize) -> Dry {
        self.operation(&[x], (x.channels, side), false, |_| (Vec::new(), 0, 0))
    }

    /// A maximum of 3×3 pixels at a stride of 2, frozen.
    pub fn max_pool(&mut self, x: &Dry) -> Dry {
        let side = (x.side - 1) / 2 + 1;
        self.operation(&[x], (x.channels, side), false, |_| (Vec::new(), 0, 0))
    }

    /// A matrix of `output` rows applied to each pixel; `scaled` as a norm's in [`conv`](Self::conv).
    pub fn project(&mut self, x: &Dry, output: usize, scaled: bool) -> Dry {
        let weight = (output * x.channels) as u64 * NUMBER;
        let copy = scaled.then(|| self.ledger.hold(weight));
        let images = self.images as u64;
        self.operation(&[x], (output, x.side), true, |_| {
            // The gradient of each image's matrix, before their sum.
            (copy.into_iter().chain([x.held.clone()]).collect(), weight, images * weight)
        })
    }

    /// The gradients of all that was recorded, from that of `last`. Gives that of `wanted`.
    pub(super) fn backward(&mut self, last: &Dry, wanted: Option<&Dry>) -> Option<Held> {
        let mut upstream: HashMap<usize, Held> = HashMap::new();
        if let Some(node) = last.node {
            upstream.insert(node, self.ledger.hold(self.bytes(last.channels, last.side)));
        }
        for step in std::mem::take(&mut self.steps).into_iter().rev() {
            let Some(gradient) = upstream.remove(&step.output) else { continue };
            let mut made = Vec::new();
            for &(node, bytes) in &step.input {
                let own = || self.ledger.hold(bytes);
                made.push((node, if step.shares { gradient.clone() } else { own() }));
            }
            if step.parameter > 0 {
                self.gradients.push(self.ledger.hold(step.parameter));
            }
            drop(self.ledger.hold(step.workspace));
            drop((gradient, step.saved));
            for (node, held) in made {
                // Where two meet, they are added in place.
                upstream.entry(node).or_insert(held);
            }
        }
        wanted.and_then(|wanted| upstream.remove(&wanted.node?))
    }
}
