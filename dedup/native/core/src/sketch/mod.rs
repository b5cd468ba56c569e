//! Tokens to sketches that are cheap to compare: band keys, anchors, and the repeats of an article.

mod anchors;
pub mod fingerprint;
mod grams;
mod minhash;
mod repeats;
mod runs;

pub(crate) use fingerprint::{ArticlePrint, Fingerprints, Paragraph, Repeat};
pub use fingerprint::{Options, Worker};
pub use grams::{GRAM, Grams, hash_pairs};
pub use minhash::Bands;
pub use repeats::{RepeatScratch, find_repeats};
pub use runs::Run;
pub(crate) use runs::{FirstSeen, Runs, width, window_hash};
