//! The feature networks as ONNX's operators: what `backbone` computes, from the same descriptions.

use super::graph::{Attribute, Value};
use super::layers::Layers;
use crate::architecture::{
    Architecture, MobileNetV2Shape, ResNet38Block, ResNet38Shape, ResNetBlock, ResNetShape, TinyShape,
};
use crate::backbone::tiny::INPUT_MEAN;
use crate::error::Result;

use Attribute::Ints;

/// Features `[N, K, h, w]` of normalised images `[N, 3, H, W]`.
pub fn features(layers: &mut Layers<'_>, architecture: Architecture, images: &Value) -> Result<Value> {
    match architecture {
        Architecture::Tiny(shape) => tiny(layers, shape, images),
        Architecture::MobileNetV2(shape) => mobilenet_v2(layers, shape, images),
        Architecture::ResNet(shape) => resnet(layers, shape, images),
        Architecture::ResNet38(shape) => resnet38(layers, shape, images),
    }
}

fn tiny(layers: &mut Layers<'_>, shape: TinyShape, images: &Value) -> Result<Value> {
    let mean = layers.take(INPUT_MEAN, &[3])?;
    let mean = layers.graph.weights(INPUT_MEAN, &[1, 3, 1, 1], &mean);
    let mut x = layers.apply("Sub", &[images, &mean]);
    for (index, shape) in shape.layers().into_iter().enumerate() {
        let name = format!("layers.{index}");
        let y = layers.conv(&x, &format!("{name}.conv"), shape)?;
        let y = layers.channel_norm(&y, &format!("{name}.norm"), shape.output)?;
        let y = layers.relu(&y);
        let is_residual = shape.stride == 1 && shape.input == shape.output;
        x = if is_residual { layers.apply("Add", &[&x, &y]) } else { y };
    }
    Ok(x)
}

fn mobilenet_v2(layers: &mut Layers<'_>, shape: MobileNetV2Shape, images: &Value) -> Result<Value> {
    let x = layers.conv_norm(images, "features.0.0", "features.0.1", shape.stem())?;
    let mut x = layers.relu6(&x);
    for (index, block) in shape.blocks().into_iter().enumerate() {
        let name = format!("features.{}.conv", index + 1);
        let mut hidden = x.clone();
        if let Some(expand) = block.expand {
            hidden = layers.conv_norm(&hidden, &format!("{name}.0.0"), &format!("{name}.0.1"), expand)?;
            hidden = layers.relu6(&hidden);
        }
        // torchvision counts the parts of the block; without an expansion they move up by one.
        let first = usize::from(block.expand.is_some());
        let (conv, norm) = (format!("{name}.{first}.0"), format!("{name}.{first}.1"));
        let filtered = layers.conv_norm(&hidden, &conv, &norm, block.depthwise)?;
        let filtered = layers.relu6(&filtered);
        let (conv, norm) = (format!("{name}.{}", first + 1), format!("{name}.{}", first + 2));
        let y = layers.conv_norm(&filtered, &conv, &norm, block.project)?;
        x = if block.residual() { layers.apply("Add", &[&y, &x]) } else { y };
    }
    let x = layers.conv_norm(&x, "features.18.0", "features.18.1", shape.last())?;
    Ok(layers.relu6(&x))
}

fn resnet(layers: &mut Layers<'_>, shape: ResNetShape, images: &Value) -> Result<Value> {
    let x = layers.conv_norm(images, "conv1", "bn1", shape.stem())?;
    let x = layers.relu(&x);
    let pooling = [("kernel_shape", Ints(&[3, 3])), ("strides", Ints(&[2, 2])), ("pads", Ints(&[1; 4]))];
    let mut x = layers.graph.node("MaxPool", &[&x], &pooling);
    for block in shape.blocks() {
        x = resnet_block(layers, &block, &x)?;
    }
    Ok(x)
}

fn resnet_block(layers: &mut Layers<'_>, block: &ResNetBlock, input: &Value) -> Result<Value> {
    let name = &block.name;
    let mut x = input.clone();
    for (index, &shape) in block.convs.iter().enumerate() {
        let number = index + 1;
        x = layers.conv_norm(&x, &format!("{name}.conv{number}"), &format!("{name}.bn{number}"), shape)?;
        if number < block.convs.len() {
            x = layers.relu(&x);
        }
    }
    let shortcut = match block.downsample {
        Some(shape) => {
            let (conv, norm) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
            layers.conv_norm(input, &conv, &norm, shape)?
        }
        None => input.clone(),
    };
    let sum = layers.apply("Add", &[&x, &shortcut]);
    Ok(layers.relu(&sum))
}

fn resnet38(layers: &mut Layers<'_>, shape: ResNet38Shape, images: &Value) -> Result<Value> {
    let mut x = layers.conv(images, "conv1a", shape.stem())?;
    for block in shape.blocks() {
        x = resnet38_block(layers, &block, &x)?;
    }
    let x = layers.norm(&x, "bn7", ResNet38Shape::CHANNELS)?;
    Ok(layers.relu(&x))
}

fn resnet38_block(layers: &mut Layers<'_>, block: &ResNet38Block, input: &Value) -> Result<Value> {
    let name = &block.name;
    let channels = block.convs.first().map_or(0, |conv| conv.input);
    let branch = layers.norm(input, &format!("{name}.bn_branch2a"), channels)?;
    let branch = layers.relu(&branch);
    // The shortcut of a block that changes shape starts behind the norm.
    let shortcut = match block.shortcut {
        Some(shape) => layers.conv(&branch, &format!("{name}.conv_branch1"), shape)?,
        None => input.clone(),
    };
    let mut x = branch;
    for (index, (&shape, part)) in block.convs.iter().zip(["2a", "2b1", "2b2"]).enumerate() {
        let conv = format!("{name}.conv_branch{part}");
        // Behind each but the last stands a norm.
        x = match ["2b1", "2b2"].get(index).filter(|_| index + 1 < block.convs.len()) {
            Some(norm) => {
                let x = layers.conv_norm(&x, &conv, &format!("{name}.bn_branch{norm}"), shape)?;
                layers.relu(&x)
            }
            None => layers.conv(&x, &conv, shape)?,
        };
    }
    Ok(layers.apply("Add", &[&shortcut, &x]))
}
