//! What decides: the longest common subsequence of two token sequences, exactly.
//!
//! Bit-parallel (Hyyrö 2004, "Bit-parallel LCS-length computation revisited"): one bit a token of
//! the shorter text, one pass over the longer, `n * ceil(m / 64)` word operations.

use serde::{Deserialize, Serialize};

use crate::grams::FirstSeen;

/// Word operations that one alignment may take, about a tenth of a second. Beyond it a pair is
/// not compared and counted as a limit.
pub const MAX_WORK: u64 = 1 << 27;
/// Bytes of bit vectors kept for a traceback; longer pairs are halved first (Hirschberg 1975).
const MAX_TRACE: usize = 1 << 24;

/// Word operations needed to align texts of these lengths.
pub fn work(left: usize, right: usize) -> u64 {
    let (short, long) = (left.min(right) as u64, left.max(right) as u64);
    long * short.div_ceil(64)
}

/// How alike two texts are, as counts of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agreement {
    pub shared: u32,
    pub left: u32,
    pub right: u32,
}

impl Agreement {
    /// Token-LCS Dice, 0 to 1: twice the shared tokens over all tokens.
    pub fn similarity(self) -> f64 {
        ratio(
            2 * u64::from(self.shared),
            u64::from(self.left) + u64::from(self.right),
        )
    }

    /// Share of the shorter text's tokens that the longer one holds in order.
    pub fn containment(self) -> f64 {
        ratio(u64::from(self.shared), u64::from(self.left.min(self.right)))
    }

    /// Jaccard of the aligned tokens: shared over the union, counted with multiplicity.
    pub fn jaccard(self) -> f64 {
        let union = u64::from(self.left) + u64::from(self.right) - u64::from(self.shared);
        ratio(u64::from(self.shared), union)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// When two texts count as near-copies.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub threshold: f64,
    pub containment: f64,
    pub min_shared: u32,
}

impl Rule {
    pub fn holds(self, agreement: Agreement) -> bool {
        agreement.similarity() >= self.threshold
            || (agreement.shared >= self.min_shared && agreement.containment() >= self.containment)
    }

    /// Whether texts of these lengths can be near-copies at all.
    pub fn possible(self, left: u32, right: u32) -> bool {
        self.holds(Agreement {
            shared: left.min(right),
            left,
            right,
        })
    }
}

/// The pattern of an alignment, prepared once and compared with many texts.
#[derive(Default)]
pub struct Pattern {
    tokens: Vec<u64>,
    /// Distinct tokens: slots of `seen` lead here.
    distinct: Vec<u64>,
    /// Of each distinct token: its bits, for patterns of up to 64 tokens.
    bits: Vec<u64>,
    /// Of each token: the next place of the same token, `END` behind the last.
    next: Vec<u32>,
    /// Of each distinct token: its first place.
    first: Vec<u32>,
    seen: FirstSeen,
    vector: Vec<u64>,
    matches: Vec<u64>,
}

const END: u32 = u32::MAX;

impl Pattern {
    pub fn set(&mut self, tokens: &[u64]) {
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
        self.distinct.clear();
        self.bits.clear();
        self.first.clear();
        self.next.clear();
        self.next.resize(tokens.len(), END);
        self.seen.reset(tokens.len());
        for (i, token) in tokens.iter().enumerate().rev() {
            let fresh = self.distinct.len() as u32;
            let distinct = &self.distinct;
            let at = self
                .seen
                .insert(*token, fresh, |j| distinct[j as usize] == *token);
            let at = at.unwrap_or_else(|| {
                self.distinct.push(*token);
                self.bits.push(0);
                self.first.push(END);
                fresh
            }) as usize;
            self.bits[at] |= 1 << (i % 64);
            self.next[i] = self.first[at];
            self.first[at] = i as u32;
        }
    }

    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    fn find(&self, token: u64) -> Option<usize> {
        self.seen
            .find(token, |j| self.distinct[j as usize] == token)
            .map(|at| at as usize)
    }

    /// Length of the longest common subsequence with `text`.
    pub fn shared(&mut self, text: &[u64]) -> u32 {
        if self.tokens.len() <= 64 {
            return self.shared_short(text);
        }
        self.sweep(text.iter().copied(), |_| {});
        count_zeros(&self.vector, self.tokens.len())
    }

    fn shared_short(&self, text: &[u64]) -> u32 {
        let mut vector = u64::MAX;
        for token in text {
            if let Some(at) = self.find(*token) {
                let matched = vector & self.bits[at];
                vector = vector.wrapping_add(matched) | (vector - matched);
            }
        }
        count_zeros(&[vector], self.tokens.len())
    }

