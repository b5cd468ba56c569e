//! The decisive measure: the exact longest common subsequence of two token sequences.
//!
//! Bit-parallel (Hyyrö 2004, "Bit-parallel LCS-length computation revisited"): one bit per token of
//! the shorter text, one pass over the longer, `n * ceil(m / 64)` word operations. Where that is too
//! much, texts are cut at rare words that both hold in the same order, and aligned between those.

use crate::sketch::{FirstSeen, GRAM, Grams};

/// Word operations that one alignment may take, about a tenth of a second: that of two texts of
/// 90,000 tokens. Longer ones are cut at anchors; stretches still too long are not aligned, and
/// counted as a limit.
pub const MAX_WORK: u64 = 1 << 27;
/// One gram in this many can be an anchor of long texts.
const ANCHORS: u64 = 8;
/// Bytes of bit vectors kept for a traceback; longer pairs are halved first (Hirschberg 1975).
const MAX_TRACE: usize = 1 << 24;

/// Word operations needed to align texts of these lengths.
pub fn work(left: usize, right: usize) -> u64 {
    let (short, long) = (left.min(right) as u64, left.max(right) as u64);
    long * short.div_ceil(64)
}

/// Whether aligning texts of these lengths takes too long, unless they are cut.
pub fn takes_long(left: usize, right: usize) -> bool {
    work(left, right) > MAX_WORK
}

/// The pattern of an alignment, prepared once and compared with many texts.
#[derive(Default)]
pub struct LcsPattern {
    tokens: Vec<u64>,
    /// Distinct tokens: slots of `seen` lead here.
    distinct: Vec<u64>,
    /// Of each distinct token: its bits, for patterns of up to 64 tokens.
    bits: Vec<u64>,
    /// Of each token: the next place of the same token, `END` after the last.
    next: Vec<u32>,
    /// Of each distinct token: its first place.
    first: Vec<u32>,
    /// Of each distinct token: how often it appears.
    counts: Vec<u32>,
    /// Of each distinct token: where in `masks` its bits are, `END` if it is too rare to have any.
    mask_at: Vec<u32>,
    /// The bits of frequent tokens, which would take longer to set one by one.
    masks: Vec<u64>,
    seen: FirstSeen,
    vector: Vec<u64>,
    matches: Vec<u64>,
}

const END: u32 = u32::MAX;

