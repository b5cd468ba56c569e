//! Near-duplicates, boilerplate and redundancy of articles: a plain Rust library.

pub mod util;
pub mod store;
pub mod text;
pub mod sketch;
pub mod segment;
pub mod corpus;
pub mod agree;
pub mod matching;
pub mod formulas;
pub mod articles;
pub mod scoring;
pub mod read;

mod error;

pub mod matches;

pub use error::Error;
