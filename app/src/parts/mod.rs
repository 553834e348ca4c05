//! Pieces of the page that know nothing of training.

pub mod bars;
pub mod box_marks;
pub mod chart;
pub mod confirm;
pub mod drop_zone;
pub mod field;
pub mod heat;
pub mod notice;
pub mod opacity;
pub mod pager;
pub mod panels;
pub mod photo;
pub mod press;
pub mod progress;
pub mod section;
