//! The small network's layers.

use super::{ConvShape, StridePlan};

/// Kernel, channels and stride of each layer. Few large kernels: a pixel of the features sees 39 pixels
/// of the image, so that what a class looks like has to be found where the object is.
const LAYERS: [(usize, usize, usize); 7] =
    [(3, 16, 2), (3, 32, 2), (3, 48, 1), (3, 64, 2), (1, 96, 1), (1, 96, 1), (3, 96, 2)];

/// Seven convolutions, all of which learn.
#[derive(Debug, Clone, Copy)]
pub struct TinyShape {
    /// Input pixels per feature pixel: 16 or 8.
    pub output_stride: usize,
}

impl TinyShape {
    /// Channels of the features.
    pub const CHANNELS: usize = 96;

    /// In their order.
    pub fn layers(self) -> Vec<ConvShape> {
        let mut plan = StridePlan::new(self.output_stride);
        let mut input = 3;
        let layer = |(kernel, output, stride)| {
            // Only the last layer can lose its stride, and none follows that would have to dilate.
            let (stride, dilation, _) = plan.stage(stride);
            let shape = ConvShape::new(input, output, kernel).spaced(stride, dilation);
            input = output;
            shape
        };
        LAYERS.into_iter().map(layer).collect()
    }
}
