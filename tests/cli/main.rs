//! The command line as users and scripts meet it: a process, its exit status, and what it leaves on
//! disk. Everything runs on the CPU, on a small sample set.

mod benchmarks;
mod compare;
mod data;
mod devices;
mod export;
mod given_masks;
mod host;
mod interrupt;
mod pipeline;
mod process;
mod project;
mod report;
mod reproduce;
mod segmenter;
mod usage;
mod weights;