impl LcsPattern {
    pub fn set(&mut self, tokens: &[u64]) {
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
        self.distinct.clear();
        self.bits.clear();
        self.first.clear();
        self.counts.clear();
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
                self.counts.push(0);
                fresh
            }) as usize;
            self.bits[at] |= 1 << (i % 64);
            self.counts[at] += 1;
            self.next[i] = self.first[at];
            self.first[at] = i as u32;
        }
        self.set_masks();
    }

    /// Make the bits of tokens that appear as often as a vector has words. They are 64 tokens at
    /// most, whatever the text, and with them no token takes longer than its vector is long.
    fn set_masks(&mut self) {
        self.mask_at.clear();
        self.mask_at.resize(self.distinct.len(), END);
        self.masks.clear();
        let words = self.tokens.len().div_ceil(64);
        if words <= 1 {
            return;
        }
        for at in 0..self.distinct.len() {
            if self.counts[at] as usize >= words {
                let from = self.masks.len();
                let mut masks = std::mem::take(&mut self.masks);
                masks.resize(from + words, 0);
                self.mark(at, |place| masks[from + place / 64] |= 1 << (place % 64));
                self.masks = masks;
                self.mask_at[at] = from as u32;
            }
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
                if self.mask_at[at] == END {
                    self.mark(at, |place| matches[place / 64] |= 1 << (place % 64));
                    advance(&mut vector, &matches);
                    self.mark(at, |place| matches[place / 64] = 0);
                } else {
                    let from = self.mask_at[at] as usize;
                    advance(&mut vector, &self.masks[from..from + words]);
                }
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

/// Length of the longest common subsequence of two texts, and whether it is only a lower bound, as
/// they are too long. Equal ends, which are most of a near-copy, cost one comparison per token;
/// `pattern` aligns what is between them.
pub fn measure(left: &[u64], right: &[u64], pattern: &mut LcsPattern) -> (u32, bool) {
    measure_within(left, right, MAX_WORK, pattern)
}

fn measure_within(left: &[u64], right: &[u64], max: u64, pattern: &mut LcsPattern) -> (u32, bool) {
    let (stretches, is_cut) = cut(left, right, max);
    let length = |stretch: &Stretch| {
        let [l, r] = stretch.of(left, right);
        if stretch.is_equal {
            l.len() as u32
        } else {
            pattern.set(l);
            pattern.shared(r)
        }
    };
    (stretches.iter().map(length).sum(), is_cut)
}

/// Length of the longest common subsequence of two texts, or a lower bound.
pub fn common_length(left: &[u64], right: &[u64], pattern: &mut LcsPattern) -> u32 {
    measure(left, right, pattern).0
}

/// Tokens of two texts that are aligned with each other.
#[derive(Clone, Copy)]
struct Stretch {
    starts: [usize; 2],
    ends: [usize; 2],
    is_equal: bool,
}

impl Stretch {
    fn of<'a>(&self, left: &'a [u64], right: &'a [u64]) -> [&'a [u64]; 2] {
        let [x, y] = self.starts;
        [&left[x..self.ends[0]], &right[y..self.ends[1]]]
    }
}

/// Cut two texts into stretches, in order, that take at most `max` word operations to align; and
/// say whether something had to be left out.
///
/// Equal ends are cut off, which loses nothing. If what is between them is too long, it is cut at
/// grams that each text holds once, as many as are in the same order in both (patience diff), and
/// at the equal words that follow them in both.
fn cut(left: &[u64], right: &[u64], max: u64) -> (Vec<Stretch>, bool) {
    let (prefix, suffix) = equal_ends(left, right);
    let mut cutter = Cutter {
        at: [0, 0],
        allowed: max,
        stretches: Vec::new(),
        is_cut: false,
    };
    cutter.equal([0, 0], prefix);
    let ends = [left.len() - suffix, right.len() - suffix];
    let (l, r) = (&left[prefix..ends[0]], &right[prefix..ends[1]]);
    if work(l.len(), r.len()) > max {
        for (x, y) in find_anchors(l, r) {
            let starts = [prefix + x, prefix + y];
            if starts[0] >= cutter.at[0] && starts[1] >= cutter.at[1] {
                let (l, r) = (&left[starts[0]..ends[0]], &right[starts[1]..ends[1]]);
                cutter.equal(starts, equal_ends(l, r).0);
            }
        }
    }
    cutter.equal(ends, suffix);
    (cutter.stretches, cutter.is_cut)
}

struct Cutter {
    /// The stretches cut so far.
    at: [usize; 2],
    /// Word operations that aligning the rest may take.
    allowed: u64,
    stretches: Vec<Stretch>,
    is_cut: bool,
}

impl Cutter {
    /// Add `len` equal tokens, and what is before them.
    fn equal(&mut self, starts: [usize; 2], len: usize) {
        let [l, r] = [0, 1].map(|side| starts[side] - self.at[side]);
        let needed = work(l, r);
        if l > 0 && r > 0 && needed > self.allowed {
            self.is_cut = true;
        } else if l > 0 && r > 0 {
            self.allowed -= needed;
            self.stretches.push(Stretch {
                starts: self.at,
                ends: starts,
                is_equal: false,
            });
        }
        let ends = starts.map(|start| start + len);
        if len > 0 {
            self.stretches.push(Stretch {
                starts,
                ends,
                is_equal: true,
            });
        }
        self.at = ends;
    }
}

/// Places of grams that each of two texts holds once, rising in both.
fn find_anchors(left: &[u64], right: &[u64]) -> Vec<(usize, usize)> {
    let (l, r) = (unique_grams(left), unique_grams(right));
    let mut others = r.iter().peekable();
    let mut both: Vec<(usize, usize)> = Vec::new();
    for (hash, x) in &l {
        while others.next_if(|(other, _)| other < hash).is_some() {}
        if let Some((_, y)) = others.next_if(|(other, _)| other == hash)
            && left[*x..*x + GRAM] == right[*y..*y + GRAM]
        {
            both.push((*x, *y));
        }
    }
    both.sort_unstable();
    longest_rising(&both)
}

/// Some grams of a text that it holds once, and their places, by hash.
fn unique_grams(tokens: &[u64]) -> Vec<(u64, usize)> {
    let mut grams = Grams::default();
    grams.set(tokens);
    let places = grams.eights.iter().copied().zip(0..);
    let mut some: Vec<(u64, usize)> = places.filter(|(hash, _)| hash % ANCHORS == 0).collect();
    some.sort_unstable();
    let same = some.chunk_by(|a, b| a.0 == b.0);
    same.filter(|s| s.len() == 1).map(|s| s[0]).collect()
}

/// The longest chain of places whose second numbers rise as well as the first ones, which all do.
fn longest_rising(places: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The last of the best chain of each length, and what comes before each place in its chain.
    let mut lasts: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(places.len());
    for (i, (_, y)) in places.iter().enumerate() {
        let len = lasts.partition_point(|last| places[*last].1 < *y);
        before.push(len.checked_sub(1).map(|shorter| lasts[shorter]));
        if len == lasts.len() {
            lasts.push(i);
        } else {
            lasts[len] = i;
        }
    }
    let mut chain: Vec<(usize, usize)> = Vec::with_capacity(lasts.len());
    let mut at = lasts.last().copied();
    while let Some(i) = at {
        chain.push(places[i]);
        at = before[i];
    }
    chain.reverse();
    chain
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

/// The places (left, right) of a longest common subsequence, rising in both, or of the part that
/// was found: as many as `measure` says.
pub fn align(left: &[u64], right: &[u64]) -> Vec<(u32, u32)> {
    align_within(left, right, MAX_WORK)
}

fn align_within(left: &[u64], right: &[u64], max: u64) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    for stretch in cut(left, right, max).0 {
        let [l, r] = stretch.of(left, right);
        let [x, y] = stretch.starts.map(|start| start as u32);
        if stretch.is_equal {
            places.extend((0..l.len() as u32).map(|i| (x + i, y + i)));
        } else {
            align_into(l, r, x, y, &mut places);
        }
    }
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
    let mut pattern = LcsPattern::default();
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
    let mut pattern = LcsPattern::default();
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
    use crate::text::combine;
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
        let mut pattern = LcsPattern::default();
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
            let length = common_length(&left, &right, &mut LcsPattern::default());
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
        fn long_texts_of_few_words_have_the_length_of_the_textbook_table(
            left in prop::collection::vec(0u64..3, 60..700),
            right in prop::collection::vec(0u64..3, 60..700),
        ) {
            prop_assert_eq!(shared(&left, &right), slow_lcs(&left, &right));
        }

        #[test]
        fn what_is_cut_to_be_aligned_is_a_common_subsequence(
            left in prop::collection::vec(0u64..4, 0..300),
            right in prop::collection::vec(0u64..4, 0..300),
            max in 0u64..1500,
        ) {
            let (length, is_cut) = measure_within(&left, &right, max, &mut LcsPattern::default());
            let longest = slow_lcs(&left, &right);
            prop_assert!(length <= longest);
            if work(left.len(), right.len()) <= max {
                prop_assert_eq!((length, is_cut), (longest, false));
            }
            let places = align_within(&left, &right, max);
            prop_assert_eq!(places.len() as u32, length);
            prop_assert!(places.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            prop_assert!(places.iter().all(|(i, j)| left[*i as usize] == right[*j as usize]));
        }

        #[test]
        fn near_copies_that_are_cut_at_anchors_lose_nothing(
            edits in prop::collection::vec((0usize..2000, 0u8..3), 1..12),
        ) {
            let left: Vec<u64> = (0..2000).map(|i| combine(i, 7)).collect();
            let mut right = left.clone();
            for (number, (at, kind)) in edits.iter().enumerate() {
                let (at, word) = (at % right.len(), combine(number as u64, 8));
                match kind {
                    0 => right[at] = word,
                    1 => right.insert(at, word),
                    _ => drop(right.remove(at)),
                }
            }
            let mut pattern = LcsPattern::default();
            let exact = measure(&left, &right, &mut pattern);
            prop_assert_eq!(exact.0, slow_lcs(&left, &right));
            let max = work(2000, 2000) / 4;
            prop_assert_eq!(measure_within(&left, &right, max, &mut pattern), exact);
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
    fn what_is_too_long_and_has_no_anchor_is_left_out() {
        let (left, right) = (
            [vec![1; 400], vec![9]].concat(),
            [vec![2; 400], vec![9]].concat(),
        );
        let (length, is_cut) = measure_within(&left, &right, 10, &mut LcsPattern::default());
        assert_eq!((length, is_cut), (1, true));
    }

    #[test]
    fn nothing_is_shared_with_an_empty_text() {
        assert_eq!(shared(&[], &[1, 2]), 0);
        assert_eq!(shared(&[1, 2], &[]), 0);
        assert!(align(&[], &[1]).is_empty());
    }
}
