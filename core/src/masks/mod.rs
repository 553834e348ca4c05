//! From score maps to masks: threshold → labels → refinement → metric. No tensor library here: maps
//! arrive as plain arrays, so that the same code serves the worker, the CLI and the tests.

pub mod dense_crf;
pub mod doubt;
pub mod grabcut;
pub mod label_map;
pub mod metric;
pub mod objects;
pub mod outline;
mod parallel;
pub mod permutohedral;
pub mod polygon;
pub mod rescale;
pub mod run_lengths;
pub mod score_maps;
pub mod superpixel;
mod sweep;
pub mod threshold;
pub mod threshold_search;
pub mod trace;

pub use label_map::{IGNORE, LabelMap};
pub use metric::Confusion;
pub use objects::Objects;
pub use outline::Outline;
pub use polygon::Polygon;
pub use score_maps::ScoreMaps;
pub use superpixel::Superpixels;
pub use threshold::{Activation, Background};
