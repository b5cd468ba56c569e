//! Near-duplicates, boilerplate and redundancy of articles: a plain Rust library.
//!
//! # The steps
//!
//! | step | folder | in | out |
//! |---|---|---|---|
//! | read | [`read`] | bytes of a file | rows of articles |
//! | tokenise | [`text`] | the text of an article | paragraphs, words as 64-bit hashes, sentences |
//! | fingerprint | [`sketch`] | the words of a paragraph | band keys, anchors, repeats |
//! | keep | [`segment`], [`store`] | one fingerprinted batch | its bytes on disk |
//! | collapse | [`corpus`] | all batches, and their order | distinct paragraphs, first seen first |
//! | propose | [`matching`] | band keys, anchors | candidates |
//! | decide | [`agree`], [`matching`] | candidates | pairs, shared runs |
//! | set aside | [`formulas`] | pairs, texts | templates, and pairs that hold without them |
//! | cluster | [`matching`] | pairs | stars around the first seen |
//! | classify | [`formulas`] | clusters | boilerplate, syndication |
//! | relate | [`articles`] | pairs, runs | evidence by paragraph, article pairs and clusters |
//! | judge | [`scoring`] | [`matches`](mod@matches) | words by kind, spans |
//!
//! [`flow`] has the order of the steps after verification.
//!
//! # Who may use whom
//!
//! A folder uses only those before it in this list, which `tests/project/test_architecture.py` checks:
//!
//! `error`, `util`, `store`, `text`, `sketch`, `segment`, `corpus`, `agree`, `matching`,
//! `formulas`, `articles`, `matches`, `scoring`, `flow`; `read` uses only `error` and `util`.
//!
//! # Terms
//!
//! - A *token* is the hash of a normalised word; a *distinct* is one set of paragraphs with equal
//!   words, numbered in first-seen order.
//! - A *candidate* is two distincts worth comparing, a *pair* is one that alignment confirmed.
//! - A *star* is a cluster: every member was compared with its representative, the first seen.

pub mod agree;
pub mod articles;
pub mod corpus;
mod error;
pub mod flow;
pub mod formulas;
pub mod matches;
pub mod matching;
pub mod read;
pub mod scoring;
pub mod segment;
pub mod sketch;
pub mod store;
pub mod text;
pub mod util;

pub use error::Error;
