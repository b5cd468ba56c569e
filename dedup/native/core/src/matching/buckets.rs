//! Which paragraphs are worth comparing: those that share a band key or an anchor.
//!
//! Partition by partition: a bitmap drops the keys that occur once, which are nearly all; the
//! others are sorted into buckets. Each member of a bucket is paired with the bucket's leaders, the
//! first few seen, and with the few seen just before it, so a bucket of m paragraphs gives at most
//! `2 * max_leaders * m` candidates, not m squared. The ones just before link the members of a
//! family, so that `families::complete` can find the rest of it.

use serde::{Deserialize, Serialize};

use crate::agree::Allowance;
use crate::corpus::{Block, Corpus, TokenStore};
use crate::error::Error;
use crate::matching::exact_join as exact;
use crate::store::{PARTITIONS, ROW_BYTES, range_of, unpack};
use crate::util::{parallel, stop};

/// Bits of the bitmap for each row: one in eight of the keys that occur once passes by accident.
const BITS_PER_ROW: usize = 8;

/// Partitions whose pairs are held before those found twice are dropped: very similar near-copies
/// meet in most of their bands.
const TURN: usize = 32;

/// Two distincts, the earlier seen first.
pub type Candidate = (u32, u32);

/// By the later distinct, then by the earlier one: all comparisons of a text are together, and
/// texts that were seen later come after it.
pub fn by_later((left, right): Candidate) -> (u32, u32) {
    (right, left)
}

#[derive(Default, Serialize, Deserialize)]
pub struct Candidates {
    /// Sorted by the later distinct, without repeats.
    pub pairs: Vec<Candidate>,
    /// Buckets with more members than leaders, where not every two were paired.
    pub capped_buckets: u64,
    /// Pairs left out, as comparing the later text with all of its candidates takes too long.
    pub costly: u64,
}

impl Candidates {
    fn extend(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.capped_buckets += other.capped_buckets;
        self.costly += other.costly;
    }

    /// Put the pairs in order, each once.
    fn sort(&mut self) {
        // A stable sort detects what is sorted already, and merges the rest into it.
        let order = stop::checked_order();
        self.pairs
            .sort_by(|a, b| order(&by_later(*a), &by_later(*b)));
        self.pairs.dedup();
    }

    /// Leave out the pairs that take too long to compare; the earliest seen are compared first.
    fn bound(&mut self, tokens: impl Fn(u32) -> u32) {
        let all = self.pairs.len();
        let mut allowance = Allowance::default();
        self.pairs
            .retain(|(left, right)| allowance.take(*right, tokens(*right), tokens(*left)));
        self.costly += (all - self.pairs.len()) as u64;
        self.pairs.shrink_to_fit();
    }

    /// Whether two distincts are among them.
    pub fn has(&self, candidate: &Candidate) -> bool {
        let key = by_later(*candidate);
        self.pairs
            .binary_search_by_key(&key, |c| by_later(*c))
            .is_ok()
    }
}

/// Pair the distincts that share a band key or an anchor.
///
/// # Errors
/// The spool cannot be read.
pub fn find_candidates(
    corpus: &Corpus,
    max_leaders: usize,
    threads: usize,
) -> Result<Candidates, Error> {
    let mut all = pair_blocks(corpus, &corpus.bands, max_leaders, threads)?;
    all.extend(pair_blocks(corpus, &corpus.anchors, max_leaders, threads)?);
    all.sort();
    all.bound(|distinct| corpus.tokens(distinct));
    Ok(all)
}

/// Pair the distincts of `min_tokens` or more that share enough words, by a full join, and any
/// that share an anchor.
///
/// # Errors
/// The spool cannot be read.
pub fn join_candidates(
    corpus: &Corpus,
    threshold: f64,
    min_tokens: u32,
    max_leaders: usize,
    threads: usize,
) -> Result<Candidates, Error> {
    let long: Vec<u32> = (0..corpus.distincts() as u32)
        .filter(|distinct| corpus.tokens(*distinct) >= min_tokens)
        .collect();
    let store = TokenStore::load(corpus, long.clone(), threads)?;
    let mut all = Candidates {
        pairs: exact::join(&store, &long, threshold, threads),
        ..Candidates::default()
    };
    all.extend(pair_blocks(corpus, &corpus.anchors, max_leaders, threads)?);
    all.sort();
    all.bound(|distinct| corpus.tokens(distinct));
    Ok(all)
}