    /// Run the recurrence over `text`, showing the vector after each token.
    fn sweep(&mut self, text: impl Iterator<Item = u64>, mut show: impl FnMut(&[u64])) {
        let words = self.tokens.len().div_ceil(64).max(1);
        let mut vector = std::mem::take(&mut self.vector);
        let mut matches = std::mem::take(&mut self.matches);
        vector.clear();
        vector.resize(words, u64::MAX);
        matches.clear();
        matches.resize(words, 0);
        for token in text {
            if let Some(at) = self.find(token) {
                self.mark(at, |place| matches[place / 64] |= 1 << (place % 64));
                advance(&mut vector, &matches);
                self.mark(at, |place| matches[place / 64] = 0);
            }
            show(&vector);
        }
        self.vector = vector;
        self.matches = matches;
    }

    fn mark(&self, at: usize, mut set: impl FnMut(usize)) {
        let mut place = self.first[at];
        while place != END {
            set(place as usize);
            place = self.next[place as usize];
        }
    }
}

/// One step of the recurrence, `V = (V + (V & M)) | (V - (V & M))`, with carry between words.
fn advance(vector: &mut [u64], matches: &[u64]) {
    let mut carry = false;
    for (word, matches) in vector.iter_mut().zip(matches) {
        let matched = *word & matches;
        let (sum, first) = word.overflowing_add(matched);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first | second;
        *word = sum | (*word - matched);
    }
}

/// Zeros among the first `len` bits: each is one token of the common subsequence.
fn count_zeros(vector: &[u64], len: usize) -> u32 {
    let ones: u32 = vector
        .iter()
        .enumerate()
        .map(|(i, word)| {
            let used = len.saturating_sub(i * 64).min(64);
            let keep = if used == 64 {
                u64::MAX
            } else {
                (1 << used) - 1
            };
            (word & keep).count_ones()
        })
        .sum();
    len as u32 - ones
}

/// Length of the longest common subsequence of two texts. Equal ends, which are most of a
/// near-copy, cost a comparison a token; `pattern` takes what is between them.
pub fn common_length(left: &[u64], right: &[u64], pattern: &mut Pattern) -> u32 {
    let (prefix, suffix) = equal_ends(left, right);
    let left = &left[prefix..left.len() - suffix];
    let right = &right[prefix..right.len() - suffix];
    let ends = (prefix + suffix) as u32;
    if left.is_empty() || right.is_empty() {
        return ends;
    }
    pattern.set(left);
    ends + pattern.shared(right)
}

/// How many tokens two texts share at their start, and of the rest at their end.
fn equal_ends(left: &[u64], right: &[u64]) -> (usize, usize) {
    let prefix = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let suffix = left[prefix..]
        .iter()
        .rev()
        .zip(right[prefix..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    (prefix, suffix)
}

/// The places (left, right) of a longest common subsequence, rising in both.
pub fn align(left: &[u64], right: &[u64]) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    align_into(left, right, 0, 0, &mut places);
    places
}

fn align_into(left: &[u64], right: &[u64], x: u32, y: u32, places: &mut Vec<(u32, u32)>) {
    let (prefix, suffix) = equal_ends(left, right);
    places.extend((0..prefix as u32).map(|i| (x + i, y + i)));
    let (left, right) = (&left[prefix..], &right[prefix..]);
    let (l, r) = (&left[..left.len() - suffix], &right[..right.len() - suffix]);
    let (x, y) = (x + prefix as u32, y + prefix as u32);
    if !l.is_empty() && !r.is_empty() {
        if r.len() * l.len().div_ceil(64) * 8 <= MAX_TRACE || r.len() == 1 {
            trace(l, r, x, y, places);
        } else {
            let middle = r.len() / 2;
            let cut = best_cut(l, &r[..middle], &r[middle..]);
            align_into(&l[..cut], &r[..middle], x, y, places);
            align_into(
                &l[cut..],
                &r[middle..],
                x + cut as u32,
                y + middle as u32,
                places,
            );
        }
    }
    let (x, y) = (x + l.len() as u32, y + r.len() as u32);
    places.extend((0..suffix as u32).map(|i| (x + i, y + i)));
}

/// Where to cut `left` so that aligning its parts with the two halves of `right` loses nothing.
fn best_cut(left: &[u64], first: &[u64], second: &[u64]) -> usize {
    let mut pattern = Pattern::default();
    pattern.set(left);
    pattern.sweep(first.iter().copied(), |_| {});
    let forward = prefix_zeros(&pattern.vector, left.len());
    let reversed: Vec<u64> = left.iter().rev().copied().collect();
    pattern.set(&reversed);
    pattern.sweep(second.iter().rev().copied(), |_| {});
    let backward = prefix_zeros(&pattern.vector, left.len());
    (0..=left.len())
        .max_by_key(|cut| (forward[*cut] + backward[left.len() - cut], usize::MAX - cut))
        .unwrap_or(0)
}

/// For each prefix of the pattern: the length of its common subsequence with the whole text.
fn prefix_zeros(vector: &[u64], len: usize) -> Vec<u32> {
    let mut total = 0;
    let zeros = (0..len).map(|i| {
        total += u32::from(vector[i / 64] >> (i % 64) & 1 == 0);
        total
    });
    std::iter::once(0).chain(zeros).collect()
}

/// Keep every vector of the recurrence and walk back from the end.
fn trace(left: &[u64], right: &[u64], x: u32, y: u32, places: &mut Vec<(u32, u32)>) {
    let mut pattern = Pattern::default();
    pattern.set(left);
    let words = left.len().div_ceil(64);
    let mut vectors = Vec::with_capacity(right.len() * words);
    pattern.sweep(right.iter().copied(), |vector| {
        vectors.extend_from_slice(vector);
    });
    let is_set =
        |row: usize, column: usize| vectors[row * words + column / 64] >> (column % 64) & 1 == 1;
    let (mut i, mut j) = (left.len(), right.len());
    let from = places.len();
    while i > 0 && j > 0 {
        if is_set(j - 1, i - 1) {
            i -= 1;
        } else {
            j -= 1;
            if j == 0 || is_set(j - 1, i - 1) {
                i -= 1;
                places.push((x + i as u32, y + j as u32));
            }
        }
    }
    places[from..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The textbook table.
    fn slow_lcs(left: &[u64], right: &[u64]) -> u32 {
        let mut row = vec![0; right.len() + 1];
        for a in left {
            let mut diagonal = 0;
            for (j, b) in right.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if a == b {
                    diagonal + 1
                } else {
                    above.max(row[j])
                };
                diagonal = above;
            }
        }
        row[right.len()]
    }

    fn shared(left: &[u64], right: &[u64]) -> u32 {
        let mut pattern = Pattern::default();
        pattern.set(left);
        pattern.shared(right)
    }

    proptest! {
        #[test]
        fn equal_ends_change_no_length(
            start in prop::collection::vec(0u64..4, 0..70),
            end in prop::collection::vec(0u64..4, 0..70),
            left in prop::collection::vec(0u64..4, 0..20),
            right in prop::collection::vec(0u64..4, 0..20),
        ) {
            let [left, right] = [left, right].map(|middle| [&start[..], &middle, &end].concat());
            let length = common_length(&left, &right, &mut Pattern::default());
            prop_assert_eq!(length, slow_lcs(&left, &right));
        }

        #[test]
        fn the_bit_parallel_length_is_that_of_the_textbook_table(
            left in prop::collection::vec(0u64..12, 0..200),
            right in prop::collection::vec(0u64..12, 0..200),
        ) {
            prop_assert_eq!(shared(&left, &right), slow_lcs(&left, &right));
        }

        #[test]
        fn an_alignment_is_a_common_subsequence_of_that_length(
            left in prop::collection::vec(0u64..9, 0..150),
            right in prop::collection::vec(0u64..9, 0..150),
        ) {
            let places = align(&left, &right);
            prop_assert_eq!(places.len() as u32, slow_lcs(&left, &right));
            prop_assert!(places.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            prop_assert!(places.iter().all(|(i, j)| left[*i as usize] == right[*j as usize]));
        }

        #[test]
        fn a_cut_for_halving_loses_nothing(
            left in prop::collection::vec(0u64..9, 1..80),
            right in prop::collection::vec(0u64..9, 2..80),
        ) {
            let (first, second) = right.split_at(right.len() / 2);
            let cut = best_cut(&left, first, second);
            let parts = slow_lcs(&left[..cut], first) + slow_lcs(&left[cut..], second);
            prop_assert_eq!(parts, slow_lcs(&left, &right));
        }
    }

    #[test]
    fn nothing_is_shared_with_an_empty_text() {
        assert_eq!(shared(&[], &[1, 2]), 0);
        assert_eq!(shared(&[1, 2], &[]), 0);
        assert!(align(&[], &[1]).is_empty());
    }

    #[test]
    fn containment_needs_enough_shared_words() {
        let rule = Rule {
            threshold: 0.8,
            containment: 0.9,
            min_shared: 12,
        };
        assert!(!rule.holds(Agreement {
            shared: 11,
            left: 11,
            right: 80
        }));
        assert!(rule.holds(Agreement {
            shared: 12,
            left: 12,
            right: 80
        }));
        assert!(rule.holds(Agreement {
            shared: 4,
            left: 5,
            right: 5
        }));
    }
}
