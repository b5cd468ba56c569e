//! Hashes of eight tokens in a row: anchors across articles, repeats within one.

use crate::text::combine;
use crate::util::{Kernel, dispatch};

/// Tokens in a gram. Eight rarely agree by chance, so few anchors are stock phrases.
pub const GRAM: usize = 8;

/// Hashes of neighbouring tokens. The vector is reused from text to text.
#[derive(Default)]
pub struct Grams {
    /// Of each `GRAM` tokens in a row.
    pub eights: Vec<u64>,
}

impl Grams {
    /// Replace the hashes by those of `tokens`.
    pub fn set(&mut self, tokens: &[u64]) {
        dispatch(HashGrams {
            tokens,
            eights: &mut self.eights,
        });
    }
}

struct HashGrams<'a> {
    tokens: &'a [u64],
    eights: &'a mut Vec<u64>,
}

impl Kernel for HashGrams<'_> {
    type Output = ();

    /// Pairs, then pairs of pairs, then pairs of those, each overwriting the ones before:
    /// three passes without a chain of sums.
    #[inline(always)]
    fn run(self) {
        combine_each(self.tokens, self.eights);
        combine_in_place(self.eights, 2);
        combine_in_place(self.eights, GRAM / 2);
    }
}

/// Replace `pairs` by the hash of each two tokens in a row: the features of a paragraph.
///
/// One edited word costs two features of n, and w with w-word shingles, which is why short
/// paragraphs keep their similarity. Single words as well would double the features and need
/// one more row per band, as common words are everywhere, to find the same near-copies.
pub fn hash_pairs(tokens: &[u64], pairs: &mut Vec<u64>) {
    dispatch(HashPairs { tokens, pairs });
}

struct HashPairs<'a> {
    tokens: &'a [u64],
    pairs: &'a mut Vec<u64>,
}

impl Kernel for HashPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        combine_each(self.tokens, self.pairs);
    }
}

/// Replace `out` by each hash combined with the next one.
#[inline(always)]
fn combine_each(hashes: &[u64], out: &mut Vec<u64>) {
    let behind = hashes.get(1..).unwrap_or_default();
    out.resize(behind.len(), 0);
    for ((out, first), second) in out.iter_mut().zip(hashes).zip(behind) {
        *out = combine(*first, *second);
    }
}

/// Replace each hash by itself combined with the one `distance` further on.
#[inline(always)]
fn combine_in_place(hashes: &mut Vec<u64>, distance: usize) {
    let kept = hashes.len().saturating_sub(distance);
    for i in 0..kept {
        hashes[i] = combine(hashes[i], hashes[i + distance]);
    }
    hashes.truncate(kept);
}
