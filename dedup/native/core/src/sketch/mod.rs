//! Tokens to what is compared cheaply: band keys, anchors, and the repeats of one article.

pub mod fingerprint;
mod grams;
mod minhash;

pub use fingerprint::{Options, Worker};
pub(crate) use fingerprint::{ArticlePrint, CodePoints, Fingerprints, Paragraph, Repeat};
pub use grams::{GRAM, Grams, RepeatScratch, Run, SharedScratch, find_repeats, find_shared_runs, hash_pairs};
pub(crate) use grams::{FirstSeen};
pub use minhash::{Bands};
