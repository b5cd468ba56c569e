//! Bytes to tokens: paragraphs, words, sentences, and the hashes of all of them.

mod hash;
mod paragraphs;
mod sentences;
mod tokenize;
mod unicode;

pub use hash::{FINGERPRINT_VERSION};
pub(crate) use hash::{Identity, SEEDS, combine, fold_multiply, hash_tokens};
pub use paragraphs::{Paragraphs, split};
pub use tokenize::{Tokens, tokenize};
pub(crate) use tokenize::{WORD_WEIGHT, weight};
pub(crate) use unicode::{look_up};
