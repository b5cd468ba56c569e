//! Helpers for every folder: sets of numbers, threads, stopping, and CPU-specific code.

mod bitset;
pub mod parallel;
mod simd;
pub mod stop;

pub(crate) use bitset::{BitSet, IndexedBitSet};
pub(crate) use simd::{Kernel, dispatch};
pub use stop::Stop;
