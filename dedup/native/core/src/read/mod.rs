//! Files to articles, and the digest of a file.

mod columns;
pub mod csv;
pub mod digest;
mod json_elements;
pub mod jsonl;

pub use columns::{ArticleRows, StringColumn, to_signed};
pub use csv::Layout;
pub use json_elements::{Element, ElementPosition, Splitter};
pub use jsonl::Field;
