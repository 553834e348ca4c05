//! A step of each network, operation by operation, as `backbone` runs it.

use super::tape::{Dry, Tape};
use super::{NUMBER, Work};
use crate::architecture::{
    Architecture, ConvShape, MobileNetV2Block, MobileNetV2Shape, ResNet38Block, ResNet38Shape, ResNetBlock,
    ResNetShape,
};

/// A part of a network, as in `Backbone::segment`.
enum Segment {
    Tiny(ConvShape),
    MobileNetV2Stem(MobileNetV2Shape, Vec<MobileNetV2Block>),
    MobileNetV2(MobileNetV2Block),
    MobileNetV2Last(ConvShape),
    ResNetStem(ResNetShape, Vec<ResNetBlock>),
    ResNet(ResNetBlock),
    ResNet38Stem(ResNet38Shape, Vec<ResNet38Block>),
    ResNet38(ResNet38Block),
    ResNet38Last,
}

fn segments(architecture: Architecture) -> Vec<Segment> {
    match architecture {
        Architecture::Tiny(shape) => shape.layers().into_iter().map(Segment::Tiny).collect(),
        Architecture::MobileNetV2(shape) => {
            let (learning, frozen): (Vec<_>, _) =
                shape.blocks().into_iter().partition(|block| block.trainable);
            let blocks = learning.into_iter().map(Segment::MobileNetV2);
            let last = Segment::MobileNetV2Last(shape.last());
            [Segment::MobileNetV2Stem(shape, frozen)].into_iter().chain(blocks).chain([last]).collect()
        }
        Architecture::ResNet(shape) => {
            let (learning, frozen): (Vec<_>, _) =
                shape.blocks().into_iter().partition(|block| block.trainable);
            let blocks = learning.into_iter().map(Segment::ResNet);
            [Segment::ResNetStem(shape, frozen)].into_iter().chain(blocks).collect()
        }
        Architecture::ResNet38(shape) => {
            let (learning, frozen): (Vec<_>, _) =
                shape.blocks().into_iter().partition(|block| block.trainable);
            let blocks = learning.into_iter().map(Segment::ResNet38);
            let stem = [Segment::ResNet38Stem(shape, frozen)];
            stem.into_iter().chain(blocks).chain([Segment::ResNet38Last]).collect()
        }
    }
}

impl Segment {
    fn learns(&self) -> bool {
        !matches!(self, Self::MobileNetV2Stem(..) | Self::ResNetStem(..) | Self::ResNet38Stem(..))
    }

    /// Its convolutions, and whether they learn.
    fn convs(&self) -> Vec<(ConvShape, bool)> {
        match self {
            Self::Tiny(layer) => vec![(*layer, true)],
            Self::MobileNetV2Stem(shape, blocks) => {
                let blocks = blocks.iter().flat_map(mobilenet_v2_convs);
                [(shape.stem(), false)].into_iter().chain(blocks).collect()
            }
            Self::MobileNetV2(block) => mobilenet_v2_convs(block),
            Self::MobileNetV2Last(shape) => vec![(*shape, true)],
            Self::ResNetStem(shape, blocks) => {
                [(shape.stem(), false)].into_iter().chain(blocks.iter().flat_map(resnet_convs)).collect()
            }
            Self::ResNet(block) => resnet_convs(block),
            Self::ResNet38Stem(shape, blocks) => {
                [(shape.stem(), false)].into_iter().chain(blocks.iter().flat_map(resnet38_convs)).collect()
            }
            Self::ResNet38(block) => resnet38_convs(block),
            Self::ResNet38Last => Vec::new(),
        }
    }

    fn run(&self, tape: &mut Tape, x: Dry) -> Dry {
        match self {
            Self::Tiny(layer) => tiny_layer(tape, x, *layer),
            Self::MobileNetV2Stem(shape, blocks) => {
                let x = tape.conv(&x, shape.stem(), false, true);
                let x = tape.relu6(&x);
                blocks.iter().fold(x, |x, block| inverted_residual(tape, x, block))
            }
            Self::MobileNetV2(block) => inverted_residual(tape, x, block),
            Self::MobileNetV2Last(shape) => {
                let x = tape.conv(&x, *shape, true, true);
                tape.relu6(&x)
            }
            Self::ResNetStem(shape, blocks) => {
                let x = tape.conv(&x, shape.stem(), false, true);
                let x = tape.relu(&x);
                let x = tape.max_pool(&x);
                blocks.iter().fold(x, |x, block| residual(tape, x, block))
            }
            Self::ResNet(block) => residual(tape, x, block),
            Self::ResNet38Stem(shape, blocks) => {
                let x = tape.conv(&x, shape.stem(), false, false);
                blocks.iter().fold(x, |x, block| pre_activated(tape, x, block))
            }
            Self::ResNet38(block) => pre_activated(tape, x, block),
            Self::ResNet38Last => {
                let x = tape.norm(&x);
                tape.relu(&x)
            }
        }
    }
}

fn mobilenet_v2_convs(block: &MobileNetV2Block) -> Vec<(ConvShape, bool)> {
    let convs = block.expand.into_iter().chain([block.depthwise, block.project]);
    convs.map(|conv| (conv, block.trainable)).collect()
}

fn resnet_convs(block: &ResNetBlock) -> Vec<(ConvShape, bool)> {
    let convs = block.convs.iter().copied().chain(block.downsample);
    convs.map(|conv| (conv, block.trainable)).collect()
}