/// Pair the distincts that share a key in `blocks`.
fn pair_blocks(
    corpus: &Corpus,
    blocks: &[Block],
    max_leaders: usize,
    threads: usize,
) -> Result<Candidates, Error> {
    let mut all = Candidates::default();
    let mut sorted = 0;
    for turn in 0..PARTITIONS / TURN {
        let parts = parallel::map(threads, TURN, |i| {
            let mut rows = read_partition(corpus, blocks, turn * TURN + i)?;
            keep_repeated(&mut rows);
            Ok(pair_buckets(&rows, max_leaders))
        });
        for part in parts {
            all.extend(part?);
        }
        // Not in every turn: each time everything sorted so far is read again.
        if all.pairs.len() >= 2 * sorted {
            all.sort();
            sorted = all.pairs.len();
        }
    }
    all.sort();
    Ok(all)
}

/// A key above the distinct it belongs to. The highest 8 of the key's 40 bits are those of its
/// partition, so the other 32 distinguish keys within one.
fn to_row(key: u64, distinct: u32) -> u64 {
    (key << 32) | u64::from(distinct)
}

fn split_row(row: u64) -> (u32, u32) {
    ((row >> 32) as u32, row as u32)
}

/// The rows of a partition, one of each set of equal paragraphs.
fn read_partition(corpus: &Corpus, blocks: &[Block], partition: usize) -> Result<Vec<u64>, Error> {
    let ranges = blocks.iter().map(|block| range_of(&block.ends, partition));
    let bytes: usize = ranges.clone().map(|range| range.len()).sum();
    let mut rows = Vec::with_capacity(bytes / ROW_BYTES);
    let mut buffer = Vec::new();
    for (block, range) in blocks.iter().zip(ranges) {
        stop::check();
        buffer.resize(range.len(), 0);
        corpus
            .spool
            .read(block.at + range.start as u64, &mut buffer)?;
        for (key, paragraph) in unpack(&buffer) {
            let paragraph = block.base + paragraph;
            if corpus.carriers.has(paragraph) {
                rows.push(to_row(key, corpus.distinct_of[paragraph as usize]));
            }
        }
    }
    Ok(rows)
}

/// Drop the rows whose key occurs once; sort the others.
fn keep_repeated(rows: &mut Vec<u64>) {
    let bits = (rows.len() * BITS_PER_ROW).next_power_of_two().max(64);
    // Once and twice side by side: one cache line a look-up.
    let mut seen = vec![[0u64; 2]; bits / 64];
    let place = |row: u64| {
        let bit = (row >> 32) as usize & (bits - 1);
        (bit / 64, 1u64 << (bit % 64))
    };
    for row in rows.iter() {
        let (word, bit) = place(*row);
        let [once, twice] = &mut seen[word];
        *twice |= *once & bit;
        *once |= bit;
    }
    rows.retain(|row| {
        let (word, bit) = place(*row);
        seen[word][1] & bit != 0
    });
    rows.sort_unstable();
    rows.dedup();
}

/// Pair the members of each bucket with its leaders and with those just before them.
fn pair_buckets(rows: &[u64], max_leaders: usize) -> Candidates {
    let mut out = Candidates::default();
    for bucket in rows
        .chunk_by(|a, b| a >> 32 == b >> 32)
        .filter(|bucket| bucket.len() > 1)
    {
        stop::check();
        out.capped_buckets += u64::from(bucket.len() > 2 * max_leaders + 1);
        for (i, row) in bucket.iter().enumerate().skip(1) {
            let (_, member) = split_row(*row);
            let leaders = &bucket[..i.min(max_leaders)];
            let recent = &bucket[i.saturating_sub(max_leaders).max(leaders.len())..i];
            let earlier = leaders.iter().chain(recent);
            out.pairs
                .extend(earlier.map(|row| (split_row(*row).1, member)));
        }
    }
    out.sort();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_left_out_and_counted() {
        let tokens = |distinct| [50_000, 20, 50_000][distinct as usize % 3];
        let pairs: Vec<Candidate> = (0..90).map(|left| (left, 92)).collect();
        let mut candidates = Candidates {
            pairs: pairs.clone(),
            ..Candidates::default()
        };
        candidates.bound(tokens);
        let kept = candidates.pairs.len();
        assert!((10..60).contains(&kept), "{kept} of 90 were kept");
        assert_eq!(candidates.costly, (90 - kept) as u64);
        assert!(candidates.has(&(0, 92)) && candidates.has(&(88, 92)));
        assert!(
            !candidates.has(&(89, 92)),
            "a long one does not fit any more"
        );
    }

    #[test]
    fn later_texts_change_nothing_for_earlier_ones() {
        let tokens = |distinct| 30_000 + distinct;
        let pairs = |items: u32| (0..items).flat_map(|right| (0..right).map(move |l| (l, right)));
        let bound = |items| {
            let mut candidates = Candidates {
                pairs: pairs(items).collect(),
                ..Candidates::default()
            };
            candidates.bound(tokens);
            candidates.pairs
        };
        let (few, many) = (bound(80), bound(100));
        assert_eq!(many[..few.len()], few);
        assert!(few.len() < pairs(80).count());
    }
}
