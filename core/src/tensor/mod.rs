//! The few tensor operations that burn lacks, each with its test.

pub mod nearest;
pub mod rank_threshold;
pub mod read;
pub mod resize;

pub use nearest::nearest;
pub use rank_threshold::{rank_of_share, value_at_rank};
pub use read::read_all;
pub use resize::resize;

#[cfg(test)]
pub(crate) mod finite_difference;
