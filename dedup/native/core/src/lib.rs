//! Near-duplicates, boilerplate and redundancy of articles: a plain Rust library.

pub mod agree;
pub mod articles;
pub mod corpus;
pub mod formulas;
pub mod matching;
pub mod read;
pub mod scoring;
pub mod segment;
pub mod sketch;
pub mod store;
pub mod text;
pub mod util;

mod error;
pub mod flow;

pub mod matches;

pub use error::Error;
