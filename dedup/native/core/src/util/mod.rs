//! What every folder may use: sets of numbers, threads, stopping, and code chosen for a CPU.

mod bitset;
pub mod parallel;
mod simd;
pub mod stop;

pub(crate) use bitset::{BitSet, IndexedBitSet};
pub(crate) use simd::{Kernel, dispatch};
pub use stop::Stop;