fn resnet38_convs(block: &ResNet38Block) -> Vec<(ConvShape, bool)> {
    let convs = block.convs.iter().copied().chain(block.shortcut);
    convs.map(|conv| (conv, block.trainable)).collect()
}

fn tiny_layer(tape: &mut Tape, x: Dry, layer: ConvShape) -> Dry {
    let y = tape.conv(&x, layer, true, false);
    // Centred, divided by the deviation, scaled and shifted.
    let y = tape.pointwise(&[&y], 0.0, false);
    let y = tape.pointwise(&[&y], 0.0, true);
    let y = tape.pointwise(&[&y], 0.0, true);
    let y = tape.relu(&y);
    if layer.stride == 1 && layer.input == layer.output { tape.add(&x, &y) } else { y }
}

fn inverted_residual(tape: &mut Tape, x: Dry, block: &MobileNetV2Block) -> Dry {
    let hidden = match block.expand {
        Some(expand) => {
            let hidden = tape.conv(&x, expand, block.trainable, true);
            tape.relu6(&hidden)
        }
        None => x.clone(),
    };
    let hidden = tape.conv(&hidden, block.depthwise, block.trainable, true);
    let hidden = tape.relu6(&hidden);
    let out = tape.conv(&hidden, block.project, block.trainable, true);
    if block.residual() { tape.add(&out, &x) } else { out }
}

fn residual(tape: &mut Tape, x: Dry, block: &ResNetBlock) -> Dry {
    let shortcut = match block.downsample {
        Some(shape) => tape.conv(&x, shape, block.trainable, true),
        None => x.clone(),
    };
    let last = block.convs.len() - 1;
    let x = block.convs.iter().enumerate().fold(x, |x, (index, &shape)| {
        let x = tape.conv(&x, shape, block.trainable, true);
        if index < last { tape.relu(&x) } else { x }
    });
    let sum = tape.add(&x, &shortcut);
    tape.relu(&sum)
}

fn pre_activated(tape: &mut Tape, x: Dry, block: &ResNet38Block) -> Dry {
    let branch = tape.norm(&x);
    let branch = tape.relu(&branch);
    let shortcut = match block.shortcut {
        Some(shape) => tape.conv(&branch, shape, block.trainable, false),
        None => x,
    };
    let last = block.convs.len() - 1;
    let branch = block.convs.iter().enumerate().fold(branch, |branch, (index, &shape)| {
        let branch = tape.conv(&branch, shape, block.trainable, index < last);
        if index == last {
            return branch;
        }
        let branch = tape.relu(&branch);
        if block.dropout > 0.0 { tape.pointwise(&[&branch], 0.0, false) } else { branch }
    });
    tape.add(&shortcut, &branch)
}

/// Bytes of all weights, and of those that learn.
pub fn weights(work: &Work) -> (u64, u64) {
    let head = work.method.method().parameters(work);
    let (mut all, mut trainable) = (head, head);
    for segment in segments(work.architecture()) {
        for (shape, learns) in segment.convs() {
            let count: usize = shape.weight().iter().product();
            // A scale and a shift stand behind nearly every convolution.
            all += count + 2 * shape.output;
            trainable += if learns { count } else { 0 };
        }
    }
    (all as u64 * NUMBER, trainable as u64 * NUMBER)
}

/// Bytes of the largest of the backbone's weight tensors.
pub fn largest_weight(work: &Work) -> u64 {
    let segments = segments(work.architecture());
    let convs = segments.iter().flat_map(Segment::convs);
    let largest = convs.map(|(shape, _)| shape.weight().iter().product::<usize>()).max().unwrap_or(0);
    largest as u64 * NUMBER
}

/// Features of images, one segment after the other.
pub fn features(work: &Work, tape: &mut Tape, images: Dry) -> Dry {
    segments(work.architecture()).iter().fold(images, |x, segment| segment.run(tape, x))
}

/// A step that keeps all activations.
pub fn recorded(work: &Work, tape: &mut Tape) {
    let images = tape.input(3, work.side, false);
    let features = features(work, tape, images.clone());
    let last = work.method.method().loss(work, tape, features);
    tape.backward(&last, None);
}

/// A step that keeps the segments' inputs, and computes the rest again. `adds` to a sum of gradients that is
/// there already: then none waits for the others.
pub fn recomputed(work: &Work, tape: &mut Tape, adds: bool) {
    let images = tape.input(3, work.side, false);
    let segments = segments(work.architecture());
    let mut inputs = Vec::new();
    tape.record(false);
    let features = segments.iter().fold(images.clone(), |x, segment| {
        if segment.learns() {
            inputs.push(x.clone());
        }
        segment.run(tape, x)
    });
    tape.record(true);
    let features = tape.detached(&features, true);
    let last = work.method.method().loss(work, tape, features.clone());
    let mut gradient = tape.backward(&last, Some(&features));
    drop(features);
    for segment in segments.iter().rev() {
        let Some(input) = inputs.pop() else { break };
        let input = tape.detached(&input, !inputs.is_empty());
        let output = segment.run(tape, input.clone());
        let product = tape.pointwise(&[&output], 0.0, false);
        drop(output);
        let next = tape.backward(&product, Some(&input));
        // Saved by the product until then.
        drop(gradient);
        gradient = next;
        if adds {
            tape.add_up();
        }
    }
}

/// A forward pass without gradients.
pub fn forward(work: &Work, tape: &mut Tape) {
    tape.record(false);
    let images = tape.input(3, work.side, false);
    let segments = segments(work.architecture());
    let features = segments.iter().fold(images, |x, segment| segment.run(tape, x));
    work.method.method().loss(work, tape, features);
}
