//! Bytes to tokens: paragraphs, words, sentences, and the hashes of all of them.

mod code_points;
mod hash;
mod paragraphs;
mod sentences;
mod tokenize;
mod unicode;

pub(crate) use code_points::CodePoints;
pub use hash::FINGERPRINT_VERSION;
pub(crate) use hash::{Identity, SEEDS, combine, fold_multiply, hash_tokens};
pub use paragraphs::{ParagraphMode, split};
pub use tokenize::{Tokens, tokenize};
pub(crate) use tokenize::{WORD_WEIGHT, weight};
pub(crate) use unicode::look_up;
