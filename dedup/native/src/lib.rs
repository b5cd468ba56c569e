//! Fingerprinting, matching and scoring of near-duplicate paragraphs.
//!
//! A plain Rust library; with the feature `python` it is also the module `dedup._native`.

pub mod align;
pub mod articles;
pub mod batch;
pub mod boilerplate;
pub mod candidates;
pub mod checkpoint;
pub mod clusters;
pub mod columns;
pub mod corpus;
pub mod csv;
pub mod digest;
pub mod elements;
pub mod error;
pub mod evidence;
pub mod exact;
pub mod exact_copies;
pub mod families;
pub mod fingerprint;
pub mod firsts;
pub mod formulas;
pub mod grams;
pub mod hash;
pub mod holders;
pub mod jsonl;
pub mod lines;
pub mod marks;
pub mod matches;
pub mod minhash;
pub mod pairs;
pub mod parallel;
pub mod partition;
#[cfg(feature = "python")]
mod python;
pub mod qualify;
pub mod redundancy;
pub mod relations;
pub mod sentences;
pub mod shelves;
pub mod simd;
pub mod split;
pub mod spool;
pub mod stop;
pub mod templates;
pub mod texts;
pub mod tokenize;
pub mod unicode;
